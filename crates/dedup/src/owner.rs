//! Who owns a key: of all live claimants the oldest, and of two of the same age the smaller id.

mod batch;

use std::collections::BTreeSet;

use callbook_base::{ContactId, Timestamp};

pub use batch::{Owners, Row, oldest_wins};

use crate::NumberKey;

/// A contact that has a number with some key. Claims sort oldest first, which is the whole rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// When the contact was made, as the server accepted it.
    pub created_at: Timestamp,
    /// The contact.
    pub contact: ContactId,
}

impl Claim {
    /// No claim is older.
    fn oldest() -> Self {
        Self { created_at: Timestamp::MIN, contact: ContactId::new(Timestamp::MIN, [0; 10]) }
    }
}

/// All live claims on a set of keys, changed one at a time: each change and each question takes
/// O(log n). The answer depends on the claims alone, never on the order in which they came (rule 3.3
/// of the protocol). [`oldest_wins`] is for millions at once.
#[derive(Debug, Clone, Default)]
pub struct OldestWins {
    /// By key, then oldest first.
    claims: BTreeSet<Row>,
}

impl OldestWins {
    /// Adds a claim; one that is there already changes nothing.
    pub fn claim(&mut self, key: NumberKey, claim: Claim) {
        self.claims.insert((key, claim));
    }

    /// Takes a claim back; one that is not there changes nothing.
    pub fn unclaim(&mut self, key: &NumberKey, claim: &Claim) {
        self.claims.remove(&(*key, *claim));
    }

    /// The owner of a key: its oldest claimant.
    pub fn owner(&self, key: &NumberKey) -> Option<Claim> {
        self.claimants(key).next()
    }

    /// All claimants of a key, oldest first.
    pub fn claimants(&self, key: &NumberKey) -> impl Iterator<Item = Claim> {
        let from = self.claims.range((*key, Claim::oldest())..);
        from.take_while(move |row| row.0 == *key).map(|row| row.1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(n: u8) -> NumberKey {
        format!("+1415555{n:04}").parse().unwrap()
    }

    fn claim(age: i64, id: u8) -> Claim {
        let contact = ContactId::new(Timestamp::from_millis(0), [id; 10]);
        Claim { created_at: Timestamp::from_millis(age), contact }
    }

    #[test]
    fn of_the_same_age_the_smaller_id_owns() {
        let mut book = OldestWins::default();
        for id in [3, 1, 2] {
            book.claim(key(0), claim(5, id));
        }
        assert_eq!(book.owner(&key(0)), Some(claim(5, 1)));
        book.claim(key(0), claim(4, 9));
        assert_eq!(book.owner(&key(0)), Some(claim(4, 9)));
        assert_eq!(book.owner(&key(1)), None);
    }

    proptest! {
        /// Against the naive model, a list of all claims, and against the batch form of it.
        #[test]
        fn every_step_has_the_owners_of_the_list(steps in prop::collection::vec((any::<bool>(), 0u8..4, 0i64..4, 0u8..4), 0..60)) {
            let (mut book, mut list) = (OldestWins::default(), Vec::new());
            for (adds, k, age, id) in steps {
                let row = (key(k), claim(age, id));
                list.retain(|held| *held != row);
                if adds {
                    list.push(row);
                    book.claim(row.0, row.1);
                } else {
                    book.unclaim(&row.0, &row.1);
                }
                let smallest = list.iter().filter(|held| held.0 == row.0).map(|held| held.1).min();
                prop_assert_eq!(book.owner(&row.0), smallest);
                let batch = oldest_wins(&list, 1);
                prop_assert!(batch.iter().all(|(key, owner)| book.owner(key) == Some(*owner)));
                let owned = (0..4).filter(|k| book.owner(&key(*k)).is_some()).count();
                prop_assert_eq!(batch.iter().count(), owned);
            }
        }
    }
}
