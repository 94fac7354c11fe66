-- Servers that take no visitors until somebody makes them ready. Times are wall-clock ms since 1970.
CREATE TABLE Drains (
  Server    TEXT    PRIMARY KEY, -- its name, or its port when it had none
  Note      TEXT    NOT NULL,    -- why, for people; empty for none
  Since     INTEGER NOT NULL,
  MovesFrom INTEGER              -- from then on those who are left are sent away; NULL: never
) STRICT, WITHOUT ROWID;
