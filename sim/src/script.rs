//! A run as a text: what it is made of, which phones take part, what their users do and which faults strike.
//! All else follows from the seed. How a text is made short is in `shrink.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::chances::Place;
use crate::fault::{Fault, Rates};
use crate::mix::{Mix, STEPS};

/// A run, as a text says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What it guards, and other remarks.
    pub remarks: Vec<String>,
    /// From which all that is left to chance follows.
    pub seed: u64,
    /// What it is made of; its rates are not used.
    pub mix: Mix,
    /// What happens, of all that may.
    pub kept: Kept,
    /// What there is to say of places.
    pub notes: BTreeMap<Place, String>,
}

/// What happens in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The phones that take part.
    pub phones: BTreeMap<u32, Doings>,
    /// The faults that strike, and where.
    pub strikes: BTreeSet<(Place, Fault)>,
}

/// What a phone's user does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doings {
    /// Of the contacts that the phone has at its start.
    pub saves: BTreeSet<u32>,
    /// Of the changes that follow.
    pub changes: BTreeSet<u32>,
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.remarks {
            writeln!(f, "# {remark}")?;
        }
        writeln!(f, "seed {}", self.seed)?;
        for (name, value) in header(&self.mix) {
            writeln!(f, "{name} {value}")?;
        }
        let line = |f: &mut fmt::Formatter<'_>, text: &str, note: Option<&Place>| match note
            .and_then(|place| self.notes.get(place))
        {
            // With the longest note a line of 80 columns.
            Some(note) => writeln!(f, "{text:34} # {note}"),
            None => writeln!(f, "{text}"),
        };
        for (phone, doings) in &self.kept.phones {
            let mut text = format!("phone {phone}");
            if !doings.saves.is_empty() {
                text.push_str(" saves");
            }
            for run in runs(&doings.saves) {
                let _ = match (*run.start(), *run.end()) {
                    (first, last) if first == last => write!(text, " {first}"),
                    (first, last) => write!(text, " {first}-{last}"),
                };
            }
            writeln!(f)?;
            line(f, &text, Some(&Place::Phone(*phone)))?;
            for n in &doings.changes {
                let place = Place::Change(*phone, *n);
                line(f, &place.to_string(), Some(&place))?;
            }
            let own = |place: &Place| place.phone() == Some(*phone);
            for (place, fault) in self.kept.strikes.iter().filter(|(place, _)| own(place)) {
                line(f, &format!("{place} {}", fault.name()), Some(place))?;
            }
        }
        let nobodys = self.kept.strikes.iter().filter(|(place, _)| place.phone().is_none());
        for (index, (place, fault)) in nobodys.enumerate() {
            if index == 0 {
                writeln!(f)?;
            }
            line(f, &format!("{place} {}", fault.name()), Some(place))?;
        }
        Ok(())
    }
}

/// The runs of numbers that follow each other.
fn runs(numbers: &BTreeSet<u32>) -> Vec<RangeInclusive<u32>> {
    let mut runs: Vec<RangeInclusive<u32>> = Vec::new();
    for &n in numbers {
        match runs.last_mut() {
            Some(run) if run.end() + 1 == n => *run = *run.start()..=n,
            _ => runs.push(n..=n),
        }
    }
    runs
}

/// No phone of a script has so many contacts at its start.
const MOST_CONTACTS: u32 = 1_000_000;

/// `7`, or `0-3` for a run of numbers.
fn read_run(said: &str) -> Result<RangeInclusive<u32>, String> {
    let (first, last) = said.split_once('-').unwrap_or((said, said));
    let read = |n: &str| n.parse().ok().filter(|n| *n < MOST_CONTACTS);
    match (read(first), read(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err(format!("`{said}` is no number below {MOST_CONTACTS}, nor a run such as 0-3")),
    }
}

/// The lines of a mix.
fn header(mix: &Mix) -> Vec<(&'static str, String)> {
    let time = |time: Duration| humantime::format_duration(time).to_string();
    let mut lines = vec![
        ("phones", mix.devices.to_string()),
        ("people", mix.users.to_string()),
        ("contacts", mix.contacts.to_string()),
        ("time", time(mix.time)),
        ("shared", mix.shared.to_string()),
        ("change-every", time(mix.change_every)),
        ("slowness", mix.slowness.to_string()),
        ("in-step", mix.in_step.to_string()),
        ("page", mix.page.to_string()),
        ("tombstones-kept", time(mix.tombstones_kept)),
        ("through-providers", mix.through_providers.to_string()),
    ];
    if mix.steps < STEPS {
        lines.push(("steps", mix.steps.to_string()));
    }
    lines
}

/// A text that is no script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct InvalidScript {
    line: usize,
    problem: String,
}

impl FromStr for Script {
    type Err = InvalidScript;

    fn from_str(text: &str) -> Result<Self, InvalidScript> {
        let mix = Mix { rates: Rates::NONE, ..Mix::main() };
        let (remarks, notes) = (Vec::new(), BTreeMap::new());
        let mut script = Self { remarks, seed: 0, mix, kept: Kept::default(), notes };
        for (index, line) in text.lines().enumerate() {
            let read = read_line(&mut script, line);
            read.map_err(|problem| InvalidScript { line: index + 1, problem })?;
        }
        let (phones, people) = (script.mix.devices, script.mix.users);
        let at_end = |problem: &str| InvalidScript {
            line: text.lines().count(),
            problem: problem.to_owned(),
        };
        match script.kept.phones.last_key_value() {
            None => Err(at_end("no phone takes part: a line `phone 0` lets the first do so")),
            Some((last, _)) if *last as usize >= phones => {
                Err(at_end("a phone takes part whose number is not below `phones`"))
            }
            _ if people == 0 || people > phones => {
                Err(at_end("`people` is a number from 1 to that of the phones"))
            }
            _ => Ok(script),
        }
    }
}

fn read_line(script: &mut Script, line: &str) -> Result<(), String> {
    if let Some(remark) = line.strip_prefix('#') {
        script.remarks.push(remark.trim().to_owned());
        return Ok(());
    }
    let line = line.split('#').next().unwrap_or_default().trim();
    let Some((name, value)) = line.split_once(' ') else {
        return if line.is_empty() { Ok(()) } else { Err(format!("`{line}` has no value")) };
    };
    fn read<T: FromStr>(value: &str) -> Result<T, String> {
        value.trim().parse().map_err(|_| format!("`{value}` cannot be read here"))
    }
    let time = |value: &str| {
        humantime::parse_duration(value).map_err(|_| format!("`{value}` is no time such as 24h"))
    };
    let share = |value: &str| match read::<f64>(value) {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err(format!("`{value}` is no share from 0 to below 1")),
    };
    let mix = &mut script.mix;
    match name {
        "seed" => script.seed = read(value)?,
        "phones" => mix.devices = read::<std::num::NonZeroUsize>(value)?.get(),
        "people" => mix.users = read(value)?,
        "contacts" => mix.contacts = read::<std::num::NonZeroUsize>(value)?.get(),
        "time" => mix.time = time(value)?,
        "steps" => mix.steps = read::<std::num::NonZeroU32>(value)?.get().min(STEPS),
        "shared" => mix.shared = share(value)?,
        "change-every" => mix.change_every = time(value)?,
        "slowness" => mix.slowness = read::<std::num::NonZeroU32>(value)?.get(),
        "in-step" => mix.in_step = read(value)?,
        "page" => mix.page = read::<std::num::NonZeroU32>(value)?.get(),
        "tombstones-kept" => mix.tombstones_kept = time(value)?,
        "through-providers" => mix.through_providers = read(value)?,
        "phone" | "step" | "desk" => return read_doing(&mut script.kept, line),
        _ => return Err(format!("no line begins with `{name}`")),
    }
    Ok(())
}

/// A line that says what happens somewhere.
fn read_doing(kept: &mut Kept, line: &str) -> Result<(), String> {
    if let Some((place, saves)) = line.split_once(" saves ")
        && let Ok(Place::Phone(phone)) = place.parse()
    {
        let runs: Vec<_> = saves.split_whitespace().map(read_run).collect::<Result<_, _>>()?;
        kept.phones.entry(phone).or_default().saves = runs.into_iter().flatten().collect();
        return Ok(());
    }
    match line.parse() {
        Ok(Place::Phone(phone)) => drop(kept.phones.entry(phone).or_default()),
        Ok(Place::Change(phone, n)) => {
            kept.phones.entry(phone).or_default().changes.insert(n);
        }
        _ => {
            let (place, fault) = line.rsplit_once(' ').unwrap_or((line, ""));
            let place: Place =
                place.parse().map_err(|()| format!("`{place}` is no place of a run"))?;
            let fault: Fault = fault.parse().map_err(|error| format!("`{fault}`: {error}"))?;
            kept.strikes.insert((place, fault));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "\
# An answer that is lost.
seed 7
phones 3
people 1
contacts 10
time 6h
shared 0.5
change-every 20m
slowness 4
in-step true
page 3
tombstones-kept 2h
through-providers true

phone 0 saves 1 4-6 8
phone 0 change 3
phone 0 request 7 answer-lost
phone 0 request 7 batch 2 database-answer-lost

phone 2

step 31 book-restored
";

    #[test]
    fn a_script_is_read_and_written() {
        let script: Script = SCRIPT.parse().unwrap();
        assert_eq!(script.to_string(), SCRIPT);
        assert_eq!((script.mix.devices, script.kept.phones.len()), (3, 2));
        assert_eq!(script.kept.strikes.len(), 3);
        let with_notes = SCRIPT.replace("phone 0 change 3", "phone 0 change 3   # calls somebody");
        assert_eq!(with_notes.parse(), Ok(script));
    }

    #[test]
    fn what_is_no_script_is_told_with_its_line() {
        #[track_caller]
        fn check(line: &str, problem: &str) {
            let error = format!("{SCRIPT}{line}\n").parse::<Script>().unwrap_err().to_string();
            assert!(error.starts_with("line 23: ") && error.contains(problem), "{error}");
        }
        check("nonsense", "has no value");
        check("colour blue", "no line begins with `colour`");
        check("seed x", "`x` cannot be read");
        check("phones 0", "`0` cannot be read");
        check("time soon", "no time such as 24h");
        check("shared 1.5", "no share");
        check("phone 0 request 7 answer-eaten", "no fault has this name");
        check("phone 0 dances 7 answer-lost", "no place of a run");
        check("phone 0 saves 1 x", "`x` is no number");
        check("phone 0 saves 1 4-", "`4-` is no number");
        check("phone 0 saves 5-4", "`5-4` is no number");
        check("phone 0 saves 0-1000000", "is no number below 1000000");
        check("phone 9", "not below `phones`");
        let error = "seed 7\n".parse::<Script>().unwrap_err().to_string();
        assert!(error.contains("no phone takes part"), "{error}");
    }
}
