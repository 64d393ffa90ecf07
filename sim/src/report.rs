//! What a run looks like on a terminal of 80 columns.

use std::fmt::Write as _;
use std::time::Duration;

use textwrap::WordSplitter;

use crate::fault::Fault;
use crate::stats::Stats;

/// The table of a run, or of several. `wall` is how long that took.
pub fn table(stats: &Stats, seeds: u64, wall: Duration) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    if seeds > 1 {
        let minutes = wall.as_secs_f64().max(0.001) / 60.0;
        let rate = seeds as f64 / minutes;
        line("seeds", format!("{}, {} a minute", count(seeds), count(rate as u64)));
    }
    line("devices", count(stats.devices));
    line(
        "changes by people",
        format!("{}, {} of them calls", count(stats.changes), count(stats.calls)),
    );
    line("syncs", count(stats.syncs));
    line("requests served", count(stats.requests));
    line("batches run", count(stats.cost.batches));
    let a_sync = |rows: u64| tenths(rows * 10 / stats.syncs.max(1));
    let (given, changed) = (a_sync(stats.cost.rows_given), a_sync(stats.cost.rows_changed));
    line("rows a sync", format!("{given} given, {changed} changed"));
    line("statements of a request", format!("{}, at most", stats.most_statements));
    let faults: u64 = stats.faults.values().sum();
    line("faults", count(faults));
    for (fault, number) in &stats.faults {
        line(&format!("  {fault}"), count(*number));
    }
    let (met, all) = stats.coverage.count();
    line("  met by kind of request", format!("{met} of {all} pairs"));
    if stats.asked_about_deletes > 0 {
        line("asked about many deletes", count(stats.asked_about_deletes));
    }
    if stats.asked_about_lost > 0 {
        line("asked about lost contacts", count(stats.asked_about_lost));
    }
    if stats.rekeyed > 0 {
        line("contacts re-keyed", count(stats.rekeyed));
    }
    line("contacts everyone sees", count(stats.visible));
    line("duplicates removed", count(stats.hidden));
    line("contacts deleted", count(stats.deleted));
    if stats.purged > 0 {
        line("old tombstones purged", count(stats.purged));
    }
    if stats.expired > 0 {
        line("told to pull from the start", count(stats.expired));
    }
    line("calls stored", count(stats.stored_calls));
    line("rounds until quiet, at most", count(stats.last_rounds));
    line("syncs of a phone until quiet, at most", count(stats.last_syncs));
    let simulated = Duration::from_millis(stats.virtual_ms);
    line("virtual time", days(simulated));
    let seconds = wall.as_secs_f64().max(0.001);
    let faster = simulated.as_secs_f64() / seconds;
    line("real time", format!("{seconds:.1} s, {} times as fast", count(faster as u64)));
    let rate = stats.events as f64 / seconds;
    line("events", format!("{}, {} a second", count(stats.events), count(rate as u64)));

    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    lines.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:width$}  {value}");
        text
    })
}

/// A sentence in lines of 80 columns: the first begins with one text, the others with another. No word
/// is cut, so that an id can be copied and searched for.
pub fn wrapped(text: &str, first: &str, others: &str) -> String {
    let lines = textwrap::Options::new(80).initial_indent(first).subsequent_indent(others);
    textwrap::fill(text, lines.word_splitter(WordSplitter::NoHyphenation).break_words(false))
}

/// All faults: name, usual rate, and what they are.
pub fn faults() -> String {
    let width = Fault::ALL.iter().map(|fault| fault.name().len()).max().unwrap_or(0);
    Fault::ALL.iter().fold(String::new(), |mut text, fault| {
        let (name, percent) = (fault.name(), fault.usual_rate() * 100.0);
        let _ = writeln!(text, "{name:width$}  {percent:>5.2} %  {fault}");
        text
    })
}

/// `20,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Tenths as `1,234.5`.
pub(crate) fn tenths(number: u64) -> String {
    format!("{}.{}", count(number / 10), number % 10)
}

pub(crate) fn days(time: Duration) -> String {
    let hours = time.as_secs() / 3_600;
    let several = |number: u64, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{} {what}s", count(number)),
    };
    format!("{} {}", several(hours / 24, "day"), several(hours % 24, "hour"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Cost;

    #[test]
    fn an_id_stays_in_one_line() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let text = format!("contact {id} is on phone 3 what another, {id}, is in the book");
        let shown = wrapped(&text, "  ", "    ");
        let expected =
            format!("  contact {id} is on phone 3 what another,\n    {id}, is in the book");
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_table_of_eighty_columns() {
        let mut stats = Stats {
            devices: 25,
            changes: 1_234_567,
            calls: 999,
            syncs: 1_000,
            requests: 20_000,
            cost: Cost {
                batches: 40_000,
                rows_given: 512_345,
                rows_changed: 6_789,
                ..Cost::default()
            },
            most_statements: 31,
            events: 12_345_678,
            visible: 19_567,
            hidden: 4_321,
            deleted: 17,
            asked_about_deletes: 2,
            asked_about_lost: 3,
            rekeyed: 4_321,
            purged: 11,
            expired: 5,
            stored_calls: 998,
            last_rounds: 3,
            last_syncs: 7,
            virtual_ms: 2_678_000_000,
            ..Stats::default()
        };
        for fault in Fault::ALL {
            stats.fault(*fault, None);
        }
        let table = table(&stats, 200, Duration::from_millis(543));
        assert!(table.lines().all(|line| line.chars().count() <= 80));
        insta::assert_snapshot!(table);
    }
}
