//! Every request of a run, a line of JSON each, in the order in which the service got them, with its share of
//! chance, what became of its batches, its answer, and at the end the book: so that the same run can be played
//! against another server. Files must never be opened here.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Method;
use callbook_base::Timestamp;
use callbook_device::Response;
use callbook_worker::Moment;
use callbook_worker::database::{Database, Rows, Statement};
use callbook_worker::sqlite::Sqlite;
use serde::Serialize;
use serde_json::json;

use crate::network::{DIED, Delivered};

/// Writes the lines while the run goes on.
pub struct RequestLog(Mutex<Lines>);

struct Lines {
    out: Box<dyn Write + Send>,
    /// The place of the first that is not written yet.
    first: u64,
    /// Those from there on.
    waiting: VecDeque<Waiting>,
    /// The first thing that went wrong; nothing is written after it.
    written: io::Result<()>,
}

struct Waiting {
    sent: Arc<Delivered>,
    seed: [u8; 32],
    /// The version of the service's numbering tables.
    tables: Option<&'static str>,
    answer: Option<Answer>,
}

/// What the service answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Answer {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    body: String,
}

/// A line.
#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    seed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tables: Option<&'a str>,
    /// From 0; a desk has none.
    phone: Option<usize>,
    method: &'a str,
    path: &'a str,
    token: Option<&'a str>,
    body: String,
    /// Which batches of the whole run its were, and what became of each: `17 ok`.
    batches: Vec<String>,
    /// Whether the instance died at work, or the run ended before it had done.
    died: bool,
    answer: Option<Answer>,
}

impl RequestLog {
    /// A log that goes there.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        let (out, waiting) = (Box::new(out), VecDeque::new());
        Self(Mutex::new(Lines { out, first: 0, waiting, written: Ok(()) }))
    }

    /// The place of a request that has arrived, with its share of chance and the numbering tables of the release
    /// that it has come to.
    pub(crate) fn arrived(
        &self,
        sent: Arc<Delivered>,
        seed: [u8; 32],
        tables: Option<&'static str>,
    ) -> u64 {
        let mut lines = self.lines();
        lines.waiting.push_back(Waiting { sent, seed, tables, answer: None });
        lines.first + lines.waiting.len() as u64 - 1
    }

    /// Its answer.
    pub(crate) fn answered(&self, place: u64, answer: &Response) {
        let mut lines = self.lines();
        let index = place - lines.first;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let Response { status, retry_after, .. } = *answer;
        lines.waiting[index as usize].answer = Some(Answer { status, retry_after, body });
        while lines.waiting.front().is_some_and(|waiting| waiting.answer.is_some()) {
            lines.write_first();
        }
    }

    /// Something that is done to the whole book between two batches, by whoever keeps it.
    pub(crate) fn act(&self, name: &str, moment: Moment, turn: u64) {
        self.note(name, moment, turn.to_string());
    }

    /// Statements that whoever keeps the book runs between two batches: those of migrations, and what an older
    /// release had written.
    pub(crate) fn ran(&self, statements: &[Statement], now: Timestamp, turn: u64) {
        let given = statements.iter().map(|it| json!({ "sql": it.sql, "params": it.params }));
        let given: Vec<_> = given.collect();
        let body = json!({ "turn": turn, "statements": given }).to_string();
        self.note("run", Moment { now, seed: [0; 32] }, body);
    }

    fn note(&self, name: &str, moment: Moment, body: String) {
        let path = format!("/replay/{name}");
        let act = Delivered::new(None, moment.now, (Method::POST, &path), None, body);
        let place = self.arrived(Arc::new(act), moment.seed, None);
        self.answered(place, &done(200, String::new()));
    }

    /// The book at the end: questions to it, and its answers. Writes what has had no answer first.
    pub(crate) async fn book(&self, database: &Sqlite) {
        let text = |rows: &Rows| -> Vec<String> {
            let first = rows.iter().map(|row| row.text("sql").expect("the schema has names"));
            first.map(str::to_owned).collect()
        };
        let questions = ask(database, QUESTIONS).await;
        for sql in text(&questions) {
            let rows = ask(database, sql.clone().leak()).await;
            let line = json!({ "ask": sql, "rows": rows.lists().collect::<Vec<_>>() });
            let mut lines = self.lines();
            lines.write_waiting();
            lines.write(&(line.to_string() + "\n"));
        }
    }

    /// After the run: writes what has had no answer.
    ///
    /// # Errors
    /// That of the first write that failed.
    pub fn finish(&self) -> io::Result<()> {
        let mut lines = self.lines();
        lines.write_waiting();
        std::mem::replace(&mut lines.written, Ok(()))?;
        lines.out.flush()
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lock().expect("a run has one thread")
    }
}

/// For each table of the book a question for all its rows, in an order that another database has too.
const QUESTIONS: &str = "
    SELECT 'SELECT * FROM ' || t.name || ' ORDER BY ' || (SELECT group_concat(cid + 1) FROM pragma_table_info(t.name)) AS sql
    FROM sqlite_schema AS t
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'd1_migrations'
    ORDER BY t.name";

async fn ask(database: &Sqlite, sql: &'static str) -> Rows {
    let mut rows = database.batch(vec![Statement::new(sql)]).await.expect("the book can be read");
    rows.remove(0)
}

/// The cron's work as a request.
pub(crate) fn purge(now: Timestamp, tombstones_kept: Duration) -> Delivered {
    let body = tombstones_kept.as_secs().to_string();
    Delivered::new(None, now, (Method::POST, "/replay/purge"), None, body)
}

/// What it answers: how many tombstones are gone, if the database let it.
pub(crate) fn purged(contacts: Option<usize>) -> Response {
    contacts.map_or(done(503, String::new()), |contacts| done(200, contacts.to_string()))
}

fn done(status: u16, body: String) -> Response {
    Response { status, retry_after: None, body: body.into_bytes() }
}

impl Lines {
    fn write_waiting(&mut self) {
        while !self.waiting.is_empty() {
            self.write_first();
        }
    }

    fn write_first(&mut self) {
        let Some(waiting) = self.waiting.pop_front() else { return };
        self.first += 1;
        self.write(&line(&waiting));
    }

    fn write(&mut self, line: &str) {
        if self.written.is_ok() {
            self.written = self.out.write_all(line.as_bytes());
        }
    }
}

fn line(Waiting { sent, seed, tables, answer }: &Waiting) -> String {
    let turns = sent.turns.lock().expect("a run has one thread");
    let died = answer.as_ref().is_none_or(|answer| answer.body.as_bytes() == DIED);
    let line = Line {
        at: sent.now,
        seed: seed.iter().map(|byte| format!("{byte:02x}")).collect(),
        tables: *tables,
        phone: sent.phone(),
        method: sent.method.as_str(),
        path: &sent.path,
        token: sent.bearer.as_deref(),
        body: String::from_utf8_lossy(&sent.body).into_owned(),
        batches: turns.iter().map(|(turn, fate)| format!("{turn} {fate}")).collect(),
        died,
        answer: answer.clone().filter(|_| !died),
    };
    serde_json::to_string(&line).expect("texts and numbers") + "\n"
}

#[cfg(test)]
mod tests {
    use callbook_worker::far::{Fate, Words};

    use super::*;
    use crate::Place;

    /// What is written, in a place that outlives the log.
    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn request(millis: i64, phone: Option<usize>, body: &'static str) -> Arc<Delivered> {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let place = phone.map(|phone| Place::Request(phone as u32, 0));
        let (now, token) = (Timestamp::from_millis(millis), phone.map(|_| "a.token".to_owned()));
        Arc::new(Delivered::new(place, now, (method, "/sync/contacts"), token, body))
    }

    #[test]
    fn lines_stand_in_the_order_of_arrival() {
        let out = Out::default();
        let log = RequestLog::new(out.clone());
        let written = || String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let arrive =
            |request: &Arc<Delivered>| log.arrived(request.clone(), [171; 32], Some("older"));
        let sent = request(1_795_341_600_000, Some(3), r#"{"ops":[]}"#);
        sent.turns.lock().unwrap().extend([
            (4, Fate::Arrives),
            (7, Fate::Fails(Words::nth(1))),
            (9, Fate::AnswerLost(Words::nth(2))),
        ]);
        let first = arrive(&sent);
        let second = arrive(&request(1_795_341_600_001, Some(0), ""));
        log.answered(second, &done(200, "{}".to_owned()));
        assert_eq!(written(), "");
        log.answered(first, &Response { retry_after: Some(2), ..done(503, "busy".to_owned()) });
        assert_eq!(written().lines().count(), 2);
        let moment = Moment { now: Timestamp::from_millis(1_795_341_600_002), seed: [1; 32] };
        log.act("backup", moment, 10);
        let pin = Statement::new("ALTER TABLE contacts ADD COLUMN pinned INTEGER");
        let name = Statement::new("UPDATE book SET title = ?1").bind("ours");
        log.ran(&[pin, name], moment.now, 11);
        arrive(&request(1_795_341_600_003, None, "<html>"));
        log.finish().unwrap();
        insta::assert_snapshot!(written());
    }
}
