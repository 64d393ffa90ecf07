//! SQLite as Cloudflare D1 runs it: the database of the native server, the tests and the simulator.
//!
//! What lives here is how SQL runs: files, transactions, D1's limits and words, migrations. SQL of
//! the phone book must never live here, nor anything that this adapter would let pass and D1 would
//! refuse. Where D1's behaviour is not certain, the stricter reading is taken.

mod error;
mod gate;
mod migrate;
mod thread;

use std::future::ready;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::types::{Null, ValueRef};
use rusqlite::{Connection, OpenFlags, StatementStatus};

use crate::database::{BatchFuture, Database, DatabaseError, Rows, Statement, Value};
use error::{Step, d1_error, no_statements, open_error, refusal, unreadable};
use gate::Gate;

pub use migrate::{Applied, MigrateError};
pub use thread::SqliteThread;

/// More than the statements that this crate has: each is parsed once in the life of a database.
const CACHED_STATEMENTS: usize = 512;

/// Pages of the book that stay in memory, in KiB: SQLite's own 2 MB are less than a first pull reads of a large book.
const CACHE: &str = "PRAGMA cache_size = -65536";

/// The size of a page of a book in memory. Rows of a table without row ids that are longer than a quarter of a page
/// are copied whole at each comparison of a search: contacts with long notes are, in SQLite's own 4 KiB.
const PAGE: &str = "PRAGMA page_size = 32768";

/// How long another process (a backup, a second server by mistake) may hold the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// A SQLite database that behaves as D1 does.
///
/// A batch runs when [`Database::batch`] is called, on the caller's thread, one at a time; the
/// future that it returns is ready. A server puts it on a thread of its own: [`SqliteThread`].
pub struct Sqlite {
    gate: Mutex<Gate>,
}

impl Sqlite {
    /// Opens the file, or makes it.
    ///
    /// What a batch wrote is on the disk when the batch returns, unless it
    /// [may be lost](Statement::may_be_lost): the journal is a write-ahead log that is synced at each
    /// commit. The files beside it, `-wal` and `-shm`, belong to it.
    ///
    /// # Errors
    /// The file is no SQLite database, cannot be opened or written, or its file system cannot hold
    /// a write-ahead log. The text names the file and the next step.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        // To SQLite these two are not files, and what is written to them is gone at the end.
        if path.as_os_str().is_empty() || path == Path::new(":memory:") {
            return Err(DatabaseError::new(format!(
                "cannot open the database {path:?}: this is not the path of a file"
            )));
        }
        // Without SQLITE_OPEN_URI: a path is a path, whatever characters it has.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(path, flags)
            .and_then(|connection| {
                connection.busy_timeout(BUSY_TIMEOUT)?;
                let journal: String =
                    connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
                connection.execute_batch(CACHE)?;
                Ok((journal, Self::from_connection(connection)?))
            })
            .map_err(|error| open_error(path, &error))
            .and_then(|(journal, sqlite)| match journal.as_str() {
                "wal" => Ok(sqlite),
                _ => Err(DatabaseError::new(format!(
                    "cannot open the database {}: its file system cannot hold a write-ahead log. \
                     Put the file on a local disk",
                    path.display()
                ))),
            })
    }

    /// A database in memory, gone when it is dropped.
    ///
    /// # Errors
    /// SQLite has no memory.
    pub fn in_memory() -> Result<Self, DatabaseError> {
        Connection::open_in_memory()
            .and_then(|connection| {
                connection.execute_batch(PAGE)?;
                Self::from_connection(connection)
            })
            .map_err(|error| d1_error(&error, Step::Prepare))
    }

    /// A copy of the database as it is now, in memory.
    ///
    /// # Errors
    /// SQLite has no memory, or cannot read the database.
    pub fn copy(&self) -> Result<Self, DatabaseError> {
        let copied = self.lock().own(|connection| {
            let mut copy = Connection::open_in_memory()?;
            Backup::new(connection, &mut copy)?.step(-1)?; // all pages
            Ok(copy)
        })?;
        Self::from_connection(copied).map_err(|error| d1_error(&error, Step::Prepare))
    }

    fn from_connection(connection: Connection) -> rusqlite::Result<Self> {
        connection.execute_batch("PRAGMA foreign_keys = ON")?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        Ok(Self { gate: Mutex::new(Gate::new(connection)?) })
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().expect("nothing panics while it holds the connection")
    }

    /// The batch, without a future around it.
    fn run(&self, statements: &[Statement]) -> Result<Vec<Rows>, DatabaseError> {
        if statements.is_empty() {
            return Err(no_statements());
        }
        let may_be_lost = statements.iter().any(|statement| statement.may_be_lost);
        self.lock().transaction(may_be_lost, |connection| {
            let run = |statement| run_statement(connection, statement, may_be_lost);
            statements.iter().map(run).collect()
        })
    }
}

impl Database for Sqlite {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        Box::pin(ready(self.run(&statements)))
    }
}

fn run_statement(
    connection: &Connection,
    statement: &Statement,
    may_be_lost: bool,
) -> Result<Rows, DatabaseError> {
    if let Some(refusal) = refusal(statement.sql) {
        return Err(refusal);
    }
    let mut prepared = connection
        .prepare_cached(statement.sql)
        .map_err(|error| d1_error(&error, Step::Prepare))?;
    if prepared.parameter_count() != statement.params.len() {
        return Err(DatabaseError::new(
            "D1_ERROR: Wrong number of parameter bindings for SQL query.",
        ));
    }
    if may_be_lost && !statement.may_be_lost && !prepared.readonly() {
        return Err(DatabaseError::new(
            "a batch of which a part may be lost writes something else",
        ));
    }
    for (index, value) in (1..).zip(&statement.params) {
        match value {
            Value::Null => prepared.raw_bind_parameter(index, Null),
            // A number travels to D1 as JSON, which has none for these.
            Value::Real(number) if !number.is_finite() => prepared.raw_bind_parameter(index, Null),
            Value::Real(number) => prepared.raw_bind_parameter(index, number),
            Value::Text(text) => prepared.raw_bind_parameter(index, text.as_str()),
        }
        .map_err(|error| d1_error(&error, Step::Run))?;
    }

    let written_before = connection.total_changes();
    // From here on: a cached statement keeps counting, also what an earlier error left.
    prepared.reset_status(StatementStatus::VmStep);
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    let mut rows = prepared.raw_query();
    while let Some(row) = rows.next().map_err(|error| d1_error(&error, Step::Run))? {
        // D1 names the values of each row, and nothing else.
        if columns.is_empty() {
            columns.extend(row.as_ref().column_names().map(str::to_owned));
        }
        for (index, column) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(|error| d1_error(&error, Step::Run))?;
            values.push(read_value(column, value)?);
        }
    }
    drop(rows);

    // With the rows that a foreign key took along.
    let changes = connection.total_changes() - written_before;
    let steps = u64::try_from(prepared.reset_status(StatementStatus::VmStep)).unwrap_or(0);
    Ok(Rows { columns, values, changes, steps, billed: (0, 0) })
}

/// A value as D1 gives it to JavaScript: every number is a double.
fn read_value(column: &str, value: ValueRef<'_>) -> Result<Value, DatabaseError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Real(number as f64)),
        ValueRef::Real(number) if !number.is_finite() => Ok(Value::Null),
        ValueRef::Real(number) => Ok(Value::Real(number)),
        ValueRef::Text(bytes) => std::str::from_utf8(bytes)
            .map(Value::from)
            .map_err(|_| unreadable(column, "holds text that is not UTF-8")),
        ValueRef::Blob(_) => Err(unreadable(column, "is a BLOB, which nothing here reads")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(&dir.path().join("book.sqlite")).unwrap();
        let setting = |pragma: &str| {
            let read = |connection: &Connection| {
                connection.query_row(pragma, [], |row| row.get::<_, rusqlite::types::Value>(0))
            };
            sqlite.lock().own(read).unwrap()
        };
        assert_eq!(setting("PRAGMA journal_mode"), "wal".to_owned().into());
        assert_eq!(setting("PRAGMA foreign_keys"), 1.into());
        assert_eq!(setting("PRAGMA busy_timeout"), 30_000.into());

        // The disk is waited for unless all that a batch writes may be lost.
        const FULL: i64 = 2;
        const NORMAL: i64 = 1;
        let check = |statements: &[Statement], synchronous: Option<i64>| {
            let ran = sqlite.run(statements);
            assert_eq!(ran.is_ok(), synchronous.is_some(), "{:?}", ran.err());
            if let Some(synchronous) = synchronous {
                assert_eq!(setting("PRAGMA synchronous"), synchronous.into());
            }
        };
        let read = Statement::new("SELECT count(*) FROM t");
        let write = Statement::new("INSERT INTO t VALUES (1)");
        let lost = write.clone().may_be_lost();
        check(&[Statement::new("CREATE TABLE t (a INTEGER)")], Some(FULL));
        check(&[read.clone(), lost.clone()], Some(NORMAL));
        check(std::slice::from_ref(&read), Some(FULL));
        check(&[write, lost], None);
        let rows = sqlite.run(&[read]).unwrap();
        assert!(rows[0].values == [Value::Real(1.0)], "what was refused wrote nothing");
    }
}
