-- Numbers get the keys of other tables while phones sync: how far that has come.

ALTER TABLE book ADD COLUMN rekey_to TEXT;      -- the version that makes the keys from now on; NULL: tables
ALTER TABLE book ADD COLUMN rekey_contact TEXT; -- the last contact that has been given its keys
ALTER TABLE book ADD COLUMN rekey_call TEXT;    -- the last call

-- Where a call's number was written; NULL for calls that came before: their keys stay.
ALTER TABLE calls ADD COLUMN region TEXT;
