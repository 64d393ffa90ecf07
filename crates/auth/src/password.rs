//! Passwords: which may be chosen, how they are stored (argon2id, as a PHC string) and checked. The
//! counting of failures must never live here, nor a source of salts.

use std::fmt;
use std::str::FromStr;

use argon2::password_hash::Error;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

use crate::Secret;

/// Bytes of the stored hash.
const HASH_LEN: usize = 32;

/// Why a text may not be a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Fewer than 10 characters.
    #[error("a password has at least 10 characters")]
    TooShort,
    /// More than 1,000 characters.
    #[error("a password has at most 1,000 characters")]
    TooLong,
    /// NUL is refused everywhere.
    #[error("a password has no NUL")]
    HasNul,
}

impl InvalidPassword {
    /// The stable `code` on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort => "password_too_short",
            Self::TooLong | Self::HasNul => "invalid_password",
        }
    }
}

/// A password that may be chosen: 10 to 1,000 characters (section 7), of any kind but NUL, taken as
/// typed. At login there is no such type: there any text is [checked](verify).
#[derive(Clone)]
pub struct Password(String);

impl FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, InvalidPassword> {
        match text.chars().count() {
            _ if text.contains('\0') => Err(InvalidPassword::HasNul),
            0..10 => Err(InvalidPassword::TooShort),
            10..=1_000 => Ok(Self(text.to_owned())),
            _ => Err(InvalidPassword::TooLong),
        }
    }
}

impl TryFrom<&Secret> for Password {
    type Error = InvalidPassword;
    fn try_from(secret: &Secret) -> Result<Self, InvalidPassword> {
        secret.expose().parse()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

/// What hashing a password costs. Only the two below exist, so a cost that argon2 refuses does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PasswordCost {
    /// 19 MiB, 2 passes, 1 lane (section 7): tens of milliseconds.
    pub const STANDARD: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    /// The least that argon2 takes: 8 KiB, 1 pass, 1 lane. For simulations and tests, where ten
    /// thousand people sign in, and never for people.
    pub const SIMULATED: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    fn argon2(self) -> Argon2<'static> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(HASH_LEN))
            .expect("both costs lie within what argon2 takes");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }

    /// How every PHC string made at this cost begins.
    fn prefix(self) -> String {
        let Self { memory_kib, passes, lanes } = self;
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}$")
    }
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// The PHC string to store: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. The salt is 16 bytes of chance,
/// new for each password.
pub fn hash(password: &Password, salt: [u8; 16], cost: PasswordCost) -> String {
    hash_text(&password.0, salt, cost)
}

fn hash_text(text: &str, salt: [u8; 16], cost: PasswordCost) -> String {
    cost.argon2()
        .hash_password_with_salt(text.as_bytes(), &salt)
        .expect("argon2 takes every text below 4 GiB and every 16-byte salt")
        .to_string()
}

/// What checking a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No such user, or not their password.
    Wrong,
    /// Their password, stored at today's cost.
    Right,
    /// Their password, stored at another cost: [`hash`] it again and store that.
    RightButRehash,
}

/// Checks the text that was sent against the stored PHC string, which is `None` for an unknown user.
///
/// An unknown user costs what a known one does: one hash at `cost`. (Who was stored at another cost
/// costs that, until their next sign-in.) A stored text that cannot be read is [`Verdict::Wrong`].
pub fn verify(stored: Option<&str>, sent: &Secret, cost: PasswordCost) -> Verdict {
    let text = sent.expose();
    // The comparison of hashes within is in constant time.
    match stored.map(|stored| (stored, cost.argon2().verify_password(text.as_bytes(), stored))) {
        Some((stored, Ok(()))) if stored.starts_with(&cost.prefix()) => Verdict::Right,
        Some((_, Ok(()))) => Verdict::RightButRehash,
        Some((_, Err(Error::PasswordInvalid))) => Verdict::Wrong,
        Some((_, Err(_))) | None => {
            // For its time alone: without the black box a compiler may leave it out.
            std::hint::black_box(hash_text(text, [0; 16], cost));
            Verdict::Wrong
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = *b"0123456789abcdef";

    fn stored(text: &str, cost: PasswordCost) -> String {
        hash(&text.parse().unwrap(), SALT, cost)
    }

    #[test]
    fn new_passwords_have_ten_to_a_thousand_characters() {
        #[track_caller]
        fn check(text: &str, refused: Option<InvalidPassword>) {
            assert_eq!(Password::try_from(&Secret::from(text)).err(), refused);
        }
        check("0123456789", None);
        check("éééééééééé", None);
        check(&" ".repeat(10), None);
        check(&"é".repeat(1_000), None);
        check(&"é".repeat(1_001), Some(InvalidPassword::TooLong));
        check("012345678", Some(InvalidPassword::TooShort));
        check("ééééééééé", Some(InvalidPassword::TooShort));
        check("", Some(InvalidPassword::TooShort));
        check("0123456789\0", Some(InvalidPassword::HasNul));
    }

    #[test]
    fn verdicts() {
        #[track_caller]
        fn check(stored: Option<&str>, sent: &str, verdict: Verdict) {
            assert_eq!(verify(stored, &sent.into(), PasswordCost::SIMULATED), verdict);
        }
        let today = stored("correct horse", PasswordCost::SIMULATED);
        let dearer = PasswordCost { memory_kib: 16, passes: 3, lanes: 2 };
        let before = stored("correct horse", dearer);
        check(Some(&today), "correct horse", Verdict::Right);
        check(Some(&today), "Correct horse", Verdict::Wrong);
        check(Some(&today), "correct horse ", Verdict::Wrong);
        check(Some(&today), "", Verdict::Wrong);
        check(Some(&today), "correct horse\0", Verdict::Wrong);
        check(Some(&before), "correct horse", Verdict::RightButRehash);
        check(Some(&before), "wrong horse", Verdict::Wrong);
        check(None, "correct horse", Verdict::Wrong);
        check(None, "", Verdict::Wrong);
        check(Some("correct horse"), "correct horse", Verdict::Wrong);
        check(Some(""), "", Verdict::Wrong);
        check(Some("$argon2id$v=19$m=8,t=1,p=1$"), "correct horse", Verdict::Wrong);
    }

    #[test]
    fn the_standard_cost_is_that_of_the_protocol() {
        let phc = stored("correct horse", PasswordCost::default());
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"), "{phc}");
        let sent = "correct horse".into();
        assert_eq!(verify(Some(&phc), &sent, PasswordCost::STANDARD), Verdict::Right);
        assert_eq!(verify(Some(&phc), &sent, PasswordCost::SIMULATED), Verdict::RightButRehash);
    }

    #[test]
    fn a_password_is_not_printed() {
        let password: Password = "correct horse".parse().unwrap();
        assert_eq!(format!("{password:?}"), "[password]");
    }
}
