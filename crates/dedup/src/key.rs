//! Number keys: the text of a phone number and the region it was written in → what all spellings of
//! that number have in common.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};

/// The version of the numbering tables behind [`number_key`]. A book stores the version that made
/// its keys, since another one may give other keys.
pub const TABLES: &str = "rlibphonenumber-2.2";

/// No text of a number that libphonenumber parses is longer; what is longer has no key.
const LONGEST: usize = 250;

/// The key of `text` as written in `region` (ISO 3166, such as `US`), or `None` when it takes part
/// in nothing but display: a short code, an emergency number, garbage, a local number without its
/// area, or a number without `+` in a region that nobody knows.
///
/// Source: section 2 of the protocol. The key is the E.164 form that Google's libphonenumber parses,
/// when its reason for the length is `IS_POSSIBLE`, and the extension when there is one.
///
/// ```
/// use callbook_dedup::number_key;
/// let key = number_key("(415) 555-2671", "US").unwrap();
/// assert_eq!(key.to_string(), "+14155552671");
/// assert_eq!(number_key("001 415 555 2671 ext. 9", "DE").unwrap().to_string(), "+14155552671;ext=9");
/// assert_eq!(number_key("911", "US"), None);
/// ```
pub fn number_key(text: &str, region: &str) -> Option<NumberKey> {
    if text.len() > LONGEST {
        return None;
    }
    let region = region.to_ascii_uppercase().parse::<Region>().ok();
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok()?;
    match number.is_possible_with_reason() {
        Ok(NumberLengthType::IsPossible) => {}
        _ => return None,
    }
    let mut key = number.format_as(PhoneNumberFormat::E164).into_owned();
    if let Some(extension) = number.extension.as_deref().filter(|e| !e.is_empty()) {
        key.push_str(";ext=");
        key.push_str(extension);
    }
    Some(NumberKey(key.into_boxed_str()))
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
            '0'..='9' | '*' | '#' => dialled.push(char),
            '+' if dialled.is_empty() => dialled.push(char),
            char if char.is_ascii() => {}
            char => {
                let digit = PHONE_NUMBER_UTIL.normalize_digits_only(char.encode_utf8(&mut [0; 4]));
                dialled.push_str(&digit);
            }
        }
    }
    dialled
}

/// What all spellings of one number have in common: E.164, and `;ext=` with the digits of the
/// extension when there is one. `Debug` does not print the number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumberKey(Box<str>);

impl NumberKey {
    /// The key as it is stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NumberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumberKey({} characters)", self.0.len())
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
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        let number = text.strip_prefix('+').ok_or(InvalidNumberKey)?;
        let fits = match number.split_once(";ext=") {
            Some((number, extension)) => digits(number, 20) && digits(extension, 20),
            None => digits(number, 20),
        };
        if fits { Ok(Self(text.into())) } else { Err(InvalidNumberKey) }
    }
}

callbook_base::serde_as_text!(NumberKey);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_same_number_has_one_key() {
        #[track_caller]
        fn check(text: &str, region: &str, key: Option<&str>) {
            assert_eq!(
                number_key(text, region).as_ref().map(NumberKey::as_str),
                key,
                "{text} {region}"
            );
        }
        check("(415) 555-2671", "US", Some("+14155552671"));
        check("+1 415 555 2671", "DE", Some("+14155552671"));
        check("0014155552671", "DE", Some("+14155552671"));
        check("٠٠١٤١٥٥٥٥٢٦٧١", "DE", Some("+14155552671"));
        check("+１４１５５５５２６７１", "", Some("+14155552671"));
        check("415-555-2671", "us", Some("+14155552671"));
        check("02 36618300", "IT", Some("+390236618300"));
        check("011 15-2345-6789", "AR", Some("+5491123456789"));
        check("(415) 555-2671 ext. 12", "US", Some("+14155552671;ext=12"));
        check("tel:+1-415-555-2671;ext=12", "FR", Some("+14155552671;ext=12"));
        // No key: short codes, emergency numbers, local numbers, garbage, unknown regions.
        for (text, region) in [
            ("911", "US"),
            ("112", "DE"),
            ("*123#", "GB"),
            ("555-2671", "US"),
            ("call later", "US"),
            ("", "US"),
            ("415 555 2671", "ZZ"),
            ("415 555 2671", "001"),
            ("415 555 2671", "nowhere"),
            ("+999 1234 5678", "US"),
        ] {
            check(text, region, None);
        }
    }

    #[test]
    fn keys_read_back_and_other_texts_do_not() {
        for text in ["+14155552671", "+14155552671;ext=12"] {
            assert_eq!(text.parse::<NumberKey>().unwrap().as_str(), text);
        }
        for text in
            ["", "+", "14155552671", "+1415 ", "+1;ext=", "+1;ext=a", "+123456789012345678901"]
        {
            assert_eq!(text.parse::<NumberKey>(), Err(InvalidNumberKey), "{text}");
        }
    }

    #[test]
    fn debug_prints_no_number() {
        let key = number_key("+14155552671", "US").unwrap();
        assert_eq!(format!("{key:?}"), "NumberKey(12 characters)");
    }

    /// The numbers of 77 regions' habits, with their E.164 as Google's C++ library gives it.
    #[test]
    fn agrees_with_libphonenumber_on_twenty_thousand_numbers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sim/data/phone-numbers.csv");
        let mut keys = 0;
        for row in csv::Reader::from_path(path).unwrap().into_records() {
            let row = row.unwrap();
            let (id, region, text, e164) = (&row[0], &row[2], &row[3], &row[4]);
            if let Some(key) = number_key(text, region) {
                keys += 1;
                let number = key.as_str().split(';').next().unwrap();
                assert_eq!(number, e164, "row {id}");
            }
        }
        assert_eq!(keys, 19_427);
    }

    proptest! {
        #[test]
        fn any_text_has_a_key_that_reads_back_or_none(text in any::<String>(), region in "[A-Za-z0-9]{0,3}") {
            if let Some(key) = number_key(&text, &region) {
                prop_assert_eq!(key.as_str().parse(), Ok(key.clone()));
            }
        }

        #[test]
        fn a_key_is_its_own_key(digits in "[0-9()+./ -]{3,24}", region in "US|DE|IT|AR|BR|MX|JP") {
            if let Some(key) = number_key(&digits, &region) {
                prop_assert_eq!(number_key(key.as_str(), "ZZ"), Some(key));
            }
        }
    }
}
