//! Millions of (key, created_at, id) → who owns what.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::hint::black_box;

use callbook_base::{ContactId, Timestamp};
use callbook_dedup::{Claim, NumberKey, OldestWins, Row, oldest_wins};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::table::Pair;

const MILLION: usize = 1_000_000;

macro_rules! pair {
    ($what:literal, $ours:literal, $instead:literal, $of:expr, $times:expr, $nanoseconds:expr) => {
        Pair {
            what: $what,
            ours: $ours,
            instead: $instead,
            of: $of,
            times: $times,
            nanoseconds: $nanoseconds,
        }
    };
}

pub(crate) const PAIRS: &[Pair] = &[
    pair!(
        "owners of 1,000,000 rows",
        "owners 1M/oldest_wins",
        "owners 1M/std HashMap",
        1e6,
        Some(3.6),
        Some(12.0)
    ),
    pair!(
        "owners of 1,000,000 rows",
        "owners 1M/oldest_wins",
        "owners 1M/hashbrown, foldhash",
        1e6,
        None,
        None
    ),
    pair!(
        "owners of 1,000,000 rows",
        "owners 1M/oldest_wins",
        "owners 1M/sort_unstable",
        1e6,
        None,
        None
    ),
    pair!(
        "owners of 1,000,000 rows, two cores",
        "owners 1M/oldest_wins, two cores",
        "owners 1M/oldest_wins",
        1e6,
        Some(1.7),
        None
    ),
    pair!(
        "1,000,000 keys with the same high digits",
        "owners 1M/same high digits",
        "owners 1M/oldest_wins",
        1e6,
        None,
        None
    ),
    pair!(
        "1,000,000 keys with the same low digits",
        "owners 1M/same low digits",
        "owners 1M/oldest_wins",
        1e6,
        None,
        None
    ),
    pair!(
        "1,000,000 rows of one key",
        "owners 1M/one key",
        "owners 1M/oldest_wins",
        1e6,
        None,
        None
    ),
    pair!(
        "owners of 10,000,000 rows",
        "owners 10M/oldest_wins",
        "owners 10M/std HashMap",
        1e7,
        Some(6.0),
        Some(15.0)
    ),
    pair!(
        "owners of 10,000,000 rows",
        "owners 10M/oldest_wins",
        "owners 10M/hashbrown, foldhash",
        1e7,
        None,
        None
    ),
    pair!(
        "owners of 10,000,000 rows, two cores",
        "owners 10M/oldest_wins, two cores",
        "owners 10M/oldest_wins",
        1e7,
        Some(1.7),
        None
    ),
    pair!(
        "a claim taken back and made again, of 100,000",
        "one claim/OldestWins",
        "one claim/std HashMap of lists",
        1.0,
        None,
        None
    ),
];

/// Rows of which every number is held by 1.6 people on average: a third of the rows lose.
fn rows(count: usize, key: impl Fn(u64) -> String) -> Vec<Row> {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut row = || {
        let at = Timestamp::from_millis(chance.random_range(1_400_000_000_000..1_795_000_000_000));
        let mut bytes = [0; 10];
        chance.fill_bytes(&mut bytes);
        let key = key(chance.random_range(0..count as u64)).parse().unwrap();
        (key, Claim { created_at: at, contact: ContactId::new(at, bytes) })
    };
    (0..count).map(|_| row()).collect()
}

/// Numbers all over the world.
fn spread(n: u64) -> String {
    format!("+{}", 10_000_000_000 + n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 980_000_000_000)
}

/// The losers, as someone finds them with a map that keeps the oldest.
macro_rules! losers_by_map {
    ($map:expr, $rows:expr) => {{
        let mut oldest = $map;
        for (key, claim) in $rows {
            oldest
                .entry(*key)
                .and_modify(|held: &mut Claim| *held = (*held).min(*claim))
                .or_insert(*claim);
        }
        $rows.iter().filter(|(key, claim)| oldest[key] != *claim).count()
    }};
}

fn losers_by_sorting(rows: &[Row]) -> usize {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows.windows(2).filter(|pair| pair[0].0 == pair[1].0).count()
}

pub(crate) fn bench(criterion: &mut Criterion, quick: bool) {
    million(criterion);
    if !quick {
        ten_millions(criterion);
    }
    one_claim(criterion);
}

fn million(criterion: &mut Criterion) {
    let mut group = group(criterion, "owners 1M", MILLION);
    let held = LazyCell::new(|| {
        let held = rows(MILLION, spread);
        assert_eq!(oldest_wins(&held, 1).losers().count(), losers_by_map!(HashMap::new(), &held));
        held
    });
    beside_maps(&mut group, &|| &held);
    group.bench_function("sort_unstable", |bench| bench.iter(|| losers_by_sorting(&held)));
    let mut unkind = |name: &str, key: fn(u64) -> String| {
        let held = LazyCell::new(|| rows(MILLION, key));
        group.bench_function(name, |bench| bench.iter(|| oldest_wins(&held, 1)));
    };
    unkind("same high digits", |n| format!("+49301{n:07}"));
    unkind("same low digits", |n| format!("+49{n:07}000000"));
    unkind("one key", |_| "+4930123456".to_owned());
    group.finish();
}

fn ten_millions(criterion: &mut Criterion) {
    let mut group = group(criterion, "owners 10M", 10 * MILLION);
    let held = LazyCell::new(|| rows(10 * MILLION, spread));
    beside_maps(&mut group, &|| &held);
    group.finish();
}

fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    rows: usize,
) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.throughput(Throughput::Elements(rows as u64));
    group
}

/// The batch form beside maps. The rows are made when the first benchmark asks for them.
fn beside_maps<'r>(group: &mut BenchmarkGroup<'_, WallTime>, rows: &dyn Fn() -> &'r Vec<Row>) {
    for (name, threads) in [("oldest_wins", 1), ("oldest_wins, two cores", 2)] {
        group.bench_function(name, |bench| {
            let rows = rows();
            bench.iter(|| oldest_wins(rows, threads));
        });
    }
    group.bench_function("std HashMap", |bench| {
        let rows = rows();
        bench.iter(|| losers_by_map!(HashMap::<NumberKey, Claim>::new(), rows));
    });
    group.bench_function("hashbrown, foldhash", |bench| {
        let rows = rows();
        bench.iter(|| {
            let hasher = foldhash::fast::RandomState::default();
            losers_by_map!(hashbrown::HashMap::<NumberKey, Claim, _>::with_hasher(hasher), rows)
        });
    });
}

/// One claim at a time, in a book that has many. (Setups run when their benchmark does.)
fn one_claim(criterion: &mut Criterion) {
    let held = rows(100_000, spread);
    let mut chance = ChaCha8Rng::seed_from_u64(2);
    let mut picks = move || held[chance.random_range(0..held.len())];
    let held = rows(100_000, spread);
    let mut book = OldestWins::default();
    held.iter().for_each(|(key, claim)| book.claim(*key, *claim));
    let mut lists: HashMap<NumberKey, Vec<Claim>> = HashMap::new();
    held.iter().for_each(|(key, claim)| lists.entry(*key).or_default().push(*claim));
    let mut group = criterion.benchmark_group("one claim");
    group.bench_function("OldestWins", |bench| {
        bench.iter_batched(
            &mut picks,
            |(key, claim)| {
                book.unclaim(&key, &claim);
                book.claim(key, claim);
                book.owner(&key)
            },
            BatchSize::SmallInput,
        );
    });
    group.bench_function("std HashMap of lists", |bench| {
        bench.iter_batched(
            &mut picks,
            |(key, claim)| {
                let list = lists.get_mut(&key).unwrap();
                list.retain(|held| *held != claim);
                list.push(claim);
                list.iter().min().copied()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// What no benchmark tells.
pub(crate) fn facts() {
    let held = rows(MILLION, spread);
    let losers = black_box(oldest_wins(&held, 1)).losers().count();
    println!("of 1,000,000 rows {losers} lose; scratch memory: 17 bytes a row and the tables");
}
