//! The batch form of oldest wins: the naive model's answer for every order, every number of threads
//! and any keys, in little memory.
#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::collections::BTreeMap;

use callbook_base::{ContactId, Timestamp};
use callbook_dedup::{Claim, NumberKey, Row, oldest_wins};
use proptest::prelude::*;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn row(key: &str, at: i64, id: u64) -> Row {
    let mut chance = [0; 10];
    chance[..8].copy_from_slice(&id.to_be_bytes());
    let contact = ContactId::new(Timestamp::from_millis(0), chance);
    (key.parse().unwrap(), Claim { created_at: Timestamp::from_millis(at), contact })
}

/// Every key's smallest claim, and every row that has another one.
fn model(rows: &[Row]) -> (BTreeMap<NumberKey, Claim>, Vec<Row>) {
    let mut owners = BTreeMap::new();
    for (key, claim) in rows {
        let held = owners.entry(*key).or_insert(*claim);
        *held = (*held).min(*claim);
    }
    let mut losers: Vec<Row> = rows.iter().filter(|row| owners[&row.0] != row.1).copied().collect();
    losers.sort_unstable();
    (owners, losers)
}

#[track_caller]
fn check(rows: &[Row]) {
    let (owners, losers) = model(rows);
    for threads in [1, 2, 5] {
        let found = oldest_wins(rows, threads);
        assert_eq!(found.iter().copied().collect::<BTreeMap<_, _>>(), owners);
        assert_eq!(found.iter().count(), owners.len(), "each key once");
        let mut lost: Vec<Row> = found.losers().map(|(loser, _)| rows[loser]).collect();
        assert!(found.losers().is_sorted(), "in the order of the rows");
        assert!(found.losers().all(|(loser, owner)| owners[&rows[loser].0] == rows[owner].1));
        lost.sort_unstable();
        assert_eq!(lost, losers);
    }
}

/// Rows of which about so many share a key with others.
fn random(rows: usize, keys: u64, of: impl Fn(u64) -> String) -> Vec<Row> {
    let mut chance = ChaCha8Rng::seed_from_u64(rows as u64);
    let mut row = || {
        row(&of(chance.random_range(0..keys)), chance.random_range(0..9_000_000), chance.next_u64())
    };
    (0..rows).map(|_| row()).collect()
}

#[test]
fn few_rows_and_many() {
    check(&[]);
    check(&random(1, 1, |_| "+1".to_owned()));
    check(&random(5, 2, |n| format!("+{n}")));
    // More than one block, and more than one part.
    check(&random(70_000, 40_000, |n| format!("+4930{n:08}")));
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let mut rows = random(40_000, 9_000, |n| format!("+4930{n:08}"));
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let owners = |rows: &[Row]| oldest_wins(rows, 2).iter().copied().collect::<BTreeMap<_, _>>();
    let first = owners(&rows);
    for _ in 0..5 {
        rows.shuffle(&mut chance);
        assert_eq!(owners(&rows), first);
    }
}

/// Keys chosen to share bits, to be all one, or to fill more than the hash sees at once: what takes a
/// quadratic case minutes takes this test less than a second.
#[test]
fn no_keys_are_too_many_for_a_part() {
    const MANY: usize = 100_000;
    check(&random(MANY, 1, |_| "+4930123456".to_owned()));
    check(&random(MANY, 100_000, |n| format!("+49301234567;ext={:09}", n * 10_000)));
    check(&random(MANY, 100_000, |n| format!("+49{n:05}0000000000")));
    check(&random(MANY, 100_000, |n| format!("+12345678901234567890;ext=123456789012345{n:05}")));
    check(&random(MANY, 3, |n| format!("+1{}", "0".repeat(n as usize))));
}

#[test]
fn the_same_age_and_the_same_claim() {
    let twice = row("+1", 5, 1);
    check(&[twice, twice, row("+1", 5, 0), twice]);
    // Ages that differ by less than the second that is dealt, and ages before 1970.
    check(&[row("+1", 1_001, 1), row("+1", 1_000, 2), row("+1", -5, 3), row("+1", -6, 4)]);
    check(&[row("+1", i64::MAX, 1), row("+1", i64::MAX, 0), row("+2", i64::MIN, 9)]);
}

#[test]
fn it_takes_at_most_24_bytes_of_scratch_a_row() {
    let rows = random(200_000, 150_000, |n| format!("+4930{n:08}"));
    let info = allocation_counter::measure(|| drop(oldest_wins(&rows, 1)));
    let result = 4 * rows.len() as u64;
    let scratch = (info.bytes_max - result) as f64 / rows.len() as f64;
    assert!(scratch <= 24.0, "{scratch} bytes");
}

proptest! {
    #[test]
    fn equals_the_model(rows in prop::collection::vec((0u64..9, -3i64..3, 0u64..5), 0..200)) {
        let rows: Vec<Row> = rows.iter().map(|(k, at, id)| row(&format!("+1{}", 10u64.pow(*k as u32)), at * 700, *id)).collect();
        check(&rows);
    }
}
