//! `cargo sim`: options, threads, progress and the exit code. A run itself is the library's.

mod mutants;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use callbook_base::{ContactId, Timestamp};
use callbook_dedup::{Claim, number_key, oldest_wins};
use callbook_sim::page::{Closer, Failure, Page, Speed};
use callbook_sim::{
    Course, Coverage, Fault, Mix, Outcome, Rates, RequestLog, Row, Script, Stats, Tape, Trace,
    Watch, read, replay, report, run, run_watched, shrink, silence_panics,
};
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lets virtual phones share a book while everything fails, and checks that all books agree.
///
/// Without options: 25 phones of 8 people with 20,000 real-format numbers, for three virtual days.
#[derive(Parser)]
#[command(
    name = "callbook-sim",
    version,
    term_width = 80,
    override_usage = "cargo sim -- [OPTIONS]\n       cargo sim -- replay FILE\n       cargo sim -- mutants",
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  cargo sim\n  cargo sim -- --seed 7\n  cargo sim -- --seeds 200\n  \
        cargo sim -- --contacts my-numbers.csv --count 5000\n  \
        cargo sim -- --seeds 50 --only answer-lost,phone-crashed\n  \
        cargo sim -- replay sim/scenarios/answer-lost.sim"
)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,

    /// The seed of the run, or the first of several; the same seed makes the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many phones; of more than 25 each is used less, so that their book changes as often as that
    /// of 25, and they live for twelve hours
    #[arg(long, value_name = "N")]
    devices: Option<NonZeroUsize>,

    /// Runs so many draws of the standard mix (3 to 8 phones, 200 contacts at most, one day), one
    /// for each seed, on all cores
    #[arg(long, value_name = "N")]
    seeds: Option<NonZeroU64>,

    /// Runs seeds of the standard mix for so long, such as 90s, 10m or 8h
    #[arg(long = "for", value_name = "TIME", conflicts_with = "seeds", value_parser = humantime::parse_duration)]
    time: Option<Duration>,

    /// Goes on after a seed that fails, and shows all that did at the end
    #[arg(long)]
    keep_going: bool,

    /// A CSV file with the columns created_at (milliseconds since 1970), region (ISO 3166), phone (as
    /// written) and, if known, e164
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,

    /// How many of its rows
    #[arg(long, value_name = "N")]
    count: Option<NonZeroUsize>,

    /// Lets only these faults happen, at their usual rates; several with commas between
    #[arg(long, value_name = "FAULT", value_delimiter = ',', conflicts_with = "without")]
    only: Vec<Fault>,

    /// Lets these faults not happen
    #[arg(long, value_name = "FAULT", value_delimiter = ',')]
    without: Vec<Fault>,

    /// Shows all faults with their usual rates, and ends
    #[arg(long)]
    list_faults: bool,

    /// Writes each request that the service gets into a file, a line of JSON each, to be played against
    /// another server; with the made-up numbers, passwords and tokens of the simulation
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "time"])]
    trace: Option<PathBuf>,

    /// Writes a page of HTML about the run: how books came together, how long syncs took, what went
    /// wrong, and of a seed that fails the last events
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Does not make a seed that fails a short script
    #[arg(long)]
    no_shrink: bool,

    /// How many seeds run at once; as many as there are cores if it is not said
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a script: a kept scenario, or what a failing seed was made short to
    Replay {
        /// The script
        file: PathBuf,
    },
    /// Builds this simulator with deliberate mistakes in the code that it tests, and shows which of them it
    /// finds, by what, and after how many seeds
    Mutants,
}

impl Options {
    /// Whether draws of the standard mix are run, rather than the main run.
    fn are_many(&self) -> bool {
        self.seeds.is_some() || self.time.is_some()
    }

    /// What a seed runs.
    fn mix(&self, seed: u64) -> Mix {
        let mut mix = match self.are_many() {
            // Another stream than the run's own, which the seed begins too.
            true => Mix::standard(&mut ChaCha8Rng::seed_from_u64(!seed)),
            false => Mix::main(),
        };
        if let Some(devices) = self.devices {
            mix = mix.with_devices(devices.get());
        }
        if let Some(count) = self.count {
            mix.contacts = count.get();
        }
        mix.rates = match self.only.as_slice() {
            [] => mix.rates.filter(|fault| !self.without.contains(&fault)),
            only => Rates::usual().filter(|fault| only.contains(&fault)),
        };
        mix
    }

    /// What is to be told of a run.
    fn watch(&self, trace: Option<File>) -> Watch {
        let requests = trace.map(|file| RequestLog::new(BufWriter::new(file)));
        Watch { requests, course: self.report.as_ref().map(|_| Mutex::default()), tape: None }
    }

    /// The command that repeats a seed.
    fn repeat(&self, seed: u64) -> String {
        self.command(seed, 1)
    }

    /// The command that runs so many seeds.
    fn command(&self, seed: u64, seeds: u64) -> String {
        let mut command = format!("cargo sim -- --seed {seed}");
        let mut add = |name: &str, value: Option<String>| {
            command.extend(value.map(|value| format!(" --{name} {value}")));
        };
        add("seeds", self.are_many().then(|| seeds.to_string()));
        add("devices", self.devices.map(|devices| devices.to_string()));
        add("contacts", self.contacts.as_ref().map(|file| format!("'{}'", file.display())));
        add("count", self.count.map(|count| count.to_string()));
        let names = |faults: &[Fault]| {
            let names: Vec<&str> = faults.iter().map(|fault| fault.name()).collect();
            (!names.is_empty()).then(|| names.join(","))
        };
        add("only", names(&self.only));
        add("without", names(&self.without));
        command
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list_faults {
        print!("{}", report::faults());
        return ExitCode::SUCCESS;
    }
    let most = options.count.map_or(usize::MAX, NonZeroUsize::get);
    // A draw of the standard mix takes its few contacts from anywhere in the file.
    let most = if options.are_many() { usize::MAX } else { most };
    let rows = match read(options.contacts.as_deref(), most) {
        Ok(rows) => rows,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    match &options.command {
        Some(Command::Replay { file }) => return replay_file(file, &rows),
        Some(Command::Mutants) => {
            return mutants::run(
                cores(),
                &bar(1, "{wide_bar} {pos} of {len} mistakes, {eta} to go"),
            );
        }
        None => {}
    }
    // Before a run that may take long.
    let (trace, report) = match (create(options.trace.as_ref()), create(options.report.as_ref())) {
        (Ok(trace), Ok(report)) => (trace, report),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let watch = Arc::new(options.watch(trace));
    silence_panics();
    let started = now();
    let outcomes = match options.are_many() {
        false => vec![(options.seed, one(&options, &rows, &watch))],
        true => many(&options, started, &rows),
    };
    let wall = started.elapsed();
    let mut ends_well = ExitCode::SUCCESS;
    if let (Some(path), Some(log)) = (&options.trace, &watch.requests)
        && let Err(error) = log.finish()
    {
        eprintln!("error: cannot write {}: {error}", path.display());
        ends_well = ExitCode::from(2);
    }

    let mut stats = Stats::default();
    let mut trace = Trace::default();
    let mut course = Course::default();
    for (_, outcome) in &outcomes {
        course.add(&outcome.course);
        stats.add(&outcome.stats);
        trace.note(outcome.trace.as_bytes());
    }
    let seeds = outcomes.len() as u64;
    let failed: Vec<_> = outcomes.iter().filter(|(_, it)| !it.differences.is_empty()).collect();
    let only = (seeds == 1).then(|| outcomes.first().map(|(_, outcome)| outcome.trace.clone()));
    let trace = only.flatten().unwrap_or_else(|| trace.finish());
    if let (Some(path), Some(mut file)) = (&options.report, report) {
        let all = All { stats: &stats, course: &course, trace: &trace, wall };
        let page = page(&options, &outcomes, &all, &rows);
        if let Err(error) = file.write_all(page.as_bytes()) {
            eprintln!("error: cannot write {}: {error}", path.display());
            ends_well = ExitCode::from(2);
        }
    }
    for (seed, outcome) in &failed {
        println!("Seed {seed} fails:");
        for difference in outcome.differences.iter().take(12) {
            println!("  {difference}");
        }
        println!("Repeat it with:\n  {}", options.repeat(*seed));
        println!("trace: {}", outcome.trace);
    }
    if let Some((seed, outcome)) = failed.first() {
        if !options.no_shrink {
            keep_short(*seed, outcome, &rows);
        }
        println!("{} of {seeds} seeds failed, in {:.1} s.", failed.len(), wall.as_secs_f64());
        return ExitCode::FAILURE;
    }
    print!("{}", report::table(&stats, seeds, wall));
    println!("All books agree: every phone's, the server's and the model's.");
    println!("trace: {trace}");
    ends_well
}

/// How long something took is for people to read; and making a script short has to end.
fn now() -> Instant {
    #[allow(clippy::disallowed_methods)]
    Instant::now()
}

/// Runs a script and says what came of it.
fn replay_file(file: &Path, rows: &[Row]) -> ExitCode {
    let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let script = read.and_then(|text| text.parse::<Script>().map_err(|error| error.to_string()));
    let script = match script {
        Ok(script) => script,
        Err(error) => {
            eprintln!("error: cannot read the script {}: {error}", file.display());
            return ExitCode::from(2);
        }
    };
    let outcome = replay(&script, rows, &Arc::default());
    print!("{}", outcome.script);
    println!();
    for difference in &outcome.differences {
        println!("{difference}");
    }
    if outcome.differences.is_empty() {
        println!("All books agree: every phone's, the server's and the model's.");
    }
    println!("trace: {}", outcome.trace);
    if outcome.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long a script that fails may take to become short.
const SHRINKING: Duration = Duration::from_secs(60);

/// Makes a failing seed a short script, keeps it in a file, and says how to replay it.
fn keep_short(seed: u64, outcome: &Outcome, rows: &[Row]) {
    let started = now();
    let bar = bar(SHRINKING.as_secs(), "making it short: {msg}, {elapsed}");
    let script = shrink(
        outcome.script.clone(),
        |script| !replay(script, rows, &Arc::default()).differences.is_empty(),
        |best| {
            let doings = best.kept.phones.values();
            let changes: usize = doings.map(|it| it.saves.len() + it.changes.len()).sum();
            let (phones, faults) = (best.kept.phones.len(), best.kept.strikes.len());
            bar.set_message(format!("{phones} phones, {changes} changes, {faults} faults"));
            bar.tick();
            started.elapsed() < SHRINKING
        },
    );
    bar.finish_and_clear();
    let mut short = replay(&script, rows, &Arc::default());
    let Some(difference) = short.differences.first() else {
        println!("It does not fail when it is run as a script: please keep the command above.");
        return;
    };
    short.script.remarks = vec![format!("Seed {seed}: {difference}")];
    let text = short.script.to_string();
    let file = Path::new("target/sim").join(format!("seed-{seed}.sim"));
    let kept = std::fs::create_dir_all("target/sim").and_then(|()| std::fs::write(&file, &text));
    println!("\nMade short in {:.1} s:\n", started.elapsed().as_secs_f64());
    let lines: Vec<&str> = text.lines().take(60).collect();
    println!("{}", lines.join("\n"));
    match kept {
        Ok(()) => println!("\nReplay it with:\n  cargo sim -- replay {}\n", file.display()),
        Err(error) => println!("\nIt cannot be kept in {}: {error}\n", file.display()),
    }
}

fn create(path: Option<&PathBuf>) -> Result<Option<File>, String> {
    let create = |path: &PathBuf| {
        File::create(path)
            .map_err(|error| format!("cannot make the file {}: {error}", path.display()))
    };
    path.map(create).transpose()
}

/// Of all runs together.
struct All<'a> {
    stats: &'a Stats,
    course: &'a Course,
    trace: &'a str,
    wall: Duration,
}

/// The page that `--report` asks for.
fn page(options: &Options, outcomes: &[(u64, Outcome)], all: &All<'_>, rows: &[Row]) -> String {
    let failed = outcomes.iter().filter(|(_, outcome)| !outcome.differences.is_empty());
    let mut failures = Vec::new();
    for (seed, Outcome { differences, .. }) in failed {
        failures.push(Failure { seed: *seed, command: options.repeat(*seed), differences });
    }
    let mix = options.mix(options.seed);
    let seeds = outcomes.len() as u64;
    Page {
        mix: (!options.are_many()).then_some(&mix),
        seed: options.seed,
        seeds,
        time: mix.time,
        command: &options.command(options.seed, seeds),
        stats: all.stats,
        course: all.course,
        trace: all.trace,
        wall: all.wall,
        failures: &failures,
        closer: failures.first().map(|failure| closer(options, failure, rows)),
        speed: speed(rows),
    }
    .html()
}

/// Runs a seed that has failed once more, and looks closely.
fn closer(options: &Options, failure: &Failure<'_>, rows: &[Row]) -> Closer {
    let (seed, difference) = (failure.seed, &failure.differences[0]);
    let tape = Tape::of(difference);
    let about = tape.about().map(str::to_owned);
    let watch = Arc::new(Watch { tape: Some(tape), ..Watch::default() });
    let outcome = run_watched(seed, &options.mix(seed), rows, &watch, |_| {});
    let events = |tape: &Tape| tape.events(outcome.stats.virtual_ms, difference);
    Closer { about, events: watch.tape.as_ref().map(events).unwrap_or_default() }
}

/// How fast numbers are read here: how many, in a quarter of a second.
fn speed(rows: &[Row]) -> Speed {
    let key = |row: &Row| number_key(&row.number, &row.region);
    let claim = |row: &Row| {
        let created_at = Timestamp::from_millis(row.created_at);
        Some((key(row)?, Claim { created_at, contact: ContactId::new(created_at, [0; 10]) }))
    };
    let claims: Vec<_> = rows.iter().filter_map(claim).collect();
    Speed {
        keys: a_second(rows.len(), || rows.iter().filter_map(key).count()),
        owners: a_second(claims.len(), || oldest_wins(&claims, 1).iter().count()),
    }
}

/// How many things are done in a second by a function that does so many.
fn a_second(many: usize, work: impl Fn() -> usize) -> u64 {
    let started = now();
    let mut done = 0;
    while started.elapsed() < Duration::from_millis(250) {
        std::hint::black_box(work());
        done += many;
    }
    (done as f64 / started.elapsed().as_secs_f64()) as u64
}

fn one(options: &Options, rows: &[Row], watch: &Arc<Watch>) -> Outcome {
    let bar = bar(1_000, "{wide_bar} {percent}% of the virtual days, {elapsed}");
    let outcome = run_watched(options.seed, &options.mix(options.seed), rows, watch, |share| {
        bar.set_position((share * 1_000.0) as u64);
    });
    bar.finish_and_clear();
    outcome
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Every so many seeds one is run twice: it must be the same run.
const TWICE: u64 = 10;

/// Runs seeds on all cores, as many or as long as was said; in the order of the seeds, up to the first
/// that fails unless it was said to go on.
fn many(options: &Options, started: Instant, rows: &[Row]) -> Vec<(u64, Outcome)> {
    let seeds = options.seeds.map_or(u64::MAX, NonZeroU64::get);
    let time = options.time.unwrap_or(Duration::MAX);
    let bar = match options.time {
        None => bar(seeds, "{wide_bar} {pos} of {len} seeds, {msg}, {eta} to go"),
        Some(time) => bar(time.as_secs(), "{wide_bar} {msg}, {eta} to go"),
    };
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
                        outcome.compare(&run(seed, &options.mix(seed), rows, |_| {}));
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
fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is sound");
    ProgressBar::new(length).with_style(style)
}
