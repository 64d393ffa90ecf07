//! When a contact was made, whatever the phone's clock says: rule 3.4 of the protocol.

use std::time::Duration;

use callbook_base::Timestamp;

/// An `as_of` further back than this before its `sent_at` counts as this far back.
const LONGEST_OUTBOX: Duration = Duration::from_secs(24 * 60 * 60);

/// The server's clock and the phone's, at one request. What the phone's clock says is moved by the
/// difference, so a phone in 1970 or 2100 does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The server's time, never behind a device's floor.
    pub now: Timestamp,
    /// The phone's clock at sending.
    pub sent_at: Timestamp,
}

/// Up to where a device has told all: what existed then would have been pushed then, so nothing
/// that it sends later is older.
pub type Floor = Timestamp;

impl Clocks {
    /// When a contact was made that the phone says was made at `claimed`. Without a floor it is now:
    /// a phone that joins late takes no number that others hold.
    pub fn created_at(self, floor: Option<Floor>, claimed: Option<Timestamp>) -> Timestamp {
        match (floor, claimed) {
            (Some(floor), Some(claimed)) => {
                self.correct(claimed).clamp(floor.min(self.now), self.now)
            }
            _ => self.now,
        }
    }

    /// The device's floor after a complete push as of `as_of`. It never moves back.
    pub fn floor(self, before: Option<Floor>, as_of: Timestamp) -> Floor {
        let back = -i64::try_from(LONGEST_OUTBOX.as_millis()).expect("a day in milliseconds");
        let as_of = as_of.max(self.sent_at.plus_millis(back));
        let floor = self.correct(as_of).min(self.now);
        before.map_or(floor, |before| floor.max(before))
    }

    fn correct(self, claimed: Timestamp) -> Timestamp {
        self.now.plus_millis(claimed.millis_since(self.sent_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    fn at(offset: i64) -> Timestamp {
        Timestamp::from_millis(NOW + offset)
    }

    /// All times but the phone's are offsets from the server's now; the phone's are from its own.
    #[test]
    fn created_at_is_clamped() {
        #[track_caller]
        fn check(floor: Option<i64>, claimed: Option<i64>, accepted: i64) {
            for wrong_by in [0, HOUR, -HOUR, 50 * 365 * DAY, -50 * 365 * DAY] {
                let clocks = Clocks { now: at(0), sent_at: at(wrong_by) };
                let claimed = claimed.map(|claimed| at(wrong_by + claimed));
                assert_eq!(clocks.created_at(floor.map(at), claimed), at(accepted), "{wrong_by}");
            }
        }
        check(None, Some(-HOUR), 0); // never a complete push: now
        check(Some(-DAY), None, 0); // says nothing: now
        check(Some(-DAY), Some(-HOUR), -HOUR);
        check(Some(-DAY), Some(-2 * DAY), -DAY); // would have been pushed then
        check(Some(-DAY), Some(HOUR), 0); // not made yet
        check(Some(HOUR), Some(-HOUR), 0); // a floor ahead of us cannot be, and does no harm
    }

    #[test]
    fn a_floor_moves_up_to_as_of_and_never_back() {
        #[track_caller]
        fn check(before: Option<i64>, as_of: i64, floor: i64) {
            for wrong_by in [0, HOUR, -50 * 365 * DAY] {
                let clocks = Clocks { now: at(0), sent_at: at(wrong_by) };
                assert_eq!(clocks.floor(before.map(at), at(wrong_by + as_of)), at(floor));
            }
        }
        check(None, -HOUR, -HOUR);
        check(None, -3 * DAY, -DAY);
        check(None, HOUR, 0);
        check(Some(-2 * HOUR), -HOUR, -HOUR);
        check(Some(-HOUR), -2 * HOUR, -HOUR);
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        for sent_at in [Timestamp::MIN, Timestamp::MAX] {
            for claimed in [Timestamp::MIN, Timestamp::MAX] {
                let clocks = Clocks { now: at(0), sent_at };
                let accepted = clocks.created_at(Some(at(-DAY)), Some(claimed));
                assert!((at(-DAY)..=at(0)).contains(&accepted));
                assert!((at(-DAY)..=at(0)).contains(&clocks.floor(None, claimed)));
            }
        }
    }
}
