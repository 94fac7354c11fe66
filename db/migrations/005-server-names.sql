-- Servers are known by name, which outlives a change of port. What was written before has the port,
-- which is also what a server without a name of its own is called.
CREATE TABLE NamedUsers (
  Kind      TEXT    NOT NULL CHECK (Kind IN ('id', 'ip')),
  Client    TEXT    NOT NULL, -- a UUID, or an IP address for a client known by address
  Address   TEXT    NOT NULL, -- last seen from; '::' when not known
  Server    TEXT    NOT NULL,
  FirstSeen INTEGER NOT NULL, -- wall-clock milliseconds since 1970
  LastSeen  INTEGER NOT NULL,
  PRIMARY KEY (Kind, Client)
) STRICT, WITHOUT ROWID;
INSERT INTO NamedUsers SELECT Kind, Client, Address, CAST(ServerPort AS TEXT), FirstSeen, LastSeen
  FROM SavedUsers;
DROP TABLE SavedUsers;
ALTER TABLE NamedUsers RENAME TO SavedUsers;

-- The keys of History.Loads are names likewise.
ALTER TABLE HistoryEvents ADD COLUMN Server TEXT; -- NULL: the whole
UPDATE HistoryEvents SET Server = CAST(Port AS TEXT);
ALTER TABLE HistoryEvents DROP COLUMN Port;
