-- What the nodes of a fleet tell each other. Without a fleet nothing is written here.
CREATE TABLE Fleet (
  Only     INTEGER PRIMARY KEY CHECK (Only = 1),
  Node     TEXT    NOT NULL, -- the own name; empty: this is no node of a fleet
  Cluster  TEXT    NOT NULL, -- the fleet's name
  Origin   TEXT    NOT NULL, -- of the own audit: the node's name and the life of this file
  IsTold   INTEGER NOT NULL CHECK (IsTold IN (0, 1)), -- what changes is told to the others
  Ahead    INTEGER NOT NULL, -- ms that the engine's clock is ahead of the wall clock
  Newest   INTEGER NOT NULL, -- of all versions: ms since 1970 by the engine's clock
  Life     TEXT    NOT NULL, -- of the engine's data: another one when it was started empty
  LastID   TEXT    NOT NULL, -- of the stream's entries: all up to it have been heard
  LastNumber INTEGER NOT NULL,
  Heard    INTEGER NOT NULL -- when this node was in step with the others, by the engine's clock
) STRICT;
INSERT INTO Fleet VALUES (1, '', '', '', 0, 0, 0, '', '0-0', 0, 0);

-- What has changed and was not heard back yet. A change comes here in its own transaction,
-- whoever makes it.
CREATE TABLE FleetOutbox (
  Kind TEXT    NOT NULL,
  Key  TEXT    NOT NULL,
  At   INTEGER NOT NULL, -- with the node the change's version
  Node TEXT    NOT NULL,
  PRIMARY KEY (Kind, Key)
) STRICT, WITHOUT ROWID;

-- The newest of each thing that was told or heard.
CREATE TABLE FleetNews (
  Kind  TEXT    NOT NULL,
  Key   TEXT    NOT NULL,
  At    INTEGER NOT NULL,
  Node  TEXT    NOT NULL,
  Value TEXT    CHECK (Value IS NULL OR json_valid(Value)), -- NULL: it is gone
  Until INTEGER, -- by the engine's clock; NULL: for good
  PRIMARY KEY (Kind, Key)
) STRICT, WITHOUT ROWID;

-- A change: INSERT INTO FleetChanges. Its version is newer than all that this node has heard of.
CREATE VIEW FleetChanges (Kind, Key) AS SELECT Kind, Key FROM FleetOutbox;
CREATE TRIGGER FleetChanged INSTEAD OF INSERT ON FleetChanges
WHEN (SELECT IsTold FROM Fleet) = 1 BEGIN
  UPDATE Fleet SET Newest = MAX(Newest + 1,
    Ahead + CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER));
  DELETE FROM FleetOutbox WHERE Kind = NEW.Kind AND Key = NEW.Key;
  INSERT INTO FleetOutbox (Kind, Key, At, Node) SELECT NEW.Kind, NEW.Key, Newest, Node FROM Fleet;
END;

CREATE TRIGGER DeniedAddedTold AFTER INSERT ON Denied BEGIN
  INSERT INTO FleetChanges VALUES ('denial', NEW.Kind || ' ' || NEW.Target);
END;
CREATE TRIGGER DeniedChangedTold AFTER UPDATE ON Denied BEGIN
  INSERT INTO FleetChanges VALUES ('denial', NEW.Kind || ' ' || NEW.Target);
END;
CREATE TRIGGER DeniedRemovedTold AFTER DELETE ON Denied BEGIN
  INSERT INTO FleetChanges VALUES ('denial', OLD.Kind || ' ' || OLD.Target);
END;

CREATE TRIGGER AccountAddedTold AFTER INSERT ON UserPassPerm BEGIN
  INSERT INTO FleetChanges VALUES ('account', NEW.Username);
END;
CREATE TRIGGER AccountChangedTold AFTER UPDATE ON UserPassPerm BEGIN
  INSERT INTO FleetChanges SELECT 'account', OLD.Username WHERE OLD.Username <> NEW.Username;
  INSERT INTO FleetChanges VALUES ('account', NEW.Username);
END;
CREATE TRIGGER AccountRemovedTold AFTER DELETE ON UserPassPerm BEGIN
  INSERT INTO FleetChanges VALUES ('account', OLD.Username);
END;

CREATE TRIGGER PermissionAddedTold AFTER INSERT ON Permissions BEGIN
  INSERT INTO FleetChanges VALUES ('permission', CAST(NEW.PermissionNum AS TEXT));
END;
CREATE TRIGGER PermissionChangedTold AFTER UPDATE ON Permissions BEGIN
  INSERT INTO FleetChanges SELECT 'permission', CAST(OLD.PermissionNum AS TEXT)
  WHERE OLD.PermissionNum <> NEW.PermissionNum;
  INSERT INTO FleetChanges VALUES ('permission', CAST(NEW.PermissionNum AS TEXT));
END;
CREATE TRIGGER PermissionRemovedTold AFTER DELETE ON Permissions BEGIN
  INSERT INTO FleetChanges VALUES ('permission', CAST(OLD.PermissionNum AS TEXT));
END;

CREATE TRIGGER SessionAddedTold AFTER INSERT ON Sessions BEGIN
  INSERT INTO FleetChanges VALUES ('session', NEW.TokenHash);
END;
CREATE TRIGGER SessionUsedTold AFTER UPDATE OF LastUsed ON Sessions
WHEN NEW.LastUsed > OLD.LastUsed BEGIN
  INSERT INTO FleetChanges VALUES ('session', NEW.TokenHash);
END;
CREATE TRIGGER SessionRemovedTold AFTER DELETE ON Sessions BEGIN
  INSERT INTO FleetChanges VALUES ('session', OLD.TokenHash);
END;

CREATE TRIGGER DrainAddedTold AFTER INSERT ON Drains BEGIN
  INSERT INTO FleetChanges VALUES ('drain', NEW.Server);
END;
CREATE TRIGGER DrainRemovedTold AFTER DELETE ON Drains BEGIN
  INSERT INTO FleetChanges VALUES ('drain', OLD.Server);
END;

-- Entries of other nodes: whose, and its number there. NULL: an own one.
ALTER TABLE Audit ADD COLUMN Origin TEXT;
ALTER TABLE Audit ADD COLUMN OriginID INTEGER;
ALTER TABLE Audit ADD COLUMN Told INTEGER; -- the version that is here
CREATE UNIQUE INDEX AuditByOrigin ON Audit (Origin, OriginID) WHERE Origin IS NOT NULL;
CREATE TRIGGER AuditAddedTold AFTER INSERT ON Audit WHEN NEW.Origin IS NULL BEGIN
  INSERT INTO FleetChanges VALUES ('audit', CAST(NEW.ID AS TEXT));
END;
CREATE TRIGGER AuditChangedTold AFTER UPDATE ON Audit WHEN NEW.Origin IS NULL BEGIN
  INSERT INTO FleetChanges VALUES ('audit', CAST(NEW.ID AS TEXT));
END;
