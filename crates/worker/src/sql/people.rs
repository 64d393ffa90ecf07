//! What people's tools read of contacts: lists, one with all that is known of it, duplicates, figures.
//!
//! A list by name goes along an index and reads its page. A search goes along the same index and reads
//! contacts until its page is full, all of the book at worst; so do the numbers that several claim, along
//! the claims.

use callbook_base::{ContactId, Named, Rev};
use callbook_contacts::csv::Exported;
use callbook_contacts::wire::{ClaimedNumber, ContactState, ContactView, Revision};
use callbook_contacts::{Contact, Fields, State};
use callbook_dedup::NumberKey;
use serde::Serialize;

use super::contacts::{columns, read};
use crate::database::{DatabaseError, Row, Rows, Statement};

/// Rows that come with one contact at most: duplicates, revisions.
const MOST_OF_ONE: u64 = 100;

/// A [`ContactView`]'s columns, of the table named `c`.
macro_rules! view {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", c.fields, (
               SELECT json_group_array(json_object('key', k.value, 'owner', (
                 SELECT contact FROM claims WHERE claims.key = k.value
                 ORDER BY created_at, contact LIMIT 1)))
               FROM json_each(c.asleep) AS k) AS lost"
        )
    };
}

/// Whether the contact `c` has all terms of the search `?1`: each a list of spellings, of which one is in
/// one of its texts, or digits that are in one of its keys. A spelling is there twice, as it is and as
/// it would stand in JSON: so most contacts are passed over without their fields being taken apart.
macro_rules! matches {
    () => {
        "NOT EXISTS (
           SELECT 1 FROM json_each(?1) AS term
           WHERE coalesce(instr(c.keys, term.value ->> 'digits'), 0) = 0
             AND NOT EXISTS (
               SELECT 1 FROM json_each(term.value, '$.texts') AS spelling
               WHERE instr(lower(c.fields), spelling.value ->> 1) > 0
                 AND EXISTS (
                   SELECT 1 FROM json_tree(c.fields) AS said
                   WHERE said.type = 'text' AND said.key NOT IN ('type', 'region', 'key')
                     AND instr(lower(said.value), spelling.value ->> 0) > 0)))"
    };
}

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Search(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Term {
    texts: Vec<(String, String)>,
    digits: Option<String>,
}

impl Search {
    /// Words, all of which are to be found, or a number in any spelling. SQLite knows small letters of
    /// ASCII alone, so that other letters are looked for in three spellings.
    pub(crate) fn read(text: &str) -> Self {
        let is_number = text.chars().all(|c| c.is_ascii_digit() || "+-()./ ".contains(c));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0');
        if is_number && digits.len() >= 3 {
            let texts = spellings(text.trim());
            return Self(vec![Term { texts, digits: Some(digits.to_owned()) }]);
        }
        let words = text.split_whitespace();
        Self(words.map(|word| Term { texts: spellings(word), digits: None }).collect())
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("a search is plain text")
    }
}

fn spellings(word: &str) -> Vec<(String, String)> {
    let small = word.to_lowercase();
    let first = small.chars().next().map_or(0, char::len_utf8);
    let first_large = small[..first].to_uppercase() + &small[first..];
    let mut spellings = vec![small, first_large, word.to_uppercase()];
    spellings.iter_mut().for_each(|spelling| spelling.make_ascii_lowercase());
    spellings.dedup();
    let in_json = |spelling: String| {
        let quoted = serde_json::to_string(&spelling).expect("a text is plain");
        (spelling, quoted[1..quoted.len() - 1].to_owned())
    };
    spellings.into_iter().map(in_json).collect()
}

/// Visible contacts by name, after a name and an id, and one more when there is more.
pub(crate) fn by_name(search: &Search, after: Option<(&str, &str)>, limit: u64) -> Statement {
    let (name, id) = after.unwrap_or_default();
    Statement::new(concat!(
        view!(),
        ", c.sort_name FROM contacts AS c
         WHERE c.state = 0 AND c.sort_name >= ?2 AND (c.sort_name > ?2 OR c.id > ?3) AND ",
        matches!(),
        " ORDER BY c.sort_name, c.id LIMIT ?4 + 1"
    ))
    .bind(search.to_json())
    .bind(name)
    .bind(id)
    .bind(limit)
}

/// Tombstones before a rev, the latest first, and one more when there is more.
pub(crate) fn deleted(search: &Search, before: Rev, after: &str, limit: u64) -> Statement {
    Statement::new(concat!(
        view!(),
        ", c.rev AS sort_rev FROM contacts AS c
         WHERE c.state = 2 AND c.rev <= ?2 AND (c.rev < ?2 OR c.id > ?3) AND ",
        matches!(),
        " ORDER BY c.rev DESC, c.id LIMIT ?4 + 1"
    ))
    .bind(search.to_json())
    .bind(before)
    .bind(after)
    .bind(limit)
}

/// Hidden contacts after an id, and one more when there is more.
pub(crate) fn hidden(search: &Search, after: &str, limit: u64) -> Statement {
    Statement::new(concat!(
        view!(),
        " FROM contacts AS c WHERE c.state = 1 AND c.id > ?2 AND ",
        matches!(),
        " ORDER BY c.id LIMIT ?3 + 1"
    ))
    .bind(search.to_json())
    .bind(after)
    .bind(limit)
}

/// Keys after a key that several contacts claim, and one more when there is more; of each its claimants,
/// its owner first.
pub(crate) fn claimed_by_several(after: &str, limit: u64) -> Statement {
    Statement::new(
        "WITH several AS MATERIALIZED (
           SELECT key FROM claims WHERE key > ?1 GROUP BY key HAVING count(*) > 1
           ORDER BY key LIMIT ?2 + 1)
         SELECT claims.key, claims.contact, c.fields ->> 'name' AS name,
           EXISTS (SELECT 1 FROM shared_keys AS s WHERE s.key = several.key) AS shared
         FROM several CROSS JOIN claims ON claims.key = several.key
         CROSS JOIN contacts AS c ON c.id = claims.contact
         ORDER BY claims.key, claims.created_at, claims.contact",
    )
    .bind(after)
    .bind(limit)
}

pub(crate) fn read_claimed(rows: &Rows) -> Result<Vec<ClaimedNumber>, DatabaseError> {
    let mut numbers: Vec<ClaimedNumber> = Vec::new();
    for row in rows.iter() {
        let key = row.parse("key")?;
        if numbers.last().is_none_or(|last| last.key != key) {
            let shared = row.count("shared")? != 0;
            numbers.push(ClaimedNumber { key, shared, claimants: Vec::new() });
        }
        let claimant = Named { id: row.parse("contact")?, name: row.parse_or_null("name")? };
        numbers.iter_mut().last().into_iter().for_each(|it| it.claimants.push(claimant.clone()));
    }
    Ok(numbers)
}

/// One contact, of any state, and the name of who edited it last.
pub(crate) fn one(id: ContactId) -> Statement {
    Statement::new(concat!(
        view!(),
        ", u.username FROM contacts AS c LEFT JOIN users AS u ON u.id = c.edit_user WHERE c.id = ?1"
    ))
    .bind(id.to_string())
}

pub(crate) fn read_one(rows: &Rows) -> Result<Option<(ContactView, String)>, DatabaseError> {
    let read = |row: Row<'_>| {
        let name = row.text_or_null("username")?.unwrap_or_default().to_owned();
        Ok((read_view(row)?, name))
    };
    rows.first().map(read).transpose()
}

/// Hidden contacts that claim a key which this one owns.
pub(crate) fn duplicates_of(id: ContactId) -> Statement {
    Statement::new(concat!(
        "WITH found AS MATERIALIZED (
           SELECT DISTINCT other.contact AS id
           FROM contacts AS owner, json_each(owner.keys) AS k
           CROSS JOIN claims AS other ON other.key = k.value AND other.contact <> owner.id
           WHERE owner.id = ?1 AND owner.state = 0
             AND k.value NOT IN (SELECT value FROM json_each(owner.asleep))
           LIMIT ?2) ",
        view!(),
        " FROM found CROSS JOIN contacts AS c ON c.id = found.id WHERE c.state = 1 ORDER BY c.created_at, c.id"
    ))
    .bind(id.to_string())
    .bind(MOST_OF_ONE)
}

/// What edits of a contact superseded.
pub(crate) fn history(id: ContactId) -> Statement {
    Statement::new(
        "SELECT h.rev, h.at, h.user, h.device, h.fields, u.username
         FROM history AS h LEFT JOIN users AS u ON u.id = h.user
         WHERE h.contact = ?1 ORDER BY h.rev DESC LIMIT ?2",
    )
    .bind(id.to_string())
    .bind(MOST_OF_ONE)
}

/// What a contact said at a revision: as it stands, or from its history.
pub(crate) fn revision(id: ContactId, rev: Rev) -> Statement {
    Statement::new(
        "SELECT id, fields FROM contacts WHERE id = ?1 AND edit_rev = ?2
         UNION ALL
         SELECT contact, fields FROM history WHERE contact = ?1 AND rev = ?2",
    )
    .bind(id.to_string())
    .bind(rev)
}

pub(crate) fn read_history(rows: &Rows) -> Result<Vec<Revision>, DatabaseError> {
    let read = |row: Row<'_>| {
        Ok(Revision {
            rev: row.rev("rev")?,
            at: row.time("at")?,
            user: row.parse("user")?,
            username: row.text_or_null("username")?.unwrap_or_default().to_owned(),
            device: row.parse("device")?,
            fields: row.json("fields")?,
        })
    };
    rows.iter().map(read).collect()
}

pub(crate) fn read_views(rows: &Rows) -> Result<Vec<ContactView>, DatabaseError> {
    rows.iter().map(read_view).collect()
}

fn read_view(row: Row<'_>) -> Result<ContactView, DatabaseError> {
    let Contact { created_at, rev, state, edit, .. } = read(row)?;
    let (state, deleted_at) = match state {
        State::Visible => (ContactState::Visible, None),
        State::Hidden { .. } => (ContactState::Hidden, None),
        State::Deleted { at, .. } => (ContactState::Deleted, Some(at)),
    };
    Ok(ContactView {
        id: row.parse("id")?,
        rev,
        state,
        lost: row.json("lost")?,
        created_at,
        updated_at: edit.at,
        updated_by: edit.user,
        edit_rev: edit.rev,
        deleted_at,
        fields: row.json::<Fields>("fields")?,
    })
}

/// Visible contacts after an id, as many as a page of a file has room for.
pub(crate) fn export(after: &str, limit: u64) -> Statement {
    const BYTES: u64 = 1 << 20;
    Statement::new(
        "SELECT id, created_at, edit_at, asleep, fields FROM (
           SELECT id, created_at, edit_at, asleep, fields, size, sum(size) OVER (ORDER BY id) AS total
           FROM contacts WHERE state = 0 AND id > ?1 ORDER BY id LIMIT ?2)
         WHERE total - size < ?3 ORDER BY id",
    )
    .bind(after)
    .bind(limit)
    .bind(BYTES)
}

/// Without the numbers that others own.
pub(crate) fn read_export(rows: &Rows) -> Result<Vec<Exported>, DatabaseError> {
    let read = |row: Row<'_>| {
        let mut fields: Fields = row.json("fields")?;
        fields.take_numbers(&row.json::<Vec<NumberKey>>("asleep")?);
        Ok(Exported {
            id: row.parse("id")?,
            created_at: row.time("created_at")?,
            updated_at: row.time("edit_at")?,
            fields,
        })
    };
    rows.iter().map(read).collect()
}

/// What `GET /stats` counts. The visible contacts are the book's own count; hidden and deleted ones,
/// calls and devices are counted along an index.
pub(crate) fn stats() -> Statement {
    Statement::new(
        "SELECT (SELECT count(*) FROM contacts WHERE state = 1) AS hidden,
           (SELECT count(*) FROM contacts WHERE state = 2) AS deleted,
           (SELECT count(*) FROM calls) AS calls,
           (SELECT count(*) FROM users WHERE NOT disabled) AS users,
           (SELECT count(*) FROM devices WHERE ended_at IS NULL) AS devices,
           (SELECT count(*) FROM shared_keys) AS shared_numbers",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searches_are_words_or_a_number() {
        #[track_caller]
        fn check(text: &str, json: &str) {
            assert_eq!(Search::read(text).to_json(), json, "{text}");
        }
        check("", "[]");
        check("Ann", r#"[{"texts":[["ann","ann"]],"digits":null}]"#);
        check(
            "émile \"x\"",
            r#"[{"texts":[["émile","émile"],["Émile","Émile"]],"digits":null},{"texts":[["\"x\"","\\\"x\\\""]],"digits":null}]"#,
        );
        check("(0415) 555", r#"[{"texts":[["(0415) 555","(0415) 555"]],"digits":"415555"}]"#);
        check("42", r#"[{"texts":[["42","42"]],"digits":null}]"#);
    }
}
