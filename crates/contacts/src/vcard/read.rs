//! What a card says of a contact. How it is written must never live here.

use callbook_base::{ContactId, Line, Timestamp};
use sha2::{Digest, Sha256};

use super::lines::{Property, properties};
use crate::edit::{Add, Edit, NewPhone, Set};
use crate::fields::{Entry, NameParts};
use crate::text::{Birthday, Note};

/// A contact as a card tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The card's own when it has the id of a contact, and else made from what identifies it: so a card
    /// that is imported twice is one contact.
    pub id: ContactId,
    /// When it was there already, as the card has it.
    pub created_at: Option<Timestamp>,
    /// What makes the contact.
    pub edit: Edit,
}

/// A card of which no contact is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCard {
    /// Neither a name nor anything to reach somebody by.
    #[error("the card has no name, number or address")]
    Empty,
    /// A list of cards.
    #[error("the card is a group of others: its members are imported as they stand")]
    Group,
    /// A text that no contact holds.
    #[error("the card has a text of more than 1,000 characters, or a note of more than 64 KiB")]
    TooLong,
}

impl InvalidCard {
    /// The stable `code` on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty_card",
            Self::Group => "group_card",
            Self::TooLong => "invalid_contact",
        }
    }
}

/// Reads one card, from its BEGIN to its END.
///
/// # Errors
/// No contact can be made of it.
pub fn read_card(card: &[u8]) -> Result<Card, InvalidCard> {
    let properties = properties(card);
    let found = |name: &str| properties.iter().find(|property| property.name == name);
    let kind = found("KIND").or(found("X-ADDRESSBOOKSERVER-KIND")).map(Property::text);
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case("group")) {
        return Err(InvalidCard::Group);
    }
    let mut edit = Edit::default();
    for property in &properties {
        let label = || label(property, &properties);
        take(property, label, &mut edit)?;
    }
    name_from_parts(&mut edit.set)?;
    if edit.is_empty() {
        return Err(InvalidCard::Empty);
    }
    let time = |property: &Property| timestamp(&property.text());
    let created_at = ["CREATED", "X-CREATED", "REV"];
    let created_at = created_at.iter().find_map(|name| found(name).and_then(time));
    let uid = found("UID").map(Property::text).filter(|uid| !uid.trim().is_empty());
    Ok(Card { id: id(uid.as_deref(), created_at, &edit), created_at, edit })
}

fn id(uid: Option<&str>, created_at: Option<Timestamp>, edit: &Edit) -> ContactId {
    let own = uid.and_then(|uid| uid.trim().trim_start_matches("urn:uuid:").parse().ok());
    own.unwrap_or_else(|| {
        let hash: [u8; 32] = match uid {
            Some(uid) => Sha256::digest(uid.trim()).into(),
            None => Sha256::digest(serde_json::to_vec(edit).expect("an edit is plain text")).into(),
        };
        let (chance, _) = hash.split_first_chunk().expect("a SHA-256 has 32 bytes");
        // Of one with a UID not even the time may differ from one import to the next.
        let made = created_at.filter(|_| uid.is_none()).unwrap_or(Timestamp::from_millis(0));
        ContactId::new(made, *chance)
    })
}

fn take(
    property: &Property,
    label: impl Fn() -> Option<String>,
    edit: &mut Edit,
) -> Result<(), InvalidCard> {
    let Edit { set, add: Add { phones, emails, urls, addresses, groups }, .. } = edit;
    match property.name.as_str() {
        "FN" => set_line(&mut set.name, &property.text())?,
        "N" => set.name_parts = name_parts(&property.parts())?.map(Some),
        "NICKNAME" => set_line(&mut set.nickname, &joined(&property.list()))?,
        "ORG" => set_line(&mut set.organization, &joined(&property.parts()))?,
        "TITLE" | "ROLE" => set_line(&mut set.title, &property.text())?,
        "NOTE" => {
            let before = set.note.take().flatten().map(|note| note.to_string());
            let note = [before.as_deref().unwrap_or_default(), &property.text()].join("\n");
            let note = note.trim();
            if !note.is_empty() {
                set.note = Some(Some(note.parse::<Note>().map_err(|_| InvalidCard::TooLong)?));
            }
        }
        "BDAY" => set.birthday = birthday(property).map(Some).or(set.birthday.take()),
        "X-CALLBOOK-STARRED" => set.starred = Some(property.text().eq_ignore_ascii_case("true")),
        "TEL" => {
            let text = property.text();
            let Some(number) = line(&number(text.trim()))? else { return Ok(()) };
            let (r#type, primary) = (phone_type(property), is_primary(property));
            let label = label().as_deref().map(line).transpose()?.flatten();
            let region = property.params("X-REGION").next().map(line).transpose()?.flatten();
            match phones.iter_mut().find(|there| there.number == number) {
                Some(there) => there.primary |= primary,
                None => phones.push(NewPhone { number, region, r#type, label, primary }),
            }
        }
        "EMAIL" => push(emails, property.text().trim_start_matches("mailto:"), property, label())?,
        "URL" => push(urls, &property.text(), property, label())?,
        "ADR" => push(addresses, &address(property), property, label())?,
        "CATEGORIES" => {
            for group in property.list() {
                match group.trim() {
                    // Google's own: everyone, and the favourites.
                    "myContacts" => {}
                    "starred" => set.starred = Some(true),
                    group => groups.extend(line(group)?.filter(|group| !groups.contains(group))),
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A text of a line, trimmed; `None` when it is empty.
fn line(text: &str) -> Result<Option<Line>, InvalidCard> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| InvalidCard::TooLong),
    }
}

/// The first that says something stands.
fn set_line(field: &mut Option<Option<Line>>, text: &str) -> Result<(), InvalidCard> {
    if field.is_none() {
        *field = line(text)?.map(Some);
    }
    Ok(())
}

fn push(
    list: &mut Vec<Entry>,
    value: &str,
    property: &Property,
    label: Option<String>,
) -> Result<(), InvalidCard> {
    let Some(value) = line(value)? else { return Ok(()) };
    if !list.iter().any(|there| there.value == value) {
        let types = property.types();
        let kind = types.iter().find(|kind| !NO_TYPES.contains(&kind.as_str()) && is_word(kind));
        let r#type = kind.map(|kind| line(kind)).transpose()?.flatten();
        let label = label.as_deref().map(line).transpose()?.flatten();
        list.push(Entry { value, r#type, label });
    }
    Ok(())
}

fn name_parts(parts: &[String]) -> Result<Option<Box<NameParts>>, InvalidCard> {
    let part = |at: usize| parts.get(at).map(|part| line(&part.replace(',', " "))).transpose();
    let name = NameParts {
        family: part(0)?.flatten(),
        given: part(1)?.flatten(),
        middle: part(2)?.flatten(),
        prefix: part(3)?.flatten(),
        suffix: part(4)?.flatten(),
    };
    Ok((name != NameParts::default()).then(|| Box::new(name)))
}

/// A card of 2.1 may have parts of a name and no name.
fn name_from_parts(set: &mut Set) -> Result<(), InvalidCard> {
    if let (None, Some(Some(parts))) = (&set.name, &set.name_parts) {
        let NameParts { prefix, given, middle, family, suffix } = &**parts;
        let parts = [prefix, given, middle, family, suffix];
        let words: Vec<&str> =
            parts.iter().filter_map(|part| Some(part.as_ref()?.as_str())).collect();
        set.name = line(&words.join(" "))?.map(Some);
    }
    Ok(())
}

fn joined(parts: &[String]) -> String {
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// A number as text: of a `tel:` URI its number and extension.
fn number(text: &str) -> String {
    let Some(uri) = text.get(..4).filter(|head| head.eq_ignore_ascii_case("tel:")) else {
        return text.to_owned();
    };
    let mut parts = text[uri.len()..].split(';');
    let number = parts.next().unwrap_or_default();
    let extension = parts.find(|part| part.starts_with("ext="));
    extension.map_or_else(|| number.to_owned(), |extension| format!("{number};{extension}"))
}

fn is_primary(property: &Property) -> bool {
    property.types().iter().any(|kind| kind == "pref")
        || property.params("PREF").any(|rank| rank == "1")
}

/// The types that are read and written, as vCards say them and as phones do.
pub(super) const PHONE_TYPES: [(&str, &[&str]); 9] = [
    ("fax_work", &["fax", "work"]),
    ("fax_home", &["fax", "home"]),
    ("other_fax", &["fax"]),
    ("pager", &["pager"]),
    ("car", &["car"]),
    ("mobile", &["cell"]),
    ("work", &["work"]),
    ("home", &["home"]),
    ("main", &["main"]),
];

fn phone_type(property: &Property) -> Option<Line> {
    let types = property.types();
    let says = |word: &&str| {
        types.iter().any(|kind| kind == word)
            || *word == "cell" && types.iter().any(|kind| kind == "iphone" || kind == "mobile")
    };
    let known = PHONE_TYPES.iter().find(|(_, words)| words.iter().all(says));
    let other = || types.iter().find(|kind| !NO_TYPES.contains(&kind.as_str()) && is_word(kind));
    known
        .map(|(kind, _)| *kind)
        .or_else(|| other().map(String::as_str))
        .and_then(|it| it.parse().ok())
}

/// Words in a type's place that tell nothing of what a number or an address is for.
const NO_TYPES: [&str; 12] = [
    "voice",
    "pref",
    "text",
    "msg",
    "internet",
    "video",
    "textphone",
    "x400",
    "dom",
    "intl",
    "postal",
    "parcel",
];

/// Whether a type can be written as one.
pub(super) fn is_word(kind: &str) -> bool {
    !kind.is_empty()
        && !kind.starts_with("x-")
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The user's own word: Apple writes it as a property of the same group, Android and others as a type
/// that begins with `X-`.
fn label(property: &Property, all: &[Property]) -> Option<String> {
    let grouped = property.group.as_ref().and_then(|group| {
        all.iter().find(|other| other.name == "X-ABLABEL" && other.group.as_ref() == Some(group))
    });
    // Apple's own words stand in `_$!<…>!$_`.
    let word = |text: String| text.trim_start_matches("_$!<").trim_end_matches(">!$_").to_owned();
    let own = property.params("TYPE").find_map(|kind| {
        kind.get(..2).filter(|head| head.eq_ignore_ascii_case("x-")).map(|_| kind[2..].to_owned())
    });
    grouped.map(|label| word(label.text())).or(own)
}

/// A postal address on one line: as the card has it for people, or made from its parts.
fn address(property: &Property) -> String {
    if let Some(label) = property.params("LABEL").next() {
        return label.lines().map(str::trim).collect::<Vec<_>>().join(", ");
    }
    let parts: Vec<String> = property.parts().iter().map(|part| part.replace('\n', ", ")).collect();
    let part = |at: usize| parts.get(at).map_or("", |part| part.trim());
    let place = [part(3), part(4), part(5)].map(str::to_owned);
    let place: Vec<&str> = place.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    let place = place.join(" ");
    joined(&[part(0), part(1), part(2), &place, part(6)].map(str::to_owned))
}

/// `1977-02-28`, `19770228`, `--0228`, `--02-28`, any of them with a time; Apple's year 1604 is none.
fn birthday(property: &Property) -> Option<Birthday> {
    let text = property.text();
    let date = text.trim().split(['T', ' ']).next()?;
    let (year, day) = match date.strip_prefix("--") {
        Some(day) => ("-", day.to_owned()),
        None => (date.get(..4)?, date.get(4..)?.trim_start_matches('-').to_owned()),
    };
    let day = if day.len() == 4 { format!("{}-{}", day.get(..2)?, day.get(2..)?) } else { day };
    let is_omitted = property.params("X-APPLE-OMIT-YEAR").any(|omitted| omitted == year);
    let year = if is_omitted { "-" } else { year };
    format!("{year}-{day}").parse().ok()
}

/// `2026-11-22T10:00:00Z`, `20261122T100000Z`; a date is the beginning of its day in UTC.
fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_end_matches('Z');
    let (date, time) = text.split_once('T').unwrap_or((text, "000000"));
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let has_zone = time.contains(['+', '-']);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let (date, time) = (digits(date), digits(time));
    let part = |text: &str, from: usize, to: usize| text.get(from..to).map(str::to_owned);
    let (year, month, day) = (part(&date, 0, 4)?, part(&date, 4, 6)?, part(&date, 6, 8)?);
    let (hour, minute) = (part(&time, 0, 2)?, part(&time, 2, 4)?);
    let second = part(&time, 4, 6).unwrap_or_else(|| "00".to_owned());
    let utc = format!("{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction}Z");
    if has_zone { None } else { utc.parse().ok() }
}
