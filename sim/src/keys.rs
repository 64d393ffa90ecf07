//! What the numbers of a run are: the keys that the file of numbers says. How the service reads a number must not
//! enter here, but for those that a phone reads where nobody wrote them.

use std::collections::{BTreeMap, BTreeSet};

use callbook_dedup::number_key;
use callbook_worker::older::older;

use crate::rows::Row;
use crate::spelling::Spelling;

/// The keys of numbers as written in regions.
#[derive(Default)]
pub(crate) struct Keys {
    written: BTreeMap<(String, String), Made>,
    /// Regions in which a phone may read what was written in another: Android knows none of a number, and a
    /// phone that has lost all but its contacts reads them in its own.
    homes: BTreeSet<String>,
}

/// The key that each release makes of a number.
#[derive(Clone)]
struct Made {
    older: Option<String>,
    current: Option<String>,
}

impl Keys {
    /// Somebody writes the number of a row.
    pub(crate) fn write(&mut self, row: &Row, spelling: &Spelling) {
        let made = Made::of(row.key.clone());
        self.written.insert((spelling.number.clone(), spelling.region.clone()), made);
    }

    /// A phone of this region reads numbers that others wrote.
    pub(crate) fn are_read_in(&mut self, home: &str) {
        self.homes.insert(home.to_owned());
    }

    /// Whether somebody wrote this number in this region.
    pub(crate) fn are_written(&self, place: &(String, String)) -> bool {
        self.written.contains_key(place)
    }

    /// Whether somebody wrote this number anywhere with this key.
    pub(crate) fn are_written_as(&self, number: &str, key: Option<&str>) -> bool {
        let from = (number.to_owned(), String::new());
        let mut written = self.written.range(from..).take_while(|((text, _), _)| text == number);
        written.any(|(_, made)| {
            [&made.older, &made.current].into_iter().any(|it| it.as_deref() == key)
        })
    }

    /// The key of a number as written in a region, of the older release or this one.
    pub(crate) fn key(&self, number: String, region: String, is_older: bool) -> Option<String> {
        let place = (number, region);
        let made = self.written.get(&place).cloned().unwrap_or_else(|| {
            assert!(self.homes.contains(&place.1), "a spelling that nobody wrote");
            Made::of(number_key(&place.0, &place.1).map(|key| key.to_string()))
        });
        if is_older { made.older } else { made.current }
    }
}

impl Made {
    fn of(current: Option<String>) -> Self {
        Self { older: current.as_deref().and_then(older), current }
    }
}
