//! What a contact says: the table of section 4 of the protocol. How fields are edited is in
//! [`crate::Edit`]; who owns a number must never live here.

use callbook_base::Line;
use callbook_dedup::NumberKey;
use serde::{Deserialize, Serialize};

use crate::text::{Birthday, Note};

/// The most entries of one list.
pub const MOST_ENTRIES: usize = 100;

/// The most bytes of one contact, as JSON.
pub const LARGEST: usize = 256 * 1024;

/// All fields of a contact, in the form in which they are stored and sent: what says nothing is left out.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// The name as shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// What friends say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<Line>,
    /// Where they work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Line>,
    /// As what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Line>,
    /// Anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The name in its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_parts: Option<Box<NameParts>>,
    /// The day, with or without the year.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<Birthday>,
    /// A favourite.
    #[serde(skip_serializing_if = "is_not")]
    pub starred: bool,
    /// Identified by `number` as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<Phone>,
    /// Identified by `value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Entry>,
    /// Identified by `value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<Entry>,
    /// Identified by `value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Entry>,
    /// Labels; each its own identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Line>,
}

/// A name in its parts; each may be missing.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NameParts {
    /// `Dr.`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Line>,
    /// `Ann`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<Line>,
    /// `Mary`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle: Option<Line>,
    /// `Lee`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Line>,
    /// `Jr.`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<Line>,
}

/// A phone number of a contact.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// As written.
    pub number: Line,
    /// The region it was written in, ISO 3166; empty when nobody knows.
    pub region: Line,
    /// What all its spellings have in common; the server decides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<NumberKey>,
    /// `mobile`, `work` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Line>,
    /// The user's own word for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Line>,
    /// The one to call.
    #[serde(default, skip_serializing_if = "is_not")]
    pub primary: bool,
}

/// An e-mail address, a URL or a postal address of a contact.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The address as written.
    pub value: Line,
    /// `home`, `work` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Line>,
    /// The user's own word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Line>,
}

/// Whether it is left out.
#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_not(yes: &bool) -> bool {
    !yes
}

impl Fields {
    /// The keys of its numbers, sorted, each once.
    pub fn keys(&self) -> Vec<NumberKey> {
        let mut keys: Vec<_> = self.phones.iter().filter_map(|phone| phone.key).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Takes away the numbers with these keys: those that others own.
    pub fn take_numbers(&mut self, asleep: &[NumberKey]) {
        self.phones.retain(|phone| !phone.key.as_ref().is_some_and(|key| asleep.contains(key)));
    }

    /// Whether it has more than [`LARGEST`] bytes as JSON. Few contacts come near it, and are counted.
    pub fn is_too_large(&self) -> bool {
        /// The most bytes that a byte of a text takes, and about all that is around the texts of an entry.
        const ESCAPED: usize = 6;
        const AROUND: usize = 256;
        let (texts, entries) = self.measure();
        texts * ESCAPED + (entries + 4) * AROUND > LARGEST && self.size() > LARGEST
    }

    /// About its bytes as JSON, which are not counted.
    pub(crate) fn weight(&self) -> usize {
        /// What is around the texts of a number, and somewhat more than of any other entry; of a contact.
        const AROUND: (usize, usize) = (96, 192);
        let (texts, entries) = self.measure();
        texts + entries * AROUND.0 + AROUND.1
    }

    /// The bytes of its texts, and how many entries its lists have.
    fn measure(&self) -> (usize, usize) {
        let Self { name, nickname, organization, title, note, name_parts, birthday: _, .. } = self;
        let len = |text: &Option<Line>| text.as_ref().map_or(0, |text| text.as_str().len());
        let lines = [name, nickname, organization, title].map(len).iter().sum::<usize>();
        let parts = name_parts.as_deref().map_or(0, |parts| {
            let NameParts { prefix, given, middle, family, suffix } = parts;
            [prefix, given, middle, family, suffix].map(len).iter().sum()
        });
        let note = note.as_ref().map_or(0, |note| note.as_str().len());
        let phones = self.phones.iter().map(|phone| {
            let Phone { number, region, r#type, label, .. } = phone;
            number.as_str().len() + region.as_str().len() + len(r#type) + len(label)
        });
        let entries = [&self.emails, &self.urls, &self.addresses].into_iter().flatten();
        let entries = entries.map(|entry| {
            let Entry { value, r#type, label } = entry;
            value.as_str().len() + len(r#type) + len(label)
        });
        let groups = self.groups.iter().map(|group| group.as_str().len());
        let whole = (lines + parts + note, 0);
        let lists = phones.chain(entries).chain(groups);
        lists.fold(whole, |(texts, entries), len| (texts + len, entries + 1))
    }

    /// Its size as JSON, in bytes.
    fn size(&self) -> usize {
        /// Counts what is written to it.
        struct Count(usize);
        impl std::io::Write for Count {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut count = Count(0);
        serde_json::to_writer(&mut count, self).expect("fields are plain text, and counting works");
        count.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fields(value: Value) -> Fields {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn all_texts_and_entries_are_measured() {
        // Each text is twice as long as the one before.
        let text = |n: u32| "x".repeat(1 << n);
        let note = "y".repeat(1 << 16);
        let entry = |n: u32| json!({ "value": "", "type": text(n), "label": null });
        let fields = fields(json!({
            "name": text(0), "nickname": text(1), "organization": text(2), "title": null, "note": note,
            "name_parts": { "prefix": text(3), "suffix": text(4) }, "birthday": "1999-12-31",
            "phones": [{ "number": text(5), "region": "US", "key": null, "type": text(6), "label": text(7) }],
            "emails": [{ "value": text(8), "type": text(9), "label": "zz" }],
            "urls": [entry(3)], "addresses": [entry(4)],
            "groups": ["vip", ""],
        }));
        let texts = ((1 << 10) - 1) + (1 << 16) + 2 + 2 + (1 << 3) + (1 << 4) + 3;
        assert_eq!(fields.measure(), (texts, 6));
        assert_eq!(fields.weight(), texts + 6 * 96 + 192);
        assert_eq!(Fields::default().weight(), 192);
    }

    /// What is not counted, since it is far from it, is not too large.
    #[test]
    fn a_byte_above_256_kib_is_too_large() {
        /// With so many of something it is.
        #[track_caller]
        fn check(most: usize, with: impl Fn(usize) -> Value) {
            let with = |n| fields(with(n));
            let (mut fits, mut does_not) = (0, most);
            while fits + 1 < does_not {
                let between = usize::midpoint(fits, does_not);
                match serde_json::to_vec(&with(between)).unwrap().len() > 256 * 1024 {
                    true => does_not = between,
                    false => fits = between,
                }
            }
            assert_eq!([fits, does_not].map(|n| with(n).is_too_large()), [false, true], "{fits}");
        }
        let long = "\u{1}".repeat(1_000);
        check(50_000, |n| json!({ "note": "\u{1}".repeat(n) }));
        check(60, |n| json!({ "emails": vec![json!({ "value": long }); n] }));
        let number = json!({ "number": "1", "region": "", "key": "+14155552671" });
        check(9_000, |n| json!({ "phones": vec![number.clone(); n] }));
    }
}
