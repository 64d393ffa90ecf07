//! A new store in the place of one that cannot be used: what can be read of the old one goes into it, but for the mirror, which is pulled
//! again. The old file stays beside.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use serde::de::DeserializeOwned;

use super::{SqliteStore, rows};
use crate::outbox::{Aside, Queued};
use crate::store::{Session, State, Store, StoreChange, StoreError};

/// What SQLite keeps beside a file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

impl SqliteStore {
    /// Puts a store aside and makes a new one with what can be read of it: changes that nobody has pushed, what was
    /// kept for the user, calls, settings, links to the phone's contacts. The mirror is pulled again at the next
    /// sync. The old file is `….old-1` and so on afterwards.
    ///
    /// # Errors
    /// The files cannot be renamed or made. Nothing was deleted.
    pub fn rebuild(path: &Path, session: Option<Session>) -> Result<Self, StoreError> {
        if !path.exists() {
            return Self::open(path, session);
        }
        let old = put_aside(path).map_err(|error| StoreError::Failed(error.to_string()))?;
        let saved = save(&old);
        let mut store = Self::open(path, session.clone())?;
        store.commit(saved)?;
        store.state.session = session;
        Ok(store)
    }
}

/// Renames a file and what SQLite keeps beside it. A WAL goes first: without it the file is an older one, and with it
/// alone there is none.
fn put_aside(path: &Path) -> std::io::Result<PathBuf> {
    let named = |suffix: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let free = (1..).map(|n| format!(".old-{n}")).find(|suffix| !named(suffix.clone()).exists());
    let suffix = free.expect("there are more numbers than files");
    for beside in BESIDE {
        let from = named(beside.to_owned());
        if from.exists() {
            fs::rename(from, named(format!("{suffix}{beside}")))?;
        }
    }
    let old = named(suffix);
    fs::rename(path, &old)?;
    Ok(old)
}

/// What can be read of a store, row by row.
fn save(old: &Path) -> Vec<StoreChange> {
    let Ok(db) = Connection::open_with_flags(old, OpenFlags::SQLITE_OPEN_READ_WRITE) else {
        return Vec::new();
    };
    let ops: Vec<Queued> = readable(&db, "SELECT json FROM outbox");
    let aside: Vec<Aside> = readable(&db, "SELECT json FROM aside");
    let calls = readable(&db, "SELECT json FROM calls_to_push ORDER BY number");
    let state: Option<State> = readable(&db, "SELECT json FROM state").pop();
    let state = state.unwrap_or_default();
    let last = ops.iter().map(|op| op.place).chain(aside.iter().map(|aside| aside.place)).max();
    let state = State {
        cursor: None,
        calls_cursor: None,
        digest: Default::default(),
        pass: state.pass + 1,
        is_whole: false,
        sweeping: false,
        agrees_to: None,
        knows_gone_after: None,
        // Calls that the server has taken come back with the others.
        calls_taken_to: 0,
        next_call: calls.len() as u64,
        next_place: state.next_place.max(last.map_or(0, |last| last + 1)),
        ..state
    };
    let mut changes = vec![StoreChange::State(Box::new(state))];
    changes.extend(ops.into_iter().map(StoreChange::PutOp));
    changes.extend(aside.into_iter().map(StoreChange::PutAside));
    changes.extend((0..).zip(calls).map(|(number, call)| StoreChange::PutCallToPush(number, call)));
    changes.extend(readable(&db, "SELECT json FROM links").into_iter().map(StoreChange::PutLink));
    let duplicates = readable(&db, "SELECT json FROM duplicates").into_iter();
    changes.extend(duplicates.map(StoreChange::PutDuplicate));
    changes
}

/// The rows of a table up to the first that SQLite cannot read, but for those that say nothing to us.
fn readable<T: DeserializeOwned>(db: &Connection, sql: &str) -> Vec<T> {
    let Ok(mut statement) = db.prepare(sql) else { return Vec::new() };
    let Ok(found) = statement.query_map([], |row| row.get::<_, String>(0)) else {
        return Vec::new();
    };
    found.map_while(Result::ok).filter_map(|json| rows::read(&json).ok()).collect()
}
