-- Tombstones are not kept for ever.

-- Tombstones up to this rev may be gone: a cursor below it has missed deletes.
ALTER TABLE book ADD COLUMN purged_rev INTEGER NOT NULL DEFAULT 0;

-- How far the device has pulled contacts, as its cursors have told; 0 until it has pulled all once.
ALTER TABLE devices ADD COLUMN pulled_rev INTEGER NOT NULL DEFAULT 0;

-- Only a delete writes here.
CREATE INDEX tombstones ON contacts (rev, deleted_at) WHERE state = 2;
