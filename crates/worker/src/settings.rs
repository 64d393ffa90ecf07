//! What an operator may choose: a native server reads it from its flags, the Worker from `[vars]` of
//! wrangler.toml, in the same words. What a choice does is elsewhere.

use std::time::Duration;

use axum::http::HeaderValue;

use crate::retention::Kept;
use crate::timing::Clock;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The days for which what edits superseded, and the audit, are kept when nothing is said.
pub const KEEP_HISTORY: u32 = 365;

/// The fewest days that may be said of it: for so long a contact that was deleted can come back, with all that
/// it said.
pub const SHORTEST_HISTORY: u32 = 90;

/// What an operator may choose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Origins whose pages may call the service in a browser, such as `https://book.example.org`. Without
    /// any, only the service's own pages may.
    pub origins: Vec<HeaderValue>,
    /// How long things are kept.
    pub kept: Kept,
    /// How many changes of the book, of 500 cards at most, one import may make: D1 lets a request run fifty
    /// statements.
    pub pieces_of_an_import: usize,
    /// How often a change of the book reads and plans before it gives up: another's write came between each time.
    /// Of a Worker's fifty statements each takes a dozen.
    pub tries: u32,
    /// How time passes, from any beginning, where the host can tell: for `Server-Timing` and the log.
    pub clock: Option<Clock>,
}

impl Default for Settings {
    /// What suits a Worker.
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            kept: Kept::default(),
            pieces_of_an_import: 3,
            tries: 3,
            clock: None,
        }
    }
}

/// A choice that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// `ALLOW_ORIGIN`.
    #[error("an origin is https:// and a host, without a path")]
    Origin,
    /// `KEEP_CALLS`.
    #[error("KEEP_CALLS is a whole number of days, 1 or more")]
    KeepCalls,
    /// `KEEP_HISTORY`.
    #[error("KEEP_HISTORY is a whole number of days, {SHORTEST_HISTORY} or more")]
    KeepHistory,
}

impl Settings {
    /// From what is said under these names; an empty text says nothing.
    ///
    /// - `ALLOW_ORIGIN`: origins with commas between,
    /// - `KEEP_CALLS`: days,
    /// - `KEEP_HISTORY`: days, of the audit too.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn read(said: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSetting> {
        let said = |name: &str| said(name).filter(|text| !text.trim().is_empty());
        let origins = said("ALLOW_ORIGIN").unwrap_or_default();
        let origins = origins.split(',').map(str::trim).filter(|text| !text.is_empty());
        let days = |name: &str, least: u32, otherwise: InvalidSetting| {
            let days = said(name).map(|text| match text.trim().parse::<u32>() {
                Ok(days) if days >= least => Ok(days),
                _ => Err(otherwise),
            });
            days.transpose()
        };
        let history = days("KEEP_HISTORY", SHORTEST_HISTORY, InvalidSetting::KeepHistory)?;
        let calls = days("KEEP_CALLS", 1, InvalidSetting::KeepCalls)?;
        Ok(Self {
            origins: origins.map(origin).collect::<Result<_, _>>()?,
            kept: Kept::days(history.unwrap_or(KEEP_HISTORY), calls),
            ..Self::default()
        })
    }
}

impl Kept {
    /// The history and the audit for so many days, and calls for so many.
    pub fn days(history: u32, calls: Option<u32>) -> Self {
        let history = DAY * history;
        Self { history, audit: history, calls: calls.map(|days| DAY * days) }
    }
}

impl Default for Kept {
    /// A year; calls for ever.
    fn default() -> Self {
        Self::days(KEEP_HISTORY, None)
    }
}

/// An origin as browsers send it.
///
/// # Errors
/// It has a path, or is none.
pub fn origin(text: &str) -> Result<HeaderValue, InvalidSetting> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '*', ' ', ',']) => {
            text.parse().map_err(|_| InvalidSetting::Origin)
        }
        _ => Err(InvalidSetting::Origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_as_texts() {
        /// Origins, days of the history, days of calls.
        type Read<'a> = (&'a [&'a str], u32, Option<u32>);

        #[track_caller]
        fn check(said: &[(&str, &str)], expected: Result<Read<'_>, InvalidSetting>) {
            let said = |name: &str| {
                said.iter().find(|(it, _)| *it == name).map(|(_, text)| (*text).to_owned())
            };
            let read = Settings::read(said).map(|it| (it.origins, it.kept));
            let expected = expected.map(|(origins, history, calls)| {
                let origins = origins.iter().map(|it| HeaderValue::from_str(it).unwrap());
                (origins.collect(), Kept::days(history, calls))
            });
            assert_eq!(read, expected);
        }
        check(&[], Ok((&[], 365, None)));
        check(
            &[("ALLOW_ORIGIN", ""), ("KEEP_CALLS", " "), ("KEEP_HISTORY", "")],
            Ok((&[], 365, None)),
        );
        check(&[("KEEP_CALLS", "1"), ("KEEP_HISTORY", "90")], Ok((&[], 90, Some(1))));
        let two = "https://book.example.org, http://localhost:3000";
        check(
            &[("ALLOW_ORIGIN", two)],
            Ok((&["https://book.example.org", "http://localhost:3000"], 365, None)),
        );
        for origin in ["*", "book.example.org", "https://", "https://x/y", "https://*.x", "null"] {
            check(&[("ALLOW_ORIGIN", origin)], Err(InvalidSetting::Origin));
        }
        for days in ["0", "-1", "1.5", "x", "4294967296"] {
            check(&[("KEEP_CALLS", days)], Err(InvalidSetting::KeepCalls));
        }
        check(&[("KEEP_HISTORY", "89")], Err(InvalidSetting::KeepHistory));
    }
}
