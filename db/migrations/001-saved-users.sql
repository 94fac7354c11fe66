-- The active users of the last clean stop, so that a restart loses nobody.
CREATE TABLE SavedUsers (
  Kind       TEXT    NOT NULL CHECK (Kind IN ('id', 'ip')),
  Client     TEXT    NOT NULL, -- a UUID, or an IP address for a client known by address
  Address    TEXT    NOT NULL, -- last seen from; '::' when not known
  ServerPort INTEGER NOT NULL,
  FirstSeen  INTEGER NOT NULL, -- wall-clock milliseconds since 1970
  LastSeen   INTEGER NOT NULL,
  PRIMARY KEY (Kind, Client)
) STRICT, WITHOUT ROWID;
