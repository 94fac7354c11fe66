-- Servers that run elsewhere and are in maintenance: nobody at all is sent there.
ALTER TABLE Drains ADD COLUMN Maintenance INTEGER NOT NULL DEFAULT 0 CHECK (Maintenance IN (0, 1));
