//! The book's one row.

use callbook_base::{Epoch, Rev, Timestamp};
use callbook_contacts::{Changes, Digest};
use callbook_dedup::Tables;

use crate::database::{DatabaseError, Rows, Statement};
use crate::problem::Problem;

/// The book's row.
pub(crate) struct Book {
    pub(crate) epoch: Epoch,
    /// What it was called before, and the rev up to which that book is this one.
    epochs: Vec<(Epoch, Rev)>,
    pub(crate) rev: Rev,
    /// Tombstones up to there may be gone.
    pub(crate) purged_rev: Rev,
    pub(crate) digest: Digest,
    pub(crate) visible: u64,
    pub(crate) calls_rev: Rev,
    pub(crate) clock: Timestamp,
    pub(crate) keys: Keys,
}

impl Book {
    /// The rev up to which whoever knows the book by this epoch knows this book; `None` when that is
    /// its own.
    pub(crate) fn forks_from(&self, epoch: &str) -> Option<Rev> {
        let fork = |(older, rev): &(Epoch, Rev)| (older.as_str() == epoch).then_some(*rev);
        // One that this book never had began after the backup that it was restored from.
        let rev = || self.epochs.iter().find_map(fork).unwrap_or(Rev(0));
        (self.epoch.as_str() != epoch).then(rev)
    }
}

/// What made the keys of a book, and what makes them from now on.
pub(crate) struct Keys {
    tables: String,
    rekeyed_to: Option<String>,
    /// The last contact and the last call that have been re-keyed.
    pub(crate) done: Done,
}

/// How far a re-keying has come, by ids; empty before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) contact: String,
    pub(crate) call: String,
}

impl Keys {
    /// Whether these tables have made all keys.
    pub(crate) fn are_of(&self, tables: Tables) -> bool {
        self.rekeyed_to.is_none() && self.tables == tables.version
    }

    /// Whether a re-keying to these tables goes on; otherwise it begins.
    pub(crate) fn are_becoming(&self, tables: Tables) -> bool {
        self.rekeyed_to.as_deref() == Some(tables.version)
    }
}

/// Makes the book, if there is none.
pub(crate) fn create(epoch: &Epoch, tables: Tables, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO book (one, epoch, rev, digest, calls_rev, clock, tables)
         VALUES (1, ?1, 0, ?2, 0, ?3, ?4) ON CONFLICT DO NOTHING",
    )
    .bind(epoch.as_str())
    .bind(Digest::default().to_string())
    .bind(now)
    .bind(tables.version)
}

pub(crate) fn read() -> Statement {
    Statement::new(
        "SELECT epoch, epochs, rev, purged_rev, digest, visible, calls_rev, clock, tables, rekey_to,
           rekey_contact, rekey_call FROM book",
    )
}

/// Users come with the book, so whoever has a session has a book.
pub(crate) fn read_row(rows: &Rows) -> Result<Book, Problem> {
    let row = rows.first().ok_or_else(|| DatabaseError::new("the book has no row"))?;
    Ok(Book {
        epoch: row.parse("epoch")?,
        epochs: row.json("epochs")?,
        rev: row.rev("rev")?,
        purged_rev: row.rev("purged_rev")?,
        digest: row.parse("digest")?,
        visible: row.count("visible")?,
        calls_rev: row.rev("calls_rev")?,
        clock: row.time("clock")?,
        keys: Keys {
            tables: row.parse("tables")?,
            rekeyed_to: row.parse_or_null("rekey_to")?,
            done: Done {
                contact: row.parse_or_null("rekey_contact")?.unwrap_or_default(),
                call: row.parse_or_null("rekey_call")?.unwrap_or_default(),
            },
        },
    })
}

/// Calls the book by another epoch, and keeps the last.
pub(crate) fn rename(epoch: &Epoch) -> Statement {
    Statement::new(
        "UPDATE book SET epochs = json_insert(epochs, '$[#]', json_array(epoch, rev)), epoch = ?1",
    )
    .bind(epoch.as_str())
}

/// The guard of a write: fails the batch unless the book is still the one that was read, at its rev, and
/// its keys are of these tables or become so.
pub(crate) fn advance(read: &Book, changes: &Changes, tables: Tables) -> Statement {
    Statement::new(
        "UPDATE book SET rev = CASE
             WHEN rev = ?1 AND epoch = ?7 AND coalesce(rekey_to, tables) = ?5 THEN ?2 END,
           digest = ?3, visible = ?6, clock = ?4",
    )
    .bind(read.rev)
    .bind(changes.rev)
    .bind(changes.digest.to_string())
    .bind(changes.clock)
    .bind(tables.version)
    .bind(changes.visible)
    .bind(read.epoch.as_str())
}

/// The guard of a step of re-keying: fails the batch unless the book is still as it was read. It is
/// then as far as `done`, or has all its keys.
pub(crate) fn rekey(read: &Book, tables: Tables, done: Option<&Done>) -> Statement {
    Statement::new(
        "UPDATE book SET rev = CASE WHEN rev = ?1 AND epoch = ?8 AND rekey_to IS ?2
             AND coalesce(rekey_contact, '') = ?3 AND coalesce(rekey_call, '') = ?4 THEN rev END,
           tables = CASE WHEN ?6 IS NULL THEN ?5 ELSE tables END,
           rekey_to = CASE WHEN ?6 IS NULL THEN NULL ELSE ?5 END,
           rekey_contact = ?6, rekey_call = ?7",
    )
    .bind(read.rev)
    .bind(read.keys.rekeyed_to.clone())
    .bind(read.keys.done.contact.as_str())
    .bind(read.keys.done.call.as_str())
    .bind(tables.version)
    .bind(done.map(|done| done.contact.clone()))
    .bind(done.map(|done| done.call.clone()))
    .bind(read.epoch.as_str())
}

/// After calls were stored or re-keyed: counts that, if it happened. Fails the batch unless the book's
/// keys are of these tables or become so.
pub(crate) fn count_calls(tables: Tables) -> Statement {
    Statement::new(
        "UPDATE book SET calls_rev =
           CASE WHEN coalesce(rekey_to, tables) = ?1 THEN calls_rev + 1 END
         WHERE EXISTS (SELECT 1 FROM calls WHERE rev > book.calls_rev)",
    )
    .bind(tables.version)
}
