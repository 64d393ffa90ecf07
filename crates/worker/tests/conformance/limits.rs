//! D1's limits, each refused one past it and passed at it, and the SQL that D1 does not run.

use callbook_worker::database::{Database, Statement};

use super::{refused, run};

/// One of D1's limits: `make` gives a statement of a size; `most` is the greatest that passes.
struct Limit {
    name: &'static str,
    most: usize,
    make: fn(usize) -> Statement,
    message: &'static str,
}

fn sql(text: String) -> Statement {
    Statement::new(Box::leak(text.into_boxed_str()))
}

fn list(count: usize, item: impl Fn(usize) -> String, between: &str) -> String {
    (1..=count).map(item).collect::<Vec<_>>().join(between)
}

fn check(db: &dyn Database, limits: &[Limit]) {
    for Limit { name, most, make, message } in limits {
        refused(db, make(most + 1), message);
        if let Err(error) = run(db, vec![make(*most)]) {
            panic!("{name}: {most} must pass: {error}");
        }
    }
}

pub(super) fn limits(db: &dyn Database) {
    check(
        db,
        &[
            Limit {
                name: "bound parameters",
                most: 100,
                make: |n| {
                    let places = list(n, |i| format!("?{i}"), ", ");
                    let statement = sql(format!("SELECT 1 WHERE 1.0 IN ({places})"));
                    (0..n).fold(statement, |statement, _| statement.bind(1_i64))
                },
                message: "variable number must be between ?1 and ?100",
            },
            Limit {
                name: "bytes of SQL",
                most: 100_000,
                make: |n| sql(format!("SELECT '{}'", "x".repeat(n - 9))),
                message: "D1_ERROR: statement too long: SQLITE_TOOBIG",
            },
            Limit {
                name: "bytes of a LIKE pattern",
                most: 50,
                make: |n| {
                    Statement::new("SELECT 'a' LIKE ?1")
                        .bind("é".repeat(n / 2) + &"x".repeat(n % 2))
                },
                message: "D1_ERROR: LIKE or GLOB pattern too complex: SQLITE_ERROR",
            },
            Limit {
                name: "bytes of a GLOB pattern",
                most: 50,
                make: |n| Statement::new("SELECT 'a' GLOB ?1").bind("x".repeat(n)),
                message: "D1_ERROR: LIKE or GLOB pattern too complex: SQLITE_ERROR",
            },
            Limit {
                name: "terms of a compound SELECT",
                most: 5,
                make: |n| sql(list(n, |i| format!("SELECT {i}"), " UNION ALL ")),
                message: "D1_ERROR: too many terms in compound SELECT",
            },
            Limit {
                name: "depth of an expression",
                most: 100,
                make: |n| {
                    sql(format!("SELECT {}", list(n, |_| "rev".into(), " + ") + " FROM book"))
                },
                message: "D1_ERROR: Expression tree is too large (maximum depth 100)",
            },
            Limit {
                name: "columns of a table",
                most: 100,
                make: |n| {
                    sql(format!("CREATE TABLE wide ({})", list(n, |i| format!("c{i}"), ", ")))
                },
                message: "D1_ERROR: too many columns on wide",
            },
            Limit {
                name: "columns of a result",
                most: 100,
                make: |n| sql(format!("SELECT {}", list(n, |i| i.to_string(), ", "))),
                message: "D1_ERROR: too many columns in result set",
            },
        ],
    );
    // As many values must be bound as the statement has places.
    let wrong = "D1_ERROR: Wrong number of parameter bindings for SQL query.";
    refused(db, Statement::new("SELECT ?1, ?2").bind("a"), wrong);
    refused(db, Statement::new("SELECT ?1").bind("a").bind("b"), wrong);
    refused(db, Statement::new("SELECT 1").bind("a"), wrong);
    refused(db, (0..101).fold(Statement::new("SELECT 1"), |s, _| s.bind("a")), wrong);
}

/// What Cloudflare documents and the runtime alone does not hold.
pub(super) fn documented_limits(db: &dyn Database) {
    check(
        db,
        &[
            Limit {
                name: "bytes of a bound text",
                most: 2_000_000,
                make: |n| Statement::new("SELECT length(?1)").bind("x".repeat(n)),
                message: "D1_ERROR: string or blob too big: SQLITE_TOOBIG",
            },
            Limit {
                name: "bytes of a text that SQL makes",
                most: 2_000_000,
                make: |n| Statement::new("SELECT length(?1 || 'y')").bind("x".repeat(n - 1)),
                message: "D1_ERROR: string or blob too big: SQLITE_TOOBIG",
            },
            Limit {
                name: "bytes of a row, of which the id and the header are 16",
                most: 2_000_000 - 16,
                make: |n| {
                    let insert = "INSERT INTO book VALUES ('b', 1.5, ?1) ON CONFLICT DO NOTHING";
                    Statement::new(insert).bind("x".repeat(n))
                },
                message: "D1_ERROR: string or blob too big: SQLITE_TOOBIG",
            },
            Limit {
                name: "arguments of a function",
                most: 32,
                make: |n| sql(format!("SELECT max({})", list(n, |i| i.to_string(), ", "))),
                message: "D1_ERROR: too many arguments on function max",
            },
        ],
    );
}

pub(super) fn refused_sql(db: &dyn Database) {
    let auth = "not authorized: SQLITE_AUTH";
    let transaction = "D1_ERROR: To execute a transaction, please use the state.storage.transaction() or \
                       state.storage.transactionSync() APIs";
    refuse_twice(
        db,
        &[
            ("ATTACH ':memory:' AS other", auth),
            ("DETACH main", auth),
            ("CREATE TEMP TABLE t (x)", auth),
            ("CREATE TEMP VIEW v AS SELECT 1", auth),
            ("BEGIN", transaction),
            ("COMMIT", transaction),
            ("END", transaction),
            ("ROLLBACK", transaction),
            ("SAVEPOINT s", transaction),
            ("RELEASE s", transaction),
            ("VACUUM", "cannot VACUUM from within a transaction"),
            ("PRAGMA journal_mode = DELETE", auth),
            ("PRAGMA synchronous", auth),
            ("PRAGMA user_version = 1", auth),
            ("PRAGMA writable_schema = ON", auth),
            ("UPDATE sqlite_schema SET sql = ''", "table sqlite_master may not be modified"),
            ("SELECT sqlite_version()", "not authorized to use function"),
            ("SELECT load_extension('x')", "not authorized"),
            ("SELECT 1; -- and no more", "D1_ERROR: SQL code did not contain a statement."),
            ("SELECT 1; SELEC", "syntax error"),
        ],
    );
}

/// The second time must not find the statement in a cache.
fn refuse_twice(db: &dyn Database, cases: &[(&'static str, &str)]) {
    for (sql, message) in cases {
        refused(db, Statement::new(sql), message);
        refused(db, Statement::new(sql), message);
    }
}

/// Time and chance are arguments, and a plan is not to be changed behind its back.
pub(super) fn sql_that_nobody_may_use(db: &dyn Database) {
    let auth = "not authorized: SQLITE_AUTH";
    let function = "not authorized to use function";
    refuse_twice(
        db,
        &[
            ("PRAGMA foreign_keys = OFF", auth),
            ("PRAGMA case_sensitive_like = ON", auth),
            ("CREATE VIRTUAL TABLE f USING rtree(id, a, b)", auth),
            ("CREATE TRIGGER t AFTER INSERT ON book BEGIN DELETE FROM number; END", auth),
            ("SELECT random()", function),
            ("SELECT datetime('now')", function),
            ("SELECT CURRENT_DATE", function),
            ("SELECT \"no column\"", "no such column: \"no column\""),
            ("SELECT 1; SELECT 2", "must contain only one statement"),
        ],
    );
}

pub(super) fn sql_that_passes(db: &dyn Database) {
    for sql in [
        "SELECT 1;",
        "PRAGMA table_list",
        "PRAGMA table_info(book)",
        "PRAGMA table_xinfo('book')",
        "PRAGMA index_list(number)",
        "PRAGMA foreign_key_list(number)",
        "PRAGMA foreign_key_check",
        "PRAGMA foreign_keys",
        "PRAGMA quick_check",
        "PRAGMA optimize",
        "SELECT name FROM pragma_table_info('book')",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT i FROM n",
        "CREATE VIEW notes AS SELECT note FROM book",
        "DROP VIEW notes",
        "ALTER TABLE book ADD COLUMN extra TEXT",
        "ALTER TABLE book RENAME COLUMN extra TO more",
        "ALTER TABLE book DROP COLUMN more",
        "ALTER TABLE number RENAME TO phone",
        "ANALYZE",
        "REINDEX",
        "EXPLAIN QUERY PLAN SELECT * FROM book WHERE id = 'b'",
    ] {
        if let Err(error) = run(db, vec![Statement::new(sql)]) {
            panic!("{sql} must pass: {error}");
        }
    }
}
