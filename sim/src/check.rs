//! What must be true when all is quiet: the model's book, the server's and every phone's are one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;

use callbook_base::{ContactId, Timestamp, UserId};
use callbook_contacts::{Digest, Fields, RejectionCode};
use callbook_dedup::{self as dedup, Claim, NumberKey};
use callbook_device::{Store, Why};
use callbook_worker::database::{Database, DatabaseError, Rows, Statement};
use callbook_worker::sqlite::Sqlite;
use serde_json::Value;

use crate::model::Model;
use crate::model::text::said;
use crate::phone::Phone;

/// Something that should be the same and is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference(pub String);

impl Difference {
    /// What it is of: its first words, without ids and numbers.
    pub fn kind(&self) -> impl Iterator<Item = &str> {
        self.0
            .split_whitespace()
            .filter(|word| !word.contains(|it: char| it.is_ascii_digit()))
            .take(4)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A contact of the server's book, read without the service's code.
struct Row {
    created_at: i64,
    rev: u64,
    state: u64,
    keys: BTreeSet<String>,
    asleep: BTreeSet<String>,
    fields: Value,
}

/// Differences between the books, a few of each kind.
pub(crate) fn all(
    sqlite: &Sqlite,
    model: &Model,
    phones: &[Phone],
    restores: u64,
) -> Vec<Difference> {
    let rows = rows(sqlite);
    let violations = model.violations.iter().take(5);
    let mut differences: Vec<Difference> = violations.cloned().map(Difference).collect();
    differences.extend(server_and_model(&rows, model).into_iter().take(5));
    differences.extend(owners(sqlite, &rows, model).into_iter().take(5));
    differences.extend(sums(sqlite, &rows));
    differences.extend(tables(sqlite));
    let book: BTreeMap<ContactId, Fields> = model
        .contacts
        .keys()
        .filter(|id| model.is_visible(id))
        .map(|id| {
            let fields = serde_json::from_value(Value::Object(model.shown(id)));
            (id.parse().expect("an id"), fields.expect("fields of a contact"))
        })
        .collect();
    for phone in phones {
        differences.extend(phone_and_book(phone, &book).into_iter().take(3));
        differences.extend(mended(phone, restores));
        let index = phone.index;
        let differs =
            phone.contacts_differ(book.iter().map(|(id, it)| (*id, it))).into_iter().take(3);
        differences.extend(differs.map(|what| Difference(format!("phone {index}: {what}"))));
        let lost = phone.lost_by_signing_in(model, restores);
        let text = format!("phone {}: signing in has lost {lost} ops", phone.index);
        differences.extend((lost > 0).then_some(Difference(text)));
    }
    differences.extend(calls(sqlite, model, phones).into_iter().take(5));
    differences
}

fn server_and_model(rows: &BTreeMap<String, Row>, model: &Model) -> Vec<Difference> {
    let mut differences = Vec::new();
    let ids: BTreeSet<&String> = rows.keys().chain(model.contacts.keys()).collect();
    for id in ids {
        let (Some(row), Some(entry)) = (rows.get(id), model.contacts.get(id)) else {
            let side = if rows.contains_key(id) { "the server's book" } else { "the model's book" };
            differences.push(Difference(format!("contact {id} is only in {side}")));
            continue;
        };
        let state = match (entry.live, model.is_visible(id)) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        let mut differs = |what: &str, server: &dyn fmt::Display, model: &dyn fmt::Display| {
            let text =
                format!("contact {id}: {what} is {server} on the server and {model} in the model");
            differences.push(Difference(text));
        };
        if row.state != state {
            let names = ["visible", "hidden", "deleted"];
            differs("state", &names[row.state as usize], &names[state as usize]);
        }
        if row.rev != entry.rev {
            differs("rev", &row.rev, &entry.rev);
        }
        if row.created_at != entry.created_at {
            differs("created_at", &row.created_at, &entry.created_at);
        }
        let expected = Value::Object(said(&entry.fields));
        if row.fields != expected {
            differs("fields", &row.fields, &expected);
        }
    }
    differences
}

/// Every number has exactly one owner, the oldest; a shared one is shown by all that have it.
fn owners(sqlite: &Sqlite, rows: &BTreeMap<String, Row>, model: &Model) -> Vec<Difference> {
    let mut differences = Vec::new();
    let claimed = rows.iter().filter(|(_, row)| row.state != 2).flat_map(|(id, row)| {
        let created_at = Timestamp::from_millis(row.created_at);
        let claim = Claim { created_at, contact: id.parse().expect("an id") };
        row.keys.iter().map(move |key| (key.parse().expect("a key"), claim))
    });
    let claimed: Vec<dedup::Row> = claimed.collect();
    let owners = dedup::oldest_wins(&claimed, 1);
    for (place, (key, claim)) in claimed.iter().enumerate() {
        let owner = claimed[owners.owner(place)].1;
        let asleep = rows[&claim.contact.to_string()].asleep.contains(&key.to_string());
        let shows = *claim == owner || model.is_shared(&key.to_string());
        if asleep == shows {
            let (holder, oldest) = (claim.contact, owner.contact);
            let shows = if asleep { "does not show" } else { "shows" };
            let text = format!("{holder} {shows} {key}, which belongs to {oldest}, the oldest");
            differences.push(Difference(text));
        }
    }
    for (id, row) in rows {
        let visible = row.keys.is_empty() || row.asleep.len() < row.keys.len();
        if row.state != 2 && (row.state == 0) != visible {
            differences
                .push(Difference(format!("contact {id}: its state does not follow from its keys")));
        }
    }
    let stored = query(sqlite, "SELECT key, created_at, contact FROM claims");
    let stored: BTreeSet<dedup::Row> = stored
        .iter()
        .map(|row| {
            let created_at = row.time("created_at").expect("a time");
            let contact = row.parse("contact").expect("an id");
            (row.parse("key").expect("a key"), Claim { created_at, contact })
        })
        .collect();
    if stored != claimed.into_iter().collect() {
        differences.push(Difference("the claims are not those of the live contacts".to_owned()));
    }
    differences
}

/// What every push keeps up to date is what it is when computed anew.
fn sums(sqlite: &Sqlite, rows: &BTreeMap<String, Row>) -> Option<Difference> {
    let visible = rows.iter().filter(|(_, row)| row.state == 0);
    let count = visible.clone().count() as u64;
    let digest = visible.fold(Digest::default(), |digest, (id, row)| {
        digest.with(id.parse().expect("an id"), callbook_base::Rev(row.rev))
    });
    let book = query(sqlite, "SELECT digest, visible FROM book");
    let row = book.first()?;
    let stored = (row.text("digest").ok()?.to_owned(), row.count("visible").ok()?);
    let computed = (digest.to_string(), count);
    let text = format!("the book says digest and size {stored:?}; computed anew {computed:?}");
    (stored != computed).then_some(Difference(text))
}

/// Today's tables have made all keys.
fn tables(sqlite: &Sqlite) -> Option<Difference> {
    let book = query(sqlite, "SELECT tables, rekey_to FROM book");
    let row = book.first()?;
    let (tables, to): (String, Option<String>) =
        (row.parse("tables").ok()?, row.parse_or_null("rekey_to").ok()?);
    let done = tables == dedup::Tables::CURRENT.version && to.is_none();
    let text = format!("the book's keys are of the tables {tables}, on the way to {to:?}");
    (!done).then_some(Difference(text))
}

fn phone_and_book(phone: &Phone, book: &BTreeMap<ContactId, Fields>) -> Vec<Difference> {
    let mut differences = Vec::new();
    // What is pulled and has nothing on top is what is shown; a walk would copy it.
    let store = phone.engine_ref().store();
    let mirror = store.memory.contacts().map(|(id, it)| (id, &it.shown.fields));
    let is_all = store.outbox().expect("a store in memory reads").is_empty();
    if is_all && mirror.eq(book) {
        return differences;
    }
    let mut differs = |id: ContactId, what: &str| {
        differences.push(Difference(format!("phone {}: contact {id} {what}", phone.index)));
    };
    let mut expected = book.iter().peekable();
    let mut from = Bound::Unbounded;
    let next = |from| phone.engine_ref().next_contact(from).expect("a store in memory reads");
    while let Some((id, fields)) = next(from) {
        from = Bound::Excluded(id);
        while let Some((missing, _)) = expected.next_if(|(other, _)| **other < id) {
            differs(*missing, "is not shown");
        }
        match expected.next_if(|(other, _)| **other == id) {
            None => differs(id, "is shown, and is not in the book"),
            Some((_, other)) if *other != fields => {
                differs(id, "is shown with other fields than the book's")
            }
            Some(_) => {}
        }
    }
    for (missing, _) in expected {
        differs(*missing, "is not shown");
    }
    differences
}

/// What nothing here may make needed: an op put aside, since these people type nothing that a book refuses;
/// and a pull from the start, which mends whatever pulls had left out. There is one when the service asks
/// for it, and one for each book that is put back.
fn mended(phone: &Phone, restores: u64) -> Vec<Difference> {
    let store = phone.engine_ref().store();
    let pass = store.state().expect("a store in memory reads").pass;
    // An edit of what this phone no longer has, and the book has lost or purged.
    let is_of_no_contact = |why: &Why| {
        let code = RejectionCode::UnknownContact;
        matches!(why, Why::Refused(rejection) if rejection.code == code)
    };
    let aside = phone.engine_ref().aside().iter();
    let aside = aside.filter(|it| !it.is_lost() && !it.is_unconfirmed_delete());
    let aside: Vec<&Why> = aside.map(|it| &it.why).filter(|why| !is_of_no_contact(why)).collect();
    let index = phone.index;
    let pulled = format!("phone {index}: pulled from the start {pass} times: its digest differed");
    let refused = format!("phone {index}: its ops were refused: {aside:?}");
    [(pass > restores + phone.expired()).then_some(pulled), (!aside.is_empty()).then_some(refused)]
        .into_iter()
        .flatten()
        .map(Difference)
        .collect()
}

/// A call, for comparing: user, number, key, time, seconds, direction.
type Heard<'a> = (UserId, &'a str, Option<NumberKey>, i64, u64, &'a str);

/// Every call is stored once, on the server and on every phone.
fn calls(sqlite: &Sqlite, model: &Model, phones: &[Phone]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let sql =
        "SELECT user, phone_number, key, timestamp, duration, direction FROM calls ORDER BY id";
    let rows = query(sqlite, sql);
    let server = rows.iter().map(|row| -> Result<Heard<'_>, DatabaseError> {
        let (number, key) = (row.text("phone_number")?, row.parse_or_null("key")?);
        let (at, seconds) = (row.int("timestamp")?, row.count("duration")?);
        Ok((row.parse("user")?, number, key, at, seconds, row.text("direction")?))
    });
    let server: Vec<Heard<'_>> = server.collect::<Result<_, _>>().expect("a call");
    let expected = model.calls.iter().map(|((user, ..), call)| {
        let text = |name: &str| call[name].as_str().expect("a text");
        let at: Timestamp = text("timestamp").parse().expect("a time");
        let seconds = call["duration"].as_u64().expect("seconds");
        let number = text("phone_number");
        let key = dedup::number_key(number, text("region"));
        let user = user.parse().expect("an id");
        (user, number, key, at.as_millis(), seconds, text("direction"))
    });
    let mut expected: Vec<Heard<'_>> = expected.collect();
    let mut stored = server.clone();
    stored.sort();
    expected.sort();
    if stored != expected {
        let (server, model) = (server.len(), expected.len());
        let text = format!("the server has {server} calls and the model {model}, or other ones");
        differences.push(Difference(text));
    }
    let ids = query(sqlite, "SELECT id FROM calls");
    let ids: BTreeSet<&str> = ids.iter().map(|row| row.text("id").expect("an id")).collect();
    for phone in phones {
        let untold = phone.calls_untold(&ids);
        if untold > 0 {
            let index = phone.index;
            differences.push(Difference(format!(
                "phone {index}: {untold} calls of its log are not in the book"
            )));
        }
        let gone = phone.had_calls().iter().filter(|id| !ids.contains(id.to_string().as_str()));
        if gone.count() > 0 {
            let index = phone.index;
            let text =
                format!("phone {index}: a restored book has lost calls of its user for good");
            differences.push(Difference(text));
        }
        let pulled = || phone.engine_ref().store().memory.calls();
        let heard = pulled().map(|row| {
            let call = &row.call;
            let (number, at) = (call.phone_number.as_str(), call.timestamp.as_millis());
            let seconds = u64::from(call.duration.0);
            (row.user, number, row.key, at, seconds, call.direction.as_str())
        });
        if !heard.eq(server.iter().copied()) {
            let (index, count) = (phone.index, pulled().count());
            let text = format!("phone {index} has {count} calls, and not those of the server");
            differences.push(Difference(text));
        }
    }
    differences
}

/// What a book says of itself.
pub(crate) struct Book {
    pub(crate) epoch: String,
    pub(crate) rev: u64,
    pub(crate) digest: String,
    pub(crate) visible: u64,
}

/// The book's row, if there is a book.
pub(crate) fn book(sqlite: &Sqlite) -> Option<Book> {
    let rows = query(sqlite, "SELECT epoch, rev, digest, visible FROM book");
    let row = rows.first()?;
    let text = |column| row.text(column).expect("a text").to_owned();
    let count = |column| row.count(column).expect("a number");
    let (epoch, digest) = (text("epoch"), text("digest"));
    Some(Book { epoch, rev: count("rev"), digest, visible: count("visible") })
}

/// How many ops of a device the book has taken, and its floor, if it knows the device.
pub(crate) fn pushes(sqlite: &Sqlite, device: &str) -> Option<(u64, Option<i64>)> {
    let device = Statement::new("SELECT acked_seq, floor FROM devices WHERE id = ?1").bind(device);
    let rows = rows_of(sqlite, device);
    let row = rows.first()?;
    let floor = row.time_or_null("floor").expect("a time");
    Some((row.count("acked_seq").expect("a count"), floor.map(|floor| floor.as_millis())))
}

/// Of the book as it is; that of an empty one before there is a book.
pub(crate) fn digest(sqlite: &Sqlite) -> Digest {
    let book = query(sqlite, "SELECT digest FROM book");
    book.first().map(|row| row.parse("digest").expect("a digest")).unwrap_or_default()
}

/// Visible, hidden and deleted contacts, and calls.
pub(crate) fn counts(sqlite: &Sqlite) -> (u64, u64, u64, u64) {
    let sql = "SELECT count(*) FILTER (WHERE state = 0) AS visible,
                 count(*) FILTER (WHERE state = 1) AS hidden,
                 count(*) FILTER (WHERE state = 2) AS deleted,
                 (SELECT count(*) FROM calls) AS calls FROM contacts";
    let rows = query(sqlite, sql);
    let count = |column: &str| {
        rows.first().and_then(|row| row.count(column).ok()).expect("a count gives one row")
    };
    (count("visible"), count("hidden"), count("deleted"), count("calls"))
}

fn rows(sqlite: &Sqlite) -> BTreeMap<String, Row> {
    let sql = "SELECT id, created_at, rev, state, keys, asleep, fields FROM contacts";
    query(sqlite, sql)
        .iter()
        .map(|row| {
            let contact = Row {
                created_at: row.int("created_at").expect("a time"),
                rev: row.count("rev").expect("a rev"),
                state: row.count("state").expect("a state"),
                keys: row.json("keys").expect("a list"),
                asleep: row.json("asleep").expect("a list"),
                fields: row.json("fields").expect("fields"),
            };
            (row.text("id").expect("an id").to_owned(), contact)
        })
        .collect()
}

/// Rows of the service's database, read past the faults.
fn query(sqlite: &Sqlite, sql: &'static str) -> Rows {
    rows_of(sqlite, Statement::new(sql))
}

fn rows_of(sqlite: &Sqlite, statement: Statement) -> Rows {
    // A batch of this adapter has run when it is called; its future is ready.
    let mut batch = sqlite.batch(vec![statement]);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match batch.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Ok(mut rows)) => rows.remove(0),
        std::task::Poll::Ready(Err(error)) => panic!("the checker's SQL fails: {error}"),
        std::task::Poll::Pending => unreachable!("SQLite in memory answers at once"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_of_a_kind_whatever_ids_and_numbers_are_in_it() {
        #[track_caller]
        fn check(text: &str, kind: &str) {
            let difference = Difference(text.to_owned());
            assert_eq!(difference.kind().collect::<Vec<_>>().join(" "), kind);
        }
        check("phone 3: its ops were refused: [Refused]", "phone its ops were");
        check("phone 12: its ops were refused: [Refused, Refused]", "phone its ops were");
        check("contact 0199455d-1437-777e: rev is 4 on the server", "contact rev is on");
        check(
            "contact 0199455d-1437-777f: state is visible on the server",
            "contact state is visible",
        );
    }
}
