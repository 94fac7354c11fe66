-- Failed logins have a bound of their own in the audit, so that no flood of them removes what was
-- done: how many there are of each kind, and where the oldest of a kind is.
CREATE INDEX AuditByKind ON Audit (Action = 'login-failed');

CREATE TABLE AuditCounts (
  IsFailedLogin INTEGER PRIMARY KEY CHECK (IsFailedLogin IN (0, 1)),
  Entries       INTEGER NOT NULL
) STRICT;
INSERT INTO AuditCounts (IsFailedLogin, Entries)
SELECT 0, COUNT(*) FILTER (WHERE Action <> 'login-failed') FROM Audit UNION ALL
SELECT 1, COUNT(*) FILTER (WHERE Action = 'login-failed') FROM Audit;

CREATE TRIGGER AuditAdded AFTER INSERT ON Audit BEGIN
  UPDATE AuditCounts SET Entries = Entries + 1
  WHERE IsFailedLogin = (NEW.Action = 'login-failed');
END;
CREATE TRIGGER AuditRemoved AFTER DELETE ON Audit BEGIN
  UPDATE AuditCounts SET Entries = Entries - 1
  WHERE IsFailedLogin = (OLD.Action = 'login-failed');
END;
