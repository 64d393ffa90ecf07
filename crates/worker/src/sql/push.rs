//! What a push or a step of re-keying reads, and what its plan writes: batches over contacts, claims
//! and history.

use std::collections::{BTreeMap, BTreeSet};

use callbook_base::{ContactId, DeviceId, Rev};
use callbook_contacts::{Change, Changes, Contact, Deletes, Fields, Held, LastEdit, Push};
use callbook_dedup::{Claim, NumberKey, Tables};
use serde::Serialize;
use serde_json::json;

use super::book::Book;
use super::contacts::{columns, read};
use super::devices::{self, lineage};
use super::packed::{self, MOST_BOUND, given_claims, given_contacts};
use crate::database::{DatabaseError, Rows, Statement};

/// Bytes of fields that one change loads; a push's plan stops at the first contact beyond.
pub(crate) const MOST_READ: u64 = 2_000_000;

/// The statements that read what the ops of a push touch, for [`Touched::read`].
pub(crate) fn reads(push: &Push, device: DeviceId, tables: Tables) -> Vec<Statement> {
    let mut ids = Vec::new();
    let mut seen = BTreeSet::new();
    let mut keys = BTreeSet::new();
    let mut deletes = Vec::new();
    for op in &push.ops {
        ids.extend(op.target.map(|target| target.id).filter(|id| seen.insert(*id)));
        let Ok(op) = &op.op else { continue };
        match &op.change {
            Change::Delete => deletes.push(json!({ "id": op.id, "base_rev": op.base_rev })),
            Change::Put { edit, .. } => keys.extend(edit.add.phones.iter().filter_map(|phone| {
                let region = phone.region.as_ref().unwrap_or(&push.region);
                (tables.key)(phone.number.as_str(), region.as_str())
            })),
        }
    }
    let edited_by_others = Statement::new(concat!(
        lineage!("?2"),
        ", edits AS (
           SELECT h.contact, h.rev, h.device FROM json_each(?1) AS gone
           CROSS JOIN history AS h
             ON h.contact = gone.value ->> 'id' AND h.rev > gone.value ->> 'base_rev'
           UNION ALL
           SELECT c.id, c.edit_rev, c.edit_device FROM json_each(?1) AS gone
           CROSS JOIN contacts AS c ON c.id = gone.value ->> 'id')
         SELECT contact, max(rev) AS rev FROM edits WHERE device NOT IN (SELECT id FROM lineage)
         GROUP BY contact"
    ));
    vec![
        near(&ids, &keys, MOST_READ),
        devices::lineage_of(device),
        edited_by_others.bind(to_json(&deletes)).bind(device.to_string()),
    ]
}

/// The statement that reads contacts with these ids, those that a tombstone of them took with it, and those
/// that claim one of their keys or of `keys`; the claims on all their keys, and which of these are shared; and
/// so many bytes of the fields of the contacts with these ids, in their order. For [`Near::read`].
///
/// It is one statement, so that lists are gone through once: most of what a first push names is not there.
pub(crate) fn near(ids: &[ContactId], keys: &BTreeSet<NumberKey>, most_read: u64) -> Statement {
    let statement = Statement::new(concat!(
        "WITH named AS MATERIALIZED (
           SELECT c.id, c.keys, c.took, n.key AS place
           FROM json_each(?1) AS n CROSS JOIN contacts AS c ON c.id = n.value),
         touched AS MATERIALIZED (
           SELECT id, keys FROM named
           UNION
           SELECT c.id, c.keys FROM named, json_each(named.took) AS t
           CROSS JOIN contacts AS c ON c.id = t.value),
         touched_keys AS MATERIALIZED (
           SELECT value AS key FROM json_each(?2)
           UNION ALL
           SELECT k.value FROM touched, json_each(touched.keys) AS k),
         near AS MATERIALIZED (
           SELECT id FROM touched
           UNION
           SELECT claims.contact FROM touched_keys AS k CROSS JOIN claims ON claims.key = k.key),
         all_keys AS MATERIALIZED (
           SELECT key FROM touched_keys
           UNION
           SELECT k.value FROM near CROSS JOIN contacts AS c ON c.id = near.id, json_each(c.keys) AS k)
         SELECT 'contact' AS kind, NULL AS key, NULL AS shared, NULL AS fields, ",
        columns!(),
        " FROM near CROSS JOIN contacts AS c ON c.id = near.id
         UNION ALL
         SELECT 'key', k.key, s.key IS NOT NULL, NULL, claims.contact, claims.created_at, ",
        no_more_columns!(),
        " FROM all_keys AS k
         LEFT JOIN claims ON claims.key = k.key LEFT JOIN shared_keys AS s ON s.key = k.key
         WHERE claims.key IS NOT NULL OR s.key IS NOT NULL
         UNION ALL
         SELECT 'fields', NULL, NULL, fields, id, NULL, ",
        no_more_columns!(),
        " FROM (
           SELECT c.id, c.fields, c.size, sum(c.size) OVER (ORDER BY named.place) AS total
           FROM named CROSS JOIN contacts AS c ON c.id = named.id)
         WHERE total - size < ?3"
    ));
    statement.bind(to_json(&ids)).bind(to_json(&keys)).bind(most_read)
}

/// The columns of a contact behind its id and creation.
macro_rules! no_more_columns {
    () => {
        "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    };
}
use no_more_columns;

/// What is near some contacts and keys.
#[derive(Default)]
pub(crate) struct Near {
    pub(crate) contacts: BTreeMap<ContactId, Contact>,
    pub(crate) claims: Vec<(NumberKey, Claim)>,
    pub(crate) shared: BTreeSet<NumberKey>,
    pub(crate) fields: BTreeMap<ContactId, Fields>,
}

impl Near {
    /// The answer to [`near`].
    pub(crate) fn read(rows: &Rows) -> Result<Self, DatabaseError> {
        let mut near = Self::default();
        for row in rows.iter() {
            match row.text("kind")? {
                "contact" => {
                    near.contacts.insert(row.parse("id")?, read(row)?);
                }
                "key" => {
                    let key = row.parse("key")?;
                    if let Some(created_at) = row.time_or_null("created_at")? {
                        near.claims.push((key, Claim { created_at, contact: row.parse("id")? }));
                    }
                    if row.int("shared")? == 1 {
                        near.shared.insert(key);
                    }
                }
                _ => {
                    near.fields.insert(row.parse("id")?, row.json("fields")?);
                }
            }
        }
        Ok(near)
    }

    /// With the book that they are of.
    pub(crate) fn of(self, book: &Book) -> Held {
        let Self { contacts, claims, shared, fields } = self;
        Held {
            rev: book.rev,
            digest: book.digest,
            visible: book.visible,
            clock: book.clock,
            contacts,
            fields,
            claims,
            shared,
        }
    }
}

/// What the ops of a push touch.
#[derive(Default)]
pub(crate) struct Touched {
    pub(crate) near: Near,
    pub(crate) lineage: BTreeMap<DeviceId, Deletes>,
    pub(crate) edited_by_others: BTreeMap<ContactId, Rev>,
}

impl Touched {
    /// The answers to [`reads`], in their order.
    pub(crate) fn read(rows: &[Rows]) -> Result<Self, DatabaseError> {
        let [near, lineage, edited_by_others] = rows else {
            return Err(DatabaseError::few_answers());
        };
        Ok(Self {
            near: Near::read(near)?,
            lineage: devices::read_lineage(lineage)?,
            edited_by_others: edited_by_others
                .iter()
                .map(|row| Ok((row.parse("contact")?, row.rev("rev")?)))
                .collect::<Result<_, DatabaseError>>()?,
        })
    }
}

/// The fields of the next contacts that a step of re-keying takes, in the order of their ids.
pub(crate) fn fields_to_rekey(tables: Tables, limit: usize, bytes: u64) -> Statement {
    Statement::new(
        "SELECT id, fields FROM (
           SELECT id, fields, size, sum(size) OVER (ORDER BY id) AS total FROM contacts
           WHERE id > (SELECT coalesce(CASE WHEN rekey_to = ?1 THEN rekey_contact END, '') FROM book)
           ORDER BY id LIMIT ?2)
         WHERE total - size < ?3 ORDER BY id",
    )
    .bind(tables.version)
    .bind(limit as u64)
    .bind(bytes)
}

/// The answer to [`fields_to_rekey`].
pub(crate) fn read_fields(rows: &Rows) -> Result<BTreeMap<ContactId, Fields>, DatabaseError> {
    rows.iter().map(|row| Ok((row.parse("id")?, row.json("fields")?))).collect()
}

/// The statements that write changes, after their guards.
pub(crate) fn writes(changes: &Changes) -> Vec<Statement> {
    let rev = changes.rev;
    let [mut edited, mut rekeyed, mut stamped] = <[packed::Contacts; 3]>::default();
    for (id, contact, fields) in &changes.edited {
        edited.add(*id, contact, Some(fields));
    }
    for (id, contact, fields) in &changes.rekeyed {
        rekeyed.add(*id, contact, Some(fields));
    }
    for (id, contact) in &changes.stamped {
        stamped.add(*id, contact, None);
    }
    // All edits of a push are by one device, at one time.
    let edit = changes.edited.first().map(|(_, contact, _)| contact.edit);
    let upsert = |(rows, texts)| match edit {
        Some(LastEdit { at, user, device, .. }) => {
            let upsert = upsert().bind(rows).bind(texts).bind(rev).bind(at);
            upsert.bind(user.to_string()).bind(device.to_string())
        }
        None => unreachable!("there is no row without an edit"),
    };
    let of_contacts = |statement: fn() -> Statement| {
        move |(rows, texts)| statement().bind(rows).bind(texts).bind(rev)
    };
    let ids = changes.superseded.iter().map(to_json);
    let mut writes = in_parts(ids, |ids| supersede().bind(ids));
    writes.extend(edited.parts().map(upsert));
    writes.extend(rekeyed.parts().map(of_contacts(rekey)));
    writes.extend(stamped.parts().map(of_contacts(stamp)));
    writes
        .extend(in_parts(changes.unclaimed.iter().map(packed::claim), |rows| unclaim().bind(rows)));
    writes.extend(in_parts(changes.claimed.iter().map(packed::claim), |rows| claim().bind(rows)));
    writes
}

/// Statements with these rows, each as JSON, as their first value: one, several when the rows are more
/// than D1 binds at once, and none when there are none.
fn in_parts(
    rows: impl Iterator<Item = String>,
    statement: impl Fn(String) -> Statement,
) -> Vec<Statement> {
    let mut parts: Vec<String> = Vec::new();
    for row in rows {
        match parts.last_mut() {
            Some(part) if part.len() + row.len() < MOST_BOUND => {
                part.push(',');
                part.push_str(&row);
            }
            _ => parts.push(format!("[{row}")),
        }
    }
    parts.into_iter().map(|part| statement(part + "]")).collect()
}

/// All statements of [`writes`], unbound.
#[cfg(test)]
pub(super) fn all_writes() -> Vec<Statement> {
    vec![supersede(), upsert(), rekey(), stamp(), unclaim(), claim()]
}

/// Keeps the versions that edits supersede.
fn supersede() -> Statement {
    Statement::new(
        "INSERT INTO history (contact, rev, at, user, device, fields)
         SELECT c.id, c.edit_rev, c.edit_at, c.edit_user, c.edit_device, c.fields
         FROM json_each(?1) AS n CROSS JOIN contacts AS c ON c.id = n.value",
    )
}

/// A new contact, or an edited one.
fn upsert() -> Statement {
    Statement::new(concat!(
        given_contacts!(),
        "INSERT INTO contacts (id, state, other, asleep, took, deleted_at, keys, fields, size,
           sort_name, created_at, rev, edit_rev, edit_at, edit_user, edit_device)
         SELECT id, state, other, asleep, took, deleted_at, keys, fields, size, sort_name, created_at,
           ?3, ?3, ?4, ?5, ?6
         FROM given WHERE true
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, other = excluded.other,
           asleep = excluded.asleep, took = excluded.took, deleted_at = excluded.deleted_at,
           keys = excluded.keys, fields = excluded.fields, size = excluded.size,
           sort_name = excluded.sort_name,
           rev = excluded.rev, edit_rev = excluded.edit_rev, edit_at = excluded.edit_at,
           edit_user = excluded.edit_user, edit_device = excluded.edit_device"
    ))
}

/// All but what only an edit changes, and the keys in the fields.
fn rekey() -> Statement {
    Statement::new(concat!(
        given_contacts!(),
        "UPDATE contacts SET state = given.state, other = given.other, asleep = given.asleep,
           took = given.took, deleted_at = given.deleted_at, keys = given.keys,
           fields = given.fields, size = given.size, rev = ?3
         FROM given WHERE contacts.id = given.id"
    ))
}

/// All but what only an edit changes.
fn stamp() -> Statement {
    Statement::new(concat!(
        given_contacts!(),
        "UPDATE contacts SET state = given.state, other = given.other, asleep = given.asleep,
           took = given.took, deleted_at = given.deleted_at, rev = ?3
         FROM given WHERE contacts.id = given.id"
    ))
}

fn unclaim() -> Statement {
    Statement::new(concat!(
        given_claims!(),
        "DELETE FROM claims WHERE (key, created_at, contact) IN
           (SELECT key, created_at, contact FROM given)"
    ))
}

fn claim() -> Statement {
    Statement::new(concat!(
        given_claims!(),
        "INSERT INTO claims (key, created_at, contact) SELECT key, created_at, contact FROM given"
    ))
}

/// Rows as one bound value.
fn to_json(rows: &impl Serialize) -> String {
    serde_json::to_string(rows).expect("rows are plain text and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Value as Bound;

    #[test]
    fn rows_are_bound_in_parts_that_d1_takes() {
        #[track_caller]
        fn check(lengths: &[usize], parts: &[usize]) {
            let rows: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let statements = in_parts(rows.iter().map(to_json), |part| claim().bind(part));
            let bound: Vec<Vec<String>> = statements
                .iter()
                .map(|statement| match &statement.params[..] {
                    [Bound::Text(text)] if text.len() <= 2_000_000 => {
                        serde_json::from_str(text).unwrap()
                    }
                    _ => panic!("one text of at most 2,000,000 bytes"),
                })
                .collect();
            assert_eq!(bound.iter().map(Vec::len).collect::<Vec<_>>(), parts);
            assert_eq!(bound.concat(), rows);
        }
        check(&[], &[]);
        check(&[5], &[1]);
        check(&[5; 1_000], &[1_000]);
        check(&[1_000_000; 3], &[1, 1, 1]);
        check(&[999_000; 3], &[2, 1]);
        check(&[1_900_000, 5, 1_900_000], &[2, 1]);
    }
}
