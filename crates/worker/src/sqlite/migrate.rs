//! Migrations, recorded as Cloudflare's tool records them, so that a database can be moved to D1 or
//! back and either side goes on from it. The SQL of a migration must never live here.

use callbook_base::Timestamp;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection};

use crate::database::DatabaseError;

use super::Sqlite;
use super::error::{Step, d1_error};
use super::gate::Gate;

/// Wrangler's table, word for word.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS d1_migrations(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)";

/// What [`Sqlite::migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The file names of the migrations that were new to the database, in order.
    pub names: Vec<String>,
}

/// Why a database could not be brought to this program's schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// The database has a migration that this program does not have. Nothing was changed.
    #[error(
        "the database has the migration {name}, which this program does not know: a newer version \
         has used it. Start that version or a later one, or restore the backup made before it"
    )]
    Newer {
        /// The file name.
        name: String,
    },
    /// The file has tables and no record of migrations: another program made it. Nothing was changed.
    #[error(
        "this is the database of another program: it has tables and no record of migrations. Name \
         another file, or one that is not there yet"
    )]
    Foreign,
    /// A migration failed. Nothing of it remains; those before it do.
    #[error("the migration {name} failed and left nothing behind: {error}")]
    Failed {
        /// The file name.
        name: String,
        /// Why.
        error: DatabaseError,
    },
    /// The record of migrations cannot be read or made.
    #[error("the record of migrations, d1_migrations, cannot be read: {0}")]
    Record(DatabaseError),
}

impl Sqlite {
    /// Applies the migrations that the database has not had: file name and SQL of several
    /// statements, in order, each file in one transaction. `now` is written into the record.
    ///
    /// The statements of a file are held to D1's limits, and the whole file to the 100,000 bytes of
    /// one statement.
    ///
    /// # Errors
    /// See [`MigrateError`].
    pub fn migrate(
        &self,
        migrations: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Applied, MigrateError> {
        let gate = self.lock();
        let had = gate.transaction(false, |_| gate.own(recorded)).map_err(MigrateError::Record)?;
        let had = had.ok_or(MigrateError::Foreign)?;
        let known = |name: &String| migrations.iter().any(|(known, _)| known == name);
        if let Some(name) = had.iter().find(|name| !known(name)) {
            return Err(MigrateError::Newer { name: name.clone() });
        }
        let mut names = Vec::new();
        for (name, sql) in migrations {
            if had.iter().any(|had| had == name) {
                continue;
            }
            apply(&gate, name, sql, now)
                .map_err(|error| MigrateError::Failed { name: (*name).to_owned(), error })?;
            names.push((*name).to_owned());
        }
        gate.schema_changed();
        Ok(Applied { names })
    }
}

/// The names that the database has, after making sure that it has a record; `None` if it is another
/// program's.
fn recorded(connection: &Connection) -> rusqlite::Result<Option<Vec<String>>> {
    let tables = "SELECT count(*), coalesce(sum(name = 'd1_migrations'), 0) FROM sqlite_schema
                  WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'";
    let (tables, records): (u32, u32) =
        connection.query_row(tables, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if tables > 0 && records == 0 {
        return Ok(None);
    }
    connection.execute_batch(TABLE)?;
    let mut select = connection.prepare("SELECT name FROM d1_migrations ORDER BY id")?;
    select.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>().map(Some)
}

fn apply(gate: &Gate, name: &str, sql: &str, now: Timestamp) -> Result<(), DatabaseError> {
    gate.transaction(false, |connection| {
        gate.migration(|| run(connection, sql))?;
        // The form that CURRENT_TIMESTAMP gives. A second server that applied the same file since
        // the record was read fails, here at the latest, and takes the whole file back.
        gate.own(|connection| {
            connection.execute(
                "INSERT INTO d1_migrations(name, applied_at) VALUES (?1, datetime(?2, 'unixepoch'))",
                (name, now.as_millis().div_euclid(1000)),
            )
        })?;
        Ok(())
    })
}

/// Runs the statements of a file, one after the other.
fn run(connection: &Connection, sql: &str) -> Result<(), DatabaseError> {
    let mut batch = Batch::new(connection, sql);
    while let Some(mut statement) = batch.next().map_err(|error| d1_error(&error, Step::Prepare))? {
        let mut rows = statement.raw_query();
        while rows.next().map_err(|error| d1_error(&error, Step::Run))?.is_some() {}
    }
    Ok(())
}
