-- What lists are sorted by, as a column: as an expression of the fields it was read out of their JSON at
-- each write of a contact, a tenth of a first push.
ALTER TABLE contacts ADD COLUMN sort_name TEXT NOT NULL DEFAULT '';
UPDATE contacts SET sort_name = lower(coalesce(fields ->> 'name', fields ->> 'organization', ''));

DROP INDEX contacts_by_name;
CREATE INDEX contacts_by_name ON contacts (sort_name, id) WHERE state = 0;
