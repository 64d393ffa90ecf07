//! What the service logs while everything fails: no secret, and nobody's number.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::io;
use std::sync::{Arc, Mutex};

use callbook_sim::{Mix, Rates, read, run};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tracing_subscriber::filter::LevelFilter;

/// Where log lines go.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_secret_and_no_number_is_logged() {
    let lines = Lines::default();
    let to = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .without_time()
        .with_ansi(false)
        .with_writer(move || to.clone())
        .finish();
    let rows = read(None, 2_000).unwrap();
    let mut mix = Mix::standard(&mut ChaCha8Rng::seed_from_u64(1)).with_devices(4);
    (mix.contacts, mix.rates) = (60, Rates::usual().times(4.0));
    let outcome = tracing::subscriber::with_default(subscriber, || run(1, &mix, &rows, |_| {}));
    assert!(outcome.differences.is_empty(), "{:?}", outcome.differences);

    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("the database failed"), "something is logged: {logged}");
    for secret in ["correct horse", "cbr_", "eyJ", "let me in"] {
        assert!(!logged.contains(secret), "{secret}");
    }
    let keys = rows.iter().filter_map(|row| row.key.as_deref());
    let digits = |key: &str| key.chars().filter(char::is_ascii_digit).collect::<String>();
    let long = keys.map(digits).filter(|digits| digits.len() >= 8);
    for number in long {
        assert!(!logged.contains(&number), "a number of the file is logged");
        // Nor the part that stands behind the calling code.
        assert!(!logged.contains(&number[number.len() - 8..]), "a part of a number is logged");
    }
}
