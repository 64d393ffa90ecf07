//! Old tombstones and old versions of contacts.

use callbook_base::{ContactId, Rev, Timestamp};

use super::book::Book;
use crate::database::{DatabaseError, Rows, Statement};

/// The next tombstones from before `since` that all devices seen after it have pulled.
pub(crate) fn old_tombstones(since: Timestamp, limit: u64) -> Statement {
    Statement::new(
        "SELECT id, rev FROM contacts
         WHERE state = 2 AND deleted_at < ?1 AND rev <= (
           SELECT coalesce(min(d.pulled_rev), (SELECT rev FROM book)) FROM devices AS d
           WHERE d.pulled_rev > 0 AND d.ended_at IS NULL AND d.last_seen_at >= ?1)
         ORDER BY rev LIMIT ?2",
    )
    .bind(since)
    .bind(limit)
}

/// The contacts, and the highest of their revs.
pub(crate) fn read_tombstones(rows: &Rows) -> Result<(Vec<ContactId>, Option<Rev>), DatabaseError> {
    let mut last = None;
    let ids = rows.iter().map(|row| {
        last = last.max(Some(row.rev("rev")?));
        row.parse("id")
    });
    Ok((ids.collect::<Result<_, _>>()?, last))
}

/// Removes these tombstones, the highest of which has the rev `last`.
pub(crate) fn purge(read: &Book, ids: &[ContactId], last: Rev) -> [Statement; 3] {
    let ids = serde_json::to_string(ids).expect("ids are plain text");
    let guard = Statement::new(
        "UPDATE book SET rev = CASE WHEN rev = ?1 AND epoch = ?2 THEN rev + 1 END,
           purged_rev = max(purged_rev, ?3)",
    );
    let history = Statement::new(
        "DELETE FROM history WHERE contact IN (SELECT value FROM json_each(?1) LIMIT -1)",
    );
    let contacts = Statement::new(
        "DELETE FROM contacts WHERE id IN (SELECT value FROM json_each(?1) LIMIT -1)",
    );
    [
        guard.bind(read.rev).bind(read.epoch.as_str()).bind(last),
        history.bind(ids.clone()),
        contacts.bind(ids),
    ]
}

/// Forgets the oldest versions from before a time, so many at once.
pub(crate) fn history(before: Timestamp, limit: u64) -> Statement {
    Statement::new(
        "DELETE FROM history WHERE (contact, rev) IN (
           SELECT contact, rev FROM history WHERE at < ?1 ORDER BY at LIMIT ?2)",
    )
    .bind(before)
    .bind(limit)
}
