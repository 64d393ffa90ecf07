//! What can be asked for, and which run that is.

use std::fs::File;
use std::io::BufWriter;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

use callbook_sim::{Fault, Mix, Rates, RequestLog, UnknownFault, Watch};
use clap::{Parser, Subcommand};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Lets virtual phones share a book while everything fails, and checks that all books agree.
///
/// Without options: 25 phones of 8 people with 20,000 real-format numbers, for three virtual days.
#[derive(Parser)]
#[command(
    name = "callbook-sim",
    version,
    term_width = 80,
    override_usage = "cargo sim -- [OPTIONS]\n       cargo sim -- replay FILE [--report FILE] [--trace FILE]\n       cargo sim -- scenario FAULT GUARDS [--mistake NAME]\n       cargo sim -- mutants",
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  cargo sim\n  cargo sim -- --seed 7\n  cargo sim -- --seeds 200\n  \
        cargo sim -- --contacts my-numbers.csv --count 5000\n  \
        cargo sim -- --seeds 50 --only answer-lost,phone-crashed\n  \
        cargo sim -- --seeds 50 --only partition --rate partition=2\n  \
        cargo sim -- replay sim/scenarios/answer-lost.sim"
)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The seed of the run, or the first of several; the same seed makes the same run
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// How many phones; of more than 25 each is used less, so that their book changes as often as that
    /// of 25, and they live for eight hours
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZeroUsize>)]
    pub(crate) devices: Option<NonZeroUsize>,

    /// Runs so many draws of the standard mix (3 to 8 phones, 200 contacts at most, one day), one
    /// for each seed, on all cores
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZeroU64>)]
    pub(crate) seeds: Option<NonZeroU64>,

    /// Runs seeds of the standard mix for so long, such as 90s, 10m or 8h
    #[arg(long = "for", value_name = "TIME", conflicts_with = "seeds", value_parser = humantime::parse_duration)]
    pub(crate) time: Option<Duration>,

    /// Goes on after a seed that fails, and shows all that did at the end
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// A CSV file with the columns created_at (milliseconds since 1970), region (ISO 3166), phone (as
    /// written) and, if known, e164
    #[arg(long, value_name = "FILE")]
    pub(crate) contacts: Option<PathBuf>,

    /// How many of its rows
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZeroUsize>)]
    pub(crate) count: Option<NonZeroUsize>,

    /// Lets only these faults happen, at their usual rates; several with commas between
    #[arg(long, value_name = "FAULT", value_delimiter = ',', conflicts_with = "without")]
    pub(crate) only: Vec<Fault>,

    /// Lets these faults not happen
    #[arg(long, value_name = "FAULT", value_delimiter = ',')]
    pub(crate) without: Vec<Fault>,

    /// Lets a fault happen in so many of a hundred cases in which it may, such as partition=2; several with
    /// commas between
    #[arg(long, value_name = "FAULT=PERCENT", value_delimiter = ',', value_parser = read_rate)]
    pub(crate) rate: Vec<(Fault, f64)>,

    /// Shows all faults with their usual rates, and ends
    #[arg(long)]
    pub(crate) list_faults: bool,

    /// Writes each request that the service gets into a file, a line of JSON each, and the book at the end,
    /// to be played against another server; with the made-up numbers, passwords and tokens of the
    /// simulation. One run: of the standard mix with `--seeds 1`
    #[arg(long, value_name = "FILE", conflicts_with = "time")]
    pub(crate) trace: Option<PathBuf>,

    /// Writes a page of HTML about the run: how books came together, how long syncs took, what went
    /// wrong, and of a seed that fails the last events
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Does not make a seed that fails a short script
    #[arg(long)]
    pub(crate) no_shrink: bool,

    /// How many seeds run at once; as many as there are cores if it is not said
    #[arg(long, value_name = "N", value_parser = one_or_more::<NonZeroUsize>)]
    pub(crate) threads: Option<NonZeroUsize>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs a script: a kept scenario, or what a failing seed was made short to
    Replay {
        /// The script
        file: PathBuf,

        /// Writes a page of HTML about the run, with its last events
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,

        /// Writes each request, as the option of this name does
        #[arg(long, value_name = "FILE")]
        trace: Option<PathBuf>,
    },
    /// Prints a short script that shows a fault alone, to be kept in sim/scenarios
    Scenario {
        /// The fault
        fault: Fault,

        /// A sentence on what the scenario guards
        guards: String,

        /// A mistake that it has to catch, by its name in the table of `mutants`
        #[arg(long, value_name = "NAME")]
        mistake: Option<String>,

        /// The first seed that is tried
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Builds this simulator with deliberate mistakes in the code that it tests, and shows which of them it
    /// finds, by what, and after how many seeds
    Mutants,
}

impl Options {
    /// Whether draws of the standard mix are run, rather than the main run.
    pub(crate) fn are_many(&self) -> bool {
        self.seeds.is_some() || self.time.is_some()
    }

    /// What a seed runs.
    pub(crate) fn mix(&self, seed: u64) -> Mix {
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
        let set =
            |rates: Rates, (fault, percent): &(Fault, f64)| rates.set(*fault, percent / 100.0);
        mix.rates = self.rate.iter().fold(mix.rates, set);
        mix
    }

    /// What is to be told of a run.
    pub(crate) fn watch(&self, trace: Option<File>) -> Watch {
        let requests = trace.map(|file| RequestLog::new(BufWriter::new(file)));
        Watch { requests, course: self.report.as_ref().map(|_| Mutex::default()), tape: None }
    }

    /// The command that repeats a seed.
    pub(crate) fn repeat(&self, seed: u64) -> String {
        self.command(seed, 1)
    }

    /// The command that runs so many seeds.
    pub(crate) fn command(&self, seed: u64, seeds: u64) -> String {
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
        let rates = self.rate.iter().map(|(fault, percent)| format!("{}={percent}", fault.name()));
        let rates: Vec<String> = rates.collect();
        add("rate", (!rates.is_empty()).then(|| rates.join(",")));
        command
    }
}

/// A number of phones, seeds, contacts or cores.
fn one_or_more<N: FromStr>(said: &str) -> Result<N, &'static str> {
    said.parse().map_err(|_| "say a whole number of at least 1")
}

/// `partition=2`: a fault, and in how many of a hundred cases it happens.
fn read_rate(said: &str) -> Result<(Fault, f64), String> {
    let (fault, percent) = said.split_once('=').unwrap_or((said, ""));
    let fault = fault.parse().map_err(|error: UnknownFault| error.to_string())?;
    let percent =
        percent.trim_end_matches('%').parse().ok().filter(|it| (0.0..=100.0).contains(it));
    Ok((fault, percent.ok_or("a rate is a number from 0 to 100, such as partition=2")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_the_command_that_repeats_them() {
        let check = |said: &str, repeated: &str| {
            let options = Options::try_parse_from(["sim", "--only", "partition", "--rate", said]);
            let told = options.map(|it| {
                assert_eq!(it.mix(1).rates.filter(|fault| fault != Fault::Partition), Rates::NONE);
                it.repeat(1)
            });
            let told = told.unwrap_or_else(|error| error.to_string());
            assert!(told.contains(repeated), "{said}: {told}");
        };
        check("partition=2", "cargo sim -- --seed 1 --only partition --rate partition=2");
        check("partition=0.02%", "--rate partition=0.02");
        check("partition=1,partition=100", "--rate partition=1,partition=100");
        for bad in ["partition", "partition=", "partition=101", "partition=-1", "partition=NaN"] {
            check(bad, "a rate is a number from 0 to 100, such as partition=2");
        }
        check("partitions=2", "no fault has this name");
        let set = Options::parse_from(["sim", "--rate", "partition=2,answer-lost=50"]).mix(1).rates;
        assert_eq!((set[Fault::Partition], set[Fault::AnswerLost]), (0.02, 0.5));
    }
}
