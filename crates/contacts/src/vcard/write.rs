//! A contact as a card. How cards are read must never live here.

use std::fmt::Write as _;
use std::str::FromStr;

use callbook_base::{ContactId, Line, Timestamp};

use super::read::{PHONE_TYPES, is_word};
use crate::fields::{Entry, Fields, NameParts};

/// The most bytes of a line, without its end.
const LONGEST_LINE: usize = 75;

/// Which vCard is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// RFC 2426, which every phone and program reads.
    #[default]
    V3,
    /// RFC 6350.
    V4,
}

/// A text that is no version which is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the version of a vCard is 3.0 or 4.0")]
pub struct InvalidVersion;

impl FromStr for Version {
    type Err = InvalidVersion;
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        match text {
            "3" | "3.0" => Ok(Self::V3),
            "4" | "4.0" => Ok(Self::V4),
            _ => Err(InvalidVersion),
        }
    }
}

/// The card of a contact, with its last line's end. [`super::read_card`] reads all of it back.
pub fn write_card(
    id: ContactId,
    fields: &Fields,
    (created_at, updated_at): (Timestamp, Timestamp),
    version: Version,
) -> String {
    let mut card = Writer { text: String::new(), groups: 0 };
    card.line("BEGIN:VCARD");
    card.line(if version == Version::V3 { "VERSION:3.0" } else { "VERSION:4.0" });
    card.line(&format!("UID:urn:uuid:{id}"));
    // Both versions want it to be there; without a name it is empty, and read as none.
    let name = fields.name.as_ref().map_or("", |name| name.as_str());
    card.line(&format!("FN:{}", escape(name)));
    card.line(&format!("N:{}", structured_name(fields.name_parts.as_deref())));
    card.text("NICKNAME", fields.nickname.as_ref().map(|it| it.as_str()));
    card.text("ORG", fields.organization.as_ref().map(|it| it.as_str()));
    card.text("TITLE", fields.title.as_ref().map(|it| it.as_str()));
    if let Some(birthday) = &fields.birthday {
        card.birthday(birthday.as_str(), version);
    }
    for phone in &fields.phones {
        let kind = phone.r#type.as_ref().map(|kind| kind.as_str());
        let words = PHONE_TYPES.iter().find(|(known, _)| Some(*known) == kind);
        let mut types: Vec<&str> = match words {
            Some((_, words)) => words.to_vec(),
            None => kind.into_iter().filter(|kind| is_word(kind)).collect(),
        };
        let mut params = String::new();
        match version {
            Version::V3 if phone.primary => types.push("pref"),
            Version::V4 if phone.primary => params += ";PREF=1",
            _ => {}
        }
        for kind in types {
            let _ = write!(params, ";TYPE={kind}");
        }
        let region = phone.region.as_str();
        if region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            let _ = write!(params, ";X-REGION={region}");
        }
        let label = phone.label.as_ref().map(|label| label.as_str());
        card.labelled("TEL", &params, &escape(phone.number.as_str()), label);
    }
    let lists = [("EMAIL", &fields.emails), ("URL", &fields.urls), ("ADR", &fields.addresses)];
    for (name, entry) in lists.iter().flat_map(|(name, list)| list.iter().map(|it| (*name, it))) {
        card.entry(name, entry);
    }
    if !fields.groups.is_empty() {
        let groups: Vec<String> = fields.groups.iter().map(|it| escape(it.as_str())).collect();
        card.line(&format!("CATEGORIES:{}", groups.join(",")));
    }
    if fields.starred {
        card.line("X-CALLBOOK-STARRED:true");
    }
    card.text("NOTE", fields.note.as_ref().map(|it| it.as_str()));
    let created = if version == Version::V3 { "X-CREATED" } else { "CREATED" }; // RFC 9554
    card.line(&format!("{created}:{}", compact(created_at)));
    card.line(&format!("REV:{}", compact(updated_at)));
    card.line("END:VCARD");
    card.text
}

struct Writer {
    text: String,
    /// How many groups tie properties together so far.
    groups: usize,
}

impl Writer {
    /// A line, folded between characters.
    fn line(&mut self, line: &str) {
        let (mut rest, mut room) = (line, LONGEST_LINE);
        while rest.len() > room {
            let cut = (1..=room).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
            self.text += &rest[..cut];
            self.text += "\r\n ";
            (rest, room) = (&rest[cut..], LONGEST_LINE - 1);
        }
        self.text += rest;
        self.text += "\r\n";
    }

    fn text(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(&format!("{name}:{}", escape(value)));
        }
    }

    /// A property with the user's own word for it, as Apple writes it and others read it.
    fn labelled(&mut self, name: &str, params: &str, value: &str, label: Option<&str>) {
        let Some(label) = label else { return self.line(&format!("{name}{params}:{value}")) };
        self.groups += 1;
        let group = self.groups;
        self.line(&format!("item{group}.{name}{params}:{value}"));
        self.line(&format!("item{group}.X-ABLabel:{}", escape(label)));
    }

    fn entry(&mut self, name: &str, entry: &Entry) {
        let value = escape(entry.value.as_str());
        // An address on one line is the street of one in parts.
        let value = if name == "ADR" { format!(";;{value};;;;") } else { value };
        let kind = entry.r#type.as_ref().map(|kind| kind.as_str()).filter(|kind| is_word(kind));
        let params = kind.map_or(String::new(), |kind| format!(";TYPE={kind}"));
        self.labelled(name, &params, &value, entry.label.as_ref().map(|label| label.as_str()));
    }

    /// 3.0 knows no day without a year: Apple's year for that is 1604.
    fn birthday(&mut self, birthday: &str, version: Version) {
        let line = match (birthday.strip_prefix("--"), version) {
            (Some(day), Version::V3) => format!("BDAY;X-APPLE-OMIT-YEAR=1604:1604-{day}"),
            (Some(day), Version::V4) => format!("BDAY:--{}", day.replace('-', "")),
            (None, Version::V3) => format!("BDAY:{birthday}"),
            (None, Version::V4) => format!("BDAY:{}", birthday.replace('-', "")),
        };
        self.line(&line);
    }
}

/// `family;given;middle;prefix;suffix`, which 3.0 wants to be there.
fn structured_name(parts: Option<&NameParts>) -> String {
    let Some(NameParts { prefix, given, middle, family, suffix }) = parts else {
        return ";;;;".to_owned();
    };
    let part = |part: &Option<Line>| part.as_ref().map_or(String::new(), |it| escape(it.as_str()));
    [family, given, middle, prefix, suffix].map(part).join(";")
}

/// What separates, and what ends a line, becomes text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' | ',' | ';' => escaped.extend(['\\', char]),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\n' => escaped.push_str("\\n"),
            char => escaped.push(char),
        }
    }
    escaped
}

/// `20261122T100000.123Z`: the basic form.
fn compact(time: Timestamp) -> String {
    time.to_string().replace(['-', ':'], "")
}
