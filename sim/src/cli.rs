//! What the program does with what it is asked for.

mod options;
mod page;
mod scripts;
mod seeds;

use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use callbook_sim::page::{Failure, Page};
use callbook_sim::{
    Course, Outcome, Row, Stats, Trace, read, replay, report, run_watched, silence_panics,
};
use clap::Parser;

use crate::{mutants, scenario};
use options::{Command, Options};
use page::{closer, speed};
use scripts::{Short, keep_short, replay_file};
use seeds::{bar, cores, many, one};

/// What is said of a run that ends well.
const AGREE: &str = "All books agree: every phone's, the server's and the model's.";

pub(crate) fn main() -> ExitCode {
    let options = Options::parse();
    if options.list_faults {
        print!("{}", report::faults());
        return ExitCode::SUCCESS;
    }
    let most = options.count.map_or(usize::MAX, NonZeroUsize::get);
    // A draw of the standard mix takes its few contacts from anywhere in the file.
    let most = if options.are_many() { usize::MAX } else { most };
    let done = read(options.contacts.as_deref(), most).map_err(|error| error.to_string()).and_then(
        |rows| match &options.command {
            Some(Command::Replay { file, report, trace }) => {
                Ok(replay_file(file, (report.as_deref(), trace.as_deref()), &rows))
            }
            Some(Command::Scenario { fault, guards, mistake, seed }) => {
                scenario::make(*fault, guards, mistake.as_deref(), *seed, &rows)
            }
            Some(Command::Mutants) => {
                let bar = bar(1, "{wide_bar} {pos} of {len} mistakes, {eta} to go");
                mutants::run(cores(), &bar)
            }
            None => run(&options, &rows),
        },
    );
    done.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

/// Runs what is asked for, and tells what came of it.
fn run(options: &Options, rows: &[Row]) -> Result<ExitCode, String> {
    if options.trace.is_some() && options.seeds.is_some_and(|seeds| seeds.get() > 1) {
        return Err("a trace is of one run: say --seeds 1, and the seed with --seed".to_owned());
    }
    // Before a run that may take long.
    let (trace, report) = (options.trace.as_deref(), options.report.as_deref());
    let (trace_file, report_file) = (create(trace)?, create(report)?);
    let watch = Arc::new(options.watch(trace_file));
    silence_panics();
    let started = now();
    let outcomes = match options.are_many() && trace.is_none() {
        false => vec![(options.seed, one(options, rows, &watch))],
        true => many(options, started, rows),
    };
    let wall = started.elapsed();
    let logged = watch.requests.as_ref().map_or(Ok(()), |log| log.finish());

    let all = All::of(&outcomes, wall);
    let failed: Vec<_> = outcomes.iter().filter(|(_, it)| !it.differences.is_empty()).collect();
    for (seed, outcome) in &failed {
        println!("Seed {seed} fails:");
        for difference in outcome.differences.iter().take(12) {
            println!("{}", report::wrapped(&difference.to_string(), "  ", "    "));
        }
        println!("Repeat it with:\n  {}", options.repeat(*seed));
        println!("trace: {}", outcome.trace);
    }
    let first = failed.first().filter(|_| !options.no_shrink);
    let short = first.and_then(|(seed, outcome)| keep_short(*seed, outcome, rows));
    let written =
        write(report.zip(report_file), || page(options, &failed, short.as_ref(), &all, rows));
    let seeds = all.seeds;
    print!("{}", report::table(&all.stats, seeds, wall));
    match failed.len() {
        0 => {
            println!("{AGREE}");
            for fault in options.only.iter().filter(|it| !all.stats.faults.contains_key(it)) {
                let name = fault.name();
                println!("But {name} never happened: run more seeds, or say --rate {name}=10.");
            }
            println!("trace: {}", all.trace);
        }
        failed => println!("{failed} of {seeds} seeds failed, in {:.1} s.", wall.as_secs_f64()),
    }
    let shown = trace.unwrap_or(Path::new("")).display();
    logged.map_err(|error| format!("cannot write {shown}: {error}"))?;
    written?;
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All runs together.
struct All {
    stats: Stats,
    course: Course,
    trace: String,
    seeds: u64,
    wall: Duration,
}

impl All {
    fn of(outcomes: &[(u64, Outcome)], wall: Duration) -> Self {
        let (mut stats, mut trace) = (Stats::default(), Trace::default());
        let mut course = Course::default();
        for (_, outcome) in outcomes {
            course.add(&outcome.course);
            stats.add(&outcome.stats);
            trace.note(outcome.trace.as_bytes());
        }
        let trace = match outcomes {
            [(_, only)] => only.trace.clone(),
            _ => trace.finish(),
        };
        Self { stats, course, trace, seeds: outcomes.len() as u64, wall }
    }
}

/// The page that `--report` asks for.
fn page(
    options: &Options,
    failed: &[&(u64, Outcome)],
    short: Option<&Short>,
    all: &All,
    rows: &[Row],
) -> String {
    let mut failures = Vec::new();
    for (index, (seed, Outcome { differences, .. })) in failed.iter().enumerate() {
        let short = short.filter(|_| index == 0).and_then(|short| short.command.clone());
        let command = options.repeat(*seed);
        failures.push(Failure { seed: *seed, command, short, differences });
    }
    let mix = options.mix(options.seed);
    let closer = failures.first().map(|failure| match short {
        Some(short) => closer(Some(&short.difference), |watch| replay(&short.script, rows, watch)),
        None => closer(failure.differences.first(), |watch| {
            run_watched(failure.seed, &options.mix(failure.seed), rows, watch, |_| {})
        }),
    });
    Page {
        mix: (!options.are_many()).then_some(&mix),
        seed: options.seed,
        seeds: all.seeds,
        time: mix.until_calm(),
        command: &options.command(options.seed, all.seeds),
        stats: &all.stats,
        course: &all.course,
        trace: &all.trace,
        wall: all.wall,
        failures: &failures,
        closer,
        speed: speed(rows),
    }
    .html()
}

/// How long something took is for people to read; and making a script short has to end.
fn now() -> Instant {
    #[allow(clippy::disallowed_methods)]
    Instant::now()
}

fn create(path: Option<&Path>) -> Result<Option<File>, String> {
    let create = |path: &Path| {
        File::create(path)
            .map_err(|error| format!("cannot make the file {}: {error}", path.display()))
    };
    path.map(create).transpose()
}

/// Writes a text into a file that was made for it, if it was.
fn write(to: Option<(&Path, File)>, text: impl FnOnce() -> String) -> Result<(), String> {
    let Some((path, mut file)) = to else { return Ok(()) };
    file.write_all(text().as_bytes())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}
