//! Runs of the simulator, played again: request by request the same status and body, batch by batch in the
//! same order with the same faults, and at the end the same book.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use axum::http::{Request, header};
use callbook_base::Timestamp;
use callbook_worker::Moment;
use serde::Deserialize;
use serde_json::Value;

use crate::remote::Remote;

/// How many requests are at the server at once, at most: more than the simulator ever has.
const AT_ONCE: usize = 64;

/// A line of a trace.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Asked(Asked),
    Book { ask: String, rows: Value },
}

/// A request, as `sim/src/requests.rs` writes it.
#[derive(Deserialize)]
struct Asked {
    at: Timestamp,
    seed: String,
    tables: Option<String>,
    method: String,
    path: String,
    token: Option<String>,
    body: String,
    batches: Vec<String>,
    died: bool,
    answer: Option<Answer>,
}

#[derive(Deserialize, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    retry_after: Option<u64>,
    body: String,
}

#[test]
#[ignore = "test-workerd makes the traces and starts the server"]
fn runs_of_the_simulator_are_the_same_here() {
    let folder = std::env::var("CALLBOOK_TRACES").expect("CALLBOOK_TRACES names a folder");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "traces of three runs");
    let failed: Vec<String> = files.iter().filter_map(|file| play(file).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Says what differs first.
fn play(file: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The trace begins with the migrations of its book.
    let book = Remote::without_tables().expect("CALLBOOK_WORKERD names a server");
    let book = Arc::new(book);
    book.turn(0);
    let at_work = (Mutex::new(0_usize), Condvar::new());
    let differences = Mutex::new(Vec::new());
    let (mut requests, mut faults, mut tables) = (0, 0, 0);
    std::thread::scope(|scope| {
        for asked in lines.iter().filter_map(Line::asked) {
            let (count, less) = &at_work;
            let mut now =
                less.wait_while(count.lock().unwrap(), |count| *count >= AT_ONCE).unwrap();
            *now += 1;
            drop(now);
            if !differences.lock().unwrap().is_empty() {
                return;
            }
            requests += 1;
            faults += asked.batches.iter().filter(|it| !it.ends_with("ok")).count()
                + usize::from(asked.died);
            let (book, differences, at_work) = (book.clone(), &differences, &at_work);
            scope.spawn(move || {
                if let Err(difference) = asked.is_answered_alike(&book) {
                    differences.lock().unwrap().push(difference);
                }
                *at_work.0.lock().unwrap() -= 1;
                at_work.1.notify_one();
            });
        }
    });
    for (ask, rows) in lines.iter().filter_map(Line::book) {
        tables += 1;
        let here = book.ask(ask);
        if here != *rows {
            differences.lock().unwrap().push(format!("{ask}\n  there {rows}\n  here  {here}"));
        }
    }
    let name = file.file_stem().unwrap().to_string_lossy();
    if let Some(difference) = differences.into_inner().unwrap().first() {
        let short: Vec<String> =
            difference.lines().map(|line| line.chars().take(2_000).collect()).collect();
        return Err(format!("{name}: {}", short.join("\n")));
    }
    assert!(requests > 0 && tables > 5, "{name} is no trace");
    println!(
        "{name}: {requests} requests, {faults} batches lost or instances died, {tables} tables the same"
    );
    Ok(())
}

impl Line {
    fn asked(&self) -> Option<&Asked> {
        match self {
            Self::Asked(asked) => Some(asked),
            Self::Book { .. } => None,
        }
    }

    fn book(&self) -> Option<(&str, &Value)> {
        match self {
            Self::Asked(_) => None,
            Self::Book { ask, rows } => Some((ask, rows)),
        }
    }
}

impl Asked {
    fn is_answered_alike(&self, book: &Arc<Remote>) -> Result<(), String> {
        let mut request = Request::builder()
            .method(self.method.as_str())
            .uri(&self.path)
            .header("replay-batches", self.batches.join(","));
        if let Some(tables) = &self.tables {
            request = request.header("replay-tables", tables);
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if self.died {
            request = request.header("replay-dies", "yes");
        }
        let byte = |n: usize| u8::from_str_radix(&self.seed[2 * n..2 * n + 2], 16).unwrap();
        let moment = Moment { now: self.at, seed: std::array::from_fn(byte) };
        let response = book.send(request.body(self.body.clone().into_bytes()).unwrap(), moment);
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.map(|it| it.to_str().unwrap().parse().unwrap());
        let status = response.status().as_u16();
        let here =
            Answer { status, retry_after, body: String::from_utf8(response.into_body()).unwrap() };
        match &self.answer {
            // Cloudflare answers for an instance that has died.
            None if status == 500 => Ok(()),
            Some(there) if *there == here => Ok(()),
            there => Err(format!(
                "{} {} at {} with {:?}\n  there {there:?}\n  here  {here:?}",
                self.method, self.path, self.at, self.batches
            )),
        }
    }
}
