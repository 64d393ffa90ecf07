//! Contacts as rows, and pages of them.

use callbook_base::{ContactId, Rev};
use callbook_contacts::wire::PageRows;
use callbook_contacts::{Contact, LastEdit, State};
use serde::Deserialize;

use crate::database::{DatabaseError, Row, Rows, Statement};

/// The most bytes of JSON that a row of a page has beside its fields, with a comma.
const ROW_OVERHEAD: u64 = 200;

/// What an answer has beside its rows, about.
const ANSWER_OVERHEAD: usize = 512;

/// The most bytes of a page's rows, if it has more than one.
const PAGE_BYTES: u64 = 1 << 20;

/// The columns of a [`Contact`], of the table named `c`.
macro_rules! columns {
    () => {
        "c.id, c.created_at, c.rev, c.state, c.other, c.keys, c.asleep, c.took, c.deleted_at,
         c.edit_rev, c.edit_at, c.edit_user, c.edit_device"
    };
}
pub(super) use columns;

/// A page of what changed after (rev, id), as JSON that triggers have written, and a NULL when there is more.
///
/// In a first pull only visible contacts are sent, and tombstones and hidden rows above `first`,
/// the book's rev at the first page; at that page, where it is not known yet, it is the book's.
pub(crate) fn page(after: (Rev, &str), pull: Pull, limit: u64) -> Statement {
    // Sizes are added up first, so that no text is read that is not sent; row by row only where bytes run out
    // before rows, since SQLite takes as long for that as for all else. Rows come straight from their table, in its
    // order: SQLite would sort those of a join, with all their text.
    macro_rules! next {
        () => {
            " FROM pulled AS p
              WHERE (p.rev, p.id) > (?1, ?2)
                AND (p.state = 0 OR p.rev > coalesce(?3, (SELECT rev FROM book)))
              ORDER BY p.rev, p.id LIMIT "
        };
    }
    Statement::new(concat!(
        "WITH near AS NOT MATERIALIZED (
           SELECT p.rev, p.id, ?5 + p.size AS bytes",
        next!(),
        "?4 + 1),
         page AS MATERIALIZED (
           SELECT count(*) AS found, min(?4, CASE WHEN sum(bytes) > ?6 THEN (
             SELECT max(1, count(*)) FROM (SELECT sum(bytes) OVER (ORDER BY rev, id) AS total FROM near)
             WHERE total <= ?6) ELSE count(*) END) AS fit
           FROM near)
         SELECT json FROM (SELECT p.json",
        next!(),
        "(SELECT fit FROM page))
         UNION ALL SELECT NULL FROM page WHERE found > fit",
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

/// Contacts by their ids, in their order, but for those after (rev, id), which a page has: as many as fit into a page,
/// and at least one. What is not in the book reads as a tombstone.
pub(crate) fn named(ids: &[ContactId], after: (Rev, &str)) -> Statement {
    let ids = serde_json::to_string(ids).expect("ids are plain text");
    Statement::new(
        r#"WITH asked AS (
             SELECT a.key AS place, a.value AS id, c.rev,
               sum(?4 + CASE c.state WHEN 0 THEN c.size ELSE 0 END) OVER (ORDER BY a.key) AS total
             FROM json_each(?1) AS a LEFT JOIN contacts AS c ON c.id = a.value
             WHERE c.id IS NULL OR (c.rev, c.id) <= (?2, ?3))
           SELECT CASE WHEN asked.rev IS NULL THEN '{"id":"' || asked.id || '","rev":0,"deleted":true}'
             ELSE p.json END AS json
           FROM asked LEFT JOIN pulled AS p ON p.rev = asked.rev AND p.id = asked.id
           WHERE total <= ?5 OR place = (SELECT min(place) FROM asked) ORDER BY place"#,
    )
    .bind(ids)
    .bind(after.0)
    .bind(after.1)
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
pub(crate) struct Page {
    pub(crate) rows: PageRows,
    pub(crate) last: Option<(Rev, ContactId)>,
    pub(crate) has_more: bool,
}

/// A page has fewer rows than its limit when bytes ran out. Those that were asked for by name come first.
pub(crate) fn read_page(found: &Rows, named: Option<&Rows>) -> Result<Page, DatabaseError> {
    #[derive(Deserialize)]
    struct Place {
        id: ContactId,
        rev: Rev,
    }
    let named = named.into_iter().flat_map(Rows::iter).map(|row| row.text("json"));
    let mut rows = named.collect::<Result<Vec<&str>, _>>()?;
    let (first, mut has_more) = (rows.len(), false);
    for row in found.iter() {
        match row.text_or_null("json")? {
            Some(row) => rows.push(row),
            None => has_more = true,
        }
    }
    let last = rows[first..].last().map(|row| serde_json::from_str(row)).transpose();
    let last = last.map_err(|_| DatabaseError::shape("json", "is not JSON"))?;
    // With room for what the answer has around them: a page is moved once, if at all.
    let bytes: usize = rows.iter().map(|row| row.len() + 1).sum();
    let mut page = String::with_capacity(bytes + ANSWER_OVERHEAD);
    for row in rows {
        page.extend([if page.is_empty() { "" } else { "," }, row]);
    }
    Ok(Page { rows: PageRows(page), last: last.map(|Place { id, rev }| (rev, id)), has_more })
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

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use callbook_base::{Timestamp, UserId};
    use callbook_contacts::{Fields, pulled};
    use callbook_dedup::NumberKey;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::MIGRATIONS;
    use crate::database::Database;
    use crate::sqlite::Sqlite;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(n: u8) -> T {
        format!("01890a5d-ac96-774b-bcce-b302099a80{n:02x}").parse().unwrap()
    }

    fn run(sqlite: &Sqlite, statement: Statement) -> Rows {
        let batch = pin!(sqlite.batch(vec![statement]));
        match batch.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(rows) => rows.unwrap().remove(0),
            Poll::Pending => panic!("SQLite answers at once"),
        }
    }

    /// What the database writes of a contact is what serde writes of it.
    fn check(state: State, times: (i64, i64), fields: &Fields, asleep: &[NumberKey]) {
        let contact = Contact {
            created_at: Timestamp::from_millis(times.0),
            rev: Rev(7),
            state,
            keys: fields.keys(),
            asleep: asleep.to_vec(),
            edit: LastEdit {
                rev: Rev(6),
                at: Timestamp::from_millis(times.1),
                user: id::<UserId>(1),
                device: id(2),
            },
        };
        let (number, other) = match &contact.state {
            State::Visible => (0_u64, None),
            State::Hidden { owner } => (1, Some(owner.to_string())),
            State::Deleted { .. } => (2, None),
        };
        let sqlite = Sqlite::in_memory().unwrap();
        sqlite.migrate(MIGRATIONS, Timestamp::MIN).unwrap();
        let stored = serde_json::to_string(fields).unwrap();
        let insert = Statement::new(
            "INSERT INTO contacts (id, created_at, rev, state, other, keys, asleep, took, edit_rev,
               edit_at, edit_user, edit_device, fields, size)
             VALUES (?1, ?2, 7, ?3, ?4, '[]', ?5, '[]', 6, ?6, ?7, ?8, ?9, 1)",
        );
        let insert = insert
            .bind(id::<ContactId>(3).to_string())
            .bind(contact.created_at)
            .bind(number)
            .bind(other)
            .bind(json!(asleep).to_string())
            .bind(contact.edit.at)
            .bind(id::<UserId>(1).to_string())
            .bind(id::<ContactId>(2).to_string())
            .bind(stored);
        run(&sqlite, insert);
        let found = run(&sqlite, page((Rev(0), "~"), Pull::Later, 10));
        let expected = serde_json::to_string(&pulled(id(3), &contact, fields)).unwrap();
        let page = read_page(&found, None).unwrap();
        assert_eq!(page.rows.0, expected);
        assert_eq!((page.last, page.has_more), (Some((Rev(7), id(3))), false));
    }

    fn fields() -> Fields {
        let phone = |number: &str, key: Option<&str>| json!({ "number": number, "region": "US", "key": key, "type": null, "label": "\"\\\u{7}é💥" });
        serde_json::from_value(json!({
            "name": "Ann \"Lee\" \\ \u{1} \u{7f} \u{2028} 💥 é",
            "phones": [phone("a", Some("+14155552671")), phone("b", None), phone("c", Some("+14155552672")),
                       phone("(415) 555-2671", Some("+14155552671"))],
            "emails": [{ "value": "x@y", "type": "work", "label": null }],
        }))
        .unwrap()
    }

    #[test]
    fn rows_are_written_as_serde_writes_them() {
        let at = 1_795_341_600_123;
        let keys = fields().keys();
        for asleep in [&[][..], &keys[..1], &keys[1..], &keys[..]] {
            check(State::Visible, (at, at + 1), &fields(), asleep);
        }
        check(State::Visible, (at, at), &Fields::default(), &[]);
        check(State::Hidden { owner: id(9) }, (at, at), &fields(), &keys);
        let deleted = State::Deleted { at: Timestamp::MIN, retired_by: None, took: Vec::new() };
        check(deleted, (at, at), &fields(), &[]);
        for at in [Timestamp::MIN.as_millis(), -1, 0, 1, 999, Timestamp::MAX.as_millis()] {
            check(State::Visible, (at, at), &fields(), &[]);
        }
    }

    /// Found by the simulator (seed 90000353): each number read the list of those that others own anew.
    #[test]
    fn more_numbers_that_others_own_take_no_more_steps() {
        /// Of a page with a contact of forty numbers, of which others own so many.
        fn steps(asleep: usize) -> u64 {
            let sqlite = Sqlite::in_memory().unwrap();
            sqlite.migrate(MIGRATIONS, Timestamp::MIN).unwrap();
            let keys: Vec<String> = (10..50).map(|n| format!("+141555526{n}")).collect();
            let phones: Vec<_> = keys.iter().map(|key| json!({ "key": key })).collect();
            let insert = Statement::new(
                "INSERT INTO contacts (id, created_at, rev, state, keys, asleep, took, edit_rev,
                   edit_at, edit_user, edit_device, fields, size)
                 VALUES (?1, 0, 7, 0, '[]', ?2, '[]', 6, 0, ?1, ?1, ?3, 1)",
            );
            let insert = insert
                .bind(id::<ContactId>(3).to_string())
                .bind(json!(keys[..asleep]).to_string())
                .bind(json!({ "phones": phones }).to_string());
            run(&sqlite, insert);
            run(&sqlite, page((Rev(0), "~"), Pull::Later, 10)).steps
        }
        let (one, many) = (steps(1), steps(30));
        assert!(many <= one, "{many} steps, and {one} for one");
    }

    /// A book of contacts with fields of these sizes, all at rev 7.
    fn of_sizes(sizes: &[u64]) -> Sqlite {
        let sqlite = Sqlite::in_memory().unwrap();
        sqlite.migrate(MIGRATIONS, Timestamp::MIN).unwrap();
        for (n, size) in (0..).zip(sizes) {
            let insert = Statement::new(
                r#"INSERT INTO contacts (id, created_at, rev, state, keys, asleep, took, edit_rev,
                     edit_at, edit_user, edit_device, fields, size)
                   VALUES (?1, 0, 7, 0, '[]', '[]', '[]', 6, 0, ?1, ?1, '{"phones":[]}', ?2)"#,
            );
            run(&sqlite, insert.bind(id::<ContactId>(n).to_string()).bind(*size));
        }
        sqlite
    }

    #[test]
    fn contacts_are_named_in_their_order_as_far_as_they_have_room() {
        /// Which of these a book of contacts of these sizes tells of, to whoever has all up to there.
        #[track_caller]
        fn check(sizes: &[u64], after: (u64, &str), names: &[u8], told: &str) {
            let names: Vec<ContactId> = names.iter().map(|n| id(*n)).collect();
            let sqlite = of_sizes(sizes);
            let found = run(&sqlite, page((Rev(7), "~"), Pull::Later, 10));
            let named = run(&sqlite, named(&names, (Rev(after.0), after.1)));
            let page = read_page(&found, Some(&named)).unwrap();
            let rows: Vec<serde_json::Value> =
                serde_json::from_str(&format!("[{}]", page.rows.0)).unwrap();
            let tell = |row: &serde_json::Value| {
                let (id, deleted) = (row["id"].as_str().unwrap(), row["deleted"] == true);
                format!("{}{}", &id[id.len() - 2..], if deleted { "-" } else { "" })
            };
            let rows: Vec<String> = rows.iter().map(tell).collect();
            assert_eq!(rows.join(" "), told);
            assert_eq!((page.last, page.has_more), (None, false));
        }
        let small = [10; 4];
        check(&small, (7, "~"), &[2, 0, 3], "02 00 03");
        check(&small, (7, "~"), &[9, 1, 8], "09- 01 08-");
        check(&small, (7, &id::<ContactId>(1).to_string()), &[0, 1, 2, 9], "00 01 09-");
        check(&small, (6, "~"), &[0, 1], "");
        check(&[400_000; 4], (7, "~"), &[0, 1, 2, 3], "00 01");
        check(&[10, PAGE_BYTES, 10], (7, "~"), &[0, 1, 2], "00");
        // The first is always there.
        check(&[PAGE_BYTES; 2], (7, "~"), &[1, 0], "01");
    }

    #[test]
    fn a_page_ends_where_rows_or_bytes_do() {
        const LARGEST: u64 = PAGE_BYTES - ROW_OVERHEAD;
        /// Contacts with fields of these sizes, and how many of them a page of so many has.
        fn check(sizes: &[u64], limit: u64, fit: usize) {
            let sqlite = of_sizes(sizes);
            let found = run(&sqlite, page((Rev(0), "~"), Pull::First, limit));
            let page = read_page(&found, None).unwrap();
            let rows: Vec<serde_json::Value> =
                serde_json::from_str(&format!("[{}]", page.rows.0)).unwrap();
            let case = format!("{limit} of {sizes:?}");
            assert_eq!((rows.len(), page.has_more), (fit, fit < sizes.len()), "{case}");
            let last = fit.checked_sub(1).map(|last| (Rev(7), id(last as u8)));
            assert_eq!(page.last, last, "{case}");
        }
        check(&[], 5, 0);
        check(&[10; 3], 2, 2);
        check(&[10; 3], 3, 3);
        check(&[10; 3], 4, 3);
        check(&[LARGEST / 2; 3], 5, 1);
        check(&[400_000; 4], 5, 2);
        check(&[400_000; 4], 2, 2);
        check(&[400_000; 4], 1, 1);
        check(&[LARGEST - ROW_OVERHEAD, 0, 0], 5, 2);
        check(&[0, LARGEST, 0], 5, 1);
        // The first is always there.
        check(&[LARGEST + 1], 5, 1);
        check(&[LARGEST + 1, 0], 5, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn so_are_any_times(
            created in Timestamp::MIN.as_millis()..=Timestamp::MAX.as_millis(),
            edited in 0..4_000_000_000_000_i64,
        ) {
            check(State::Visible, (created, edited), &Fields::default(), &[]);
        }
    }
}
