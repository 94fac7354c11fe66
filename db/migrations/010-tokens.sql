-- What lets programs in. A token may do what its scopes say and its account's permission still
-- allows. Times are milliseconds since 1970 by the session clock. AUTOINCREMENT: a revoked token's
-- number is never another's.
CREATE TABLE Tokens (
  ID          INTEGER PRIMARY KEY AUTOINCREMENT,
  TokenHash   TEXT    NOT NULL UNIQUE, -- SHA-256 of the token, which is nowhere stored
  AccountID   INTEGER NOT NULL REFERENCES UserPassPerm (ID) ON DELETE CASCADE, -- who made it
  Name        TEXT    NOT NULL UNIQUE COLLATE NOCASE,
  Scopes      TEXT    NOT NULL, -- words with a blank in between
  Created     INTEGER NOT NULL,
  Expires     INTEGER NOT NULL,
  LastUsed    INTEGER, -- to the minute; NULL: never
  LastAddress TEXT
) STRICT;
CREATE INDEX TokensByAccount ON Tokens (AccountID);
