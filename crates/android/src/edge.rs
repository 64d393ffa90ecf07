//! The clock and the system's chance. Everything behind this takes both as arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use callbook_base::Timestamp;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

#[allow(clippy::disallowed_methods)] // the one place of the library that reads the clock
pub(crate) fn now() -> Timestamp {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    Timestamp::from_millis(millis)
}

/// A generator that nobody can guess.
pub(crate) fn chance() -> ChaCha20Rng {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the system has chance to give");
    ChaCha20Rng::from_seed(seed)
}
