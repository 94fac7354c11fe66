-- What a permission number allows. A number without a row allows nothing.
CREATE TABLE Permissions (
  PermissionNum INTEGER PRIMARY KEY,
  CanView       INTEGER NOT NULL CHECK (CanView IN (0, 1)),
  CanDisconnect INTEGER NOT NULL CHECK (CanDisconnect IN (0, 1))
) STRICT;
INSERT INTO Permissions (PermissionNum, CanView, CanDisconnect)
VALUES (-1, 0, 0), (0, 1, 0), (1, 1, 1);

-- Who may log in to the monitor. AUTOINCREMENT: a removed account's number is never another's.
CREATE TABLE UserPassPerm (
  ID         INTEGER PRIMARY KEY AUTOINCREMENT,
  Username   TEXT    NOT NULL COLLATE NOCASE UNIQUE,
  Password   TEXT    NOT NULL, -- argon2id, as a PHC string
  Perm       INTEGER NOT NULL REFERENCES Permissions (PermissionNum),
  MustChange INTEGER NOT NULL DEFAULT 0 CHECK (MustChange IN (0, 1)) -- the password was made up
) STRICT;

-- Times are milliseconds since 1970 by the session clock (packages/shared/src/clock.ts).
CREATE TABLE Sessions (
  TokenHash TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of the cookie's value, which is nowhere stored
  AccountID INTEGER NOT NULL REFERENCES UserPassPerm (ID) ON DELETE CASCADE,
  Created   INTEGER NOT NULL,
  LastUsed  INTEGER NOT NULL,
  Address   TEXT    NOT NULL,
  UserAgent TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX SessionsByAccount ON Sessions (AccountID);

-- How far the session clock has come: a wall clock that is set back between runs extends nothing.
CREATE TABLE SessionClock (
  Only    INTEGER PRIMARY KEY CHECK (Only = 1),
  Reached INTEGER NOT NULL
) STRICT;
INSERT INTO SessionClock (Only, Reached) VALUES (1, 0);
