//! How much one request asks for: less when requests die of it, and slowly more again. Which answers mean
//! that a request has died must never live here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What requests have more or less of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// Ops of a push of contacts.
    Ops,
    /// Calls of a push of calls.
    Calls,
    /// Rows of a page of contacts.
    Contacts,
    /// Rows of a page of calls.
    PulledCalls,
}

impl Load {
    /// The most of one request; of pages, what a server gives when nothing is said.
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Ops => callbook_contacts::wire::OPS_AT_ONCE,
            // With the longest numbers they are below a mebibyte.
            Self::Calls => 100,
            Self::Contacts | Self::PulledCalls => 500,
        }
    }
}

/// The loads of which a request asks for less than the most; none at first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Portions(pub BTreeMap<Load, Portion>);

/// How much of a load a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    /// So much, 1 or more.
    pub size: usize,
    /// How much was too much, the last time.
    pub died_at: usize,
    /// How often in a row all of it was answered.
    pub answered: u32,
}

/// So often a size has to do before a larger one is tried that may be too much.
const OFTEN: u32 = 8;

impl Portions {
    /// How much a request may have, if that is less than the most.
    pub(crate) fn reduced(&self, load: Load) -> Option<usize> {
        self.0.get(&load).map(|portion| portion.size)
    }

    /// How much a request may have.
    pub(crate) fn size(&self, load: Load) -> usize {
        self.reduced(load).unwrap_or_else(|| load.most())
    }

    /// A request with so much has died: half of it is tried.
    pub(crate) fn halve(&mut self, load: Load, sent: usize) {
        let size = (sent / 2).max(1);
        self.0.insert(load, Portion { size, died_at: sent, answered: 0 });
    }

    /// A request with so much was answered. If it was all that it may have, others may have more: an eighth, after
    /// some that were answered too, until one has come past what was too much; then twice as much.
    pub(crate) fn grow(&mut self, load: Load, sent: usize) {
        let Some(portion) = self.0.get_mut(&load).filter(|portion| portion.size <= sent) else {
            return;
        };
        portion.answered += 1;
        if sent < portion.died_at && portion.answered < OFTEN {
            return;
        }
        portion.answered = 0;
        portion.size += if sent < portion.died_at { (sent / 8).max(1) } else { sent };
        if portion.size >= load.most() {
            self.0.remove(&load);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a hundred requests to a server that dies of more than `most`; the sizes that died, and how many
    /// ops came through.
    fn through(most: usize) -> (Vec<usize>, usize) {
        let (mut portions, mut died, mut through) = (Portions::default(), Vec::new(), 0);
        for _ in 0..100 {
            let size = portions.size(Load::Ops);
            if size > most {
                died.push(size);
                portions.halve(Load::Ops, size);
            } else {
                through += size;
                portions.grow(Load::Ops, size);
            }
        }
        (died, through)
    }

    #[test]
    fn what_dies_is_halved_and_grows_slowly() {
        assert_eq!(through(250), (vec![], 25_000));
        let (died, all) = through(100);
        assert_eq!(died[..2], [250, 125]);
        assert!(died.len() < 8 && all > 6_500, "{died:?} {all}");
        let (died, all) = through(1);
        assert!(died.len() < 25 && all > 70, "{died:?} {all}");
    }

    #[test]
    fn when_the_server_is_well_again_it_doubles() {
        let mut portions = Portions::default();
        for size in [250, 125, 62, 31, 15, 7, 3, 1] {
            portions.halve(Load::Ops, size);
        }
        portions.grow(Load::Ops, 1);
        for size in [2, 4, 8, 16, 32, 64, 128, 250] {
            assert_eq!(portions.size(Load::Ops), size);
            portions.grow(Load::Ops, size - 1);
            assert_eq!(portions.size(Load::Ops), size, "it was less than it may have");
            portions.grow(Load::Ops, size);
        }
        assert_eq!(portions, Portions::default());
    }
}
