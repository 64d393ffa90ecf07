//! The digest of a book: what two sides that hold the same visible contacts agree on.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use callbook_base::{ContactId, Rev};
use sha2::{Digest as _, Sha256};

/// The sum modulo 2⁶⁴, over visible contacts, of the first 8 bytes of SHA-256 of `<id>:<rev>`; 16
/// lower-case hex digits as text. A sum, so that a change costs what it touches and not the book.
///
/// ```
/// use callbook_contacts::Digest;
/// assert_eq!(Digest::default().to_string(), "0000000000000000");
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// With one more visible contact.
    #[must_use]
    pub fn with(self, id: ContactId, rev: Rev) -> Self {
        Self(self.0.wrapping_add(share(id, rev)))
    }

    /// Without a contact that was visible.
    #[must_use]
    pub fn without(self, id: ContactId, rev: Rev) -> Self {
        Self(self.0.wrapping_sub(share(id, rev)))
    }
}

/// The most bytes of an id, a colon and a rev.
const LONGEST: usize = 36 + 1 + 20;

/// What one contact adds to the sum.
fn share(id: ContactId, rev: Rev) -> u64 {
    // Not on the heap: a pull hashes each of its rows.
    let mut text = [0_u8; LONGEST];
    let mut rest = text.as_mut_slice();
    write!(rest, "{id}:{}", rev.0).expect("no id and no rev is longer");
    let length = LONGEST - rest.len();
    let hash: [u8; 32] = Sha256::digest(&text[..length]).into();
    let (first, _) = hash.split_first_chunk().expect("a SHA-256 has 32 bytes");
    u64::from_be_bytes(*first)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A text that is not 16 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 16 lower-case hex digits")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        match u64::from_str_radix(text, 16).map(Self) {
            Ok(digest) if digest.to_string() == text => Ok(digest),
            _ => Err(InvalidDigest),
        }
    }
}

callbook_base::serde_as_text!(Digest);

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> ContactId {
        format!("01890a5d-ac96-774b-bcce-b302099a80{n:02x}").parse().unwrap()
    }

    /// The figures are those of `printf '%s' <id>:<rev> | sha256sum | cut -c1-16`.
    #[test]
    fn is_the_sum_of_the_heads_of_hashes() {
        let one = Digest::default().with(id(0x57), Rev(42));
        assert_eq!(one.to_string(), "2b78dc1bcdf79cb8");
        let two = one.with(id(0x58), Rev(7));
        assert_eq!(two.to_string(), "5c991a7ff5ba3587");
        assert_eq!(two.without(id(0x57), Rev(42)), Digest::default().with(id(0x58), Rev(7)));
        assert_ne!(two, two.with(id(0x57), Rev(u64::MAX)));
        assert_eq!(two.without(id(0x58), Rev(7)).without(id(0x57), Rev(42)), Digest::default());
    }

    #[test]
    fn reads_only_what_it_writes() {
        let digest = Digest::default().with(id(1), Rev(1));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "0", "000000000000000G", "000000000000000A", "+000000000000001"] {
            assert_eq!(text.parse::<Digest>(), Err(InvalidDigest), "{text}");
        }
    }
}
