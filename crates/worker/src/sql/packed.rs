//! Rows of contacts and of claims, as the statements of a push take them.
//!
//! SQLite reads a list of JSON rows twice, first all of it and then each row; so what is long or many does
//! not stand in rows: the fields of all contacts are one more text, of which a row tells where its part is,
//! and a claim is a text whose columns have fixed widths. That made a first push a fifth quicker.

use callbook_base::ContactId;
use callbook_contacts::{Contact, Fields, State};
use callbook_dedup::{Claim, NumberKey};

/// Bytes of one bound value, with room for its end: D1 takes 2,000,000.
pub(super) const MOST_BOUND: usize = 1_999_990;

/// The claims that [`claim`] made, `?1`: `key`, `created_at`, `contact`. Their list is gone through once,
/// `LIMIT -1` sees to it: `json_each` writes a value anew each time that it is asked for.
macro_rules! given_claims {
    () => {
        "WITH given AS (
           SELECT substr(row, 53) AS key, CAST(substr(row, 37, 16) AS INTEGER) AS created_at,
             substr(row, 1, 36) AS contact
           FROM (SELECT value AS row FROM json_each(?1) LIMIT -1)) "
    };
}
pub(super) use given_claims;

/// A claim as a row: a text of JSON in which nothing needs an escape.
pub(super) fn claim((key, claim): &(NumberKey, Claim)) -> String {
    format!("\"{}{:016}{key}\"", claim.contact, claim.created_at.as_millis())
}

/// The contacts of [`Contacts`], `?1` and `?2`, by the names of their columns. Places are bytes, as those of a
/// blob.
macro_rules! given_contacts {
    () => {
        "WITH given AS (
           SELECT row ->> 0 AS id, row ->> 1 AS created_at, row ->> 2 AS state, row ->> 3 AS other,
             row ->> 4 AS deleted_at, row -> 5 AS asleep, row -> 6 AS took, row -> 7 AS keys,
             row ->> 8 AS sort_name, row ->> 9 AS size,
             CAST(substr(CAST(?2 AS BLOB), row ->> 10, row ->> 9) AS TEXT) AS fields
           FROM (SELECT value AS row FROM json_each(?1) LIMIT -1)) "
    };
}
pub(super) use given_contacts;

/// Contacts as rows, in as many parts as D1 takes.
#[derive(Default)]
pub(super) struct Contacts(Vec<Part>);

/// What is bound to one statement.
#[derive(Default)]
struct Part {
    /// A list that has not ended.
    rows: Vec<u8>,
    fields: Vec<u8>,
}

impl Contacts {
    /// All of a contact but who edited it; without fields for a statement that does not write them.
    pub(super) fn add(&mut self, id: ContactId, contact: &Contact, fields: Option<&Fields>) {
        let mut part = self.0.pop().unwrap_or_default();
        let (rows, start) = (part.rows.len(), part.fields.len());
        part.add(id, contact, fields);
        if part.rows.len().max(part.fields.len()) > MOST_BOUND && rows > 0 {
            part.rows.truncate(rows);
            part.fields.truncate(start);
            self.0.push(part);
            part = Part::default();
            part.add(id, contact, fields);
        }
        self.0.push(part);
    }

    /// The two values of each statement.
    pub(super) fn parts(self) -> impl Iterator<Item = (String, String)> {
        let text = |json| String::from_utf8(json).expect("JSON is text");
        self.0.into_iter().map(move |Part { rows, fields }| (text(rows) + "]", text(fields)))
    }
}

impl Part {
    fn add(&mut self, id: ContactId, contact: &Contact, fields: Option<&Fields>) {
        const PLAIN: &str = "rows are plain text and numbers";
        let start = self.fields.len();
        if let Some(fields) = fields {
            serde_json::to_writer(&mut self.fields, fields).expect(PLAIN);
        }
        let (state, other, deleted_at, took) = match &contact.state {
            State::Visible => (0, None, None, &[][..]),
            State::Hidden { owner } => (1, Some(*owner), None, &[][..]),
            State::Deleted { at, retired_by, took } => {
                (2, *retired_by, Some(at.as_millis()), &took[..])
            }
        };
        let (size, start) = (self.fields.len() - start, start + 1); // SQL counts from one
        let (created_at, name) = (contact.created_at.as_millis(), sort_name(fields));
        let Contact { asleep, keys, .. } = contact;
        let row = (id, created_at, state, other, deleted_at, asleep, took, keys, name, size, start);
        self.rows.push(if self.rows.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut self.rows, &row).expect(PLAIN);
    }
}

/// What the contact is sorted by. SQLite knows small letters of ASCII alone, and it has written those of
/// contacts that are older than the column.
fn sort_name(fields: Option<&Fields>) -> String {
    let name = fields.and_then(|fields| fields.name.as_ref().or(fields.organization.as_ref()));
    name.map_or_else(String::new, |name| name.as_str().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use callbook_base::{Rev, Timestamp};
    use callbook_contacts::LastEdit;

    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn contact(state: State) -> Contact {
        let edit = LastEdit {
            rev: Rev(1),
            at: Timestamp::MIN,
            user: ID.parse().unwrap(),
            device: ID.parse().unwrap(),
        };
        let (keys, asleep) = (vec!["+14155552671".parse().unwrap()], Vec::new());
        Contact { created_at: Timestamp::MIN, rev: Rev(1), state, keys, asleep, edit }
    }

    #[test]
    fn sqlite_reads_what_was_packed() {
        #[track_caller]
        fn check(fields: &str, sort_name: &str, state: State, expected: (i64, Option<&str>)) {
            let fields: Fields = serde_json::from_str(fields).unwrap();
            let json = serde_json::to_string(&fields).unwrap();
            let (id, contact) = (ID.parse().unwrap(), contact(state));
            let mut contacts = Contacts::default();
            contacts.add(id, &contact, Some(&Fields::default())); // that the next is not at the start
            contacts.add(id, &contact, Some(&fields));
            contacts.add(id, &contact, None);
            let parts: Vec<_> = contacts.parts().collect();
            assert_eq!(parts.len(), 1);

            let connection = rusqlite::Connection::open_in_memory().unwrap();
            let select = concat!(given_contacts!(), "SELECT * FROM given LIMIT 1 OFFSET 1");
            connection
                .query_one(select, (&parts[0].0, &parts[0].1), |row| {
                    assert_eq!(row.get::<_, String>("id")?, ID);
                    assert_eq!(row.get::<_, i64>("created_at")?, Timestamp::MIN.as_millis());
                    assert_eq!(row.get::<_, i64>("state")?, expected.0);
                    assert_eq!(row.get::<_, Option<String>>("other")?.as_deref(), expected.1);
                    assert_eq!(row.get::<_, String>("keys")?, r#"["+14155552671"]"#);
                    assert_eq!(row.get::<_, String>("sort_name")?, sort_name);
                    assert_eq!(row.get::<_, String>("fields")?, json);
                    assert_eq!(row.get::<_, i64>("size")?, json.len() as i64);
                    Ok(())
                })
                .unwrap();
        }
        check("{}", "", State::Visible, (0, None));
        check(
            r#"{"name":"ANN \"É\" 李","organization":"x"}"#,
            "ann \"É\" 李",
            State::Visible,
            (0, None),
        );
        check(
            r#"{"organization":"Acme"}"#,
            "acme",
            State::Hidden { owner: ID.parse().unwrap() },
            (1, Some(ID)),
        );
        let (at, took) = (Timestamp::from_millis(5), Vec::new());
        check("{}", "", State::Deleted { at, retired_by: None, took }, (2, None));
    }

    #[test]
    fn a_claim_is_cut_where_it_was_joined() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for created_at in [Timestamp::MIN, Timestamp::from_millis(-1), Timestamp::from_millis(5)] {
            let (key, contact) = ("+4930123456;ext=12", ID.parse().unwrap());
            let row = claim(&(key.parse().unwrap(), Claim { created_at, contact }));
            let select = concat!(given_claims!(), "SELECT key, created_at, contact FROM given");
            let rows = format!("[{row}]");
            let read: (String, i64, String) =
                connection.query_one(select, [rows], |row| row.try_into()).unwrap();
            assert_eq!(read, (key.to_owned(), created_at.as_millis(), ID.to_owned()));
        }
    }

    #[test]
    fn contacts_are_bound_in_parts_that_d1_takes() {
        #[track_caller]
        fn check(sizes: &[usize], parts: &[usize]) {
            let mut contacts = Contacts::default();
            for size in sizes {
                let note = Some("x".repeat(*size).parse().unwrap());
                let fields = Fields { note, ..Fields::default() };
                contacts.add(ID.parse().unwrap(), &contact(State::Visible), Some(&fields));
            }
            let rows: Vec<usize> = contacts
                .parts()
                .map(|(rows, fields)| {
                    assert!(rows.len().max(fields.len()) <= 2_000_000);
                    serde_json::from_str::<Vec<serde_json::Value>>(&rows).unwrap().len()
                })
                .collect();
            assert_eq!(rows, parts);
        }
        check(&[], &[]);
        check(&[5], &[1]);
        check(&[1_000; 1_000], &[1_000]);
        check(&[5_000; 1_000], &[399, 399, 202]);
    }
}
