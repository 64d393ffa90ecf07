//! The gate before SQLite: D1's limits, what SQL D1 refuses, and the adapter's own transactions.
//!
//! The lists follow Cloudflare's documentation and workerd's `sqlite.c++`. Nothing may be let
//! through here that D1 refuses; three things that D1 allows are refused too, each with its reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use crate::database::DatabaseError;

use super::error::{Step, commit_error, d1_error};

/// D1's limits, as far as SQLite itself holds them.
const LIMITS: [(Limit, i32); 11] = [
    (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// D1's functions, less those that read the clock (`datetime`) or draw chance (`random`): time and
/// chance are arguments, or a run of the simulator could not be repeated. `strftime` reads the clock only when
/// it is told to, which nothing here does. `CURRENT_TIMESTAMP` has to stay: it is a default in wrangler's table
/// of migrations, and SQLite asks for it whenever it reads the schema. The mathematical ones of D1 are not built into this SQLite.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    // of single values
    "abs", "changes", "char", "coalesce", "concat", "concat_ws", "format", "glob", "hex", "ifnull",
    "iif", "instr", "last_insert_rowid", "length", "like", "likelihood", "likely", "lower", "ltrim",
    "max", "min", "nullif", "octet_length", "printf", "quote", "replace", "round", "rtrim", "sign",
    "soundex", "strftime", "substr", "substring", "total_changes", "trim", "typeof", "unhex", "unicode",
    "unlikely", "upper", "zeroblob",
    // of groups and windows
    "avg", "count", "group_concat", "string_agg", "sum", "total", "row_number", "rank",
    "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value",
    "nth_value",
    // of JSON
    "json", "json_array", "json_array_length", "json_extract", "->", "->>", "json_insert",
    "json_object", "json_patch", "json_remove", "json_replace", "json_set", "json_type",
    "json_valid", "json_quote", "json_group_array", "json_group_object", "json_each", "json_tree",
    // in wrangler's table
    "current_timestamp",
    // what ALTER TABLE calls
    "sqlite_rename_column", "sqlite_rename_table", "sqlite_rename_test", "sqlite_drop_column",
    "sqlite_rename_quotefix",
];

/// Whose a statement is, in [`Gate::whose`].
const A_BATCH: u8 = 0;
const A_MIGRATION: u8 = 1;
const OWN: u8 = 2;

/// A connection with D1's limits on it. Every statement of the project goes through
/// [`Gate::transaction`].
pub(super) struct Gate {
    connection: Connection,
    /// Whose the statement that runs is: a batch's, a migration's, or the adapter's own, such as BEGIN.
    whose: Arc<AtomicU8>,
    in_memory: bool,
}

impl Gate {
    /// Puts the limits on a connection; after this only [`Gate::own`] can change its settings.
    pub(super) fn new(mut connection: Connection) -> rusqlite::Result<Self> {
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value)?;
        }
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // A name in double quotes that is no column would else be taken for a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        // A plan does not hang on what is bound: else SQLite would parse a cached statement anew each time
        // that its first parameters differ.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;

        let whose = Arc::new(AtomicU8::new(A_BATCH));
        let of = Arc::clone(&whose);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            let allows = match of.load(Ordering::Relaxed) {
                OWN => true,
                A_MIGRATION if makes_trigger(&context) => true,
                _ => d1_allows(&context),
            };
            if allows { Authorization::Allow } else { Authorization::Deny }
        }))?;
        let in_memory = connection.path().is_none_or(str::is_empty);
        Ok(Self { connection, whose, in_memory })
    }

    /// Runs `work` in one transaction, which stays whole or not at all. It is on the disk at the end, unless
    /// it may be lost with the power.
    ///
    /// # Errors
    /// That of `work`, of beginning or of committing; after each nothing remains.
    pub(super) fn transaction<T>(
        &self,
        may_be_lost: bool,
        work: impl FnOnce(&Connection) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let begin = match (self.in_memory, may_be_lost) {
            (true, _) => "BEGIN IMMEDIATE",
            (false, true) => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
            (false, false) => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
        };
        // Not from the cache of statements: a batch with the text `COMMIT` would find it there,
        // past the authorizer. IMMEDIATE, so that a batch that reads and then writes waits for the
        // lock at its start, not in its middle where waiting is no use.
        self.own(|connection| connection.execute_batch(begin))?;
        let result = work(&self.connection).and_then(|value| {
            self.as_own(|connection| connection.execute_batch("COMMIT"))
                .map_err(|error| commit_error(&error))?;
            Ok(value)
        });
        // A full disk and the like make SQLite roll back by itself.
        if result.is_err() && !self.connection.is_autocommit() {
            self.own(|connection| connection.execute_batch("ROLLBACK"))?;
        }
        result
    }

    /// Runs SQL of the adapter, which D1's authorizer would refuse or which D1 has itself.
    pub(super) fn own<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DatabaseError> {
        self.as_own(work).map_err(|error| d1_error(&error, Step::Run))
    }

    fn as_own<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.run_as(OWN, || work(&self.connection))
    }

    /// Runs a migration, which may make triggers.
    pub(super) fn migration<T>(&self, work: impl FnOnce() -> T) -> T {
        self.run_as(A_MIGRATION, work)
    }

    fn run_as<T>(&self, whose: u8, work: impl FnOnce() -> T) -> T {
        let before = self.whose.swap(whose, Ordering::Relaxed);
        let result = work();
        self.whose.store(before, Ordering::Relaxed);
        result
    }

    /// Forgets the parsed statements, whose columns may no longer be those of the tables.
    pub(super) fn schema_changed(&self) {
        self.connection.flush_prepared_statement_cache();
    }
}

fn d1_allows(context: &AuthContext<'_>) -> bool {
    use AuthAction::*;
    let database = match context.action {
        // Here the other place holds the column that is dropped.
        AlterTable { database_name, .. } => Some(database_name),
        _ => context.database_name,
    };
    match database {
        None | Some("main") => {}
        // ALTER TABLE looks into the schema of the temporary tables.
        Some("temp") => return matches!(context.action, Read { .. } | Update { .. }),
        Some(_) => return false,
    }
    match context.action {
        Select | Recursive | Read { .. } | Insert { .. } | Update { .. } | Delete { .. } => true,
        CreateTable { .. } | DropTable { .. } | AlterTable { .. } => true,
        CreateIndex { .. } | DropIndex { .. } | Reindex { .. } | Analyze { .. } => true,
        CreateView { .. } | DropView { .. } => true,
        Function { function_name } => {
            FUNCTIONS.iter().any(|allowed| allowed.eq_ignore_ascii_case(function_name))
        }
        Pragma { pragma_name, pragma_value } => allows_pragma(pragma_name, pragma_value),
        // Refused by D1: ATTACH, temporary tables, transactions. Refused here only: triggers, which hide what a
        // plan does, but for those of the schema, and virtual tables, of which D1 has FTS5.
        _ => false,
    }
}

fn makes_trigger(context: &AuthContext<'_>) -> bool {
    context.database_name == Some("main")
        && matches!(
            context.action,
            AuthAction::CreateTrigger { .. } | AuthAction::DropTrigger { .. }
        )
}

/// D1's PRAGMAs that tell something, and `defer_foreign_keys`, which ends with its transaction. Of
/// the others D1 allows some switches that would outlive the batch, which no batch here may leave.
fn allows_pragma(name: &str, value: Option<&str>) -> bool {
    match name {
        "table_list" | "foreign_key_check" | "quick_check" | "optimize" | "defer_foreign_keys" => {
            true
        }
        "table_info" | "table_xinfo" | "index_list" | "index_info" | "index_xinfo"
        | "foreign_key_list" => value.is_some(),
        "foreign_keys" => value.is_none(),
        _ => false,
    }
}
