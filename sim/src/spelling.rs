//! Other spellings of a number: as several people have it in their phones.

use callbook_dedup::number_key;
use rand::{Rng, RngExt};

use crate::rows::Row;

/// A spelling, and the region that it was written in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spelling {
    /// As written.
    pub(crate) number: String,
    /// Where.
    pub(crate) region: String,
}

/// The zeros of scripts whose digits phones write.
const ZEROS: [char; 5] = ['0', '٠', '۰', '०', '０'];

/// What people put between digits.
const SEPARATORS: [&str; 4] = ["", " ", "-", "."];

/// The number of a row in another spelling, perhaps the same: in its country's form with other
/// separators, or in the international form as written anywhere, in any digits. A number without a
/// key, or with an extension, stays as it is.
pub(crate) fn respell(row: &Row, chance: &mut impl Rng) -> Spelling {
    let zero =
        if chance.random_bool(0.7) { '0' } else { ZEROS[chance.random_range(0..ZEROS.len())] };
    let main = row.key.as_deref().filter(|key| !key.contains(';'));
    // Some E.164 forms, read again, lose a zero that looks like a trunk prefix (+234 0…).
    let reads_back =
        |key: &&str| number_key(key, "").is_some_and(|again| again.to_string() == *key);
    match main.filter(reads_back) {
        Some(key) if chance.random_bool(0.6) => {
            let regions = ["US", "DE", "IN", "BR", ""];
            Spelling {
                number: format!("+{}", spaced(&key[1..], zero, chance)),
                region: regions[chance.random_range(0..regions.len())].to_owned(),
            }
        }
        _ if main.is_some() && plain(&row.number) => Spelling {
            number: in_digits(&row.number, zero, SEPARATORS[chance.random_range(1..4)]),
            region: row.region.clone(),
        },
        _ => Spelling { number: row.number.clone(), region: row.region.clone() },
    }
}

/// Whether a text is digits with single spaces or hyphens between them, which other separators can
/// take the place of.
fn plain(text: &str) -> bool {
    let shaped = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-'));
    shaped && text.starts_with(|char: char| char.is_ascii_digit()) && !text.contains("  ")
}

/// Digits in groups of two to four.
fn spaced(digits: &str, zero: char, chance: &mut impl Rng) -> String {
    let separator = SEPARATORS[chance.random_range(0..SEPARATORS.len())];
    let mut text = String::new();
    let mut group = chance.random_range(2..5);
    for (at, digit) in digits.chars().enumerate() {
        if group == 0 && at + 1 < digits.len() {
            text.push_str(separator);
            group = chance.random_range(2..5);
        }
        group -= 1;
        text.push(other_digit(digit, zero));
    }
    text
}

fn in_digits(text: &str, zero: char, separator: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            ' ' | '-' => out.push_str(separator),
            digit => out.push(other_digit(digit, zero)),
        }
    }
    out
}

fn other_digit(digit: char, zero: char) -> char {
    let value = digit.to_digit(10).unwrap_or(0);
    char::from_u32(zero as u32 + value).unwrap_or(digit)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The simulator takes a spelling's key from its row, not from the service: so the two must
    /// agree, or a run would report what is no fault.
    #[test]
    fn every_spelling_has_its_rows_key() {
        let mut chance = ChaCha8Rng::seed_from_u64(1);
        let (mut changed, rows) = (0, crate::rows::read(None, usize::MAX).unwrap());
        for row in &rows {
            for _ in 0..4 {
                let spelling = respell(row, &mut chance);
                let key = number_key(&spelling.number, &spelling.region);
                assert_eq!(key.map(|key| key.to_string()), row.key, "{row:?} {spelling:?}");
                changed += usize::from(spelling.number != row.number);
            }
        }
        assert!(changed > rows.len() * 2, "{changed}");
    }
}
