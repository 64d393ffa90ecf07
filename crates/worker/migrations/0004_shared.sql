-- Numbers that several contacts show: a switchboard, a couple's landline.
CREATE TABLE shared_keys (
  key TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  user TEXT NOT NULL REFERENCES users (id)
) WITHOUT ROWID;
