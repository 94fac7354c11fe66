-- Whether a user had come back with its id, or from its address; one who had not soon goes.
ALTER TABLE SavedUsers ADD COLUMN Confirmed INTEGER NOT NULL DEFAULT 1 CHECK (Confirmed IN (0, 1));

-- Set at a start, cleared at a clean stop: whoever finds it set starts after a crash.
CREATE TABLE Run (
  Only      INTEGER PRIMARY KEY CHECK (Only = 1),
  IsRunning INTEGER NOT NULL CHECK (IsRunning IN (0, 1))
) STRICT;
INSERT INTO Run (Only, IsRunning) VALUES (1, 0);
