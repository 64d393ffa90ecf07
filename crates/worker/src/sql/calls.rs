//! Calls.

use callbook_auth::Access;
use callbook_base::Rev;
use callbook_calls::wire::PulledCall;
use callbook_calls::{Call, CallId, Seconds};
use callbook_dedup::{NumberKey, Tables};
use serde::Serialize;

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
