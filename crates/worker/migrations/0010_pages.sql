-- All that phones are sent of a contact stands in the order of revs too, so that a page of a pull is read out of this
-- index alone: a search for each row of a page was a third of the rows that D1 reads for it. A write of a contact
-- writes as many rows as before, and its fields twice.
DROP INDEX contacts_by_rev;
CREATE INDEX contacts_by_rev ON contacts
  (rev, id, state, size, created_at, edit_at, edit_user, other, asleep, fields);
