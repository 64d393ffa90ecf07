//! The book's one row.

use callbook_base::{Epoch, Rev, Timestamp};
use callbook_contacts::{Digest, Plan};

use crate::database::{DatabaseError, Rows, Statement};
use crate::problem::Problem;

/// The book's row.
pub(crate) struct Book {
    pub(crate) epoch: Epoch,
    pub(crate) rev: Rev,
    pub(crate) digest: Digest,
    pub(crate) calls_rev: Rev,
    pub(crate) clock: Timestamp,
}

/// Makes the book, if there is none.
pub(crate) fn create(epoch: &Epoch, now: Timestamp) -> Statement {
    Statement::new(
        "INSERT INTO book (one, epoch, rev, digest, calls_rev, clock, tables)
         VALUES (1, ?1, 0, ?2, 0, ?3, ?4) ON CONFLICT DO NOTHING",
    )
    .bind(epoch.as_str())
    .bind(Digest::default().to_string())
    .bind(now)
    .bind(callbook_dedup::TABLES)
}

pub(crate) fn read() -> Statement {
    Statement::new("SELECT epoch, rev, digest, calls_rev, clock FROM book")
}

/// Users come with the book, so whoever has a session has a book.
pub(crate) fn read_row(rows: &Rows) -> Result<Book, Problem> {
    let row = rows.first().ok_or_else(|| DatabaseError::new("the book has no row"))?;
    Ok(Book {
        epoch: row.parse("epoch")?,
        rev: row.rev("rev")?,
        digest: row.parse("digest")?,
        calls_rev: row.rev("calls_rev")?,
        clock: row.time("clock")?,
    })
}

/// The guard of a write: fails the batch unless the book's rev is still the one that was read.
pub(crate) fn advance(read: Rev, plan: &Plan) -> Statement {
    Statement::new("UPDATE book SET rev = CASE WHEN rev = ?1 THEN ?2 END, digest = ?3, clock = ?4")
        .bind(read)
        .bind(plan.rev)
        .bind(plan.digest.to_string())
        .bind(plan.clock)
}

/// After an insert of calls: counts it if it stored any.
pub(crate) fn count_calls() -> Statement {
    Statement::new(
        "UPDATE book SET calls_rev = calls_rev + 1
         WHERE EXISTS (SELECT 1 FROM calls WHERE rev > book.calls_rev)",
    )
}
