-- What phones are sent of contacts, in the order of revs: a page of a pull is read out of this table alone, and JSON is
-- written once for all phones. Triggers keep it, so that a release that does not know it does so too.
CREATE TABLE pulled (
  rev INTEGER NOT NULL,
  id TEXT NOT NULL,
  state INTEGER NOT NULL,
  size INTEGER NOT NULL, -- bytes of the fields that are sent
  json TEXT NOT NULL,
  PRIMARY KEY (rev, id)
) WITHOUT ROWID;

-- As the crate of contacts writes it, without numbers that others own. Few contacts have any.
CREATE VIEW to_pull AS
SELECT rev, id, state, CASE state WHEN 0 THEN size ELSE 0 END AS size, CASE state
  WHEN 0 THEN '{"id":"' || id || '","rev":' || rev
    || ',"created_at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch')
    || '","updated_at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', edit_at / 1000.0, 'unixepoch')
    || '","updated_by":"' || edit_user || '"'
    || CASE fields WHEN '{}' THEN '}' ELSE ',' || substr(
      CASE asleep WHEN '[]' THEN fields ELSE json_set(fields, '$.phones', json((
        SELECT json_group_array(json(p.value) ORDER BY p.key)
        FROM json_each(fields, '$.phones') AS p
        WHERE NOT coalesce(instr(asleep, '"' || (p.value ->> 'key') || '"'), 0)))) END, 2) END
  WHEN 1 THEN '{"id":"' || id || '","rev":' || rev || ',"hidden":true,"owner":"' || other || '"}'
  ELSE '{"id":"' || id || '","rev":' || rev || ',"deleted":true}' END AS json
FROM contacts;

INSERT INTO pulled (rev, id, state, size, json) SELECT rev, id, state, size, json FROM to_pull;
DROP INDEX contacts_by_rev;

CREATE TRIGGER contact_comes AFTER INSERT ON contacts BEGIN
  INSERT INTO pulled (rev, id, state, size, json)
  SELECT rev, id, state, size, json FROM to_pull WHERE id = NEW.id;
END;
CREATE TRIGGER contact_changes AFTER UPDATE ON contacts BEGIN
  DELETE FROM pulled WHERE rev = OLD.rev AND id = OLD.id;
  INSERT INTO pulled (rev, id, state, size, json)
  SELECT rev, id, state, size, json FROM to_pull WHERE id = NEW.id;
END;
CREATE TRIGGER contact_goes AFTER DELETE ON contacts BEGIN
  DELETE FROM pulled WHERE rev = OLD.rev AND id = OLD.id;
END;
