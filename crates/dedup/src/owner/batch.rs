//! The owners of millions of claims at once.
//!
//! A hash map of all keys is slow because every row waits for memory: the map is far larger than the
//! processor's caches. So rows are first dealt by their hash into parts of a few thousand, each small
//! enough for a table that stays in the cache and is used again for the next part. Rows are dealt block
//! by block, each block into its own stretch of one scratch vector: a row is read from memory once, and
//! threads share the blocks, later the parts, without a lock.
//!
//! What is dealt is not the row but 16 bytes of it: its hashed key, its age in seconds and its place.
//! Only where two rows have the same key and the same second are the rows looked at again. Nobody can
//! choose keys that make this slow: a part that does not fit its table, by many keys or by keys that
//! collide, is sorted.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::Claim;
use crate::NumberKey;

/// A contact's claim on the key of one of its numbers.
pub type Row = (NumberKey, Claim);

/// The owner of every row's key.
#[derive(Debug, Clone)]
pub struct Owners<'r> {
    rows: &'r [Row],
    owner: Vec<u32>,
}

impl<'r> Owners<'r> {
    /// The row that owns the key of a row; of rows that say the same claim, the first.
    pub fn owner(&self, row: usize) -> usize {
        self.owner[row] as usize
    }

    /// Each key with its owner, in the order of the rows that own.
    pub fn iter(&self) -> impl Iterator<Item = &'r Row> {
        let owns = |(index, row): (usize, &'r Row)| (self.owner(index) == index).then_some(row);
        self.rows.iter().enumerate().filter_map(owns)
    }

    /// The rows that do not own their key, each with the row that does, in the order of the rows.
    pub fn losers(&self) -> impl Iterator<Item = (usize, usize)> {
        let loses = |(row, owner): (usize, &u32)| {
            let owner = *owner as usize;
            (self.rows[row].1 != self.rows[owner].1).then_some((row, owner))
        };
        self.owner.iter().enumerate().filter_map(loses)
    }
}

/// Rows in a block: few enough for the cache.
const BLOCK: usize = 1 << 14;

/// The slots of a part's table, and the rows that a part has at most on average.
const SLOTS: usize = 1 << 13;
const PART: usize = SLOTS * 5 / 8;

/// A key that finds no slot in as many steps has its part sorted.
const STEPS: usize = 64;

/// The owner of every key that `rows` claim: of all claims on it the oldest ([`Claim`]'s order).
///
/// The answer is the same for every order of the rows (but for their places) and every number of
/// threads. It takes 16 bytes of scratch memory a row beside its result and, for `n` rows, O(n) time
/// when keys differ as hashes do, O(n log n) for any keys. `threads` below 1 count as 1; more than 1
/// need a platform that has threads.
///
/// # Panics
///
/// When there are 2³² rows or more.
pub fn oldest_wins(rows: &[Row], threads: usize) -> Owners<'_> {
    assert!(u32::try_from(rows.len()).is_ok(), "2³² rows or more");
    let parts = rows.len().div_ceil(PART).next_power_of_two();
    let mut dealt = vec![Dealt::default(); rows.len()];
    let mut ends = vec![0u32; rows.len().div_ceil(BLOCK) * parts];
    let blocks = rows.len().div_ceil(BLOCK).div_ceil(threads.max(1)).max(1);
    share(
        rows.chunks(BLOCK * blocks)
            .zip(dealt.chunks_mut(BLOCK * blocks))
            .zip(ends.chunks_mut(parts * blocks))
            .enumerate(),
        |(share, ((rows, dealt), ends))| deal(rows, share * BLOCK * blocks, parts, dealt, ends),
    );
    let owner: Vec<AtomicU32> = (0..rows.len() as u32).map(AtomicU32::new).collect();
    let next = AtomicUsize::new(0);
    share(0..threads.clamp(1, parts), |_| {
        let mut table = Table::new(rows, &owner);
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts {
                break;
            }
            let starts = ends.chunks(parts).map(|ends| part.checked_sub(1).map_or(0, |p| ends[p]));
            let stretches = dealt.chunks(BLOCK).zip(starts.zip(ends.chunks(parts)));
            table.settle(
                stretches.map(|(block, (start, ends))| &block[start as usize..ends[part] as usize]),
            );
        }
    });
    Owners { rows, owner: owner.into_iter().map(AtomicU32::into_inner).collect() }
}

/// Runs the work on every item, each but the last in a thread of its own.
fn share<T: Send>(items: impl Iterator<Item = T>, work: impl Fn(T) + Sync) {
    let mut items: Vec<T> = items.collect();
    let last = items.pop();
    std::thread::scope(|scope| {
        let work = &work;
        items.into_iter().for_each(|item| {
            scope.spawn(move || work(item));
        });
        last.into_iter().for_each(work);
    });
}

/// What is dealt of a row.
#[derive(Debug, Clone, Copy, Default)]
struct Dealt {
    key: u64,
    /// Seconds of 1,024 ms since 1970, cut to what fits: of two ages that differ, the smaller is older.
    age: u32,
    row: u32,
}

impl Dealt {
    fn new((key, claim): &Row, row: usize) -> Self {
        let seconds = (claim.created_at.as_millis() >> 10).clamp(0, u32::MAX.into());
        Self { key: hashed(key), age: seconds as u32, row: row as u32 }
    }
}

/// Set in the hash of a key that may share it with another one.
const AMBIGUOUS: u64 = 1;

/// A key's hash. Keys of at most 15 characters, nearly all, fill sixty bits, and are only mixed: two of
/// them have the same hash if they are the same.
fn hashed(key: &NumberKey) -> u64 {
    let [first, second, third] = key.words();
    if first & 15 == 0 {
        return mixed(first >> 4) << 4;
    }
    mixed(first >> 4 ^ mixed(second >> 4 ^ mixed(third >> 4 ^ first & 15) ^ second & 15)) << 4
        | AMBIGUOUS
}

/// Mixes the low sixty bits: every one of them moves all others, and none is lost.
fn mixed(mut bits: u64) -> u64 {
    const SIXTY: u64 = (1 << 60) - 1;
    bits &= SIXTY;
    bits ^= bits >> 31;
    bits = bits.wrapping_mul(0x9FB2_1C65_1E98_DF25) & SIXTY;
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xD6E8_FEB8_6659_FD93) & SIXTY;
    bits ^ bits >> 32
}

/// Deals some blocks of rows, the first of which is `first`. For every block, `ends` gets the end of
/// every part in its stretch of `dealt`.
fn deal(rows: &[Row], first: usize, parts: usize, dealt: &mut [Dealt], ends: &mut [u32]) {
    let part = |key: u64| (key >> 32) as usize & (parts - 1);
    let mut block = Vec::with_capacity(BLOCK);
    let blocks = rows.chunks(BLOCK).zip(dealt.chunks_mut(BLOCK)).zip(ends.chunks_mut(parts));
    for (number, ((rows, dealt), ends)) in blocks.enumerate() {
        block.clear();
        block.extend(
            (first + number * BLOCK..).zip(rows).map(|(place, row)| Dealt::new(row, place)),
        );
        for entry in &block {
            ends[part(entry.key)] += 1;
        }
        let mut start = 0;
        for end in &mut *ends {
            start += std::mem::replace(end, start);
        }
        for entry in &block {
            let end = &mut ends[part(entry.key)];
            dealt[*end as usize] = *entry;
            *end += 1;
        }
    }
}

/// The oldest rows of a part's keys so far, by hash, with linear probing.
struct Table<'r> {
    rows: &'r [Row],
    owner: &'r [AtomicU32],
    slots: Vec<Dealt>,
    /// Rows that are known not to own their key, and the slot of the key.
    lost: Vec<(u32, u32)>,
}

/// An empty slot: younger than any entry.
const NO_ROW: u32 = u32::MAX;
const EMPTY: Dealt = Dealt { key: 0, age: u32::MAX, row: NO_ROW };

impl<'r> Table<'r> {
    fn new(rows: &'r [Row], owner: &'r [AtomicU32]) -> Self {
        let slots = SLOTS.min((rows.len() * 2).next_power_of_two());
        Self { rows, owner, slots: vec![Dealt::default(); slots], lost: Vec::new() }
    }

    /// Writes down who owns the keys of one part, which lies in several stretches.
    ///
    /// Whether a key is new, and which of two claims is older, is chance to a processor's guesses; so
    /// the loop has no branch for either.
    fn settle<'d>(&mut self, stretches: impl Iterator<Item = &'d [Dealt]> + Clone) {
        self.slots.fill(EMPTY);
        let size = stretches.clone().map(<[Dealt]>::len).sum();
        if self.lost.len() < size {
            self.lost.resize(size, (0, 0));
        }
        let (mut lost, mut free) = (0, self.slots.len() * 7 / 8);
        for entry in stretches.clone().flatten() {
            let Some(place) = self.slot(entry).filter(|_| free > 0) else {
                return self.sort(stretches.flatten());
            };
            let held = self.slots[place];
            let fresh = held.row == NO_ROW;
            let older = match entry.age == held.age {
                false => entry.age < held.age,
                true => fresh || self.is_older(entry, &held),
            };
            let (winner, loser) = if older { (entry, &held) } else { (&held, entry) };
            self.slots[place] = Dealt { key: entry.key, ..*winner };
            self.lost[lost] = (loser.row, place as u32);
            lost += usize::from(!fresh);
            free -= usize::from(fresh);
        }
        for (row, place) in &self.lost[..lost] {
            let owner = self.slots[*place as usize].row;
            self.owner[*row as usize].store(owner, Ordering::Relaxed);
        }
    }

    /// The slot of an entry's key, or the empty one where it would be, if there is one near.
    fn slot(&self, entry: &Dealt) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let start = (entry.key >> 4) as usize;
        (start..start + STEPS).map(|place| place & mask).find(|place| {
            let held = &self.slots[*place];
            held.row == NO_ROW || held.key == entry.key && self.is_same_key(held, entry)
        })
    }

    /// Of two entries with the same hash.
    fn is_same_key(&self, a: &Dealt, b: &Dealt) -> bool {
        a.key & AMBIGUOUS == 0 || self.rows[a.row as usize].0 == self.rows[b.row as usize].0
    }

    /// Of two entries with the same key and the same age.
    fn is_older(&self, a: &Dealt, b: &Dealt) -> bool {
        let claim = |entry: &Dealt| (self.rows[entry.row as usize].1, entry.row);
        claim(a) < claim(b)
    }

    /// The same for a part that the table cannot take.
    #[cold]
    fn sort<'d>(&self, entries: impl Iterator<Item = &'d Dealt>) {
        let mut places: Vec<u32> = entries.map(|entry| entry.row).collect();
        let row = |place: u32| &self.rows[place as usize];
        places.sort_unstable_by_key(|place| (*row(*place), *place));
        for same in places.chunk_by(|a, b| row(*a).0 == row(*b).0) {
            for place in same {
                self.owner[*place as usize].store(same[0], Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use callbook_base::{ContactId, Timestamp};

    use super::*;

    /// Keys that an attacker chose to want one slot of the table: they are sorted instead.
    #[test]
    fn keys_that_collide_are_sorted() {
        let rows: Vec<Row> = (0..200_000u64)
            .map(|n| format!("+4930{n:07}").parse::<NumberKey>().unwrap())
            .filter(|key| hashed(key) >> 4 & 511 == 77)
            .take(3 * STEPS)
            .map(|key| {
                let contact = ContactId::new(Timestamp::from_millis(0), [0; 10]);
                (key, Claim { created_at: Timestamp::from_millis(0), contact })
            })
            .collect();
        assert_eq!(rows.len(), 3 * STEPS);
        let owner: Vec<AtomicU32> = rows.iter().map(|_| AtomicU32::new(NO_ROW)).collect();
        let mut table = Table::new(&rows, &owner);
        let dealt: Vec<Dealt> =
            rows.iter().enumerate().map(|(place, row)| Dealt::new(row, place)).collect();
        table.settle([&dealt[..]].into_iter());
        assert!(table.slots.iter().filter(|slot| slot.row != NO_ROW).count() <= STEPS);
        assert!(
            owner.iter().enumerate().all(|(at, owner)| owner.load(Ordering::Relaxed) == at as u32)
        );
        assert_eq!(oldest_wins(&rows, 1).losers().count(), 0);
    }

    /// Of keys of at most 15 characters none may share a hash.
    #[test]
    fn mixing_loses_nothing() {
        let mut seen: Vec<u64> = (0..1 << 16).map(|n| mixed(n << 30 | n)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1 << 16);
        assert!(seen.iter().all(|bits| bits >> 60 == 0));
    }
}
