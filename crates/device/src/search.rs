//! Finding contacts by what people type: parts of names, of employers and of numbers. How a store looks for them must
//! never live here.

use callbook_contacts::Fields;
use callbook_dedup::dialled;

/// What a contact is found by, a line each, in small letters: its name, nickname and employer, and of its numbers what
/// is dialled, and their keys.
pub(crate) fn found_by(fields: &Fields) -> String {
    let mut text = String::new();
    let names = [&fields.name, &fields.nickname, &fields.organization];
    for name in names.into_iter().flatten() {
        text.push_str(&name.as_str().to_lowercase());
        text.push('\n');
    }
    for phone in &fields.phones {
        text.push_str(&dialled(phone.number.as_str()));
        text.push('\n');
        if let Some(key) = phone.key {
            text.push_str(&key.to_string());
            text.push('\n');
        }
    }
    text
}

/// What somebody looks for: words, each of which a contact must have. One that looks like a part of a number is also
/// found in numbers that are written otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Vec<Word>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    /// What is dialled of it; the text again when it is no part of a number.
    dialled: String,
}

impl Query {
    /// Reads what was typed. Nothing but spaces is in every contact.
    pub fn new(text: &str) -> Self {
        let is_of_a_number = |char: char| char.is_numeric() || "+()-./*#".contains(char);
        let word = |text: &str| {
            let dialled = Some(dialled(text)).filter(|_| text.chars().all(is_of_a_number));
            let text = text.to_lowercase();
            let dialled = dialled.filter(|it| !it.is_empty()).unwrap_or_else(|| text.clone());
            Word { text, dialled }
        };
        Self(text.split_whitespace().map(word).collect())
    }

    /// The longest word, in both its forms: the one that the fewest contacts have, as far as that can be told.
    #[cfg(any(test, feature = "sqlite"))]
    pub(crate) fn longest(&self) -> (&str, &str) {
        let longest = self.0.iter().max_by_key(|word| word.text.len());
        longest.map_or(("", ""), |word| (&word.text, &word.dialled))
    }

    /// Whether what a contact is found by has all words.
    pub(crate) fn is_in(&self, found_by: &str) -> bool {
        let has = |word: &Word| found_by.contains(&word.text) || found_by.contains(&word.dialled);
        self.0.iter().all(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parts_of_names_and_numbers() {
        let contact: Fields = serde_json::from_value(serde_json::json!({
            "name": "Ann-Marie ÖZ 24/7", "organization": "Acme", "note": "secret",
            "phones": [{ "number": "(415) 555-2671", "region": "US", "key": "+14155552671" }, { "number": "*100#", "region": "", "key": null }],
        }))
        .unwrap();
        let text = found_by(&contact);
        let check = |query: &str, is_found: bool| {
            assert_eq!(Query::new(query).is_in(&text), is_found, "{query}");
        };
        for query in ["", "  ", "ann", "MARIE", "n-m", "öz", "ÖZ", "acme ann", "24/7"] {
            check(query, true);
        }
        for query in
            ["415", "(415)", "555-2671", "(415) 555", "+1415", "+1 415", "4155552671", "*100"]
        {
            check(query, true);
        }
        for query in ["secret", "ann bob", "acmeann", "26719", "x415", "415x", "ann 999"] {
            check(query, false);
        }
        assert_eq!(Query::new("a (415) 555-2671 bb").longest(), ("555-2671", "5552671"));
    }
}
