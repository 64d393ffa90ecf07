-- Restoring the book from a backup.

-- What the book was called before, and the rev up to which that book is this one: [[epoch, rev]].
ALTER TABLE book ADD COLUMN epochs TEXT NOT NULL DEFAULT '[]';
