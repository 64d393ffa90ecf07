//! Giving a book the keys that other tables make, a step at a time, while phones sync (section 2 of the
//! protocol). Each step is one guarded write and leaves a whole book: its owners are those of the keys
//! as they then stand, and phones pull what changed as they pull anything else. Whoever opens the book
//! takes steps until it is done; a push takes one before its own work, a pull after, so that a host that
//! never opens anything gets there too. A step that is cut off or comes second changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use callbook_base::{ContactId, Line};
use callbook_calls::CallId;
use callbook_contacts::{Fields, rekey, rekeyed};
use callbook_dedup::{NumberKey, Tables};

use crate::app::{App, Moment};
use crate::database::{DatabaseError, Row, Rows};
use crate::problem::Problem;
use crate::sql::book::{self, Done};
use crate::sql::calls;
use crate::sql::push::{self, Near};

/// What one step takes at most: a Worker has ten milliseconds and little memory.
const CONTACTS: usize = 100;
const CALLS: usize = 500;
const BYTES: u64 = 500_000;

/// How a re-keying stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rekeying {
    /// All keys of the book are those of the service's tables.
    Done,
    /// There is more to do. This step has looked at so many contacts and calls.
    GoesOn {
        /// Contacts, tombstones too.
        contacts: usize,
        /// Calls.
        calls: usize,
    },
}

impl App {
    /// Takes one step towards a book whose keys are all those of [`App::tables`].
    ///
    /// # Errors
    /// The database fails. The step can be taken again.
    pub async fn rekey(&self, moment: Moment) -> Result<Rekeying, Problem> {
        let tables = self.tables;
        let read = vec![
            book::read(),
            push::fields_to_rekey(tables, CONTACTS, BYTES),
            calls::to_rekey(tables, CALLS),
        ];
        let rows = self.batch(read).await?;
        if rows[0].is_empty() {
            return Ok(Rekeying::Done); // a book is made with its first admin
        }
        let book = book::read_row(&rows[0])?;
        if book.keys.are_of(tables) {
            return Ok(Rekeying::Done);
        }

        let begun = book.keys.are_becoming(tables);
        let from = if begun { book.keys.done.clone() } else { Done::default() };
        let (contacts, calls) = (push::read_fields(&rows[1])?, read_calls(&rows[2])?);
        let looked_at = Rekeying::GoesOn { contacts: contacts.len(), calls: calls.len() };
        let is_done = contacts.is_empty() && calls.is_empty();
        let to = Done {
            contact: contacts.last_key_value().map_or(from.contact, |(id, _)| id.to_string()),
            call: calls.last().map_or(from.call, |call| call.id.to_string()),
        };

        let mut writes = vec![book::rekey(&book, tables, (!is_done).then_some(&to))];
        let (other, keys) = with_other_keys(contacts, tables);
        if !other.is_empty() {
            let ids: Vec<ContactId> = other.keys().copied().collect();
            let rows = self.batch(vec![push::near(&ids, &keys, 0)]).await?;
            let near = rows.first().ok_or_else(DatabaseError::few_answers)?;
            let near = Near { fields: other, ..Near::read(near)? };
            let changes = rekey(&near.of(&book), tables, moment.now);
            writes.push(book::advance(&book, &changes, tables));
            writes.extend(push::writes(&changes));
        }
        let key = |call: &WrittenCall| {
            let region = call.region.as_ref()?; // unknown: its key stays
            let key = (tables.key)(call.number.as_str(), region.as_str());
            (key != call.key).then_some((call.id, key))
        };
        let other: Vec<(CallId, Option<NumberKey>)> = calls.iter().filter_map(key).collect();
        if !other.is_empty() {
            writes.extend([calls::rekey(&other), book::count_calls(tables)]);
        }
        match self.database.batch(writes).await {
            // Another request has written: the next step sees to it.
            Err(error) if error.is_constraint() => {
                return Ok(Rekeying::GoesOn { contacts: 0, calls: 0 });
            }
            written => written?,
        };
        Ok(match is_done {
            true => Rekeying::Done,
            false => looked_at,
        })
    }
}

/// Of some contacts those that get other keys, and these.
fn with_other_keys(
    mut contacts: BTreeMap<ContactId, Fields>,
    tables: Tables,
) -> (BTreeMap<ContactId, Fields>, BTreeSet<NumberKey>) {
    let mut keys = BTreeSet::new();
    contacts.retain(|_, fields| {
        let after = rekeyed(fields, tables);
        keys.extend(after.iter().flat_map(Fields::keys));
        after.is_some()
    });
    (contacts, keys)
}

/// What a call's key is made from.
struct WrittenCall {
    id: CallId,
    number: Line,
    region: Option<Line>,
    key: Option<NumberKey>,
}

fn read_calls(rows: &Rows) -> Result<Vec<WrittenCall>, DatabaseError> {
    let read = |row: Row<'_>| {
        Ok(WrittenCall {
            id: row.parse("id")?,
            number: row.parse("phone_number")?,
            region: row.parse_or_null("region")?,
            key: row.parse_or_null("key")?,
        })
    };
    rows.iter().map(read).collect()
}
