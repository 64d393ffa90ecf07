//! How often somebody may guess: ten failures an account, a hundred an address, in fifteen minutes
//! (section 7). Where failures are counted must never live here.
//!
//! A guess counts from its beginning: it takes a place before the password is looked at, and gives it
//! back when it was right. So a thousand guesses at once are ten.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use callbook_base::Timestamp;
use sha2::{Digest, Sha256};

/// How long a failure counts.
pub const FAILURE_COUNTS: Duration = Duration::from_secs(15 * 60);

/// How long a guess counts whose end nobody has told: its request was cut off.
pub const GUESS_COUNTS: Duration = Duration::from_secs(10);

/// What guesses are counted under: a hash, since people type passwords into the field of the name. It
/// prints as 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guessed {
    hash: [u8; 32],
    /// How many may count at once.
    pub most: u64,
}

impl Guessed {
    /// A name as it was typed, of a user or of nobody.
    pub fn account(username: &str) -> Self {
        let name = username.trim().to_lowercase();
        Self { hash: Sha256::digest(format!("account\n{name}")).into(), most: 10 }
    }

    /// An address. Of IPv6 the network that one household has: the rest is anybody's choice.
    pub fn address(address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("{:x?}", &address.segments()[..4]),
        };
        Self { hash: Sha256::digest(format!("address\n{network}")).into(), most: 100 }
    }
}

impl fmt::Display for Guessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Whole seconds until a place is free again, at least one.
pub fn retry_after(free_at: Timestamp, now: Timestamp) -> u32 {
    let seconds = (free_at.millis_since(now).max(1) + 999) / 1_000;
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_one_account_or_address() {
        #[track_caller]
        fn check(a: Guessed, b: Guessed, same: bool) {
            assert_eq!(a.to_string() == b.to_string(), same);
        }
        let account = Guessed::account;
        check(account("ann"), account(" Ann\n"), true);
        check(account("ann"), account("anna"), false);
        check(account("10.0.0.1"), Guessed::address("10.0.0.1".parse().unwrap()), false);
        let same = |a: &str, b: &str, same| {
            check(Guessed::address(a.parse().unwrap()), Guessed::address(b.parse().unwrap()), same);
        };
        same("10.0.0.1", "10.0.0.1", true);
        same("10.0.0.1", "10.0.0.2", false);
        same("10.0.0.1", "::ffff:10.0.0.1", true);
        same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true);
        same("2001:db8:1:2::1", "2001:db8:1:3::1", false);
    }

    #[test]
    fn guesses_count_as_the_protocol_says() {
        let most = [Guessed::account("ann").most, Guessed::address([10, 0, 0, 1].into()).most];
        assert_eq!(most, [10, 100]);
        assert_eq!([FAILURE_COUNTS, GUESS_COUNTS].map(|it| it.as_secs()), [900, 10]);
    }

    #[test]
    fn seconds_are_whole_and_never_none() {
        #[track_caller]
        fn check(millis: i64, seconds: u32) {
            let now = Timestamp::from_millis(1_000);
            assert_eq!(retry_after(now.plus_millis(millis), now), seconds);
        }
        check(0, 1);
        check(-5, 1);
        check(1_000, 1);
        check(1_001, 2);
        check(900_000, 900);
    }
}
