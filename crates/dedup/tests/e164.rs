//! What `e164` and `number_key` promise of any text: libphonenumber's answers, no heap, no panic, work
//! that grows with the text alone.
#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use callbook_dedup::{dialled, e164, number_key};
use proptest::prelude::*;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

/// Rows as people write them, each with the E.164 that Google's C++ library gives, or nothing.
fn ordinary() -> Vec<[String; 3]> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sim/data/phone-numbers.csv");
    let rows = csv::Reader::from_path(path).unwrap().into_records().map(Result::unwrap);
    rows.map(|row| [&row[2], &row[3], &row[4]].map(str::to_owned)).collect()
}

/// Rows as nobody should write them: region, text and, when it parses, the E.164 of Google's C++
/// library (its sources of July 2026 with the tables' metadata and ICU 72), whether it is possible, and
/// its extension.
fn hostile() -> impl Iterator<Item = (String, String, Option<(String, bool, String)>)> {
    include_str!("libphonenumber.jsonl").lines().map(|line| {
        let row: Vec<serde_json::Value> = serde_json::from_str(line).unwrap();
        let text =
            |index: usize| row.get(index).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let parsed = row.get(3).map(|possible| (text(2), possible.as_bool().unwrap(), text(4)));
        (text(0), text(1), parsed)
    })
}

#[test]
fn agrees_with_libphonenumber_on_what_people_write() {
    let rows = ordinary();
    assert_eq!(rows.len(), 20_000);
    for [region, text, expected] in rows {
        let found = e164(&text, &region);
        assert_eq!(found.as_deref().unwrap_or_default(), expected, "{text:?} {region}");
    }
}

#[test]
fn agrees_with_libphonenumber_on_what_nobody_should_write() {
    for (region, text, expected) in hostile() {
        let found = e164(&text, &region);
        assert_eq!(
            found.as_deref(),
            expected.as_ref().map(|row| row.0.as_str()),
            "{text:?} {region}"
        );
        // The departures of `number_key` have a table of their own.
        if text.contains(['(', '[']) || region.chars().any(|char| char.is_ascii_lowercase()) {
            continue;
        }
        let key = expected.filter(|row| row.1).map(|(number, _, extension)| {
            let digits: String = extension.chars().map(ascii).collect();
            number + if digits.is_empty() { "" } else { ";ext=" } + &digits
        });
        assert_eq!(number_key(&text, &region).map(|key| key.to_string()), key, "{text:?} {region}");
    }
}

/// A decimal digit as ASCII, by the blocks that the rows use.
fn ascii(digit: char) -> char {
    let zeros =
        [0x30, 0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0x1040, 0xFF10, 0x11F50, 0x1D7CE, 0x1D7D8];
    let zeros = zeros.into_iter().chain([0x1D7E2, 0x1E4F0]);
    let value = |zero: u32| u32::from(digit).checked_sub(zero).filter(|value| *value < 10);
    zeros.filter_map(value).next().and_then(|value| char::from_digit(value, 10)).unwrap()
}

#[test]
fn reading_touches_no_heap() {
    let rows = ordinary();
    let info = allocation_counter::measure(|| {
        for [region, text, _] in &rows {
            std::hint::black_box((e164(text, region), number_key(text, region)));
        }
    });
    assert_eq!(info.count_total, 0);
}

#[test]
fn a_number_is_shown_and_its_debug_form_shows_no_digit_of_it() {
    let number = e164("(415) 555-2671", "US").unwrap();
    assert_eq!(number.to_string(), "+14155552671");
    assert_eq!(format!("{number:?}"), "E164(12 characters)");
}

#[test]
fn spellings_of_one_number_are_equal() {
    let number = e164("(415) 555-2671", "US");
    assert_eq!(number, e164("+1 415 555 2671", "DE"));
    assert_ne!(number, e164("(415) 555-2672", "US"));
}

#[test]
fn a_text_is_dialled_by_its_keys_alone() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(dialled(text), expected);
    }
    check("+٤٩ (30) 12-34*5#", "+49301234*5#");
    check("1+1", "11");
    check("private", "");
}

#[test]
fn odd_texts_have_the_right_number_or_none() {
    #[track_caller]
    fn check(text: &str, region: &str, expected: Option<&str>) {
        assert_eq!(e164(text, region).as_deref(), expected);
        let _ = number_key(text, region);
    }
    const MEGABYTE: usize = 1 << 20;
    check("", "US", None);
    check(&"9".repeat(300), "US", None);
    for count in 18..48 {
        check(&"2".repeat(count), "US", None);
    }
    check(&format!("+1{}", "2".repeat(300)), "US", None);
    for filler in [
        "a", "0", " ", "-", "+", "/", "/x", "\\ ", "x", ";", ",", ";ext=", "#", "é", "\u{301}",
        "(", "tel:", "😀", "\u{202E}", ".a", "\n",
    ] {
        check(&filler.repeat(MEGABYTE / filler.len()), "US", None);
    }
    // Fillers that libphonenumber passes over, around and inside a number.
    let number = Some("+14155552671");
    check(&format!("{}+1 415 555 2671", "☎ ".repeat(MEGABYTE)), "DE", number);
    check(&format!("+1 415 555 2671{}", " .".repeat(MEGABYTE)), "DE", number);
    check(&format!("+1 415{}555 2671", " -".repeat(MEGABYTE)), "DE", number);
    check("\u{202A}+1 415 555 2671\u{202C}", "DE", number);
    check("+1 415 555 2671\u{301}\u{301}", "DE", number);
    check("+1 415 555 26\u{301}71", "DE", None);
    check("\0+1 415 555 2671", "DE", None);
    check("４１５５５５２６７１", "US", number);
    check("４１５５５５２６７１\u{FFFE}", "US", None);
    // A second number's extension ends the first one's, on its line: the expression's dot stops there.
    for end in ["\n", "\r", "\u{2028}"] {
        check(&format!("12{end}415 555 2671/x2"), "US", number);
    }
    // An extension that takes something of RFC 3966's context with it.
    check("5#;phone-context=+1415555-2671-", "US", number);
    // Regions that are none: only a number with its calling code can be read.
    for region in ["us", "001", "ZZ", "", "USA", "🇺🇸", "Ü", "\0\0", "U S"] {
        check("415 555 2671", region, None);
        check("+1 415 555 2671", region, number);
    }
}

#[test]
fn every_character_is_read_in_every_place() {
    for char in '\0'..=char::MAX {
        for text in
            [format!("{char}4155552671"), format!("415{char}5552671"), format!("4155552671{char}")]
        {
            match e164(&text, "US").as_deref() {
                None | Some("+14155552671") => {}
                Some("+4155552671") => assert!(matches!(char, '+' | '＋'), "{text:?}"),
                Some("+1415") => assert!("#,;xX~#ｘＸ＃～".contains(char), "{text:?}"),
                Some(_) => assert!(char.is_numeric(), "{text:?}"),
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_has_a_key_that_reads_back_or_none(text in any::<String>(), region in "\\PC{0,3}") {
        if let Some(key) = number_key(&text, &region) {
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    /// Against another implementation, on what it promises to read alike.
    #[test]
    fn plain_numbers_are_as_in_another_implementation(
        text in "\\+?[0-9]{2,6}[0-9 ./-]{0,14}",
        region in prop::sample::select(PHONE_NUMBER_UTIL.get_supported_regions().collect::<Vec<_>>()),
    ) {
        let parsed = PHONE_NUMBER_UTIL.parse(&text, Some(region)).ok();
        let expected = parsed.map(|number| number.format_as(PhoneNumberFormat::E164).into_owned());
        let found = e164(&text, &region.to_string());
        prop_assert_eq!(found.as_deref(), expected.as_deref());
    }

    #[test]
    fn a_key_is_its_own_key(digits in "[0-9()+./ -]{3,24}", region in "US|DE|IT|AR|BR|MX|JP") {
        if let Some(key) = number_key(&digits, &region) {
            prop_assert_eq!(number_key(&key.to_string(), "ZZ"), Some(key));
        }
    }
}
