//! The owners of millions of claims at once.
//!
//! A hash map of all keys is slow because every row waits for memory: the map is far larger than the
//! processor's caches. So rows are first dealt by their hash into parts of some thousand, each small
//! enough for a table that stays in the cache and is used again for the next part. Rows are dealt block
//! by block, each block into a vector of its own: a row is read from memory once, and threads share the
//! blocks, later the parts, without a lock.
//!
//! What is dealt is not the row but 16 bytes of it: its hashed key, its age in seconds and its place.
//! Only where two rows have the same key and the same second are the rows looked at again. Nobody can
//! choose keys that make this slow: a part that does not fit its table, by many keys or by keys that
//! collide, is sorted, and so are keys of more than 15 characters, of which a hash does not tell all.

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

/// The slots of a part's table, and the rows that a part has at most on average.
const SLOTS: usize = 1 << 14;
const PART: usize = SLOTS * 3 / 8;

/// A key that finds no slot in as many steps has its part sorted.
const STEPS: usize = 64;

/// The owner of every key that `rows` claim: of all claims on it the oldest ([`Claim`]'s order).
///
/// The answer is the same for every order of the rows (but for their places) and every number of
/// threads. It takes 16 bytes of scratch memory a row beside its result, for each thread at most 4 more
/// while rows are dealt (of a million rows 0.5), and, for `n` rows, O(n) time when keys differ as hashes do,
/// O(n log n) for any keys. `threads` below 1 count as 1; more than 1
/// need a platform that has threads.
///
/// # Panics
///
/// When there are 2³² rows or more.
pub fn oldest_wins(rows: &[Row], threads: usize) -> Owners<'_> {
    assert!(u32::try_from(rows.len()).is_ok(), "2³² rows or more");
    let parts = Parts::of(rows.len());
    // Room from the caller's thread: one that lives for a moment only would get it page by page.
    let size = parts.block(rows.len());
    let mut blocks: Vec<Block> =
        rows.chunks(size).map(|rows| Block::room(rows.len(), parts)).collect();
    let each = blocks.len().div_ceil(threads.max(1)).max(1);
    let notes: Vec<Vec<Dealt>> = blocks.chunks(each).map(|_| Vec::with_capacity(size)).collect();
    share(
        rows.chunks(size * each).zip(blocks.chunks_mut(each)).zip(notes).enumerate(),
        |(number, ((rows, blocks), mut noted))| {
            let places = (number * each * size..).step_by(size);
            for ((rows, block), place) in rows.chunks(size).zip(blocks).zip(places) {
                noted.clear();
                noted.extend((place..).zip(rows).map(|(place, row)| Dealt::new(row, place)));
                block.deal(&noted, parts);
            }
        },
    );
    let owner: Vec<AtomicU32> = (0..rows.len() as u32).map(AtomicU32::new).collect();
    let next = AtomicUsize::new(0);
    share(0..threads.clamp(1, parts.count()), |_| {
        let mut table = Table::new(rows, &owner);
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= parts.count() {
                break;
            }
            let stretches = blocks.iter().map(|block| block.part(part));
            match part == parts.long() {
                true => table.sort(stretches.flatten()),
                false => table.settle(stretches),
            }
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
    /// The mixed key; 0 when it has more than one word, as no other has.
    key: u64,
    /// Seconds of 1,024 ms since 1970, cut to what fits: of two ages that differ, the smaller is older.
    age: u32,
    row: u32,
}

impl Dealt {
    fn new((key, claim): &Row, row: usize) -> Self {
        let [first, ..] = key.words();
        let key = if first & 15 == 0 { mixed(first) } else { 0 };
        let seconds = (claim.created_at.as_millis() >> 10).clamp(0, u32::MAX.into());
        Self { key, age: seconds as u32, row: row as u32 }
    }
}

/// Mixes the first word of a key, and loses nothing of it: of keys that have no other word, two have
/// the same hash only if they are the same. The upper bits are the better ones.
fn mixed(word: u64) -> u64 {
    (word ^ word >> 32).wrapping_mul(0x9FB2_1C65_1E98_DF25)
}

/// Into which parts rows are dealt: by the upper bits of their hash, a power of two of them, and one
/// more for the few keys that have more than one word. That part is sorted.
#[derive(Clone, Copy)]
struct Parts {
    bits: u32,
}

impl Parts {
    fn of(rows: usize) -> Self {
        Self { bits: rows.div_ceil(PART).next_power_of_two().ilog2() }
    }

    fn count(self) -> usize {
        self.long() + 1
    }

    fn long(self) -> usize {
        1 << self.bits
    }

    /// Rows in a block: few, so that it stays in the cache, and enough for a stretch of every part. With
    /// fewer than 2¹⁵ the beginnings of blocks and parts cost more than the cache saves; a quarter of all
    /// rows is enough, since what is noted of a block is scratch memory too.
    fn block(self, rows: usize) -> usize {
        (64 << self.bits).max(1 << 15).min(rows.div_ceil(4).max(1))
    }

    fn part(self, dealt: &Dealt) -> usize {
        match dealt.key {
            0 => self.long(),
            key => key.unbounded_shr(64 - self.bits) as usize,
        }
    }
}

/// A block of rows, dealt: part after part.
struct Block {
    dealt: Vec<Dealt>,
    /// Where each part ends.
    ends: Vec<u32>,
}

impl Block {
    fn room(rows: usize, parts: Parts) -> Self {
        Self { dealt: Vec::with_capacity(rows), ends: vec![0; parts.count()] }
    }

    /// Deals what was noted of the block's rows: a third of what the rows are, and it is read twice.
    fn deal(&mut self, noted: &[Dealt], parts: Parts) {
        let Self { dealt, ends } = self;
        for entry in noted {
            ends[parts.part(entry)] += 1;
        }
        let mut start = 0;
        for end in &mut *ends {
            start += std::mem::replace(end, start);
        }
        dealt.resize(noted.len(), Dealt::default());
        for entry in noted {
            let end = &mut ends[parts.part(entry)];
            dealt[*end as usize] = *entry;
            *end += 1;
        }
    }

    fn part(&self, part: usize) -> &[Dealt] {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.dealt[start as usize..self.ends[part] as usize]
    }
}

/// The oldest rows of a part's keys so far, by hash, with linear probing.
struct Table<'r> {
    rows: &'r [Row],
    owner: &'r [AtomicU32],
    /// 0 in an empty slot: no key has it for a hash.
    keys: Box<[u64; SLOTS]>,
    /// Age and row of the oldest row so far.
    oldest: Box<[(u32, u32); SLOTS]>,
    /// Rows that are known not to own their key, and the slot of the key.
    lost: Vec<(u32, u32)>,
}

impl<'r> Table<'r> {
    fn new(rows: &'r [Row], owner: &'r [AtomicU32]) -> Self {
        let (keys, oldest) = (Box::new([0; SLOTS]), Box::new([(0, 0); SLOTS]));
        Self { rows, owner, keys, oldest, lost: Vec::new() }
    }

    /// Writes down who owns the keys of one part, which lies in several stretches.
    fn settle<'d>(&mut self, stretches: impl Iterator<Item = &'d [Dealt]> + Clone) {
        self.keys.fill(0);
        self.lost.clear();
        for stretch in stretches.clone() {
            for entry in stretch {
                if !self.put(entry) {
                    return self.sort(stretches.flatten());
                }
            }
        }
        for (row, slot) in &self.lost {
            let owner = self.oldest[*slot as usize % SLOTS].1;
            self.owner[*row as usize].store(owner, Ordering::Relaxed);
        }
    }

    /// Puts an entry into its key's slot, if it is the oldest so far. False when there is no slot near.
    fn put(&mut self, entry: &Dealt) -> bool {
        let start = (entry.key >> 32) as usize;
        for place in start..start + STEPS {
            let place = place % SLOTS;
            if self.keys[place] == 0 {
                self.keys[place] = entry.key;
                self.oldest[place] = (entry.age, entry.row);
                return true;
            }
            if self.keys[place] == entry.key {
                let (age, row) = self.oldest[place];
                let older = match entry.age == age {
                    false => entry.age < age,
                    true => is_older(self.rows, entry.row, row),
                };
                let loser = if older { row } else { entry.row };
                self.oldest[place] = if older { (entry.age, entry.row) } else { (age, row) };
                self.lost.push((loser, place as u32));
                return true;
            }
        }
        false
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

/// Of two rows with the same key, whose ages are too near to tell.
#[cold]
fn is_older(rows: &[Row], a: u32, b: u32) -> bool {
    (rows[a as usize].1, a) < (rows[b as usize].1, b)
}

#[cfg(test)]
mod tests {
    use callbook_base::{ContactId, Timestamp};

    use super::*;

    /// Keys that an attacker chose to want one slot of the table: they are sorted instead.
    #[test]
    fn keys_that_collide_are_sorted() {
        let rows: Vec<Row> = (0..4_000_000u64)
            .map(|n| format!("+4930{n:07}").parse::<NumberKey>().unwrap())
            .filter(|key| (mixed(key.words()[0]) >> 32) as usize % SLOTS == 77)
            .take(3 * STEPS)
            .map(|key| {
                let contact = ContactId::new(Timestamp::from_millis(0), [0; 10]);
                (key, Claim { created_at: Timestamp::from_millis(0), contact })
            })
            .collect();
        assert_eq!(rows.len(), 3 * STEPS);
        let owner: Vec<AtomicU32> = rows.iter().map(|_| AtomicU32::new(u32::MAX)).collect();
        let mut table = Table::new(&rows, &owner);
        let dealt: Vec<Dealt> =
            rows.iter().enumerate().map(|(place, row)| Dealt::new(row, place)).collect();
        table.settle([&dealt[..]].into_iter());
        assert_eq!(table.keys.iter().filter(|key| **key != 0).count(), STEPS);
        let own = |(at, owner): (usize, &AtomicU32)| owner.load(Ordering::Relaxed) == at as u32;
        assert!(owner.iter().enumerate().all(own));
        assert_eq!(oldest_wins(&rows, 1).losers().count(), 0);
    }

    #[test]
    fn mixing_loses_nothing() {
        let mut seen: Vec<u64> = (0..1 << 16).map(|n| mixed(n << 40 | n)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1 << 16);
    }

    /// Numbers that differ in their first digits only, or in their last, find slots of their own.
    #[test]
    fn mixing_spreads_numbers_over_the_table() {
        let texts: [fn(u32) -> String; 3] =
            [|n| format!("+{n:05}000000"), |n| format!("+4930{n:05}"), |n| format!("+49{n:013}")];
        for text in texts {
            let keys = (0..8 * SLOTS as u32).map(|n| text(n).parse::<NumberKey>().unwrap());
            let mut slots: Vec<usize> =
                keys.map(|key| (mixed(key.words()[0]) >> 32) as usize % SLOTS).collect();
            slots.sort_unstable();
            slots.dedup();
            assert!(slots.len() > SLOTS * 9 / 10, "{} slots for {}", slots.len(), text(0));
        }
    }
}
