//! What is logged while something runs: no password, no token, and nobody's number.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::filter::LevelFilter;

use crate::check::Difference;
use crate::desk::PASSWORD;
use crate::rows::Row;

/// With what all secrets of a run begin: its passwords, refresh tokens, access tokens, and the set-up token.
const SECRETS: [&str; 5] = [PASSWORD, "battery staple", "cbr_", "eyJ", "let me in"];

/// Of a number, so many digits at its end tell whose it is; ids and times have that many by chance too rarely.
const TELLING: usize = 10;

/// The ends of all numbers of a file.
pub struct Numbers(BTreeSet<String>);

impl Numbers {
    /// Of numbers with their calling codes.
    pub fn of(rows: &[Row]) -> Self {
        let keys = rows.iter().filter_map(|row| row.key.as_deref());
        let digits = keys.map(|key| key.chars().filter(char::is_ascii_digit).collect::<String>());
        let ends = digits.filter_map(|digits| {
            digits.len().checked_sub(TELLING).map(|at| digits[at..].to_owned())
        });
        Self(ends.collect())
    }

    /// What a line says that no log may say.
    fn find(&self, line: &str) -> Option<&'static str> {
        let runs = line.as_bytes().split(|byte| !byte.is_ascii_digit());
        let mut windows = runs.flat_map(|run| run.windows(TELLING));
        match () {
            () if SECRETS.iter().any(|secret| line.contains(secret)) => Some("a secret"),
            () if windows.any(|end| self.0.contains(&*String::from_utf8_lossy(end))) => {
                Some("a number")
            }
            () => None,
        }
    }

    /// Runs something on this thread. Its result, how many lines were logged at all levels, and what they should
    /// not have said.
    pub fn watch<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> (T, usize, Vec<Difference>) {
        let lines = Lines { numbers: self.clone(), seen: Arc::default() };
        let to = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .without_time()
            .with_ansi(false)
            .with_writer(move || to.clone())
            .finish();
        let result = tracing::subscriber::with_default(subscriber, run);
        let seen = std::mem::take(&mut *lines.seen.lock().expect("nothing panics with it"));
        (result, seen.lines, seen.found)
    }
}

/// Where log lines go.
#[derive(Clone)]
struct Lines {
    numbers: Arc<Numbers>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    lines: usize,
    found: Vec<Difference>,
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let mut seen = self.seen.lock().expect("nothing panics with it");
        seen.lines += 1;
        if let Some(what) = self.numbers.find(&line) {
            seen.found.push(Difference(format!("{what} is logged: {}", line.trim())));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;

    #[test]
    fn what_no_log_may_say_is_found() {
        let rows = read(None, 2_000).unwrap();
        let numbers = Arc::new(Numbers::of(&rows));
        let key = rows.iter().filter_map(|row| row.key.as_deref()).find(|key| key.len() > 11);
        let key = key.unwrap();
        let check = |line: &str, found: Option<&str>| {
            let ((), lines, differences) = numbers.watch(|| tracing::info!("{line}"));
            let said: Vec<&str> = differences.iter().map(|it| it.0.as_str()).collect();
            assert_eq!((lines, said.len()), (1, usize::from(found.is_some())), "{line}: {said:?}");
            assert!(found.is_none_or(|found| said[0].starts_with(found)), "{said:?}");
        };
        check("the database failed", None);
        check("at 1795341600000 of 018f3a5c-7e1b-7000-8000-123456789012", None);
        check(&format!("calls {key}"), Some("a number"));
        check(&format!("calls 0{}", &key[key.len() - 10..]), Some("a number"));
        check(&format!("tries {PASSWORD}"), Some("a secret"));
        check("gives cbr_AAAA", Some("a secret"));
    }
}
