-- One team's book. Times are milliseconds since 1970, ids UUID text, lists JSON.
--
-- D1 bills a row written a thousand times dearer than a row read, and each index entry is a row. Tables
-- without a rowid keep their rows in the primary key's tree, so that a new contact with two numbers
-- writes 4 rows: itself, its place in the order of revs, and two claims. A push adds 2, the book's row
-- and the device's, however many ops it has. A new call writes 2 rows, an edit of a contact 3 (with the
-- version that it supersedes) and those of the claims that change.

-- One row, made with the first admin.
CREATE TABLE book (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  epoch TEXT NOT NULL,
  rev INTEGER NOT NULL,
  digest TEXT NOT NULL,
  calls_rev INTEGER NOT NULL,
  clock INTEGER NOT NULL,  -- when it changed last
  tables TEXT NOT NULL     -- the version of the numbering tables that made its keys
);

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE,
  password TEXT NOT NULL,  -- a PHC string
  role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
  disabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  user TEXT NOT NULL REFERENCES users (id),
  name TEXT NOT NULL,
  platform TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER,
  replaces TEXT,            -- the device that this one follows
  ended_at INTEGER,
  ended_why TEXT,           -- 'reused' when a copy of the phone was seen
  refresh_current TEXT NOT NULL,
  acked_seq INTEGER NOT NULL,
  acked_op TEXT,
  floor INTEGER,
  rejections TEXT NOT NULL  -- [{ op_seq, code, detail }] of its last push
) WITHOUT ROWID;

CREATE TABLE refresh_tokens (
  hash TEXT PRIMARY KEY,
  device TEXT NOT NULL REFERENCES devices (id),
  parent TEXT,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE contacts (
  id TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  rev INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (0, 1, 2)), -- visible, hidden, deleted
  other TEXT,                -- hidden: whose duplicate; deleted: whose delete took it
  keys TEXT NOT NULL,        -- of its numbers, those of a tombstone too
  asleep TEXT NOT NULL,      -- those of its keys that others own
  took TEXT NOT NULL,        -- deleted: the hidden ones that its delete took
  deleted_at INTEGER,
  edit_rev INTEGER NOT NULL, -- the last edit
  edit_at INTEGER NOT NULL,
  edit_user TEXT NOT NULL,
  edit_device TEXT NOT NULL,
  fields TEXT NOT NULL,
  size INTEGER NOT NULL      -- bytes of the fields
) WITHOUT ROWID;

-- What a page of a pull is chosen by stands in the index, so that only its own rows are read.
CREATE INDEX contacts_by_rev ON contacts (rev, id, state, size);

-- Of live contacts only. The first of a key is its owner.
CREATE TABLE claims (
  key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  contact TEXT NOT NULL,
  PRIMARY KEY (key, created_at, contact)
) WITHOUT ROWID;

-- What edits superseded.
CREATE TABLE history (
  contact TEXT NOT NULL,
  rev INTEGER NOT NULL, -- of the edit that made this version
  at INTEGER NOT NULL,
  user TEXT NOT NULL,
  device TEXT NOT NULL,
  fields TEXT NOT NULL,
  PRIMARY KEY (contact, rev)
) WITHOUT ROWID;

CREATE TABLE calls (
  id TEXT PRIMARY KEY,
  rev INTEGER NOT NULL,
  user TEXT NOT NULL,
  device TEXT NOT NULL,
  phone_number TEXT NOT NULL,
  key TEXT,
  timestamp INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  direction TEXT NOT NULL,
  line TEXT
) WITHOUT ROWID;

CREATE INDEX calls_by_rev ON calls (rev, id);
