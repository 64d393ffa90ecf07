//! Keys that several contacts show.

use callbook_base::{Timestamp, UserId};
use callbook_dedup::NumberKey;

use crate::database::Statement;

/// Marks a key, or takes the mark away.
pub(crate) fn share(key: NumberKey, shared: bool, user: UserId, now: Timestamp) -> Statement {
    if !shared {
        return Statement::new("DELETE FROM shared_keys WHERE key = ?1").bind(key.to_string());
    }
    Statement::new(
        "INSERT INTO shared_keys (key, at, user) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )
    .bind(key.to_string())
    .bind(now)
    .bind(user.to_string())
}
