-- What people's tools read. Each index writes a row more: a new visible contact 5 (with two numbers), a
-- new call 4.

-- By name. The expression is what the list sorts by.
CREATE INDEX contacts_by_name
  ON contacts (lower(coalesce(fields ->> 'name', fields ->> 'organization', '')), id) WHERE state = 0;

CREATE INDEX hidden ON contacts (id) WHERE state = 1;

CREATE INDEX calls_by_time ON calls (timestamp, id);
CREATE INDEX calls_by_key ON calls (key, timestamp, id);
