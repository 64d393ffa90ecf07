//! `cargo sim -- scenario`: makes the short script that shows one fault alone. Checking what comes of it must
//! never live here.

use std::process::ExitCode;
use std::sync::Arc;

use callbook_sim::{Fault, Mix, Rates, Row, Script, replay, run, shrink};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::mutants::{self, Program};

/// How many seeds are tried until one meets the fault.
const MOST_SEEDS: u64 = 200;

/// Prints a scenario of `fault`, from the first seed from `seed` on that meets it, which says what it
/// guards; with the name of a mistake of [`mutants`] one that fails when that is made.
///
/// # Errors
/// No seed gives one, no mistake has this name, or the program with the mistakes cannot be made.
pub(super) fn make(
    fault: Fault,
    guards: &str,
    mistake: Option<&str>,
    seed: u64,
    rows: &[Row],
) -> Result<ExitCode, String> {
    let caught = match mistake {
        Some(name) => {
            let mistake = mutants::named(name)?; // before a build that takes minutes
            Some((Program::build()?, mistake))
        }
        None => None,
    };
    let mut failed = Ok(());
    let mut is_kept = |script: &Script| {
        shows(script, fault, rows)
            && caught.as_ref().is_none_or(|(program, mistake)| {
                program.is_caught(*mistake, script).unwrap_or_else(|error| {
                    failed = Err(error);
                    false
                })
            })
    };
    let mut scripts = (seed..).take(MOST_SEEDS as usize).map(|seed| script(seed, fault, rows));
    let short = scripts.find(&mut is_kept).map(|it| shrink(it, &mut is_kept, |_| true));
    failed?;
    let Some(short) = short else {
        let name = fault.name();
        return Err(format!(
            "{MOST_SEEDS} seeds from {seed} on give no scenario of the fault {name}"
        ));
    };
    let mut told = replay(&short, rows, &Arc::default()).script;
    told.remarks = [guards.to_owned()].into_iter().chain(mistake.map(mutants::remark)).collect();
    print!("{told}");
    Ok(ExitCode::SUCCESS)
}

/// A short run in which nothing but this fault may happen.
fn script(seed: u64, fault: Fault, rows: &[Row]) -> Script {
    let mut mix = Mix::standard(&mut ChaCha8Rng::seed_from_u64(!seed)).with_devices(4);
    mix.contacts = 12;
    mix.through_providers = fault.is_of_providers();
    let often = Rates::usual().times(OFTEN / fault.usual_rate());
    mix.rates = often.filter(|other| other == fault);
    run(seed, &mix, rows, |_| {}).script
}

/// At so many of its chances the fault strikes.
const OFTEN: f64 = 0.1;

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
