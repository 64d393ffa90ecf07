//! Runs one seed or many, on all cores, and tells how far that is.

use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use callbook_sim::{Coverage, Numbers, Outcome, Row, Watch, run, run_watched};
use indicatif::{ProgressBar, ProgressStyle};

use super::options::Options;

pub(crate) fn one(options: &Options, rows: &[Row], watch: &Arc<Watch>) -> Outcome {
    let bar = bar(1_000, "{wide_bar} {percent}% of the virtual days, {elapsed}");
    let outcome = run_watched(options.seed, &options.mix(options.seed), rows, watch, |share| {
        bar.set_position((share * 1_000.0) as u64);
    });
    bar.finish_and_clear();
    outcome
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Every so many seeds one is run twice: it must be the same run. The second time all that it logs is looked at.
const TWICE: u64 = 10;

/// Runs seeds on all cores, as many or as long as was said; in the order of the seeds, up to the first
/// that fails unless it was said to go on.
pub(crate) fn many(options: &Options, started: Instant, rows: &[Row]) -> Vec<(u64, Outcome)> {
    let seeds = options.seeds.map_or(u64::MAX, NonZeroU64::get);
    let time = options.time.unwrap_or(Duration::MAX);
    let bar = match options.time {
        None => bar(seeds, "{wide_bar} {pos} of {len} seeds, {msg}, {eta} to go"),
        Some(time) => bar(time.as_secs(), "{wide_bar} {msg}, {eta} to go"),
    };
    let numbers = Arc::new(Numbers::of(rows));
    let next = AtomicU64::new(0);
    let first_failed = AtomicU64::new(u64::MAX);
    let (done, coverage) = (Mutex::new(Vec::new()), Mutex::new(Coverage::default()));
    let cores = options.threads.map_or_else(cores, NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = started.elapsed() >= time || index >= seeds;
                    if is_over || index > first_failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let seed = options.seed.wrapping_add(index);
                    let watch = Arc::new(options.watch(None));
                    let mut outcome = run_watched(seed, &options.mix(seed), rows, &watch, |_| {});
                    if index % TWICE == TWICE - 1 {
                        let again = || run(seed, &options.mix(seed), rows, |_| {});
                        let (again, _, logged) = numbers.watch(again);
                        outcome.compare(&again);
                        outcome.differences.extend(logged);
                    }
                    if !outcome.differences.is_empty() && !options.keep_going {
                        first_failed.fetch_min(index, Ordering::Relaxed);
                    }
                    let mut done = done.lock().expect("no thread panics with it");
                    coverage.lock().expect("no thread panics with it").add(&outcome.stats.coverage);
                    done.push((index, seed, outcome));
                    let (met, all) = coverage.lock().expect("no thread panics with it").count();
                    let minutes = started.elapsed().as_secs_f64() / 60.0;
                    let rate = done.len() as f64 / minutes;
                    match options.time {
                        None => {
                            bar.set_message(format!("{rate:.0} a minute, {met} of {all} pairs"));
                            bar.inc(1);
                        }
                        Some(_) => {
                            let seeds = done.len();
                            bar.set_position(started.elapsed().as_secs());
                            bar.set_message(format!(
                                "{seeds} seeds, {rate:.0} a minute, {met} of {all} pairs"
                            ));
                        }
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().expect("no thread panics with it");
    done.sort_by_key(|(index, ..)| *index);
    let last = first_failed.into_inner();
    let kept = done.into_iter().filter(|(index, ..)| *index <= last);
    kept.map(|(_, seed, outcome)| (seed, outcome)).collect()
}

/// On a terminal, in its standard error; elsewhere nothing.
pub(crate) fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is sound");
    ProgressBar::new(length).with_style(style)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn however_many_threads_run_them_seeds_are_the_same() {
        let rows = callbook_sim::read(None, usize::MAX).unwrap();
        let traces = |threads: &str| {
            let said = ["sim", "--seed", "6", "--seeds", "3", "--threads", threads];
            let done = many(&Options::parse_from(said), crate::cli::now(), &rows);
            done.into_iter().map(|(seed, outcome)| (seed, outcome.trace)).collect::<Vec<_>>()
        };
        let alone = traces("1");
        assert_eq!(alone.len(), 3);
        assert_eq!(alone, traces("4"));
    }
}
