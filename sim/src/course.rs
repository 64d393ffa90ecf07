//! The course of a run, for a picture: how many phones had another book than the server at each step, and how
//! long syncs took. What a phone holds must never be judged here: `check.rs` does that.

use std::collections::BTreeMap;

use callbook_base::Timestamp;
use callbook_contacts::Digest;

/// Longer ago than that a phone that nobody hinders has synced: it does every half hour.
const LONG: i64 = 60 * 60 * 1_000;

/// How a phone stood when it last told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Standing {
    /// Of its mirror.
    pub(crate) digest: Digest,
    /// Whether its user did something that is not in the book yet.
    pub(crate) has_more_to_say: bool,
    /// When its last sync came to its end, if that was now.
    pub(crate) synced_at: Option<Timestamp>,
}

/// One look at all phones, or such looks of several runs together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// Phones.
    pub devices: u64,
    /// Of them those whose book was not the server's, or whose changes were not in it.
    pub differing: u64,
    /// Of these those whose last whole sync was more than an hour ago.
    pub for_long: u64,
}

/// The course of a run, or of several.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// After each hundredth of the time in which faults happen, and a last one when all is quiet.
    pub samples: Vec<Sample>,
    /// How long each sync took that came to its end, in milliseconds of the run's time.
    pub syncs: Vec<u64>,
    phones: BTreeMap<usize, Standing>,
}

impl Course {
    pub(crate) fn stands(&mut self, phone: usize, now: Standing) {
        let before = self.phones.get(&phone).and_then(|before| before.synced_at);
        let synced_at = now.synced_at.or(before);
        self.phones.insert(phone, Standing { synced_at, ..now });
    }

    /// Looks at all phones, while the book has this digest.
    pub(crate) fn sample(&mut self, now: Timestamp, book: Digest) {
        let mut sample = Sample { devices: self.phones.len() as u64, ..Sample::default() };
        for phone in self.phones.values() {
            if phone.digest != book || phone.has_more_to_say {
                sample.differing += 1;
                let is_long = |synced: Timestamp| now.millis_since(synced) > LONG;
                sample.for_long += u64::from(phone.synced_at.is_none_or(is_long));
            }
        }
        self.samples.push(sample);
    }

    /// The courses of both. A run that has no course, since it panicked, adds nothing.
    pub fn add(&mut self, other: &Self) {
        self.samples.resize(self.samples.len().max(other.samples.len()), Sample::default());
        for (sample, other) in self.samples.iter_mut().zip(&other.samples) {
            sample.devices += other.devices;
            sample.differing += other.differing;
            sample.for_long += other.for_long;
        }
        self.syncs.extend(&other.syncs);
    }

    /// The time that so many of a hundred syncs did not exceed, in milliseconds; 100 is the longest. `None`
    /// when there was no sync.
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let mut syncs = self.syncs.clone();
        syncs.sort_unstable();
        let at = (syncs.len() * percent).div_ceil(100);
        syncs.get(at.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_sync_that_was() {
        let course = |syncs: &[u64]| Course { syncs: syncs.to_vec(), ..Course::default() };
        let check = |syncs: &[u64], percent, expected| {
            assert_eq!(course(syncs).percentile(percent), expected, "{percent} of {syncs:?}");
        };
        check(&[], 50, None);
        check(&[7], 1, Some(7));
        check(&[30, 10, 20], 50, Some(20));
        check(&[30, 10, 20, 40], 50, Some(20));
        check(&[30, 10, 20, 40], 90, Some(40));
        check(&[30, 10, 20, 40], 100, Some(40));
    }

    #[test]
    fn a_phone_differs_by_its_book_or_what_it_has_to_say() {
        let book = Digest::default()
            .with("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(), callbook_base::Rev(1));
        let at = Timestamp::from_millis;
        let mut course = Course::default();
        course.stands(0, Standing { digest: book, has_more_to_say: false, synced_at: Some(at(0)) });
        course
            .stands(1, Standing { digest: book, has_more_to_say: true, synced_at: Some(at(LONG)) });
        course.stands(2, Standing { synced_at: Some(at(0)), ..Standing::default() });
        course.stands(2, Standing::default());
        course.stands(3, Standing::default());
        course.sample(at(LONG + 1), book);
        assert_eq!(course.samples, [Sample { devices: 4, differing: 3, for_long: 2 }]);
    }
}
