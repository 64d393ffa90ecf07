//! A store in a SQLite file: what a phone keeps. Tokens must never live here: whoever opens it hands the session in,
//! and takes it from [`Store::state`] to keep it where the phone keeps secrets.
//!
//! What a commit has said is done survives a crash and a flat battery: the file is in WAL mode with `synchronous =
//! FULL`. A commit that changes nothing writes nothing. A file that cannot be used is left as it is, whatever is
//! wrong with it; [`SqliteStore::rebuild`] puts it beside and saves what can be read.

mod rebuild;
mod rows;
#[cfg(test)]
mod tests;

use std::ops::Bound;
use std::path::Path;
use std::time::Duration;

use callbook_base::{ContactId, Rev, Timestamp, UserId};
use callbook_calls::wire::PulledCall;
use callbook_calls::{Call, CallId};
use callbook_contacts::Fields;
use callbook_contacts::wire::{Pulled, Shown};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use super::{Gone, Mirrored, Session, State, Store, StoreChange, StoreError};
use crate::event::{Event, MOST_EVENTS};
use crate::outbox::{Aside, Queued};
use crate::provider::{Duplicate, Link};
use crate::search::{Query, found_by};

/// `PRAGMA application_id`: "call" in ASCII.
const APPLICATION: i64 = 0x6361_6c6c;

/// What makes a file of each version one of the next. `PRAGMA user_version` says how many it has had.
///
/// `found_by` has what contacts are found by and nothing else, so that a search reads a hundredth of the mirror.
/// Contacts in `gone` that are in the mirror again are no longer meant.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), json TEXT NOT NULL) STRICT;
    CREATE TABLE contacts (
      id TEXT PRIMARY KEY,
      rev INTEGER NOT NULL,
      pass INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      updated_by TEXT NOT NULL,
      fields TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX contacts_by_pass ON contacts (pass, id, rev);
    CREATE TABLE outbox (place INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE aside (place INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE calls_to_push (number INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE calls (id TEXT PRIMARY KEY, user TEXT NOT NULL, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX calls_by_user ON calls (user);
    CREATE TABLE links (raw INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE TABLE duplicates (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, json TEXT NOT NULL) STRICT;
", "
    CREATE TABLE found_by (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
", "
    CREATE TABLE gone (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, pass INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"];

/// The version with which `found_by` came.
const FOUND_BY: usize = 2;

/// How long it waits for another process that has the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a phone must not forget, in a file.
#[derive(Debug)]
pub struct SqliteStore {
    db: Connection,
    /// As committed last, and the session.
    state: State,
    stop: Stop,
}

/// Asks whether whoever waits for the store has given up.
struct Stop(Box<dyn Fn() -> bool + Send>);

impl Stop {
    fn check(&self) -> Result<(), StoreError> {
        if (self.0)() { Err(StoreError::Stopped) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stop")
    }
}

impl SqliteStore {
    /// Opens a store, or makes one where there is no file. The session is the one that [`Store::state`] had last.
    ///
    /// # Errors
    /// The file cannot be used, as the error says. It is as it was before.
    pub fn open(path: &Path, session: Option<Session>) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::with(Connection::open_with_flags(path, flags)?, session)
    }

    fn with(mut db: Connection, session: Option<Session>) -> Result<Self, StoreError> {
        db.busy_timeout(PATIENCE)?;
        check(&db)?;
        if db.is_readonly("main")? {
            return Err(StoreError::ReadOnly);
        }
        // WAL is a property of the file; what is there is not written again.
        let _mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        db.execute_batch("PRAGMA synchronous = FULL")?;
        migrate(&mut db)?;
        let json: Option<String> =
            db.query_row("SELECT json FROM state", [], |row| row.get(0)).optional()?;
        let state: State = json.map(|json| rows::read(&json)).transpose()?.unwrap_or_default();
        Ok(Self { db, state: State { session, ..state }, stop: Stop(Box::new(|| false)) })
    }

    /// From now on it asks this at every read, and at every change of a commit. When the answer is yes, that
    /// ends with [`StoreError::Stopped`], and of the commit nothing is done.
    pub fn stop_when(&mut self, has_given_up: impl Fn() -> bool + Send + 'static) {
        self.stop = Stop(Box::new(has_given_up));
    }

    /// Everybody's calls that were pulled, the latest first, of a time: from when on, and before when. All calls are
    /// looked at, which nothing but a screen without the network asks for.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn latest_calls(
        &self,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<PulledCall>, StoreError> {
        // Android's library has SQLite without JSON. The quotes of a text are escaped, so no number says this.
        let mut statement = self.db.prepare_cached(
            r#"SELECT json, substr(json, instr(json, '"timestamp":"') + 13, 24) AS at FROM calls
               WHERE at >= ?1 AND at < ?2 ORDER BY at DESC, id LIMIT ?3"#,
        )?;
        let rows = statement.query_map(
            params![from.to_string(), to.to_string(), rows::number(limit as u64)],
            |row| row.get::<_, String>(0),
        )?;
        rows.map(|json| rows::read(&json?)).collect()
    }

    /// From now on the file may grow by so many pages, as on a disk that is about to be full.
    #[cfg(test)]
    pub(crate) fn may_grow_by(&self, pages: i64) -> Result<(), StoreError> {
        let now: i64 = self.db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        Ok(self.db.pragma_update(None, "max_page_count", now + pages)?)
    }

    /// The ids that a statement gives of contacts above a rev, and seen before a pass.
    fn ids(
        &self,
        sql: &'static str,
        (rev, pass, limit): (Rev, u64, usize),
    ) -> Result<Vec<ContactId>, StoreError> {
        let mut statement = self.db.prepare_cached(sql)?;
        let params = [rows::number(rev.0), rows::number(pass), rows::number(limit as u64)];
        let ids = statement.query_map(params, |row| row.get::<_, String>(0))?;
        ids.map(|id| rows::parse(&id?)).collect()
    }

    /// All rows of a statement that gives JSON.
    fn all<T: serde::de::DeserializeOwned>(&self, sql: &'static str) -> Result<Vec<T>, StoreError> {
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|json| rows::read(&json?)).collect()
    }
}

/// Whether the file is a store that this release knows, or is empty.
fn check(db: &Connection) -> Result<(), StoreError> {
    let number = |pragma: &str| db.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let (application, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let known = MIGRATIONS.len() as i64;
    match (application, version) {
        (APPLICATION, found) if found > known => Err(StoreError::Newer { found, known }),
        (APPLICATION, _) => Ok(()),
        _ if tables == 0 => Ok(()),
        _ => Err(StoreError::NotAStore),
    }
}

fn migrate(db: &mut Connection) -> Result<(), StoreError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let version = usize::try_from(version).unwrap_or(0);
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in &MIGRATIONS[version..] {
        transaction.execute_batch(migration)?;
    }
    if (1..FOUND_BY).contains(&version) {
        fill_found_by(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    Ok(transaction.commit()?)
}

/// What contacts are found by, of a mirror that was filled before there was that. One that cannot be read is found by
/// nothing: whoever reads it is told.
fn fill_found_by(db: &Connection) -> Result<(), StoreError> {
    let mut contacts = db.prepare("SELECT id, fields FROM contacts")?;
    let mut rows = contacts.query([])?;
    while let Some(row) = rows.next()? {
        let (id, fields): (String, String) = (row.get(0)?, row.get(1)?);
        put_found_by(db, &id, &rows::read(&fields).unwrap_or_default())?;
    }
    Ok(())
}

fn put_found_by(db: &Connection, id: &str, fields: &Fields) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO found_by (id, text) VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute([id, &found_by(fields)])?;
    Ok(())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, InvalidColumnType, Utf8Error};
        // Nobody has written such a value.
        if let Utf8Error(..) | FromSqlConversionFailure(..) | InvalidColumnType(..) = error {
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotAStore,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl Store for SqliteStore {
    type Row = Pulled;

    fn state(&self) -> Result<State, StoreError> {
        Ok(self.state.clone())
    }

    fn contact(&self, id: ContactId) -> Result<Option<Mirrored>, StoreError> {
        self.stop.check()?;
        let mut statement = self.db.prepare_cached(
            "SELECT rev, pass, created_at, updated_at, updated_by, fields FROM contacts WHERE id = ?1",
        )?;
        let row = statement.query_row([id.to_string()], rows::contact).optional()?;
        row.map(rows::Contact::read).transpose()
    }

    fn rev(&self, id: ContactId) -> Result<Option<Rev>, StoreError> {
        self.stop.check()?;
        let mut statement = self.db.prepare_cached("SELECT rev FROM contacts WHERE id = ?1")?;
        Ok(statement.query_row([id.to_string()], |row| rows::rev(row, 0)).optional()?)
    }

    fn next_contact(&self, from: Bound<ContactId>) -> Result<Option<ContactId>, StoreError> {
        self.stop.check()?;
        let (sql, from) = match from {
            Bound::Unbounded => {
                ("SELECT id FROM contacts WHERE id >= ?1 ORDER BY id LIMIT 1", String::new())
            }
            Bound::Included(id) => {
                ("SELECT id FROM contacts WHERE id >= ?1 ORDER BY id LIMIT 1", id.to_string())
            }
            Bound::Excluded(id) => {
                ("SELECT id FROM contacts WHERE id > ?1 ORDER BY id LIMIT 1", id.to_string())
            }
        };
        let mut statement = self.db.prepare_cached(sql)?;
        let id: Option<String> = statement.query_row([from], |row| row.get(0)).optional()?;
        id.map(|id| rows::parse(&id)).transpose()
    }

    fn find(
        &self,
        query: &Query,
        from: Bound<ContactId>,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        let (after, is_itself) = match from {
            Bound::Unbounded => (String::new(), false),
            Bound::Included(id) => (id.to_string(), true),
            Bound::Excluded(id) => (id.to_string(), false),
        };
        let sql = "SELECT id, text FROM found_by
                   WHERE id >= ?1 AND (?2 OR id <> ?1) AND (instr(text, ?3) OR instr(text, ?4)) ORDER BY id";
        let (text, dialled) = query.longest();
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query(params![after, is_itself, text, dialled])?;
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(row) = rows.next()?
        {
            let (id, text): (String, String) = (row.get(0)?, row.get(1)?);
            if query.is_in(&text) {
                found.push(rows::parse(&id)?);
            }
        }
        Ok(found)
    }

    fn not_seen_in(&self, pass: u64) -> Result<Vec<(ContactId, Rev)>, StoreError> {
        self.stop.check()?;
        let mut statement =
            self.db.prepare_cached("SELECT id, rev FROM contacts WHERE pass < ?1 ORDER BY id")?;
        let rows = statement.query_map([rows::number(pass)], |row| {
            Ok((row.get::<_, String>(0)?, rows::rev(row, 1)?))
        })?;
        let row = |row: rusqlite::Result<(String, Rev)>| {
            let (id, rev) = row?;
            Ok((rows::parse(&id)?, rev))
        };
        rows.map(row).collect()
    }

    fn changed_after(
        &self,
        rev: Rev,
        pass: u64,
        limit: usize,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.stop.check()?;
        // Android's library has SQLite without compound selects.
        let [shown, gone] = [
            "SELECT id FROM contacts WHERE rev > ?1 AND pass < ?2 LIMIT ?3",
            "SELECT id FROM gone WHERE rev > ?1 AND pass < ?2
               AND NOT EXISTS (SELECT 1 FROM contacts WHERE contacts.id = gone.id) LIMIT ?3",
        ];
        let mut ids = self.ids(shown, (rev, pass, limit))?;
        ids.extend(self.ids(gone, (rev, pass, limit - ids.len()))?);
        Ok(ids)
    }

    fn outbox(&self) -> Result<Vec<Queued>, StoreError> {
        self.all("SELECT json FROM outbox ORDER BY place")
    }

    fn aside(&self) -> Result<Vec<Aside>, StoreError> {
        self.all("SELECT json FROM aside ORDER BY place")
    }

    fn calls_to_push(&self, from: u64, limit: usize) -> Result<Vec<(u64, Call)>, StoreError> {
        let mut statement = self.db.prepare_cached(
            "SELECT number, json FROM calls_to_push WHERE number >= ?1 ORDER BY number LIMIT ?2",
        )?;
        let rows = statement
            .query_map([rows::number(from), rows::number(limit as u64)], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
        let row = |row: rusqlite::Result<(i64, String)>| {
            let (number, json) = row?;
            Ok((u64::try_from(number).unwrap_or(0), rows::read(&json)?))
        };
        rows.map(row).collect()
    }

    fn has_call(&self, id: CallId) -> Result<bool, StoreError> {
        self.stop.check()?;
        let mut statement = self.db.prepare_cached("SELECT 1 FROM calls WHERE id = ?1")?;
        Ok(statement.exists([id.to_string()])?)
    }

    fn calls_of(&self, user: UserId) -> Result<Vec<PulledCall>, StoreError> {
        let mut statement = self.db.prepare_cached("SELECT json FROM calls WHERE user = ?1")?;
        let rows = statement.query_map([user.to_string()], |row| row.get::<_, String>(0))?;
        rows.map(|json| rows::read(&json?)).collect()
    }

    fn links(&self) -> Result<Vec<Link>, StoreError> {
        self.all("SELECT json FROM links")
    }

    fn duplicates(&self) -> Result<Vec<Duplicate>, StoreError> {
        self.all("SELECT json FROM duplicates")
    }

    fn events(&self) -> Result<Vec<Event>, StoreError> {
        self.all("SELECT json FROM events ORDER BY number")
    }

    fn commit(&mut self, changes: Vec<StoreChange>) -> Result<(), StoreError> {
        let mut next = self.state.clone();
        for change in &changes {
            if let StoreChange::State(state) = change {
                next.clone_from(state);
            }
        }
        let is_new = |next: &State| {
            State { session: self.state.session.clone(), ..next.clone() } != self.state
        };
        let (writes_state, writes_more) =
            (is_new(&next), changes.iter().any(|change| !matches!(change, StoreChange::State(_))));
        if writes_state || writes_more {
            let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for change in changes {
                self.stop.check()?;
                write(&transaction, change)?;
            }
            if writes_state {
                let sql = "INSERT INTO state (one, json) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET json = ?1";
                transaction.prepare_cached(sql)?.execute([rows::json(&next)])?;
            }
            transaction.commit()?;
        }
        self.state = next;
        Ok(())
    }
}

fn write(db: &Connection, change: StoreChange) -> Result<(), StoreError> {
    let run = |sql: &'static str, params: &[&dyn rusqlite::ToSql]| -> Result<(), StoreError> {
        db.prepare_cached(sql)?.execute(params)?;
        Ok(())
    };
    match change {
        StoreChange::State(_) => Ok(()),
        StoreChange::PutContact(id, contact) => put_contact(db, id, &contact),
        StoreChange::RemoveContact(id, Gone { rev, pass }) => {
            let id = id.to_string();
            run("DELETE FROM contacts WHERE id = ?1", &[&id])?;
            run("DELETE FROM found_by WHERE id = ?1", &[&id])?;
            run(
                "INSERT OR REPLACE INTO gone (id, rev, pass) VALUES (?1, ?2, ?3)",
                &[&id, &rows::number(rev.0), &rows::number(pass)],
            )
        }
        StoreChange::PutOp(op) => run(
            "INSERT OR REPLACE INTO outbox (place, json) VALUES (?1, ?2)",
            &[&rows::number(op.place), &rows::json(&op)],
        ),
        StoreChange::RemoveOp(place) => {
            run("DELETE FROM outbox WHERE place = ?1", &[&rows::number(place)])
        }
        StoreChange::PutAside(aside) => run(
            "INSERT OR REPLACE INTO aside (place, json) VALUES (?1, ?2)",
            &[&rows::number(aside.place), &rows::json(&aside)],
        ),
        StoreChange::RemoveAside(place) => {
            run("DELETE FROM aside WHERE place = ?1", &[&rows::number(place)])
        }
        StoreChange::PutCallToPush(number, call) => run(
            "INSERT OR REPLACE INTO calls_to_push (number, json) VALUES (?1, ?2)",
            &[&rows::number(number), &rows::json(&call)],
        ),
        StoreChange::RemoveCallToPush(number) => {
            run("DELETE FROM calls_to_push WHERE number = ?1", &[&rows::number(number)])
        }
        StoreChange::PutCall(call) => run(
            "INSERT OR REPLACE INTO calls (id, user, json) VALUES (?1, ?2, ?3)",
            &[&call.id.to_string(), &call.user.to_string(), &rows::json(&call)],
        ),
        StoreChange::RemoveCalls => run("DELETE FROM calls", &[]),
        StoreChange::PutLink(link) => run(
            "INSERT OR REPLACE INTO links (raw, json) VALUES (?1, ?2)",
            &[&link.raw.0, &rows::json(&link)],
        ),
        StoreChange::RemoveLink(raw) => run("DELETE FROM links WHERE raw = ?1", &[&raw.0]),
        StoreChange::PutDuplicate(duplicate) => run(
            "INSERT OR REPLACE INTO duplicates (id, json) VALUES (?1, ?2)",
            &[&duplicate.id.to_string(), &rows::json(&duplicate)],
        ),
        StoreChange::RemoveDuplicate(id) => {
            run("DELETE FROM duplicates WHERE id = ?1", &[&id.to_string()])
        }
        StoreChange::PutEvent(event) => {
            run("INSERT INTO events (json) VALUES (?1)", &[&rows::json(&event)])?;
            run(
                "DELETE FROM events WHERE number <= (SELECT max(number) FROM events) - ?1",
                &[&rows::number(MOST_EVENTS as u64)],
            )
        }
    }
}

fn put_contact(db: &Connection, id: ContactId, contact: &Mirrored) -> Result<(), StoreError> {
    let Mirrored { rev, pass, shown } = contact;
    let Shown { created_at, updated_at, updated_by, fields } = &**shown;
    let sql = "INSERT OR REPLACE INTO contacts (id, rev, pass, created_at, updated_at, updated_by, fields)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let id = id.to_string();
    db.prepare_cached(sql)?.execute(params![
        id,
        rows::number(rev.0),
        rows::number(*pass),
        created_at.as_millis(),
        updated_at.as_millis(),
        updated_by.to_string(),
        rows::json(fields),
    ])?;
    put_found_by(db, &id, fields)
}
