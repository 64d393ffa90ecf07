//! Runs small enough for every test run: that they agree, and that a seed is one run.

#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::sync::{Arc, Mutex};

use callbook_sim::{
    Difference, Fault, Mix, Outcome, Rates, RequestLog, Tape, Watch, read, run, run_watched,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn small(seed: u64) -> Outcome {
    with_rates(seed, Rates::usual().times(2.0))
}

fn with_rates(seed: u64, rates: Rates) -> Outcome {
    let mut mix = Mix::standard(&mut ChaCha8Rng::seed_from_u64(!seed)).with_devices(4);
    (mix.contacts, mix.rates) = (40, rates);
    // So that what strikes only them can strike.
    mix.through_providers |= Fault::ALL.iter().all(|it| it.is_of_providers() || rates[*it] == 0.0);
    run(seed, &mix, &read(None, 2_000).unwrap(), |_| {})
}

#[test]
fn all_books_agree() {
    for seed in 1..=4 {
        let outcome = small(seed);
        assert!(outcome.differences.is_empty(), "seed {seed}: {:?}", outcome.differences);
        let stats = outcome.stats;
        assert!(stats.hidden > 0 && stats.deleted > 0 && stats.stored_calls > 0, "{stats:?}");
        assert!(stats.faults.len() > 5, "{stats:?}");
    }
}

/// Each fault by itself, often: it happens, it is counted, no other does, and all books agree.
#[test]
fn each_fault_alone_does_no_harm() {
    for (seed, fault) in (20..).zip(Fault::ALL) {
        let often = Rates::usual().times(0.08 / fault.usual_rate());
        // A fault that lasts has few chances to begin: some seeds pass it by.
        let mut outcomes =
            (0..5).map(|n| with_rates(seed + 100 * n, often.filter(|other| other == *fault)));
        let outcome = outcomes.find(|outcome| !outcome.stats.faults.is_empty());
        let outcome = outcome.unwrap_or_else(|| panic!("{fault} is not met"));
        assert!(outcome.differences.is_empty(), "{fault}: {:?}", outcome.differences);
        let met: Vec<&Fault> = outcome.stats.faults.keys().collect();
        assert_eq!(met, [fault]);
    }
}

/// Whoever looks on changes nothing, and sees how books come together.
#[test]
fn a_run_that_is_watched_is_the_same_run() {
    let mut mix = Mix::standard(&mut ChaCha8Rng::seed_from_u64(9)).with_devices(4);
    (mix.contacts, mix.rates) = (40, Rates::usual());
    let rows = read(None, 2_000).unwrap();
    let watch = Arc::new(Watch {
        requests: Some(RequestLog::new(std::io::sink())),
        course: Some(Mutex::default()),
        tape: Some(Tape::of(&Difference("of all".to_owned()))),
    });
    let (outcome, watched) =
        (run(9, &mix, &rows, |_| {}), run_watched(9, &mix, &rows, &watch, |_| {}));
    assert_eq!(outcome.trace, watched.trace);
    assert_eq!(outcome.stats, watched.stats);
    let course = watched.course;
    let (first, last) = (course.samples[0], course.samples[100]);
    assert!(first.devices == 4 && last.devices == 4 && last.differing == 0, "{first:?}, {last:?}");
    assert!(course.samples.iter().any(|sample| sample.differing > 0));
    assert!(course.percentile(50) > Some(0));
}

#[test]
fn the_same_seed_is_the_same_run() {
    let (first, again, other) = (small(7), small(7), small(8));
    assert_eq!(first.trace, again.trace);
    assert_ne!(first.trace, other.trace);
}

/// A release with other numbering tables comes while phones sync: numbers get other keys, and owners
/// with them.
#[test]
fn a_release_rekeys_the_book_while_phones_sync() {
    let mut mix = Mix::standard(&mut ChaCha8Rng::seed_from_u64(3)).with_devices(4);
    (mix.contacts, mix.rates) = (150, mix.rates.set(Fault::ReleaseRekeys, 1.0));
    let outcome = run(3, &mix, &read(None, 2_000).unwrap(), |_| {});
    assert!(outcome.differences.is_empty(), "{:?}", outcome.differences);
    assert!(outcome.stats.rekeyed > 5, "{:?}", outcome.stats);
}
