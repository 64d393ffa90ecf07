//! What the service and the engine log while everything fails: no secret, and nobody's number. Each tenth seed of
//! `cargo sim` looks too.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::sync::Arc;

use callbook_sim::{Mix, Numbers, Rates, read, run};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[test]
fn no_secret_and_no_number_is_logged() {
    let rows = read(None, 2_000).unwrap();
    let numbers = Arc::new(Numbers::of(&rows));
    for seed in 1..=3 {
        let mut mix = Mix::standard(&mut ChaCha8Rng::seed_from_u64(seed)).with_devices(4);
        (mix.contacts, mix.rates) = (60, Rates::usual().times(4.0));
        let (outcome, lines, logged) = numbers.watch(|| run(seed, &mix, &rows, |_| {}));
        assert!(outcome.differences.is_empty(), "{:?}", outcome.differences);
        assert!(lines > 10, "the database fails, and that is logged");
        assert!(logged.is_empty(), "{logged:?}");
    }
}
