//! The table at the end of a run, and whether its ratios hold.

use std::path::Path;
use std::process::ExitCode;

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

pub(crate) fn print(home: &Path) -> ExitCode {
    println!("\n{:<46}{:>9}{:>10}{:>8}  goal", "nanoseconds for one", "ours", "instead", "times");
    let mut failed = Vec::new();
    for pair in numbers::PAIRS.iter().chain(owners::PAIRS).chain(push::PAIRS) {
        let (Some(ours), Some(instead)) = (mean(home, pair.ours), mean(home, pair.instead)) else {
            continue; // left out of this run
        };
        let (ours, instead) = (ours / pair.of, instead / pair.of);
        let times = instead / ours;
        let goal = match (pair.nanoseconds, pair.times) {
            (Some(most), Some(times)) => format!("≤ {most}, ≥ {times}"),
            (Some(most), None) => format!("≤ {most}"),
            (None, Some(times)) => format!("≥ {times}"),
            (None, None) => String::new(),
        };
        let (what, _, instead_name) =
            (pair.what, pair.ours, pair.instead.rsplit('/').next().unwrap());
        println!("{what:<46}{ours:>9.1}{instead:>10.1}{times:>8.2}  {goal}");
        println!("  instead: {instead_name}");
        if pair.times.is_some_and(|goal| times < goal * ENOUGH) {
            failed.push(what);
        }
    }
    numbers::facts();
    owners::facts();
    push::facts();
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nFailed: below {ENOUGH} of the ratio that is the goal: {}", failed.join("; "));
    ExitCode::FAILURE
}

/// The mean of a benchmark of this run, in nanoseconds for an iteration.
pub(crate) fn mean(home: &Path, benchmark: &str) -> Option<f64> {
    let file = home.join(benchmark).join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    estimates["mean"]["point_estimate"].as_f64()
}
