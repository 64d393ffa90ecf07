//! SQLite's errors in D1's words. No value that was bound may reach a text made here: the values
//! are phone numbers, names and hashes of secrets.

use std::path::Path;

use rusqlite::ffi;
use rusqlite::{Error, ErrorCode};

use crate::database::DatabaseError;

/// When an error arose, which decides what its text can hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// While the SQL was parsed: the text holds pieces of the SQL, which is constant.
    Prepare,
    /// While it ran: the text can quote a bound value, as in `bad JSON path: '…'`.
    Run,
}

/// The error as D1 says it, such as `D1_ERROR: UNIQUE constraint failed: t.c: SQLITE_CONSTRAINT`.
pub(super) fn d1_error(error: &Error, step: Step) -> DatabaseError {
    let (message, code) = match error {
        Error::SqlInputError { error, msg, offset, .. } => {
            (format!("{msg} at offset {offset}"), error.extended_code)
        }
        Error::SqliteFailure(error, message) => {
            let message = message.clone().unwrap_or_else(|| code_name(error.extended_code).into());
            (message, error.extended_code)
        }
        Error::MultipleStatement => {
            ("A prepared SQL statement must contain only one statement.".into(), ffi::SQLITE_ERROR)
        }
        Error::Empty => return no_statements(),
        // What is left is misuse of the library, and none of its texts hold a value.
        other => (other.to_string(), ffi::SQLITE_MISUSE),
    };
    let shown = match step {
        Step::Run if primary(code) == ffi::SQLITE_ERROR => without_quotes(&message),
        _ => message,
    };
    DatabaseError::new(format!("D1_ERROR: {shown}: {}{}", code_name(code), extended(code)))
}

/// A batch without a statement, or a statement without SQL.
pub(super) fn no_statements() -> DatabaseError {
    DatabaseError::new("D1_ERROR: No SQL statements detected.")
}

/// What the SQL wants that D1 does itself, or has no word for.
pub(super) fn refusal(sql: &str) -> Option<DatabaseError> {
    let verb = sql.split_whitespace().next().unwrap_or_default().trim_end_matches(';');
    let is_transaction = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"]
        .iter()
        .any(|other| other.eq_ignore_ascii_case(verb));
    let after_the_last = sql.rsplit_once(';').map_or("", |(_, rest)| rest.trim_start());
    match () {
        () if is_transaction => Some(DatabaseError::new(
            "D1_ERROR: To execute a transaction, please use the state.storage.transaction() or \
             state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements.",
        )),
        () if after_the_last.starts_with("--") => {
            Some(DatabaseError::new("D1_ERROR: SQL code did not contain a statement."))
        }
        () => None,
    }
}

/// A commit that failed. D1 does not tell of a constraint that was deferred to it.
pub(super) fn commit_error(error: &Error) -> DatabaseError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => DatabaseError::new("D1_ERROR: internal error"),
        _ => d1_error(error, Step::Run),
    }
}

/// A value that the seam has no place for.
pub(super) fn unreadable(column: &str, problem: &str) -> DatabaseError {
    DatabaseError::new(format!("D1_ERROR: the column {column} {problem}: SQLITE_MISMATCH"))
}

/// Why a file could not be opened, for whoever started the server.
pub(super) fn open_error(path: &Path, error: &Error) -> DatabaseError {
    let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
    let (reason, next) = match primary(code) {
        ffi::SQLITE_NOTADB => (
            "it is not a SQLite database",
            "Give the path of a database that Callbook made, or of a file that is not there yet",
        ),
        ffi::SQLITE_CORRUPT => ("it is damaged", "Restore a backup"),
        ffi::SQLITE_CANTOPEN => (
            "it cannot be opened or made",
            "Look whether its directory exists and this user may write there",
        ),
        ffi::SQLITE_READONLY | ffi::SQLITE_PERM => {
            ("it cannot be written", "Give this user the right to write the file and its directory")
        }
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => {
            ("another program holds it", "End that program; one server uses one database")
        }
        ffi::SQLITE_FULL => ("the disk is full", "Free some space"),
        _ => ("SQLite failed", "Look at the disk and the file's rights"),
    };
    DatabaseError::new(format!(
        "cannot open the database {}: {reason} ({}). {next}",
        path.display(),
        code_name(code)
    ))
}

/// What stands before the first quotation mark: what is quoted may be a bound value.
fn without_quotes(message: &str) -> String {
    match message.find(['\'', '"', '`']) {
        Some(quote) => format!("{}…", &message[..quote]),
        None => message.to_owned(),
    }
}

/// What the extended code adds to the primary one, as D1 says it.
fn extended(code: i32) -> String {
    let name = match code {
        ffi::SQLITE_CONSTRAINT_CHECK => "CHECK",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "DATATYPE",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => "ROWID",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "UNIQUE",
        _ => return String::new(),
    };
    format!(" (extended: SQLITE_CONSTRAINT_{name})")
}

fn primary(extended_code: i32) -> i32 {
    extended_code & 0xff
}

/// SQLite's name of the primary code.
fn code_name(extended_code: i32) -> &'static str {
    /// By number, from 1.
    const NAMES: [&str; 26] = [
        "SQLITE_ERROR",
        "SQLITE_INTERNAL",
        "SQLITE_PERM",
        "SQLITE_ABORT",
        "SQLITE_BUSY",
        "SQLITE_LOCKED",
        "SQLITE_NOMEM",
        "SQLITE_READONLY",
        "SQLITE_INTERRUPT",
        "SQLITE_IOERR",
        "SQLITE_CORRUPT",
        "SQLITE_NOTFOUND",
        "SQLITE_FULL",
        "SQLITE_CANTOPEN",
        "SQLITE_PROTOCOL",
        "SQLITE_EMPTY",
        "SQLITE_SCHEMA",
        "SQLITE_TOOBIG",
        "SQLITE_CONSTRAINT",
        "SQLITE_MISMATCH",
        "SQLITE_MISUSE",
        "SQLITE_NOLFS",
        "SQLITE_AUTH",
        "SQLITE_FORMAT",
        "SQLITE_RANGE",
        "SQLITE_NOTADB",
    ];
    let index = usize::try_from(primary(extended_code)).unwrap_or(0);
    index.checked_sub(1).and_then(|i| NAMES.get(i)).copied().unwrap_or("SQLITE_ERROR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_codes() {
        for (code, name) in [
            (ffi::SQLITE_ERROR, "SQLITE_ERROR"),
            (ffi::SQLITE_TOOBIG, "SQLITE_TOOBIG"),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, "SQLITE_CONSTRAINT"),
            (ffi::SQLITE_AUTH, "SQLITE_AUTH"),
            (ffi::SQLITE_NOTADB, "SQLITE_NOTADB"),
            (ffi::SQLITE_ROW, "SQLITE_ERROR"),
            (0, "SQLITE_ERROR"),
        ] {
            assert_eq!(code_name(code), name, "{code}");
        }
    }
}
