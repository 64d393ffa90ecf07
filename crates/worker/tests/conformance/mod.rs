//! What every [`Database`] does: SQLite in memory, in a file and on a thread, and D1 on Cloudflare's runtime.
//! Where they differed, SQLite's was changed. [`stricter`] is what SQLite's refuses beyond that, since
//! Cloudflare documents limits that its runtime does not hold here, or since no statement of ours may.

#![allow(clippy::unwrap_used)] // clippy.toml's leave for tests reaches only what is marked #[test]

mod limits;

use callbook_worker::database::{Database, DatabaseError, Rows, Statement, Value};

const TABLES: &[&str] = &[
    "CREATE TABLE book (id TEXT PRIMARY KEY, rev REAL NOT NULL, note TEXT) STRICT",
    "CREATE TABLE number (
        key TEXT NOT NULL UNIQUE, book TEXT NOT NULL REFERENCES book(id) ON DELETE CASCADE
    ) STRICT",
];

type Check = fn(&dyn Database);

/// Every check of the suite, by name. Each gets a database with [`TABLES`] in it and nothing else.
const SUITE: &[(&str, Check)] = &[
    ("numbers_are_doubles", numbers_are_doubles),
    ("texts_and_nulls_come_back", texts_and_nulls_come_back),
    ("json_keeps_what_a_double_cannot", json_keeps_what_a_double_cannot),
    ("rows_and_changes", rows_and_changes),
    ("a_batch_of_many_statements", a_batch_of_many_statements),
    ("a_batch_is_whole_or_not_at_all", a_batch_is_whole_or_not_at_all),
    ("a_failed_guard_leaves_all_as_it_was", a_failed_guard_leaves_all_as_it_was),
    ("foreign_keys_hold", foreign_keys_hold),
    ("an_empty_batch_is_an_error", an_empty_batch_is_an_error),
    ("limits", limits::limits),
    ("refused_sql", limits::refused_sql),
    ("sql_that_passes", limits::sql_that_passes),
    ("errors_hold_no_bound_value", errors_hold_no_bound_value),
];

/// What D1 would let pass on this machine, and what it would do elsewhere: refused before it comes to that.
const STRICTER: &[(&str, Check)] = &[
    ("documented_limits", limits::documented_limits),
    ("sql_that_nobody_may_use", limits::sql_that_nobody_may_use),
];

/// Runs the suite, each check on a database of its own.
pub(crate) fn conforms<D: Database>(open: impl Fn() -> D) {
    check_all(SUITE, open);
}

/// The same for what only SQLite refuses.
pub(crate) fn stricter<D: Database>(open: impl Fn() -> D) {
    check_all(STRICTER, open);
}

fn check_all<D: Database>(suite: &[(&str, Check)], open: impl Fn() -> D) {
    for (name, check) in suite {
        println!("{name}");
        let db = open();
        run(&db, TABLES.iter().copied().map(Statement::new).collect()).unwrap();
        check(&db);
    }
}

fn numbers_are_doubles(db: &dyn Database) {
    for (value, number) in [
        (Value::from(1_i64), "1.0"),
        (Value::from(true), "1.0"),
        (Value::from(-0.5), "-0.5"),
        (Value::from(1_u64 << 53), "9007199254740992.0"),
    ] {
        let rows = one(db, Statement::new("SELECT typeof(?1) AS kind, ?1 AS n").bind(value));
        assert_eq!(rows.first().unwrap().text("kind").unwrap(), "real");
        assert_eq!(shown(&rows)[0][1], number);
    }
    // SQLite's own integers come back as doubles too, rounded where a double does not hold them.
    let rows = one(db, Statement::new("SELECT count(*) AS n, 9007199254740993 AS big FROM book"));
    assert_eq!(shown(&rows), [["0.0", "9007199254740992.0"]]);
    // A column of integers stores whole numbers that arrive as doubles.
    one(db, Statement::new("CREATE TABLE i (n INTEGER NOT NULL) STRICT"));
    one(db, Statement::new("INSERT INTO i VALUES (?1)").bind(7_i64));
    let rows = one(db, Statement::new("SELECT n, typeof(n) AS kind FROM i"));
    assert_eq!(rows.first().unwrap().int("n").unwrap(), 7);
    assert_eq!(rows.first().unwrap().text("kind").unwrap(), "integer");
    refused(db, Statement::new("INSERT INTO i VALUES (?1)").bind(7.5), "SQLITE_CONSTRAINT");
}

fn texts_and_nulls_come_back(db: &dyn Database) {
    for value in [
        Value::Null,
        Value::from(""),
        Value::from("+49 30 901820"),
        Value::from("Łucja 🙂\r\n\"'`"),
        Value::from("a\0b"),
        Value::from(f64::NAN),      // which SQL has not
        Value::from(f64::INFINITY), // nor JSON
    ] {
        let expected = if matches!(value, Value::Real(_)) { Value::Null } else { value.clone() };
        one(db, Statement::new("DELETE FROM book"));
        one(db, Statement::new("INSERT INTO book VALUES ('b', 1, ?1)").bind(value));
        let rows = one(db, Statement::new("SELECT note FROM book"));
        assert!(rows.values == [expected], "{:?}", shown(&rows));
    }
    refused(db, Statement::new("SELECT x'00' AS blob"), "the column blob is a BLOB");
}

fn json_keeps_what_a_double_cannot(db: &dyn Database) {
    let unfold = "SELECT value, atom, type FROM json_each(?1)";
    let json = Value::from(r#"["9007199254740993", "é", null, true, 1.5]"#);
    let rows = one(db, Statement::new(unfold).bind(json));
    let values: Vec<String> = shown(&rows).into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(values, ["'9007199254740993'", "'é'", "NULL", "1.0", "1.5"]);
    // A number that a double does not hold keeps its digits as long as it stays in SQL.
    let cast = "SELECT CAST(value AS TEXT) AS digits FROM json_each('[9007199254740993]')";
    let rows = one(db, Statement::new(cast));
    assert_eq!(rows.first().unwrap().text("digits").unwrap(), "9007199254740993");
    refused(db, Statement::new(unfold).bind("["), "D1_ERROR: malformed JSON: SQLITE_ERROR");
}

fn rows_and_changes(db: &dyn Database) {
    let results = run(
        db,
        vec![
            Statement::new("INSERT INTO book VALUES ('a', 1, NULL), ('b', 1, 'x') RETURNING id"),
            Statement::new("SELECT id, rev AS r, note FROM book ORDER BY id"),
            Statement::new("UPDATE book SET rev = 2 WHERE id = ?1 RETURNING rev").bind("b"),
            Statement::new("UPDATE book SET rev = 3 WHERE id = ?1").bind("none"),
            Statement::new("SELECT id FROM book WHERE id = ?1").bind("none"),
            Statement::new(
                "INSERT INTO book VALUES ('a', 9, NULL) ON CONFLICT (id) DO UPDATE SET rev = 9",
            ),
            Statement::new("INSERT INTO number VALUES ('+1', 'a')"),
            Statement::new("DELETE FROM book"),
            Statement::new("CREATE INDEX by_note ON book(note)"),
            Statement::new("SELECT count(*) AS n FROM number"),
        ],
    )
    .unwrap();
    let changes: Vec<u64> = results.iter().map(|rows| rows.changes).collect();
    // What a foreign key takes along is counted too.
    assert_eq!(changes, [2, 0, 1, 0, 0, 1, 1, 3, 0, 0]);
    let lengths: Vec<usize> = results.iter().map(Rows::len).collect();
    assert_eq!(lengths, [2, 2, 1, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(results[1].columns, ["id", "r", "note"]);
    assert_eq!(shown(&results[1])[0], ["'a'", "1.0", "NULL"]);
    assert_eq!(results[2].first().unwrap().int("rev").unwrap(), 2);
    assert!(results[4].columns.is_empty(), "no names without a row");
    assert_eq!(results[9].first().unwrap().count("n").unwrap(), 0);
}

/// Fifty is what Cloudflare's free plan lets a request run.
fn a_batch_of_many_statements(db: &dyn Database) {
    let insert = |n: i64| Statement::new("INSERT INTO book VALUES ('a' || ?1, ?1, NULL)").bind(n);
    let results = run(db, (0..50).map(insert).collect()).unwrap();
    assert!(results.len() == 50 && results.iter().all(|rows| rows.changes == 1));
    assert_eq!(count(db, "SELECT count(*) FROM book"), 50);
}

fn a_batch_is_whole_or_not_at_all(db: &dyn Database) {
    let insert = || Statement::new("INSERT INTO book VALUES ('a', 1, NULL)");
    for (bad, message) in [
        (
            insert(),
            "D1_ERROR: UNIQUE constraint failed: book.id: SQLITE_CONSTRAINT \
             (extended: SQLITE_CONSTRAINT_PRIMARYKEY)",
        ),
        (
            Statement::new("INSERT INTO book VALUES ('b', ?1, NULL)").bind(Value::Null),
            "D1_ERROR: NOT NULL constraint failed: book.rev: SQLITE_CONSTRAINT \
             (extended: SQLITE_CONSTRAINT_NOTNULL)",
        ),
        (Statement::new("SELECT * FROM x"), "D1_ERROR: no such table: x: SQLITE_ERROR"),
        (Statement::new("SELEC 1"), "D1_ERROR: near \"SELEC\": syntax error at offset 0: SQLITE_E"),
        (Statement::new("SELECT ?1"), "D1_ERROR: Wrong number of parameter bindings"),
        (Statement::new("SELECT json('[')"), "D1_ERROR: malformed JSON: SQLITE_ERROR"),
    ] {
        let ddl = Statement::new("CREATE TABLE made (x TEXT)");
        let error = run(db, vec![insert(), ddl, bad, insert()]).err().unwrap();
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(error.is_constraint(), message.contains("SQLITE_CONSTRAINT"), "{error}");
        assert_eq!(count(db, "SELECT count(*) FROM book"), 0, "after {error}");
        let made = "SELECT count(*) FROM sqlite_schema WHERE name = 'made'";
        assert_eq!(count(db, made), 0, "after {error}");
    }
    // And the database goes on.
    one(db, insert());
    assert_eq!(count(db, "SELECT count(*) FROM book"), 1);
}

/// The write batch's guard: `CASE WHEN rev = read THEN new END` into a column that is NOT NULL.
fn a_failed_guard_leaves_all_as_it_was(db: &dyn Database) {
    one(db, Statement::new("INSERT INTO book VALUES ('b', 5, 'old')"));
    let write = |read: i64, new: i64| {
        let guard = "UPDATE book SET rev = CASE WHEN rev = ?1 THEN ?2 END WHERE id = 'b'";
        run(
            db,
            vec![
                Statement::new(guard).bind(read).bind(new),
                Statement::new("UPDATE book SET note = 'new'"),
            ],
        )
    };
    let error = write(4, 6).err().unwrap();
    assert!(error.is_constraint());
    assert_eq!(
        error.to_string(),
        "D1_ERROR: NOT NULL constraint failed: book.rev: SQLITE_CONSTRAINT \
         (extended: SQLITE_CONSTRAINT_NOTNULL)"
    );
    let read = || one(db, Statement::new("SELECT rev, note FROM book"));
    assert_eq!(shown(&read()), [["5.0", "'old'"]]);
    write(5, 6).unwrap();
    assert_eq!(shown(&read()), [["6.0", "'new'"]]);
}

fn foreign_keys_hold(db: &dyn Database) {
    let orphan = || Statement::new("INSERT INTO number VALUES ('+1', 'none')");
    let message = "D1_ERROR: FOREIGN KEY constraint failed: SQLITE_CONSTRAINT \
                   (extended: SQLITE_CONSTRAINT_FOREIGNKEY)";
    refused(db, orphan(), message);
    // Deferred, it is the commit that fails, without saying why, and takes all back.
    let defer = Statement::new("PRAGMA defer_foreign_keys = on");
    let error = run(db, vec![defer.clone(), orphan()]).err().unwrap();
    assert!(error.to_string().starts_with("D1_ERROR: internal error"), "{error}");
    assert_eq!(count(db, "SELECT count(*) FROM number"), 0);
    // Deferring ends with its batch, and a parent that comes later in the batch is in time.
    refused(db, orphan(), message);
    let parent = Statement::new("INSERT INTO book VALUES ('none', 1, NULL)");
    run(db, vec![defer, orphan(), parent]).unwrap();
    // A parent takes its children along.
    one(db, Statement::new("DELETE FROM book"));
    assert_eq!(count(db, "SELECT count(*) FROM number"), 0);
}

fn an_empty_batch_is_an_error(db: &dyn Database) {
    let error = run(db, Vec::new()).err().unwrap();
    assert_eq!(error.to_string(), "D1_ERROR: No SQL statements detected.");
    refused(db, Statement::new(" -- nothing"), "D1_ERROR: No SQL statements detected.");
}

fn errors_hold_no_bound_value(db: &dyn Database) {
    let secret = "+4930901820";
    one(db, Statement::new("CREATE TABLE small (v TEXT CHECK (length(v) < 3), n INTEGER) STRICT"));
    one(db, Statement::new("INSERT INTO book VALUES (?1, 1, NULL)").bind(secret));
    for sql in [
        "INSERT INTO book VALUES (?1, 1, NULL)",
        "INSERT INTO small(v) VALUES (?1)",
        "INSERT INTO small(n) VALUES (?1 || 'x')",
        "INSERT INTO number VALUES (?1, ?1 || 'x')",
        "SELECT json(?1 || ']')",
        "SELECT json_extract('{}', ?1)",
        "SELECT json_set('{}', ?1, 1)",
        "SELECT '[1]' -> ('$[' || ?1)",
        "SELECT value FROM json_each('[]', ?1)",
        "SELECT 'a' LIKE ?1 || printf('%60s', ?1)",
        "SELECT 'a' LIKE 'b' ESCAPE ?1",
        "SELECT 1 LIMIT ?1 || 'x'",
        "SELECT abs(-9223372036854775807 - 1), ?1",
        "SELECT CAST(?1 AS BLOB) AS b",
        "SELECT ?1, ?2",
        "SELECT nothing, ?1",
    ] {
        let error = run(db, vec![Statement::new(sql).bind(secret)]).err();
        let text = error.unwrap_or_else(|| panic!("{sql} must fail")).to_string();
        assert!(text.starts_with("D1_ERROR: "), "{text}");
        assert!(!text.contains("30901820"), "{sql}: {text}");
    }
}

pub(crate) fn run(
    db: &dyn Database,
    statements: Vec<Statement>,
) -> Result<Vec<Rows>, DatabaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(db.batch(statements))
}

pub(crate) fn one(db: &dyn Database, statement: Statement) -> Rows {
    let sql = statement.sql;
    let mut results = run(db, vec![statement]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    results.pop().unwrap()
}

/// The rows as SQL writes them: values have no `Debug`, since they may be secrets.
pub(crate) fn shown(rows: &Rows) -> Vec<Vec<String>> {
    let show = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Real(number) => format!("{number:?}"),
        Value::Text(text) => format!("'{text}'"),
    };
    rows.lists().map(|row| row.iter().map(show).collect()).collect()
}

/// The one number that a query gives.
pub(crate) fn count(db: &dyn Database, sql: &'static str) -> u64 {
    match one(db, Statement::new(sql)).values[0] {
        Value::Real(number) => number as u64,
        _ => panic!("{sql} gives no number"),
    }
}

pub(crate) fn refused(db: &dyn Database, statement: Statement, message: &str) {
    let sql: String = statement.sql.chars().take(80).collect();
    match run(db, vec![statement]) {
        Ok(_) => panic!("{sql} must be refused: {message}"),
        Err(error) => assert!(error.to_string().contains(message), "{sql}: {error}"),
    }
}
