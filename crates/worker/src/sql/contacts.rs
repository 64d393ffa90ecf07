//! Contacts as rows, and pages of them.

use callbook_base::{ContactId, Rev};
use callbook_contacts::{Contact, Fields, LastEdit, State};

use crate::database::{DatabaseError, Row, Rows, Statement};

/// What a row adds to a page beside its fields, in bytes of JSON.
const ROW_OVERHEAD: u64 = 256;

/// A page ends before it has more than so many bytes.
const PAGE_BYTES: u64 = 1 << 20;

/// The columns of a [`Contact`], of the table named `c`.
macro_rules! columns {
    () => {
        "c.id, c.created_at, c.rev, c.state, c.other, c.keys, c.asleep, c.took, c.deleted_at,
         c.edit_rev, c.edit_at, c.edit_user, c.edit_device"
    };
}
pub(super) use columns;

/// A page of what changed after (rev, id), and one row more when there is more. Its rows have fields
/// as far as the page may have bytes; the first always does.
///
/// In a first pull only visible contacts are sent, and tombstones and hidden rows above `first`,
/// the book's rev at the first page; at that page, where it is not known yet, it is the book's.
pub(crate) fn page(after: (Rev, &str), pull: Pull, limit: u64) -> Statement {
    Statement::new(concat!(
        "WITH page AS MATERIALIZED (
           SELECT ",
        columns!(),
        ", c.fields, octet_length(c.fields) + ?5 AS size
           FROM contacts AS c
           WHERE (c.rev, c.id) > (?1, ?2)
             AND (c.state = 0 OR c.rev > coalesce(?3, (SELECT rev FROM book)))
           ORDER BY c.rev, c.id LIMIT ?4 + 1)
         SELECT ",
        columns!(),
        ", CASE WHEN sum(c.size) OVER (ORDER BY c.rev, c.id) - c.size < ?6 - ?5 THEN c.fields END AS fields
         FROM page AS c ORDER BY c.rev, c.id"
    ))
    .bind(after.0)
    .bind(after.1)
    .bind(match pull {
        Pull::First => None,
        Pull::FirstFrom(rev) => Some(rev),
        Pull::Later => Some(Rev(0)),
    })
    .bind(limit)
    .bind(ROW_OVERHEAD)
    .bind(PAGE_BYTES)
}

/// How far a device has come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pull {
    /// The first page of all.
    First,
    /// A later page of the first pull, and the book's rev at the first page.
    FirstFrom(Rev),
    /// Any other.
    Later,
}

/// The rows of a page, and whether more is there.
pub(crate) struct Page {
    pub(crate) rows: Vec<(ContactId, Contact, Fields)>,
    pub(crate) has_more: bool,
}

/// A page has fewer rows than its limit when bytes ran out.
pub(crate) fn read_page(found: &Rows, limit: u64) -> Result<Page, DatabaseError> {
    let mut rows = Vec::with_capacity(found.values.len());
    for row in found.iter().take(limit as usize) {
        if row.text_or_null("fields")?.is_none() {
            break;
        }
        rows.push((row.parse("id")?, read(row)?, row.json("fields")?));
    }
    let has_more = found.values.len() > rows.len();
    Ok(Page { rows, has_more })
}

pub(super) fn read(row: Row<'_>) -> Result<Contact, DatabaseError> {
    let state = match row.int("state")? {
        0 => State::Visible,
        1 => State::Hidden { owner: row.parse("other")? },
        _ => State::Deleted {
            at: row.time("deleted_at")?,
            retired_by: row.parse_or_null("other")?,
            took: row.json("took")?,
        },
    };
    Ok(Contact {
        created_at: row.time("created_at")?,
        rev: row.rev("rev")?,
        state,
        keys: row.json("keys")?,
        asleep: row.json("asleep")?,
        edit: LastEdit {
            rev: row.rev("edit_rev")?,
            at: row.time("edit_at")?,
            user: row.parse("edit_user")?,
            device: row.parse("edit_device")?,
        },
    })
}
