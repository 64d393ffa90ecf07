//! The suite of [`conformance`], run on each implementation, and what is SQLite's own: files,
//! migrations, the thread.

mod conformance;
#[path = "remote/mod.rs"]
mod remote;

use std::path::Path;

use callbook_base::Timestamp;
use callbook_worker::database::{Database, Statement};
use callbook_worker::sqlite::{Applied, MigrateError, Sqlite, SqliteThread};

use conformance::{conforms, count, one, run, shown, stricter};
use remote::Remote;

#[test]
fn sqlite_in_memory_conforms() {
    conforms(|| Sqlite::in_memory().unwrap());
    stricter(|| Sqlite::in_memory().unwrap());
}

#[test]
#[ignore = "test-workerd starts the server"]
fn d1_conforms() {
    conforms(|| Remote::without_tables().expect("CALLBOOK_WORKERD names a server"));
}

#[test]
fn sqlite_in_a_file_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    conforms(|| {
        count.set(count.get() + 1);
        Sqlite::open(&dir.path().join(format!("{}.sqlite", count.get()))).unwrap()
    });
}

#[test]
fn sqlite_on_a_thread_conforms() {
    conforms(|| SqliteThread::new(Sqlite::in_memory().unwrap()).unwrap());
}

const NOW: i64 = 1_772_323_199_999; // 2026-02-28T23:59:59.999Z

fn now() -> Timestamp {
    Timestamp::from_millis(NOW)
}

const FIRST: (&str, &str) = (
    "0001_first.sql",
    "-- The first.\nCREATE TABLE a (x TEXT) STRICT;\n\nINSERT INTO a VALUES ('; --');\n-- end\n",
);
const SECOND: (&str, &str) = ("0002_second.sql", "ALTER TABLE a ADD COLUMN y TEXT;");

fn names(names: &[&str]) -> Applied {
    Applied { names: names.iter().map(|name| (*name).to_owned()).collect() }
}

#[test]
fn migrations_are_applied_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("book.sqlite");
    let db = Sqlite::open(&path).unwrap();
    assert_eq!(db.migrate(&[FIRST], now()).unwrap(), names(&["0001_first.sql"]));
    assert_eq!(db.migrate(&[FIRST], now()).unwrap(), names(&[]));
    let all = || Statement::new("SELECT * FROM a");
    assert_eq!(one(&db, all()).columns, ["x"]);
    drop(db);

    let db = Sqlite::open(&path).unwrap();
    assert_eq!(one(&db, all()).columns, ["x"]);
    assert_eq!(db.migrate(&[FIRST, SECOND], now()).unwrap(), names(&["0002_second.sql"]));
    assert_eq!(one(&db, all()).columns, ["x", "y"], "no statement is cached past a migration");
    let rows = one(&db, Statement::new("SELECT id, name, applied_at FROM d1_migrations"));
    assert_eq!(
        shown(&rows),
        [
            ["1.0", "'0001_first.sql'", "'2026-02-28 23:59:59'"],
            ["2.0", "'0002_second.sql'", "'2026-02-28 23:59:59'"],
        ]
    );
}

#[test]
fn a_newer_database_is_refused() {
    let db = Sqlite::in_memory().unwrap();
    db.migrate(&[FIRST, SECOND], now()).unwrap();
    let error = db.migrate(&[FIRST], now()).unwrap_err();
    assert_eq!(error, MigrateError::Newer { name: SECOND.0.to_owned() });
    assert!(error.to_string().contains("the migration 0002_second.sql, which this program"));
    assert!(error.to_string().contains("Start that version or a later one"));
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let db = Sqlite::in_memory().unwrap();
    run(&db, vec![Statement::new("CREATE TABLE photos (x TEXT)")]).unwrap();
    assert_eq!(db.migrate(&[FIRST], now()).unwrap_err(), MigrateError::Foreign);
    let tables = one(&db, Statement::new("SELECT name FROM sqlite_schema"));
    assert_eq!(shown(&tables), [["'photos'"]]);
}

/// The table as wrangler makes it and rows as it writes them.
#[test]
fn a_database_that_wrangler_began_goes_on() {
    let db = Sqlite::in_memory().unwrap();
    let table = "CREATE TABLE d1_migrations(
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
        applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
    )";
    let row = "INSERT INTO d1_migrations VALUES (1, '0001_first.sql', '2026-01-01 00:00:00')";
    run(&db, [table, row, "CREATE TABLE a (x TEXT) STRICT"].map(Statement::new).into()).unwrap();
    assert_eq!(db.migrate(&[FIRST, SECOND], now()).unwrap(), names(&[SECOND.0]));
}

/// A batch may not: the suite asks for that.
#[test]
fn a_migration_makes_triggers() {
    let db = Sqlite::in_memory().unwrap();
    let sql = "CREATE TABLE b (x); CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (NEW.x); END;";
    db.migrate(&[FIRST, ("0002_trigger.sql", sql)], now()).unwrap();
    run(&db, vec![Statement::new("INSERT INTO a VALUES ('1'), ('2')")]).unwrap();
    assert_eq!(count(&db, "SELECT count(*) FROM b WHERE x IN ('1', '2')"), 2);
    let drop = run(&db, vec![Statement::new("DROP TRIGGER t")]).err().unwrap();
    assert!(drop.to_string().contains("not authorized"), "{drop}");
}

#[test]
fn a_failed_migration_leaves_nothing_of_itself() {
    for (sql, message) in [
        ("CREATE TABLE b (x); CREATE TABLE b (x);", "table b already exists"),
        ("CREATE TABLE b (x); SELEC", "syntax error"),
        ("CREATE TABLE b (x); COMMIT;", "not authorized"),
        ("CREATE TABLE b (x); ATTACH ':memory:' AS o;", "not authorized"),
        ("CREATE TABLE b (x); INSERT INTO b VALUES (json('['));", "malformed JSON"),
        (
            "CREATE TABLE b (x); CREATE TEMP TRIGGER t AFTER INSERT ON b BEGIN DELETE FROM b; END;",
            "not authorized",
        ),
    ] {
        let db = Sqlite::in_memory().unwrap();
        let error = db.migrate(&[FIRST, ("0002_bad.sql", sql), SECOND], now()).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("the migration 0002_bad.sql failed"), "{text}");
        assert!(text.contains(message), "{text}");
        let schema = "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')";
        assert_eq!(count(&db, schema), 1, "{text}");
        assert_eq!(db.migrate(&[FIRST, SECOND], now()).unwrap(), names(&[SECOND.0]));
    }
}

#[test]
fn what_cannot_be_opened_says_why_and_what_next() {
    let dir = tempfile::tempdir().unwrap();
    let text_file = dir.path().join("notes.txt");
    std::fs::write(&text_file, "these are notes, longer than a header\n".repeat(100)).unwrap();
    let open = |path: &Path| Sqlite::open(path).err().unwrap().to_string();
    for (path, reason, next) in [
        (text_file.as_path(), "not a SQLite database (SQLITE_NOTADB)", "Give the path"),
        (dir.path(), "cannot be opened or made (SQLITE_CANTOPEN)", "Look whether its directory"),
        (&dir.path().join("none/book"), "(SQLITE_CANTOPEN)", "Look whether its directory"),
        (Path::new(":memory:"), "not the path of a file", ""),
        (Path::new(""), "not the path of a file", ""),
    ] {
        let text = open(path);
        assert!(text.starts_with("cannot open the database "), "{text}");
        assert!(text.contains(reason) && text.contains(next), "{text}");
    }
    let text = std::fs::read_to_string(&text_file).unwrap();
    assert!(text.starts_with("these are notes"), "and leaves it alone");
}

#[test]
fn a_thread_finishes_what_is_queued() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("book.sqlite");
    let db = SqliteThread::new(Sqlite::open(&path).unwrap()).unwrap();
    run(&db, vec![Statement::new("CREATE TABLE t (n REAL)")]).unwrap();
    for n in 0..100_i64 {
        // Nobody waits for these.
        drop(db.batch(vec![Statement::new("INSERT INTO t VALUES (?1)").bind(n)]));
    }
    drop(db);
    assert_eq!(count(&Sqlite::open(&path).unwrap(), "SELECT count(*) FROM t"), 100);
}

#[test]
fn a_future_of_sqlite_is_ready() {
    use std::task::{Context, Poll, Waker};
    let db = Sqlite::in_memory().unwrap();
    let mut future = db.batch(vec![Statement::new("SELECT 1")]);
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(_))));
}
