//! Contacts as rows, and pages of them.

use callbook_base::Rev;
use callbook_contacts::wire::{Form, PageRows, Pulled, StoredRow};
use callbook_contacts::{Contact, Fields, LastEdit, State};
use callbook_dedup::NumberKey;

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
    // Sizes first, from the index alone, then the rows. Few pages are cut by their bytes, and only of those
    // is each row's place summed up.
    Statement::new(
        "WITH page AS MATERIALIZED (
           SELECT c.rev, c.id, ?5 + CASE c.state WHEN 0 THEN c.size ELSE 0 END AS size
           FROM contacts AS c
           WHERE (c.rev, c.id) > (?1, ?2)
             AND (c.state = 0 OR c.rev > coalesce(?3, (SELECT rev FROM book)))
           ORDER BY c.rev, c.id LIMIT ?4 + 1),
         sized AS MATERIALIZED (
           SELECT rev, id, sum(size) OVER (ORDER BY rev, id) - size AS before FROM page),
         cut AS MATERIALIZED (
           SELECT rev, id FROM sized WHERE before >= ?6 - ?5 ORDER BY rev, id LIMIT 1)
         SELECT c.id, c.rev, c.state, c.other, c.created_at, c.edit_at, c.edit_user, c.asleep,
           CASE WHEN (SELECT sum(size) FROM page) > ?6 - ?5
               AND (page.rev, page.id) >= (SELECT rev, id FROM cut) THEN NULL
             ELSE CASE c.state WHEN 0 THEN c.fields ELSE '' END END AS fields
         FROM page CROSS JOIN contacts AS c ON c.id = page.id ORDER BY page.rev, page.id",
    )
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

/// The rows of a page as they are sent, the last one's rev and id, and whether more is there.
pub(crate) struct Page<'a> {
    pub(crate) rows: PageRows,
    pub(crate) last: Option<(Rev, &'a str)>,
    pub(crate) has_more: bool,
}

/// A page has fewer rows than its limit when bytes ran out.
pub(crate) fn read_page(found: &Rows, limit: u64) -> Result<Page<'_>, DatabaseError> {
    let size = |row: Row<'_>| row.text("fields").map_or(0, str::len) + ROW_OVERHEAD as usize;
    let mut rows = PageRows::with_capacity(found.iter().map(size).sum());
    let (mut last, mut count) = (None, 0);
    for row in found.iter().take(limit as usize) {
        let Some(fields) = row.text_or_null("fields")? else { break };
        add_pulled(&mut rows, row, fields)?;
        last = Some((row.rev("rev")?, row.text("id")?));
        count += 1;
    }
    Ok(Page { rows, last, has_more: found.values.len() > count })
}

/// As [`callbook_contacts::pulled`] does it, without the columns that this does not need. Fields are not
/// read, unless others own a number of theirs.
fn add_pulled(rows: &mut PageRows, row: Row<'_>, fields: &str) -> Result<(), DatabaseError> {
    let form = match row.int("state")? {
        0 => {
            let asleep: Vec<NumberKey> = match row.text("asleep")? {
                "[]" => Vec::new(), // as nearly always
                _ => row.json("asleep")?,
            };
            let shown = (!asleep.is_empty()).then(|| {
                let mut fields: Fields = row.json("fields")?;
                fields.take_numbers(&asleep);
                Ok(serde_json::to_string(&fields).expect("fields are plain text"))
            });
            let shown = shown.transpose()?;
            let row = StoredRow {
                id: row.text("id")?,
                rev: row.rev("rev")?,
                created_at: row.time("created_at")?,
                updated_at: row.time("edit_at")?,
                updated_by: row.text("edit_user")?,
                fields: shown.as_deref().unwrap_or(fields),
            };
            let is_object = rows.push_stored(&row);
            return is_object
                .then_some(())
                .ok_or_else(|| DatabaseError::shape("fields", "is not its JSON"));
        }
        1 => Form::Hidden { owner: row.parse("other")? },
        _ => Form::Deleted,
    };
    rows.push(&Pulled { id: row.parse("id")?, rev: row.rev("rev")?, form });
    Ok(())
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
