-- When a made-up password expires unless it is changed: milliseconds since 1970 by the session
-- clock; NULL: never. Those that were made up before have a day from now.
ALTER TABLE UserPassPerm ADD COLUMN PasswordUntil INTEGER;
UPDATE UserPassPerm SET PasswordUntil = CAST(strftime('%s', 'now') AS INTEGER) * 1000 + 86400000
  WHERE MustChange = 1;
