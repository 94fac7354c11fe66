-- The keys that sign tickets, with their secrets.
CREATE TABLE TicketKeys (
  KeyID      TEXT    NOT NULL PRIMARY KEY, -- its name in tickets: the thumbprint of RFC 7638
  PublicKey  TEXT    NOT NULL, -- of Ed25519, in base64url (RFC 8037); so is the other
  PrivateKey TEXT    NOT NULL,
  SignsFrom  INTEGER NOT NULL  -- milliseconds since 1970 by the session clock
) STRICT;
