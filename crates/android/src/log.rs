//! What the library tells the phone's log: routes, sizes, codes. What people typed, tokens and numbers must never be
//! logged, so other crates' records are left out: the HTTP client's have headers.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use log::{LevelFilter, Log, Metadata, Record};

use crate::edge;

/// How many lines are kept for the app to show: the latest.
const MOST_LINES: usize = 500;

/// What was logged in this process, for who cannot read the phone's own log.
static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// How much is logged from now on: 0 nothing, 1 errors, 2 warnings, 3 how syncs went, 4 each request and what is
/// beyond. It begins with nothing.
pub fn set_level(level: i32) {
    // Another logger of the process keeps its place.
    _ = log::set_logger(&Sink);
    log::set_max_level(match level {
        ..=0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4.. => LevelFilter::Debug,
    });
}

/// The latest lines of this process, the latest last: each begins with its time.
pub fn lines() -> Vec<String> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

fn keep(record: &Record<'_>) {
    let (level, target) = (record.level(), record.target());
    let line = format!("{} {level} {target}: {}", edge::now(), record.args());
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == MOST_LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

struct Sink;

impl Log for Sink {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("callbook")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            keep(record);
            write(record);
        }
    }

    fn flush(&self) {}
}

#[cfg(target_os = "android")]
fn write(record: &Record<'_>) {
    use std::sync::LazyLock;

    use android_logger::{AndroidLogger, Config};

    static LOGCAT: LazyLock<AndroidLogger> = LazyLock::new(|| {
        AndroidLogger::new(
            Config::default().with_tag("callbook").with_max_level(LevelFilter::Debug),
        )
    });
    LOGCAT.log(record);
}

#[cfg(not(target_os = "android"))]
fn write(record: &Record<'_>) {
    eprintln!("{} {}: {}", record.level(), record.target(), record.args());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets() {
        #[track_caller]
        fn check(level: i32, filter: LevelFilter) {
            set_level(level);
            assert_eq!(log::max_level(), filter);
        }
        check(4, LevelFilter::Debug);
        check(i32::MAX, LevelFilter::Debug);
        check(3, LevelFilter::Info);
        check(2, LevelFilter::Warn);
        check(1, LevelFilter::Error);
        check(0, LevelFilter::Off);
        check(i32::MIN, LevelFilter::Off);
        for n in 0..MOST_LINES + 1 {
            keep(&Record::builder().target("callbook").args(format_args!("line {n}")).build());
        }
        let lines = lines();
        assert_eq!(lines.len(), MOST_LINES);
        assert!(lines[0].ends_with(" INFO callbook: line 1"), "{}", lines[0]);
        let is_logged = |target| Sink.enabled(&Metadata::builder().target(target).build());
        assert!(is_logged("callbook_android::http"));
        assert!(!is_logged("ureq_proto::client") && !is_logged("rustls::client"));
    }
}
