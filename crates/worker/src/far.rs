//! What may become of a batch on its way to a database that is far away, as D1 is: the simulator draws it, and
//! the Worker's `replay` build does the same again. Who decides, waits or counts must never live here.

use std::fmt;
use std::str::FromStr;

use crate::database::{DatabaseError, Rows};

/// What D1 says of errors that pass, by its documentation: each of its list.
const TRANSIENT: [&str; 11] = [
    "D1_ERROR: Network connection lost.",
    "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
    "D1_ERROR: D1 DB is overloaded. Too many requests queued.",
    "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
    "D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.",
    "D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.",
    "D1_ERROR: D1 DB reset because its code was updated.",
    "D1_ERROR: Internal error in D1 DB storage caused object to be reset.",
    "D1_ERROR: Can't read from request stream because client disconnected.",
    "D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.",
    "D1_ERROR: D1 DB exceeded its CPU time limit and was reset.",
];

/// What becomes of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It runs, and its answer arrives.
    Arrives,
    /// It never runs.
    Fails(Words),
    /// It runs, and its answer is lost.
    AnswerLost(Words),
}

/// Which of D1's words an error has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(usize);

impl Words {
    /// How many there are.
    pub const COUNT: usize = TRANSIENT.len();

    /// The nth.
    pub fn nth(n: usize) -> Self {
        Self(n % Self::COUNT)
    }

    fn error(self) -> DatabaseError {
        DatabaseError::new(TRANSIENT[self.0])
    }
}

impl Fate {
    /// Before the batch runs.
    ///
    /// # Errors
    /// It must not run: this is its answer.
    pub fn before(self) -> Result<(), DatabaseError> {
        match self {
            Self::Fails(words) => Err(words.error()),
            Self::Arrives | Self::AnswerLost(_) => Ok(()),
        }
    }

    /// What arrives of its answer.
    ///
    /// # Errors
    /// Its own, or that the answer was lost.
    pub fn after(
        self,
        answer: Result<Vec<Rows>, DatabaseError>,
    ) -> Result<Vec<Rows>, DatabaseError> {
        match self {
            Self::AnswerLost(words) => answer.and(Err(words.error())),
            Self::Arrives | Self::Fails(_) => answer,
        }
    }
}

/// As traces have it: `ok`, `fails 3`, `lost 0`.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrives => f.write_str("ok"),
            Self::Fails(Words(n)) => write!(f, "fails {n}"),
            Self::AnswerLost(Words(n)) => write!(f, "lost {n}"),
        }
    }
}

/// A text that names no fate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fate is `ok`, `fails N` or `lost N`")]
pub struct UnknownFate;

impl FromStr for Fate {
    type Err = UnknownFate;

    fn from_str(text: &str) -> Result<Self, UnknownFate> {
        let words = |n: &str| match n.parse() {
            Ok(n) if n < Words::COUNT => Ok(Words(n)),
            _ => Err(UnknownFate),
        };
        match text.split_once(' ') {
            None if text == "ok" => Ok(Self::Arrives),
            Some(("fails", n)) => words(n).map(Self::Fails),
            Some(("lost", n)) => words(n).map(Self::AnswerLost),
            _ => Err(UnknownFate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fates_as_text() {
        for (fate, text) in [
            (Fate::Arrives, "ok"),
            (Fate::Fails(Words::nth(3)), "fails 3"),
            (Fate::AnswerLost(Words::nth(11)), "lost 0"),
        ] {
            assert_eq!(fate.to_string(), text);
            assert_eq!(text.parse(), Ok(fate));
        }
        for text in ["", "ok 1", "fails", "fails 11", "lost -1", "lost x"] {
            assert_eq!(text.parse::<Fate>(), Err(UnknownFate), "{text}");
        }
    }
}
