-- The guard against a phone that deletes the book.

-- How many visible contacts the book has, kept by every push.
ALTER TABLE book ADD COLUMN visible INTEGER NOT NULL DEFAULT 0;
UPDATE book SET visible = (SELECT count(*) FROM contacts WHERE state = 0);

-- How many contacts the device has deleted in the last day, and when: [[at, contacts]].
ALTER TABLE devices ADD COLUMN deletes TEXT NOT NULL DEFAULT '[]';
