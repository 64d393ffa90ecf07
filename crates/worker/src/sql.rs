//! All SQL of the book, one module for each group of tables. A decision must never live here: these
//! are statements, and readers of their rows.

pub(crate) mod audit;
pub(crate) mod book;
pub(crate) mod calls;
pub(crate) mod contacts;
pub(crate) mod devices;
pub(crate) mod guesses;
pub(crate) mod numbers;
mod packed;
pub(crate) mod people;
pub(crate) mod purge;
pub(crate) mod push;
pub(crate) mod users;

#[cfg(test)]
mod tests {
    use callbook_auth::{Access, Role};
    use callbook_base::{Cursor, Rev, Timestamp};
    use callbook_contacts::Push;
    use callbook_dedup::Tables;

    use super::*;
    use crate::database::Statement;

    /// What a sync reads and writes grows with what changed and not with the book: SQLite finds every
    /// row of a large table through a key.
    #[test]
    fn no_sync_scans_a_table() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for (_, sql) in crate::MIGRATIONS {
            connection.execute_batch(sql).unwrap();
        }
        let check = |statement: Statement| {
            let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            let mut query = connection.prepare(&explain).unwrap();
            let mut rows = query.raw_query();
            while let Some(row) = rows.next().unwrap() {
                let step: String = row.get("detail").unwrap();
                // The book has one row; other scans are of lists that were bound, or made from rows
                // that were found.
                let of = step.strip_prefix("SCAN ").and_then(|of| of.split(' ').next());
                let found = "json_each book named touched touched_keys all_keys near page sized cut edits \
                             lineage n t k p given gone CONSTANT";
                let known =
                    |of: &&str| found.split(' ').any(|name| name == *of) || of.starts_with('(');
                let scanned = of.filter(|of| !known(of));
                assert_eq!(scanned, None, "{step} in {}", statement.sql);
            }
        };
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let access =
            Access { user: id.parse().unwrap(), device: id.parse().unwrap(), role: Role::Member };
        let body = r#"{"sent_at":"2026-11-22T10:00:00.000Z","ops":[]}"#;
        let push = Push::read(body.as_bytes()).unwrap();
        check(devices::session(&access));
        check(book::read());
        push::reads(&push, access.device, Tables::CURRENT).into_iter().for_each(check);
        push::all_writes().into_iter().for_each(check);
        let key = "+1".parse().unwrap();
        check(devices::guard(access.device, Timestamp::MIN));
        check(numbers::share(key, false, access.user, Timestamp::MIN));
        let device = callbook_contacts::Device::default();
        let stand = (&"e".parse().unwrap(), Rev(1));
        check(devices::acknowledge(access.device, &device, &device, stand, Timestamp::MIN));
        for pull in
            [contacts::Pull::First, contacts::Pull::FirstFrom(Rev(1)), contacts::Pull::Later]
        {
            check(contacts::page((Rev(1), ""), pull, 500));
        }
        let cursor =
            Cursor { epoch: stand.0.clone(), rev: Rev(9), last: String::new(), first: None };
        check(devices::pulled(access.device, &cursor, Timestamp::MIN).unwrap());
        check(purge::old_tombstones(Timestamp::MIN, 9));
        check(calls::insert(&access, &[]));
        check(calls::page((Rev(1), ""), 500));
        check(book::count_calls(Tables::CURRENT));
        check(push::fields_to_rekey(Tables::CURRENT, 9, 9));
        check(calls::to_rekey(Tables::CURRENT, 9));
        check(calls::rekey(&[]));
    }

    /// What is read is what is shown or sent: lists and pages go along an index and sort nothing.
    #[test]
    fn lists_and_pages_go_along_an_index() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for (_, sql) in crate::MIGRATIONS {
            connection.execute_batch(sql).unwrap();
        }
        let steps = |statement: Statement| {
            let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            let mut query = connection.prepare(&explain).unwrap();
            let (mut rows, mut steps) = (query.raw_query(), Vec::<String>::new());
            while let Some(row) = rows.next().unwrap() {
                steps.push(row.get("detail").unwrap());
            }
            let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
            assert!(!sorts, "{steps:#?}");
            steps
        };
        let check = |statement: Statement, first: &str| {
            let steps = steps(statement);
            assert!(steps[0].starts_with(first), "{steps:#?}");
        };
        let (search, id) = (people::Search::default(), "01890a5d-ac96-774b-bcce-b302099a8057");
        check(
            people::by_name(&search, None, 9),
            "SEARCH c USING INDEX contacts_by_name (sort_name>?)",
        );
        check(people::deleted(&search, Rev(9), "", 9), "SEARCH c USING INDEX tombstones (rev<?)");
        check(people::hidden(&search, "", 9), "SEARCH c USING INDEX hidden (id>?)");
        check(people::one(id.parse().unwrap()), "SEARCH c USING PRIMARY KEY (id=?)");
        check(
            calls::search(&calls::Wanted::default(), None, 9),
            "SEARCH calls USING INDEX calls_by_time",
        );
        check(calls::page((Rev(1), ""), 9), "SEARCH calls USING INDEX calls_by_rev");
        // The table has all that a page says: no contact is looked up.
        let steps = steps(contacts::page((Rev(1), ""), contacts::Pull::Later, 9));
        let reads: Vec<_> = steps.iter().filter(|step| step.starts_with("SEARCH ")).collect();
        let along = "SEARCH p USING PRIMARY KEY ((rev,id)>(?,?))";
        assert_eq!(reads, [along; 3], "{steps:#?}");
    }
}
