//! Calls.

use callbook_auth::Access;
use callbook_base::{ContactId, Named, Rev, Timestamp, UserId};
use callbook_calls::wire::{CallView, PulledCall};
use callbook_calls::{Call, CallId, Seconds};
use callbook_dedup::{NumberKey, Tables};
use serde::Serialize;

use super::people::Search;
use crate::database::{DatabaseError, Row, Rows, Statement};

/// A call to store.
#[derive(Serialize)]
pub(crate) struct NewCall<'a> {
    pub(crate) id: CallId,
    pub(crate) number: &'a str,
    pub(crate) region: &'a str,
    pub(crate) key: Option<NumberKey>,
    pub(crate) at: i64,
    pub(crate) duration: u32,
    pub(crate) direction: &'static str,
    pub(crate) line: Option<&'a str>,
}

/// Stores those that are not there, if the caller is still let in.
pub(crate) fn insert(access: &Access, calls: &[NewCall<'_>]) -> Statement {
    let calls = serde_json::to_string(calls).expect("calls are plain text and numbers");
    Statement::new(
        "INSERT INTO calls (id, rev, user, device, phone_number, region, key, timestamp, duration, direction, line)
         SELECT value ->> 'id', book.calls_rev + 1, ?2, ?3, value ->> 'number', value ->> 'region', value ->> 'key',
           value ->> 'at', value ->> 'duration', value ->> 'direction', value ->> 'line'
         FROM json_each(?1), book
         WHERE EXISTS (SELECT 1 FROM devices AS d JOIN users AS u ON u.id = d.user
                       WHERE d.id = ?3 AND d.user = ?2 AND d.ended_at IS NULL AND NOT u.disabled)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(calls)
    .bind(access.user.to_string())
    .bind(access.device.to_string())
}

/// The next calls that a step of re-keying takes, in the order of their ids.
pub(crate) fn to_rekey(tables: Tables, limit: usize) -> Statement {
    Statement::new(
        "SELECT id, phone_number, region, key FROM calls
         WHERE id > (SELECT coalesce(CASE WHEN rekey_to = ?1 THEN rekey_call END, '') FROM book)
         ORDER BY id LIMIT ?2",
    )
    .bind(tables.version)
    .bind(limit as u64)
}

/// Gives calls, by id, other keys; phones pull them again.
pub(crate) fn rekey(keys: &[(CallId, Option<NumberKey>)]) -> Statement {
    let keys = serde_json::to_string(keys).expect("ids and keys are plain text");
    Statement::new(
        "UPDATE calls SET key = n.value ->> 1, rev = (SELECT calls_rev + 1 FROM book)
         FROM json_each(?1) AS n WHERE calls.id = n.value ->> 0",
    )
    .bind(keys)
}

/// A page, and one row more when there is more.
pub(crate) fn page(after: (Rev, &str), limit: u64) -> Statement {
    Statement::new(
        "SELECT id, rev, user, device, phone_number, key, timestamp, duration, direction, line
         FROM calls WHERE (rev, id) > (?1, ?2) ORDER BY rev, id LIMIT ?3 + 1",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(limit)
}

pub(crate) fn read_page(rows: &Rows) -> Result<Vec<PulledCall>, DatabaseError> {
    rows.iter().map(read).collect()
}

fn read(row: Row<'_>) -> Result<PulledCall, DatabaseError> {
    Ok(PulledCall {
        id: row.parse("id")?,
        rev: row.rev("rev")?,
        user: row.parse("user")?,
        device: row.parse("device")?,
        key: row.parse_or_null("key")?,
        call: Call {
            phone_number: row.parse("phone_number")?,
            timestamp: row.time("timestamp")?,
            duration: Seconds(u32::try_from(row.count("duration")?).unwrap_or(u32::MAX)),
            direction: row.parse("direction")?,
            line: row.parse_or_null("line")?,
        },
    })
}

/// What `GET /calls` asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// With a number of theirs.
    pub(crate) contact: Option<ContactId>,
    /// Of whom.
    pub(crate) user: Option<UserId>,
    /// Not before.
    pub(crate) from: Timestamp,
    /// Before.
    pub(crate) to: Timestamp,
    /// What the number, or the name of who has it, must have in it.
    pub(crate) search: Search,
}

impl Default for Wanted {
    fn default() -> Self {
        let (from, to) = (Timestamp::MIN, Timestamp::MAX);
        Self { contact: None, user: None, from, to, search: Search::default() }
    }
}

macro_rules! found {
    ($from:literal) => {
        concat!(
            "SELECT calls.id, calls.rev, calls.user, calls.device, phone_number, calls.key, timestamp,
               duration, direction, line, u.username, c.id AS contact, c.fields ->> 'name' AS name
             FROM ",
            $from,
            " LEFT JOIN users AS u ON u.id = calls.user
             LEFT JOIN contacts AS c ON c.id = (
               SELECT contact FROM claims WHERE claims.key = calls.key
               ORDER BY claims.created_at, claims.contact LIMIT 1)
             WHERE (timestamp, calls.id) < (?1, ?2) AND timestamp >= ?3
               AND (?4 IS NULL OR calls.user = ?4)
               AND NOT EXISTS (
                 SELECT 1 FROM json_each(?5) AS term
                 WHERE coalesce(instr(calls.key, term.value ->> 'digits'), 0) = 0
                   AND NOT EXISTS (
                     SELECT 1 FROM json_each(term.value, '$.texts') AS spelling
                     WHERE instr(lower(phone_number), spelling.value ->> 0) > 0
                       OR instr(lower(coalesce(c.fields ->> 'name', '')), spelling.value ->> 0) > 0))
             ORDER BY timestamp DESC, calls.id DESC LIMIT ?6 + 1"
        )
    };
}

/// Calls, the latest first, after a time and an id, and one more when there is more. They go along an
/// index by time, or by time for each number of the contact, until the page is full: a search for what
/// is rare, or for a user who seldom calls, reads all in the span of time.
pub(crate) fn search(wanted: &Wanted, after: Option<(Timestamp, &str)>, limit: u64) -> Statement {
    let (at, id) = after.unwrap_or((wanted.to, ""));
    let (statement, contact) = match wanted.contact {
        None => (Statement::new(found!("calls")), None),
        Some(id) => {
            let sql = concat!(
                "WITH keys AS MATERIALIZED (
                   SELECT k.value AS key FROM contacts, json_each(contacts.keys) AS k WHERE contacts.id = ?7) ",
                found!("keys CROSS JOIN calls ON calls.key = keys.key")
            );
            (Statement::new(sql), Some(id))
        }
    };
    let statement = statement
        .bind(at)
        .bind(id)
        .bind(wanted.from)
        .bind(wanted.user.map(|user| user.to_string()))
        .bind(wanted.search.to_json())
        .bind(limit);
    match contact {
        Some(contact) => statement.bind(contact.to_string()),
        None => statement,
    }
}

pub(crate) fn read_views(rows: &Rows) -> Result<Vec<CallView>, DatabaseError> {
    let read_view = |row: Row<'_>| {
        let contact: Option<ContactId> = row.parse_or_null("contact")?;
        let name = row.parse_or_null("name")?;
        Ok(CallView {
            call: read(row)?,
            username: row.text_or_null("username")?.unwrap_or_default().to_owned(),
            contact: contact.map(|id| Named { id, name }),
        })
    };
    rows.iter().map(read_view).collect()
}

/// Forgets the oldest calls from before a time, so many at once.
pub(crate) fn purge(before: Timestamp, limit: u64) -> Statement {
    Statement::new(
        "DELETE FROM calls WHERE id IN (
           SELECT id FROM calls WHERE timestamp < ?1 ORDER BY timestamp, id LIMIT ?2)",
    )
    .bind(before)
    .bind(limit)
}
