//! Where a reader of the book stands: revs, epochs, and the cursor that carries both.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

/// A count of the book's changes. Contacts and calls each have their own count.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Rev(pub u64);

impl Rev {
    /// The rev after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The book's identity: 1 to 64 of `a-z`, `0-9` and `-`. It changes when the book is restored from
/// a backup.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(String);

impl Epoch {
    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Epoch {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidCursor) }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

crate::serde_as_text!(Epoch);

/// A cursor that nobody here has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor cannot be read")]
pub struct InvalidCursor;

/// How far a device has pulled: everything up to (`rev`, `last`) in that order. Its text is opaque
/// to devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The book that was pulled from.
    pub epoch: Epoch,
    /// The rev of the last row returned or, at the end of a pull, of the book.
    pub rev: Rev,
    /// The id of the last row returned; empty when a pull is at its start or its end.
    pub last: String,
    /// In a first pull, the book's rev at its first page: up to it only visible contacts are sent.
    pub first: Option<Rev>,
}

impl Cursor {
    /// The last rev of which all has been sent: of a page's last one there may be more to come.
    pub fn complete_to(&self) -> Rev {
        if self.last.is_empty() { self.rev } else { Rev(self.rev.0.saturating_sub(1)) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.map(|rev| rev.0.to_string()).unwrap_or_default();
        let text = format!("1.{}.{}.{}.{first}", self.epoch, self.rev.0, self.last);
        f.write_str(&BASE64.encode(text))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = BASE64.decode(text).map_err(|_| InvalidCursor)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| InvalidCursor)?;
        let parts: Vec<&str> = text.split('.').collect();
        let &["1", epoch, rev, last, first] = parts.as_slice() else { return Err(InvalidCursor) };
        let rev_of = |text: &str| match text.parse::<u64>() {
            // Databases that count in doubles are exact up to 2⁵³.
            Ok(rev) if rev < 1 << 53 => Ok(Rev(rev)),
            _ => Err(InvalidCursor),
        };
        Ok(Self {
            epoch: epoch.parse()?,
            rev: rev_of(rev)?,
            last: last.to_owned(),
            first: if first.is_empty() { None } else { Some(rev_of(first)?) },
        })
    }
}

crate::serde_as_text!(Cursor);

/// Where a list of people's tools stands: what its last row was sorted by, texts without NUL. Opaque on
/// the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(pub Vec<String>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0.join("\0")))
    }
}

impl FromStr for Place {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = BASE64.decode(text).map_err(|_| InvalidCursor)?;
        let text = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
        Ok(Self(text.split('\0').map(str::to_owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        for first in [None, Some(Rev(7))] {
            let cursor = Cursor {
                epoch: "0198-a".parse().unwrap(),
                rev: Rev(42),
                last: "01890a5d-ac96-774b-bcce-b302099a8057".into(),
                first,
            };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn a_place_reads_back() {
        for parts in [vec!["ann lee", "01890a5d"], vec![""], vec!["", ""], vec!["é\n.", "x", ""]] {
            let place = Place(parts.into_iter().map(str::to_owned).collect());
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert_eq!("é".parse::<Place>(), Err(InvalidCursor));
        assert_eq!(BASE64.encode([0xff]).parse::<Place>(), Err(InvalidCursor));
    }

    #[test]
    fn what_is_not_a_cursor_is_refused() {
        let far = BASE64.encode(format!("1.e.{}..", u64::MAX));
        for text in ["", "x", "42", "é", &far, &BASE64.encode("2.e.1.."), &BASE64.encode([0xff])] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
