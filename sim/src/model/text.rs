//! Fields, numbers and times as plain JSON and text.

use serde_json::{Map, Value, json};

pub(super) fn keys(fields: &Map<String, Value>) -> Vec<String> {
    let phones = fields["phones"].as_array().expect("a list");
    let mut keys: Vec<String> =
        phones.iter().filter_map(|phone| Some(phone["key"].as_str()?.to_owned())).collect();
    keys.sort();
    keys.dedup();
    keys
}

pub(super) fn identity(entry: &Value) -> &Value {
    match entry {
        Value::Object(entry) => entry.get("number").unwrap_or_else(|| &entry["value"]),
        text => text,
    }
}

pub(super) fn empty() -> Map<String, Value> {
    let fields = json!({
        "name": null, "nickname": null, "organization": null, "title": null, "note": null,
        "name_parts": null, "birthday": null, "starred": false, "phones": [], "emails": [],
        "urls": [], "addresses": [], "groups": [],
    });
    fields.as_object().expect("an object").clone()
}

/// Fields as they are stored and sent: what says nothing is left out.
pub(crate) fn said(fields: &Map<String, Value>) -> Map<String, Value> {
    let member = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Null | Value::Bool(false) => return None,
            Value::Array(entries) if entries.is_empty() => return None,
            Value::Array(entries) => entries.iter().map(entry).collect(),
            value => entry(value),
        };
        Some((name.clone(), value))
    };
    fn entry(value: &Value) -> Value {
        value.as_object().map_or_else(|| value.clone(), |members| said(members).into())
    }
    fields.iter().filter_map(member).collect()
}

/// What a phone dials of a text whose digits are ASCII, or the text when that is nothing.
pub(super) fn dialled(text: &str) -> String {
    let plus = if text.starts_with('+') { "+" } else { "" };
    let keys: String =
        text.chars().filter(|char| char.is_ascii_digit() || "*#".contains(*char)).collect();
    let dialled = format!("{plus}{keys}");
    if dialled.is_empty() { text.to_owned() } else { dialled }
}

/// The milliseconds of `YYYY-MM-DDTHH:MM:SS.mmmZ`, by the civil calendar.
pub(super) fn millis(time: &Value) -> i64 {
    let text = time.as_str().expect("a time");
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().expect("digits");
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    // Days since 0000-03-01, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let seconds =
        (days - 719_468) * 86_400 + part(11, 13) * 3_600 + part(14, 16) * 60 + part(17, 19);
    seconds * 1_000 + part(20, 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_by_the_calendar() {
        #[track_caller]
        fn check(text: &str, expected: i64) {
            assert_eq!(millis(&json!(text)), expected);
        }
        check("1970-01-01T00:00:00.000Z", 0);
        check("2026-11-22T10:00:00.123Z", 1_795_341_600_123);
        check("2000-02-29T23:59:59.999Z", 951_868_799_999);
        check("1969-12-31T23:59:59.999Z", -1);
    }

    /// As the protocol says it; a text with a plus alone was told by its whole text here, and by the plus in the book.
    #[test]
    fn a_call_is_told_by_what_is_dialled() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(dialled(text), expected);
        }
        check("+49 (30) 1234-5", "+493012345");
        check("*31#030 1+2", "*31#03012");
        check("+---", "+");
        check("anonymous", "anonymous");
        check("", "");
    }
}
