-- Who is refused. Times are wall-clock milliseconds since 1970.
CREATE TABLE Denied (
  Kind   TEXT    NOT NULL CHECK (Kind IN ('id', 'address', 'range')),
  Target TEXT    NOT NULL, -- a lower-case UUID, an IP address, or a CIDR without bits of hosts
  Reason TEXT    NOT NULL,
  Author TEXT    NOT NULL,
  Since  INTEGER NOT NULL,
  Until  INTEGER, -- NULL: for good
  PRIMARY KEY (Kind, Target)
) STRICT, WITHOUT ROWID;

-- Who did what to whom. AUTOINCREMENT: a cursor never comes to name another row.
CREATE TABLE Audit (
  ID      INTEGER PRIMARY KEY AUTOINCREMENT,
  At      INTEGER NOT NULL,
  Who     TEXT    NOT NULL,
  Action  TEXT    NOT NULL,
  Target  TEXT,
  Detail  TEXT    CHECK (Detail IS NULL OR json_valid(Detail)),
  Address TEXT    NOT NULL
) STRICT;
