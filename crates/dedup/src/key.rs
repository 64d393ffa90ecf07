//! Number keys: the text of a phone number and the region it was written in → what all spellings of
//! that number have in common.

use std::fmt;
use std::str::FromStr;

use crate::number::{self, Code, LONGEST, Number, Plan, digit};

/// One version of the tables and rules that make keys. A book stores which made its own, since another
/// may make others.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// Its name.
    pub version: &'static str,
    /// The key of a text as written in a region, if it has one.
    pub key: fn(text: &str, region: &str) -> Option<NumberKey>,
}

impl Tables {
    /// The tables that are compiled in, and [`number_key`].
    pub const CURRENT: Self = Self { version: number::VERSION, key: number_key };
}

/// The key of `text` as written in `region` (ISO 3166, such as `US`), or `None` when it takes part
/// in nothing but display: a short code, an emergency number, garbage, a local number without its
/// area, or a number without `+` in a region that nobody knows.
///
/// Source: section 2 of the protocol. The key is [`e164`](crate::e164)'s answer when libphonenumber's
/// reason for the length is `IS_POSSIBLE`, and the extension when there is one. It departs from
/// libphonenumber in three points, each for what people type and phones report:
///
/// - **A note in brackets is no part of the number.** libphonenumber dials `(home)` on the keypad.
///   Without the words in brackets at the end the number is tried first; if it is none, as in
///   `1-800-(FLOWERS)`, the whole text is.
/// - **A region may be in small letters**, as Android gives a SIM's.
/// - **An extension is in ASCII digits**, in whatever script it was written, so that all spellings
///   have one key. libphonenumber leaves it as written.
///
/// ```
/// use callbook_dedup::number_key;
/// let key = number_key("(415) 555-2671", "US").unwrap();
/// assert_eq!(key.to_string(), "+14155552671");
/// assert_eq!(number_key("001 415 555 2671 ext. 9", "DE").unwrap().to_string(), "+14155552671;ext=9");
/// assert_eq!(number_key("415-555-2671 (home)", "us"), Some(key));
/// assert_eq!(number_key("911", "US"), None);
/// ```
pub fn number_key(text: &str, region: &str) -> Option<NumberKey> {
    let region: Option<&[u8; 2]> = region.as_bytes().try_into().ok();
    let home = region.and_then(|region| Plan::of_region(&region.map(|byte| byte & !0x20)));
    match text.as_bytes().last() {
        Some(b'0'..=b'9') => key(text, home), // most texts: no note
        _ => key_beside_note(text, home),
    }
}

// By itself, so that what calls it last only jumps to it.
#[inline(never)]
fn key(text: &str, home: Option<&'static Plan>) -> Option<NumberKey> {
    let mut number = Number::NONE;
    let code = number.read(text, home)?.code;
    number.is_possible(code).then(|| NumberKey::of(code, &number))
}

/// The key of a text that may end in a note.
#[inline(never)]
fn key_beside_note(text: &str, home: Option<&'static Plan>) -> Option<NumberKey> {
    without_note(text).and_then(|number| key(number, home)).or_else(|| key(text, home))
}

/// A text without the words in brackets at its end, if it has such.
fn without_note(text: &str) -> Option<&str> {
    let inside = text.trim_end().strip_suffix([')', ']'])?;
    let start = inside.rfind(['(', '['])?;
    let note = &inside[start + 1..];
    let is_note =
        note.chars().any(char::is_alphabetic) && !note.chars().any(|c| digit(c).is_some());
    is_note.then(|| &text[..start])
}

/// What a phone dials of a text: its decimal digits, of any script, as ASCII, `*`, `#` and a leading
/// `+`. Empty when it has none of them.
///
/// ```
/// assert_eq!(callbook_dedup::dialled("+٤٩ (30) 12-34*5#"), "+49301234*5#");
/// ```
pub fn dialled(text: &str) -> String {
    let mut dialled = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '*' | '#' => dialled.push(char),
            '+' if dialled.is_empty() => dialled.push(char),
            char => dialled.extend(digit(char).map(char::from)),
        }
    }
    dialled
}

/// What all spellings of one number have in common: E.164, and `;ext=` with the digits of the
/// extension when there is one. Keys sort as their texts do. `Debug` does not print the number.
///
/// A key is packed, four bits a character, so that comparing and hashing millions of them touches no
/// heap: most have their 16 digits or fewer in the first word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberKey([u64; 3]);

/// What four bits stand for: nothing, the digits, and [`EXTENSION`]. In this order, that of ASCII.
const ALPHABET: &[u8; 11] = b"\x000123456789";
const SEPARATOR: u64 = ALPHABET.len() as u64;
const EXTENSION: &str = ";ext=";

/// The most digits of a number and of an extension.
const MOST: usize = 20;

impl NumberKey {
    fn of(code: Code, number: &Number) -> Self {
        let (national, count) = number.national();
        // Eight digits at a time: to pack them singly would be a third of all the work on a number.
        let &[a, b, c, d, e, f, g, h, ref rest @ .., last] = national;
        let national = packed([a, b, c, d, e, f, g, h]) << 32 | packed(*rest);
        let national = national & !u64::MAX.unbounded_shr(4 * count as u32);
        let last = if count == LONGEST { nibble(last) << 60 } else { 0 };
        // One to three digits: none of these shifts is one by nothing, or by all.
        let (down, up) = (4 * code.len(), 64 - 4 * code.len());
        let key = Self([code.nibbles() << up | national >> down, national << up | last >> down, 0]);
        match &*number.extension {
            [] => key,
            extension => key.with_extension(extension),
        }
    }

    /// The key as packed: equal keys have equal words, and most have all of it in the first.
    pub(crate) fn words(&self) -> [u64; 3] {
        self.0
    }

    #[cold] // few numbers have one
    #[inline(never)]
    fn with_extension(mut self, digits: &[u8]) -> Self {
        let start = self.nibbles().count();
        self.put(start, SEPARATOR);
        (start + 1..).zip(digits).for_each(|(place, digit)| self.put(place, nibble(*digit)));
        self
    }

    fn put(&mut self, place: usize, nibble: u64) {
        self.0[place / 16] |= nibble << (60 - place % 16 * 4);
    }

    fn nibbles(&self) -> impl Iterator<Item = u64> {
        let all = self.0.iter().flat_map(|word| (0..16).map(move |n| word >> (60 - n * 4) & 15));
        all.take_while(|nibble| *nibble != 0)
    }
}

fn nibble(digit: u8) -> u64 {
    u64::from(digit - b'0' + 1)
}

/// Eight ASCII digits, four bits each, in the lower half. What is no digit gets any bits.
fn packed(digits: [u8; 8]) -> u64 {
    // No byte of a text is 255.
    let mut nibbles = u64::from_be_bytes(digits).wrapping_add(0x0101_0101_0101_0101);
    nibbles &= 0x0F0F_0F0F_0F0F_0F0F;
    nibbles = (nibbles | nibbles >> 4) & 0x00FF_00FF_00FF_00FF;
    nibbles = (nibbles | nibbles >> 8) & 0x0000_FFFF_0000_FFFF;
    (nibbles | nibbles >> 16) & 0xFFFF_FFFF
}

impl NumberKey {
    /// Shows the key as text, without a heap.
    fn with_text<T>(&self, show: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; 1 + MOST + EXTENSION.len() + MOST];
        text[0] = b'+';
        let mut length = 1;
        for nibble in self.nibbles() {
            let shown: &[u8] = match nibble {
                SEPARATOR => EXTENSION.as_bytes(),
                digit => std::slice::from_ref(&ALPHABET[digit as usize]),
            };
            text[length..length + shown.len()].copy_from_slice(shown);
            length += shown.len();
        }
        show(std::str::from_utf8(&text[..length]).expect("ASCII"))
    }
}

impl fmt::Display for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.pad(text))
    }
}

impl fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberKey(…)")
    }
}

/// A text that is not a number key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number key is + and digits, and ;ext= and digits when there is an extension")]
pub struct InvalidNumberKey;

impl FromStr for NumberKey {
    type Err = InvalidNumberKey;

    /// Reads the form that `Display` writes. Whether such a number can exist is not asked.
    fn from_str(text: &str) -> Result<Self, InvalidNumberKey> {
        let digits = |part: &str| {
            (1..=MOST).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        let (number, extension) = match text.split_once(EXTENSION) {
            Some((number, extension)) if digits(extension) => (number, extension),
            Some(_) => return Err(InvalidNumberKey),
            None => (text, ""),
        };
        match number.strip_prefix('+') {
            Some(number) if digits(number) => {
                let mut key = Self([0; 3]);
                (0..).zip(number.bytes()).for_each(|(place, digit)| key.put(place, nibble(digit)));
                Ok(if extension.is_empty() {
                    key
                } else {
                    key.with_extension(extension.as_bytes())
                })
            }
            _ => Err(InvalidNumberKey),
        }
    }
}

callbook_base::serde_as_text!(NumberKey, |this, serializer| {
    this.with_text(|text| serializer.serialize_str(text))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, region: &str, key: Option<&str>) {
        assert_eq!(number_key(text, region).map(|key| key.to_string()).as_deref(), key);
    }

    #[test]
    fn the_same_number_has_one_key() {
        check("(415) 555-2671", "US", Some("+14155552671"));
        check("+1 415 555 2671", "DE", Some("+14155552671"));
        check("0014155552671", "DE", Some("+14155552671"));
        check("٠٠١٤١٥٥٥٥٢٦٧١", "DE", Some("+14155552671"));
        check("+１４１５５５５２６７１", "", Some("+14155552671"));
        check("02 36618300", "IT", Some("+390236618300"));
        check("011 15-2345-6789", "AR", Some("+5491123456789"));
        // With the calling code more than the sixteen digits of a key's first word, and all that there may be.
        check("+49 123 456 789 012 345", "US", Some("+49123456789012345"));
        check("+49 123 456 789 012 346", "US", Some("+49123456789012346"));
        check("+81 1234 5678 9012 34567", "US", Some("+8112345678901234567"));
        check("+81 1234 5678 9012 34568", "US", Some("+8112345678901234568"));
        check("(415) 555-2671 ext. 12", "US", Some("+14155552671;ext=12"));
        check("tel:+1-415-555-2671;ext=12", "FR", Some("+14155552671;ext=12"));
    }

    #[test]
    fn what_cannot_be_dialled_from_elsewhere_has_no_key() {
        check("911", "US", None);
        check("112", "DE", None);
        check("*123#", "GB", None);
        check("555-2671", "US", None);
        check("call later", "US", None);
        check("", "US", None);
        check("415 555 2671", "ZZ", None);
        check("415 555 2671", "001", None);
        check("415 555 2671", "nowhere", None);
        check("+999 1234 5678", "US", None);
    }

    /// The departures from libphonenumber.
    #[test]
    fn notes_small_letters_and_foreign_extensions_keep_the_key() {
        let ann = Some("+14155552671");
        check("415-555-2671 (home)", "US", ann);
        check("415-555-2671 [work] ", "US", ann);
        check("+1 415 555 2671 (privé, le soir)", "FR", ann);
        check("415-555-2671 x9 (desk)", "US", Some("+14155552671;ext=9"));
        // A bracket with digits is no note, nor is one without which there is no number.
        check("(415) 555 (2671)", "US", ann);
        check("415-555-2671 (home 2)", "US", None);
        check("1-800-(FLOWERS)", "US", Some("+18003569377"));
        check("(home)", "US", None);
        check("415 555 2671", "us", ann);
        check("415 555 2671", "uS", ann);
        check("415 555 2671 x١٢", "US", Some("+14155552671;ext=12"));
    }

    #[test]
    fn keys_read_back_and_other_texts_do_not() {
        let longest = format!("+{0};ext={0}", "9".repeat(20));
        for text in ["+1", "+14155552671", "+12345678901234567", "+14155552671;ext=012", &longest] {
            assert_eq!(text.parse::<NumberKey>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "+",
            "14155552671",
            "+1415 ",
            "+1;ext=",
            "+1;ext=a",
            "+1;ext=1;ext=1",
            "+123456789012345678901",
        ] {
            assert_eq!(text.parse::<NumberKey>(), Err(InvalidNumberKey), "{text}");
        }
    }

    #[test]
    fn keys_sort_as_their_texts() {
        let texts = [
            "+1",
            "+10",
            "+1;ext=1",
            "+12",
            "+1234567890123456",
            "+1234567890123456;ext=1",
            "+12345678901234567",
            "+2",
        ];
        let mut keys: Vec<NumberKey> = texts.iter().map(|text| text.parse().unwrap()).collect();
        keys.sort();
        let sorted: Vec<String> = keys.iter().map(NumberKey::to_string).collect();
        let mut expected = texts.to_vec();
        expected.sort_unstable();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn debug_prints_no_number() {
        let key = number_key("+14155552671", "US").unwrap();
        assert_eq!(format!("{key:?}"), "NumberKey(…)");
    }
}
