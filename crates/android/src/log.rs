//! What the library tells the phone's log: routes, sizes, codes. What people typed, tokens and numbers must never be
//! logged, so other crates' records are left out: the HTTP client's have headers.

use log::{LevelFilter, Log, Metadata, Record};

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

struct Sink;

impl Log for Sink {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("callbook")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
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
        let is_logged = |target| Sink.enabled(&Metadata::builder().target(target).build());
        assert!(is_logged("callbook_android::http"));
        assert!(!is_logged("ureq_proto::client") && !is_logged("rustls::client"));
    }
}
