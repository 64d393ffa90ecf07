//! The guard against a phone that deletes the book: by a broken app, or a user who cleared "their"
//! contacts (section 4 of the protocol).

use std::collections::BTreeSet;
use std::time::Duration;

use callbook_base::Timestamp;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::op::{Change, Push, PushedOp, Rejection, RejectionCode};

/// Deletes of a device count together for so long.
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);

/// So many deletes need no confirmation, however small the book.
const FEW: u64 = 20;

/// Above one in so many visible contacts they do.
const SHARE: u64 = 4;

/// The most entries of [`Deletes`]: they stand in one row of the database.
const MOST_ENTRIES: usize = 100;

/// When a device has deleted how many contacts, lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletes(Vec<(i64, u64)>);

impl Deletes {
    /// How many are less than a day old.
    fn lately(&self, now: Timestamp) -> u64 {
        self.0.iter().filter(|(at, _)| is_lately(*at, now)).map(|(_, contacts)| contacts).sum()
    }

    /// With so many more, and without those that no longer count.
    pub(super) fn with(&self, contacts: u64, now: Timestamp) -> Self {
        if contacts == 0 {
            return self.clone();
        }
        let mut lately: Vec<_> =
            self.0.iter().copied().filter(|(at, _)| is_lately(*at, now)).collect();
        lately.push((now.as_millis(), contacts));
        while lately.len() > MOST_ENTRIES {
            // Those of the first count as long as the second's.
            lately[1].1 += lately[0].1;
            lately.remove(0);
        }
        Self(lately)
    }
}

fn is_lately(at: i64, now: Timestamp) -> bool {
    let lately = i64::try_from(LATELY.as_millis()).expect("a day in milliseconds");
    now.millis_since(Timestamp::from_millis(at)) < lately
}

/// Whether so many deletes of a phone need a yes of its user, in a book that shows so many contacts.
pub fn are_many_deletes(deletes: u64, visible: u64) -> bool {
    deletes > FEW && deletes * SHARE > visible
}

/// Whether a push asks for more deletes than its user may make without saying that it is meant. The
/// whole push counts, also what its plan has no room for.
pub(super) fn are_too_many(facts: &Facts, push: &Push, now: Timestamp) -> bool {
    let asked = effective(facts, &push.ops);
    let before: u64 = facts.lineage.values().map(|deletes| deletes.lately(now)).sum();
    let lately = asked + before;
    !push.confirm_deletes && asked > 0 && are_many_deletes(lately, facts.held.visible)
}

/// How many contacts of the book the deletes of these ops delete: live ones that no edit keeps and
/// that no later op puts again.
pub(super) fn effective(facts: &Facts, ops: &[PushedOp]) -> u64 {
    let mut gone = BTreeSet::new();
    for op in ops.iter().filter(|op| op.op_seq > facts.device.acked_seq) {
        let Ok(op) = &op.op else { continue };
        match op.change {
            Change::Put { .. } => {
                gone.remove(&op.id);
            }
            Change::Delete => {
                let held = facts.held.contacts.get(&op.id);
                let is_live = held.is_some_and(|contact| contact.state.is_live());
                if is_live && !facts.keeps(op) && op.base_rev <= facts.held.rev {
                    gone.insert(op.id);
                }
            }
        }
    }
    gone.len() as u64
}

/// Why such a delete is refused.
pub fn unconfirmed_delete() -> Rejection {
    let detail = "this device deletes more than a quarter of the book: ask its user, and send the \
                  deletes again as new ops with confirm_deletes";
    RejectionCode::TooManyDeletes.because(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1_000;

    #[test]
    fn deletes_count_for_a_day() {
        #[track_caller]
        fn check(ages: &[i64], lately: u64) {
            let now = Timestamp::from_millis(1_000 * HOUR);
            let deletes = ages
                .iter()
                .fold(Deletes::default(), |deletes, age| deletes.with(1, now.plus_millis(-age)));
            assert_eq!(deletes.lately(now), lately, "{ages:?}");
        }
        check(&[], 0);
        check(&[0], 1);
        check(&[23 * HOUR, HOUR], 2);
        check(&[24 * HOUR - 1], 1);
        check(&[24 * HOUR], 0);
        check(&[30 * HOUR, HOUR], 1);
        // More than are kept one by one: the oldest count together, as long as the younger of them.
        check(&[HOUR; 150], 150);
        let after_an_old_one = |others| [&[24 * HOUR][..], &vec![HOUR; others]].concat();
        check(&after_an_old_one(99), 99);
        check(&after_an_old_one(100), 101);
    }
}
