//! The text of a number and its region → E.164, or its key.

use std::collections::HashSet;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use callbook_dedup::{e164, number_key};
use criterion::{Criterion, Throughput};
use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

use crate::table::Pair;

pub(crate) const PAIRS: &[Pair] = &[
    Pair {
        what: "E.164 of a number, the shared mix",
        ours: "numbers/e164",
        instead: "numbers/rlibphonenumber",
        of: 20_000.0,
        times: Some(11.0),
        nanoseconds: Some(45.0),
    },
    Pair {
        what: "key of a number, the shared mix",
        ours: "numbers/number_key",
        instead: "numbers/rlibphonenumber, its key",
        of: 20_000.0,
        times: Some(11.0),
        nanoseconds: Some(45.0),
    },
    Pair {
        what: "the same, region after region",
        ours: "numbers/number_key by region",
        instead: "numbers/number_key",
        of: 20_000.0,
        times: None,
        nanoseconds: None,
    },
];

/// The argument with which this program times itself as a cold process.
pub(crate) const COLD: &str = "--cold";

/// The rows of the shared mix, as slices of one text: what is measured is reading, not where strings
/// lie in memory.
struct Mix {
    text: String,
    rows: Vec<(usize, usize, usize)>,
}

impl Mix {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../sim/data/phone-numbers.csv");
        let mut mix = Self { text: String::new(), rows: Vec::new() };
        for row in csv::Reader::from_path(path).unwrap().into_records() {
            let row = row.unwrap();
            let start = mix.text.len();
            mix.text.push_str(&row[3]);
            let region = mix.text.len();
            mix.text.push_str(&row[2]);
            mix.rows.push((start, region, mix.text.len()));
        }
        mix
    }

    fn rows(&self) -> Vec<(&str, &str)> {
        let slice = |&(start, region, end): &(usize, usize, usize)| {
            (&self.text[start..region], &self.text[region..end])
        };
        self.rows.iter().map(slice).collect()
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let mix = Mix::read();
    let rows = mix.rows();
    let regions: Vec<Option<Region>> = rows.iter().map(|row| row.1.parse().ok()).collect();
    let mut by_region = rows.clone();
    by_region.sort_by_key(|row| row.1);

    let mut group = criterion.benchmark_group("numbers");
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("e164", |bench| {
        bench.iter(|| rows.iter().filter(|row| black_box(e164(row.0, row.1)).is_some()).count());
    });
    group.bench_function("number_key", |bench| {
        bench.iter(|| {
            rows.iter().filter(|row| black_box(number_key(row.0, row.1)).is_some()).count()
        });
    });
    group.bench_function("number_key by region", |bench| {
        bench.iter(|| {
            by_region.iter().filter(|row| black_box(number_key(row.0, row.1)).is_some()).count()
        });
    });
    group.sample_size(10);
    group.bench_function("rlibphonenumber", |bench| {
        let e164 = |(row, region): (&(&str, &str), &Option<Region>)| {
            let number = PHONE_NUMBER_UTIL.parse(row.0, *region).ok()?;
            Some(black_box(number.format_as(PhoneNumberFormat::E164)).len())
        };
        bench.iter(|| rows.iter().zip(&regions).filter_map(e164).count());
    });
    group.bench_function("rlibphonenumber, its key", |bench| {
        let key = |(row, region): (&(&str, &str), &Option<Region>)| their_key(row.0, *region);
        bench.iter(|| rows.iter().zip(&regions).filter_map(key).count());
    });
    group.finish();
}

/// The key as another library's user would make it.
fn their_key(text: &str, region: Option<Region>) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
    match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => {}
        _ => return None,
    }
    let mut key = number.format_as(PhoneNumberFormat::E164).into_owned();
    if let Some(extension) = &number.extension {
        key.push_str(";ext=");
        key.push_str(extension);
    }
    Some(key)
}

/// What one pass over 10,000 numbers takes in a process that has read none before.
pub(crate) fn cold() {
    let mix = Mix::read();
    let rows = mix.rows();
    let started = Instant::now();
    let keys = rows[..10_000].iter().filter(|row| number_key(row.0, row.1).is_some()).count();
    println!("{} {keys}", started.elapsed().as_nanos());
}

/// What no benchmark tells.
pub(crate) fn facts() {
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let run = Command::new(std::env::current_exe().unwrap()).arg(COLD).output().unwrap();
            let text = String::from_utf8(run.stdout).unwrap();
            text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "\n10,000 keys from a cold process: {:.2} ms (least {:.2}, most {:.2} of 21; goal ≤ 2)",
        times[10], times[0], times[20]
    );
    let mix = Mix::read();
    let rows = mix.rows();
    let key = |row: &(&str, &str)| match number_key(row.0, row.1) {
        Some(key) => key.to_string(),
        None => format!("{} {}", row.0, row.1),
    };
    let digits = |row: &(&str, &str)| row.0.chars().filter(char::is_ascii_digit).collect();
    let again = |of: &dyn Fn(&(&str, &str)) -> String| -> Vec<bool> {
        let mut seen = HashSet::new();
        rows.iter().map(|row| !seen.insert(of(row))).collect()
    };
    let (by_key, by_text, by_digits) =
        (again(&key), again(&|row| row.0.to_owned()), again(&digits));
    let count = |by: &[bool], is: bool| {
        by.iter().zip(&by_key).filter(|(found, true_one)| **found && **true_one == is).count()
    };
    let keys = by_key.iter().filter(|again| **again).count();
    let (raw, found, wrong) =
        (count(&by_text, true), count(&by_digits, true), count(&by_digits, false));
    let share = |found: usize| 100.0 * found as f64 / keys as f64;
    println!(
        "rows of the shared mix that say the number of an earlier one: {keys} of {}",
        rows.len()
    );
    println!("  as the text is, a set finds {raw} of them: {:.0} %", share(raw));
    println!(
        "  by its ASCII digits {found} of them: {:.0} %, and {wrong} that are none",
        share(found)
    );
}
