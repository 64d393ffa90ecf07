//! The table at the end of a run, and whether its ratios hold.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::simulation::Compared;
use crate::{numbers, owners, push};

/// A figure of ours beside that of what a user would pick instead. Both are benchmarks of this run, by
/// `group/name`.
pub(crate) struct Pair {
    pub(crate) what: &'static str,
    pub(crate) ours: &'static str,
    pub(crate) instead: &'static str,
    /// Of how many things one iteration is.
    pub(crate) of: f64,
    /// How many times faster ours is to be, and a run fails below [`ENOUGH`] of that.
    pub(crate) times: Option<f64>,
    /// Nanoseconds that one thing is to take at most.
    pub(crate) nanoseconds: Option<f64>,
}

/// A shared machine is not quiet: of its goal a ratio must reach so much.
const ENOUGH: f64 = 0.6;

/// Without simulations, a run of chosen benchmarks is told of alone.
pub(crate) fn print(home: &Path, simulations: Option<&[Compared]>) -> ExitCode {
    println!(
        "\nnanoseconds for one, and how many times faster than what a user would pick instead\n"
    );
    let mut failed = Vec::new();
    for pair in numbers::PAIRS.iter().chain(owners::PAIRS).chain(push::PAIRS) {
        let (Some(ours), Some(instead)) = (mean(home, pair.ours), mean(home, pair.instead)) else {
            continue; // left out of this run
        };
        let (ours, instead) = (ours / pair.of, instead / pair.of);
        let times = instead / ours;
        let name = pair.instead.rsplit('/').next().unwrap();
        let most = pair.nanoseconds.map(|most| format!("goal ≤ {most} ns"));
        let least = pair.times.map(|least| format!("goal ≥ {least} times"));
        let goals: Vec<String> = most.into_iter().chain(least).collect();
        println!("{}", pair.what);
        println!("{:>12.1}  ours    {}", ours, goals.join(", "));
        println!("{instead:>12.1}  {name}: {times:.2} times");
        if pair.times.is_some_and(|goal| times < goal * ENOUGH) {
            failed.push(pair.what);
        }
    }
    if let Some(simulations) = simulations {
        print_whole(simulations);
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nFailed: below {ENOUGH} of the ratio that is the goal: {}", failed.join("; "));
    ExitCode::FAILURE
}

/// What a run of all tells beside its benchmarks.
fn print_whole(simulations: &[Compared]) {
    for Compared { phones, ours, turmoil } in simulations {
        let of = |time: Duration| time.as_nanos() as f64 / *phones as f64;
        let times = of(turmoil.0) / of(ours.0);
        println!("a phone of {phones} in three virtual hours");
        println!("{:>12.0}  ours, {} requests in all", of(ours.0), ours.1);
        println!("{:>12.0}  turmoil, {} requests: {times:.2} times", of(turmoil.0), turmoil.1);
    }
    numbers::facts();
    owners::facts();
    push::facts();
}

/// The mean of a benchmark of this run, in nanoseconds for an iteration.
pub(crate) fn mean(home: &Path, benchmark: &str) -> Option<f64> {
    let file = home.join(benchmark).join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    estimates["mean"]["point_estimate"].as_f64()
}
