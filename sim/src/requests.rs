//! Every request of a run, a line of JSON each, in the order in which the service got them: so that the
//! same run can be played against another server. Files must never be opened here.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use callbook_base::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::network::Delivered;

/// Writes the lines while the run goes on.
pub struct RequestLog(Mutex<Lines>);

struct Lines {
    out: Box<dyn Write + Send>,
    /// The place of the first that is not written yet.
    first: u64,
    /// Those from there on, and the status of each that has been answered.
    waiting: VecDeque<(Arc<Delivered>, Option<u16>)>,
    /// The first thing that went wrong; nothing is written after it.
    written: io::Result<()>,
}

/// A line. Without an answer it has no status.
#[derive(Serialize)]
struct Line<'a> {
    at: Timestamp,
    /// From 0; a desk has none.
    phone: Option<usize>,
    method: &'a str,
    path: &'a str,
    token: Option<&'a str>,
    body: Value,
    status: Option<u16>,
}

impl RequestLog {
    /// A log that goes there.
    pub fn new(out: impl Write + Send + 'static) -> Self {
        let (out, waiting) = (Box::new(out), VecDeque::new());
        Self(Mutex::new(Lines { out, first: 0, waiting, written: Ok(()) }))
    }

    /// The place of a request that has arrived.
    pub(crate) fn arrived(&self, sent: Arc<Delivered>) -> u64 {
        let mut lines = self.lines();
        lines.waiting.push_back((sent, None));
        lines.first + lines.waiting.len() as u64 - 1
    }

    /// Its answer.
    pub(crate) fn answered(&self, place: u64, status: u16) {
        let mut lines = self.lines();
        let index = place - lines.first;
        lines.waiting[index as usize].1 = Some(status);
        while lines.waiting.front().is_some_and(|(_, status)| status.is_some()) {
            lines.write_first();
        }
    }

    /// After the run: writes what has had no answer.
    ///
    /// # Errors
    /// That of the first write that failed.
    pub fn finish(&self) -> io::Result<()> {
        let mut lines = self.lines();
        while !lines.waiting.is_empty() {
            lines.write_first();
        }
        std::mem::replace(&mut lines.written, Ok(()))?;
        lines.out.flush()
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lock().expect("a run has one thread")
    }
}

impl Lines {
    fn write_first(&mut self) {
        let Some((sent, status)) = self.waiting.pop_front() else { return };
        self.first += 1;
        if self.written.is_ok() {
            self.written = self.out.write_all(line(&sent, status).as_bytes());
        }
    }
}

fn line(sent: &Delivered, status: Option<u16>) -> String {
    let line = Line {
        at: sent.now,
        phone: sent.phone(),
        method: sent.method.as_str(),
        path: &sent.path,
        token: sent.bearer.as_deref(),
        body: body(&sent.body),
        status,
    };
    serde_json::to_string(&line).expect("texts and numbers") + "\n"
}

/// As JSON if it is, else as a text; nothing if there is none.
fn body(bytes: &[u8]) -> Value {
    match serde_json::from_slice(bytes) {
        _ if bytes.is_empty() => Value::Null,
        Ok(value) => value,
        Err(_) => String::from_utf8_lossy(bytes).into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

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
        let first = log.arrived(request(1_795_341_600_000, Some(3), r#"{"ops":[]}"#));
        let second = log.arrived(request(1_795_341_600_001, Some(0), ""));
        log.answered(second, 200);
        assert_eq!(written(), "");
        log.answered(first, 503);
        assert_eq!(written().lines().count(), 2);
        log.arrived(request(1_795_341_600_002, None, "<html>"));
        log.finish().unwrap();
        insta::assert_snapshot!(written());
    }
}
