-- Servers that run elsewhere and were added while Usher ran. NULL: as the settings say for all.
CREATE TABLE Servers (
  ID             INTEGER PRIMARY KEY, -- in the order of adding
  Name           TEXT    NOT NULL UNIQUE,
  Url            TEXT    NOT NULL, -- where visitors are sent, without a slash at its end
  Weight         INTEGER,
  Capacity       INTEGER,
  HealthPath     TEXT,
  HealthInterval INTEGER, -- milliseconds, as the next one
  HealthTimeout  INTEGER,
  HealthRise     INTEGER,
  HealthFall     INTEGER,
  HealthStatus   TEXT -- as in HEALTH_STATUS
) STRICT;
