//! What the rest of this module reads: Google's metadata as automata and rows. `plans.rs`,
//! `states.rs` and `script.rs` are made by `cargo run -p callbook-dedup --example tables`, and a test
//! compares them with what it makes; how a number is read must never live here.
//!
//! A backtracking matcher's answers are compiled in: for a prefix, each state says whether the match
//! that such a matcher would choose ends there, and where its group stood. So one pass over the
//! digits, one load a digit, gives what an expression gives. All plans share one set of states, for
//! most of them end in the same few runs of "any digit".

mod plans;
mod script;
mod states;

pub(crate) use plans::VERSION;
use plans::{CALLING_CODES, PLANS, REGIONS};
pub(super) use script::{ASCII, CLASSES, EXTENSION, KEPT, PAGES, VIABLE};
use states::{SPANS, STATES};

/// A numbering plan: of a region, or of a network that is no region's.
pub(crate) struct Plan {
    pub(crate) code: Code,
    pub(super) international_prefix: Prefix,
    pub(super) national_prefix: Prefix,
    /// The national significant numbers.
    pub(super) general: Start,
    /// The digits put before what the group of a national prefix held, as ASCII, then zeros.
    pub(super) before: [u8; 4],
    possible: u32,
}

/// A calling code: its one to three ASCII digits, then zeros, and how many they are; what it is as a
/// number, and as a key has it.
#[derive(Clone, Copy)]
pub(crate) struct Code {
    digits: [u8; 3],
    length: u8,
    value: u16,
    nibbles: u16,
}

impl Code {
    const fn new(code: u16) -> Self {
        const fn digit(n: u16) -> u8 {
            b'0' + (n % 10) as u8
        }
        let (digits, length) = match code {
            100.. => ([digit(code / 100), digit(code / 10), digit(code)], 3),
            10.. => ([digit(code / 10), digit(code), 0], 2),
            _ => ([digit(code), 0, 0], 1),
        };
        let (mut nibbles, mut index) = (0, 0);
        while index < length {
            nibbles = nibbles << 4 | (digits[index as usize] - b'0' + 1) as u16;
            index += 1;
        }
        Self { digits, length, value: code, nibbles }
    }

    pub(super) fn digits(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }

    /// As a key has it: four bits a digit, each more by one.
    pub(crate) fn nibbles(self) -> u64 {
        self.nibbles.into()
    }

    pub(crate) fn len(self) -> u32 {
        u32::from(self.length)
    }

    pub(super) fn padded(&self) -> &[u8; 3] {
        &self.digits
    }

    /// Whether some digits start with the code.
    pub(super) fn starts(self, digits: &[u8]) -> bool {
        digits.first() == Some(&self.digits[0]) && digits.starts_with(self.digits())
    }
}

/// The state in which an automaton starts.
#[derive(Clone, Copy)]
pub(super) struct Start(u16);

/// An automaton that finds a prefix.
#[derive(Clone, Copy)]
pub(super) struct Prefix {
    start: Start,
    /// A bit for each digit with which a match may start: most numbers have no prefix, and need nothing
    /// more.
    first: u16,
}

/// What is asked of the length of a national significant number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Possible,
    /// Longer than all that are possible.
    TooLong,
    /// Shorter, between two of them, or possible where the area need not be dialled.
    Other,
}

/// A match at the start of some digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) end: usize,
    /// Where the group stood, when there is one and it is not empty.
    pub(super) group: Option<(usize, usize)>,
}

impl Plan {
    /// The plan of a region, given as libphonenumber writes it: two capitals.
    pub(crate) fn of_region(region: &[u8; 2]) -> Option<&'static Self> {
        let letter = |byte: u8| Some(usize::from(byte.checked_sub(b'A').filter(|n| *n < 26)?));
        let index = REGIONS[letter(region[0])?][letter(region[1])?];
        (index != 0).then(|| &PLANS[usize::from(index)])
    }

    /// The plan that reads the numbers of a calling code.
    pub(super) fn of_code(code: Code) -> Option<&'static Self> {
        let index = *CALLING_CODES.get(usize::from(code.value))?;
        (index != 0).then(|| &PLANS[usize::from(index)])
    }

    /// The plan that reads the numbers of the calling code with which some digits start. No code is
    /// the start of another one.
    pub(super) fn of_code_at(digits: &[u8]) -> Option<&'static Self> {
        let mut code = 0;
        for digit in digits.iter().take(3) {
            code = code * 10 + usize::from(digit & 15);
            if code == 0 {
                break;
            }
            let index = *CALLING_CODES.get(code)?;
            if index != 0 {
                return Some(&PLANS[usize::from(index)]);
            }
        }
        None
    }

    pub(super) fn length(&self, digits: usize) -> Length {
        let bit = if digits < 32 { 1u32 << digits } else { 0 };
        let longest = self.possible.checked_ilog2();
        if self.possible & bit != 0 {
            Length::Possible
        } else if longest.is_some_and(|longest| digits > longest as usize) {
            Length::TooLong
        } else {
            Length::Other
        }
    }
}

/// One state: where the ten digits lead, as indices of the whole table; what the state says when a
/// match may go on from here, and what when the digits end here. 0: no match, 1: a match, more: a
/// match with the group at that place of [`SPANS`], less two.
const ON: usize = 10;
const END: usize = 11;

impl Start {
    /// Whether the automaton takes the digits, all of them.
    #[inline]
    pub(super) fn takes(self, digits: &[u8]) -> bool {
        let mut state = usize::from(self.0);
        for digit in digits {
            if state == 0 {
                return false;
            }
            state = next(state, *digit);
        }
        STATES[state + END] != 0
    }
}

impl Prefix {
    const fn new(start: u16) -> Self {
        let (mut first, mut digit) = (0, 0);
        while digit < 10 {
            if STATES[start as usize + ON] != 0 || STATES[start as usize + digit] != 0 {
                first |= 1 << digit;
            }
            digit += 1;
        }
        Self { start: Start(start), first }
    }

    /// The match at the start of the digits, if there is one.
    #[inline(always)]
    pub(super) fn find(self, digits: &[u8]) -> Option<Match> {
        if digits.first().is_some_and(|digit| self.first >> (digit & 15) & 1 == 0) {
            return None;
        }
        let mut state = usize::from(self.start.0);
        let (mut end, mut says) = (0, STATES[state + ON]);
        for (index, digit) in digits.iter().enumerate() {
            state = next(state, *digit);
            if state == 0 {
                return Match::said(end, says);
            }
            if STATES[state + ON] != 0 {
                (end, says) = (index + 1, STATES[state + ON]);
            }
        }
        match STATES[state + END] {
            0 => Match::said(end, says),
            last => Match::said(digits.len(), last),
        }
    }
}

/// `digit` is ASCII.
fn next(state: usize, digit: u8) -> usize {
    usize::from(STATES[state + usize::from(digit & 15)])
}

impl Match {
    fn said(end: usize, says: u16) -> Option<Self> {
        match says {
            0 => None,
            1 => Some(Self { end, group: None }),
            _ => {
                let (start, stop) = SPANS[usize::from(says) - 2];
                Some(Self { end, group: Some((start.into(), stop.into())) })
            }
        }
    }
}

/// One row of [`PLANS`].
const fn plan(calling_code: u16, starts: [u16; 3], before: &str, possible: &[u8]) -> Plan {
    const fn bits(lengths: &[u8]) -> u32 {
        let (mut bits, mut index) = (0, 0);
        while index < lengths.len() {
            bits |= 1 << lengths[index];
            index += 1;
        }
        bits
    }
    let mut digits = [0; 4];
    let mut index = 0;
    while index < before.len() {
        digits[index] = before.as_bytes()[index];
        index += 1;
    }
    Plan {
        code: Code::new(calling_code),
        international_prefix: Prefix::new(starts[0]),
        national_prefix: Prefix::new(starts[1]),
        general: Start(starts[2]),
        before: digits,
        possible: bits(possible),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_small() {
        let bytes = size_of_val(&STATES)
            + size_of_val(&SPANS)
            + size_of_val(&PLANS)
            + size_of_val(&REGIONS)
            + size_of_val(&CALLING_CODES)
            + size_of_val(&ASCII)
            + size_of_val(&CLASSES)
            + size_of_val(&PAGES)
            + size_of_val(&KEPT)
            + size_of_val(&VIABLE)
            + size_of_val(&EXTENSION);
        assert!(bytes <= 60_000, "{bytes}");
    }
}
