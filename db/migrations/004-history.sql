-- The load of a day, for charts that are full when opened. Times are wall-clock ms since 1970.
CREATE TABLE History (
  At    INTEGER PRIMARY KEY,
  Loads TEXT NOT NULL CHECK (json_valid(Loads)) -- [active, reserved] by port, null when down
) STRICT;

-- What happened to the servers: start, up, down, drain, ready, reload.
CREATE TABLE HistoryEvents (
  ID   INTEGER PRIMARY KEY AUTOINCREMENT,
  At   INTEGER NOT NULL,
  Type TEXT    NOT NULL,
  Port INTEGER -- NULL: the whole
) STRICT;
CREATE INDEX HistoryEventsByTime ON HistoryEvents (At);
