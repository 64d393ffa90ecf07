//! `cargo sim -- scenario`: makes the short script that shows one fault alone. Checking what comes of it must
//! never live here.

use std::process::ExitCode;
use std::sync::Arc;

use callbook_sim::{Fault, Mix, Rates, Row, Script, replay, run, shrink};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// How many seeds are tried until one meets the fault.
const MOST_SEEDS: u64 = 200;

/// Prints a scenario of `fault`, from the first seed from `seed` on that meets it, which says what it
/// guards.
pub(super) fn make(fault: Fault, guards: &str, seed: u64, rows: &[Row]) -> ExitCode {
    let Some(script) = (seed..).take(MOST_SEEDS as usize).find_map(|seed| met(seed, fault, rows))
    else {
        eprintln!(
            "error: {MOST_SEEDS} seeds from {seed} on do not meet the fault {}",
            fault.name()
        );
        return ExitCode::FAILURE;
    };
    let short = shrink(script, |script| shows(script, fault, rows), |_| true);
    let mut told = replay(&short, rows, &Arc::default()).script;
    told.remarks = vec![guards.to_owned()];
    print!("{told}");
    ExitCode::SUCCESS
}

/// A short run in which nothing but this fault happens, if it does.
fn met(seed: u64, fault: Fault, rows: &[Row]) -> Option<Script> {
    let mut mix = Mix::standard(&mut ChaCha8Rng::seed_from_u64(!seed)).with_devices(4);
    (mix.contacts, mix.clears) = (12, 0.0);
    mix.through_providers = fault.is_of_providers();
    let often = Rates::usual().times(0.02 / fault.usual_rate());
    mix.rates = often.filter(|other| other == fault);
    let script = run(seed, &mix, rows, |_| {}).script;
    shows(&script, fault, rows).then_some(script)
}

/// So much is at least done by people, or there would be nothing to lose.
const FEWEST_CHANGES: u64 = 10;

/// Whether each strike of a script strikes, one is counted, and the run, in which people do something, ends
/// well.
fn shows(script: &Script, fault: Fault, rows: &[Row]) -> bool {
    let outcome = replay(script, rows, &Arc::default());
    outcome.differences.is_empty()
        && outcome.stats.faults.contains_key(&fault)
        && outcome.stats.changes >= FEWEST_CHANGES
        && outcome.script.kept.strikes == script.kept.strikes
}
