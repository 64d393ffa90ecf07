//! A server of the `replay` build, reached over HTTP: requests at a moment of the test's choice, and its
//! database as a [`Database`]. Which server is said by `CALLBOOK_WORKERD`, as `test-workerd` does; without
//! it tests run in process on SQLite. What is tested must never live here.

#![allow(clippy::unwrap_used, dead_code)] // helpers of several tests, of which each uses its part

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::{Arc, Condvar, Mutex};

use axum::http::{Request, Response};
use callbook_worker::database::{BatchFuture, Database, DatabaseError, Rows, Statement, Value};
use callbook_worker::{MIGRATIONS, Moment, statements};
use serde_json::json;

/// How many books the server has, from `book-0`: more than a run has tests at once.
const BOOKS: usize = 32;

/// Those that a test has now.
static TAKEN: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
static GIVEN_BACK: Condvar = Condvar::new();

/// One book of the server. A test has it for itself, until it drops it.
pub(crate) struct Remote {
    server: String,
    book: usize,
    agent: ureq::Agent,
}

impl Remote {
    /// A new, empty book with all migrations, if tests are to run against a server.
    pub(crate) fn new_book() -> Option<Arc<Self>> {
        let remote = Self::without_tables()?;
        let statements = MIGRATIONS.iter().flat_map(|(_, sql)| statements(sql));
        remote.run(&statements.map(|sql| (sql, &[] as &[Value])).collect::<Vec<_>>()).unwrap();
        Some(Arc::new(remote))
    }

    /// A database without any tables, if tests are to run against a server.
    pub(crate) fn without_tables() -> Option<Self> {
        let server = std::env::var("CALLBOOK_WORKERD").ok()?;
        let mut taken = TAKEN.lock().unwrap();
        let book = loop {
            match (0..BOOKS).find(|book| !taken.contains(book)) {
                Some(book) => break book,
                None => taken = GIVEN_BACK.wait(taken).unwrap(),
            }
        };
        taken.insert(book);
        drop(taken);
        // Miniflare calls also an answer without a body packed, if packing is asked for.
        let config = ureq::Agent::config_builder().http_status_as_error(false).user_agent("");
        let config = config.accept_encoding("identity");
        let remote = Self { server, book, agent: config.build().new_agent() };
        remote.drop_all();
        Some(remote)
    }

    fn drop_all(&self) {
        let all = "SELECT 'DROP ' || type || ' \"' || name || '\"' AS sql FROM sqlite_schema
                   WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'";
        let rows = self.run(&[(all.to_owned(), &[])]).unwrap();
        let mut drops = vec!["PRAGMA defer_foreign_keys = on".to_owned()];
        drops.extend(rows[0].iter().map(|row| row.text("sql").unwrap().to_owned()));
        self.run(&drops.into_iter().map(|sql| (sql, &[] as &[Value])).collect::<Vec<_>>()).unwrap();
    }

    /// Sends a request that comes at a moment.
    pub(crate) fn send(&self, request: Request<Vec<u8>>, moment: Moment) -> Response<Vec<u8>> {
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("{}{}", self.server, parts.uri).parse().unwrap();
        let seed: String = moment.seed.iter().map(|byte| format!("{byte:02x}")).collect();
        parts.headers.insert("replay-now", moment.now.as_millis().into());
        parts.headers.insert("replay-seed", seed.parse().unwrap());
        parts.headers.insert("replay-book", format!("book-{}", self.book).parse().unwrap());
        let answer = match body.is_empty() {
            true => self.agent.run(Request::from_parts(parts, ())),
            // Some tests send a body where none belongs.
            false => {
                let request = Request::from_parts(parts, body);
                self.agent.run(
                    self.agent.configure_request(request).allow_non_standard_methods(true).build(),
                )
            }
        };
        let (parts, mut body) = answer.expect("the server answers").into_parts();
        Response::from_parts(parts, body.with_config().limit(1 << 28).read_to_vec().unwrap())
    }

    /// From now on this batch of a trace is next.
    pub(crate) fn turn(&self, next: u64) {
        self.act("/replay/turn", next.to_string());
    }

    /// The rows that a question gives, as JSON.
    pub(crate) fn ask(&self, sql: &str) -> serde_json::Value {
        json!(self.run(&[(sql, &[])]).unwrap()[0].lists().collect::<Vec<_>>())
    }

    /// Something that is no request of the service.
    fn act(&self, path: &str, body: String) -> String {
        let request = Request::post(path).body(body.into_bytes()).unwrap();
        let moment = Moment { now: callbook_base::Timestamp::from_millis(0), seed: [0; 32] };
        let answer = self.send(request, moment);
        let status = answer.status();
        let text = String::from_utf8(answer.into_body()).unwrap();
        assert!(status.is_success(), "{path}: {text}");
        text
    }

    fn run(&self, statements: &[(impl AsRef<str>, &[Value])]) -> Result<Vec<Rows>, DatabaseError> {
        let statements =
            statements.iter().map(|(sql, params)| json!({ "sql": sql.as_ref(), "params": params }));
        let text = self.act("/replay/batch", json!(statements.collect::<Vec<_>>()).to_string());
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        match answer["error"].as_str() {
            Some(error) => Err(DatabaseError::new(error)),
            None => Ok(serde_json::from_value(answer["rows"].clone()).unwrap()),
        }
    }
}

/// A batch runs when it is called for, as SQLite's does.
impl Database for Remote {
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        let statements: Vec<_> =
            statements.iter().map(|it| (it.sql, it.params.as_slice())).collect();
        Box::pin(ready(self.run(&statements)))
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        TAKEN.lock().unwrap().remove(&self.book);
        GIVEN_BACK.notify_one();
    }
}
