-- Sign-in, what devices tell of themselves, and what is forgotten by age.

-- Wrong passwords, and guesses under way. The subject is the hash of a name or an address.
CREATE TABLE guesses (
  subject TEXT NOT NULL,
  until INTEGER NOT NULL, -- it counts so long
  id TEXT NOT NULL,
  PRIMARY KEY (subject, until, id)
) WITHOUT ROWID;

-- Sign-ins, and what admins did.
CREATE TABLE audit (
  at INTEGER NOT NULL,
  id TEXT NOT NULL,       -- of the request
  act TEXT NOT NULL,
  user TEXT,
  device TEXT,
  address TEXT,
  subject TEXT,           -- a user or a device
  PRIMARY KEY (at, id)
) WITHOUT ROWID;

ALTER TABLE devices ADD COLUMN version TEXT;      -- of its app
ALTER TABLE devices ADD COLUMN synced_at INTEGER; -- its last push, or pull that brought something

CREATE INDEX history_by_age ON history (at);
