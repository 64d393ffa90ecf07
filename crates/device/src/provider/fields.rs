//! Rows of `Data` read as fields of a contact, and fields written into rows. Rows of other kinds, and columns
//! that no field is made of, are left as they are: photos, phonetic names, a second employer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use callbook_base::Line;
use callbook_contacts::{Entry, Fields, MOST_ENTRIES, NameParts, Phone};

use super::labels::MEMBERSHIP;
use super::{Of, Operation, RawContact, Row, Unfit, Values};

/// `ContactsContract.Data`'s columns.
const DATA: [&str; 15] = [
    "data1", "data2", "data3", "data4", "data5", "data6", "data7", "data8", "data9", "data10",
    "data11", "data12", "data13", "data14", "data15",
];
const IS_PRIMARY: &str = "is_primary";

const NAME: &str = "vnd.android.cursor.item/name";
const NICKNAME: &str = "vnd.android.cursor.item/nickname";
const ORGANIZATION: &str = "vnd.android.cursor.item/organization";
const NOTE: &str = "vnd.android.cursor.item/note";
const EVENT: &str = "vnd.android.cursor.item/contact_event";

/// `Event.TYPE_BIRTHDAY`
const BIRTHDAY: &str = "3";

/// Rows of which a contact may have many: a value, its type and the user's own word for that.
struct List {
    mimetype: &'static str,
    /// `TYPE`s with the words of the protocol. 0 is the user's own word. Labels have none.
    words: &'static [(&'static str, &'static str)],
    /// The `TYPE` of an entry of which nobody has said more.
    other: &'static str,
}

const PHONES: List = List {
    mimetype: "vnd.android.cursor.item/phone_v2",
    words: &[
        ("1", "home"),
        ("2", "mobile"),
        ("3", "work"),
        ("4", "fax_work"),
        ("5", "fax_home"),
        ("6", "pager"),
        ("7", "other"),
        ("8", "callback"),
        ("9", "car"),
        ("10", "company_main"),
        ("11", "isdn"),
        ("12", "main"),
        ("13", "other_fax"),
        ("14", "radio"),
        ("15", "telex"),
        ("16", "tty_tdd"),
        ("17", "work_mobile"),
        ("18", "work_pager"),
        ("19", "assistant"),
        ("20", "mms"),
    ],
    other: "7",
};

const EMAILS: List = List {
    mimetype: "vnd.android.cursor.item/email_v2",
    words: &[("1", "home"), ("2", "work"), ("3", "other"), ("4", "mobile")],
    other: "3",
};

const URLS: List = List {
    mimetype: "vnd.android.cursor.item/website",
    words: &[
        ("1", "homepage"),
        ("2", "blog"),
        ("3", "profile"),
        ("4", "home"),
        ("5", "work"),
        ("6", "ftp"),
        ("7", "other"),
    ],
    other: "7",
};

const ADDRESSES: List = List {
    mimetype: "vnd.android.cursor.item/postal-address_v2",
    words: &[("1", "home"), ("2", "work"), ("3", "other")],
    other: "3",
};

const LABELS: List = List { mimetype: MEMBERSHIP, words: &[], other: "" };

/// An entry of a list without what only numbers have.
#[derive(Clone, PartialEq, Eq)]
struct Listed {
    value: Line,
    r#type: Option<Line>,
    label: Option<Line>,
    primary: bool,
}

/// What a raw contact says, as fields.
///
/// # Errors
/// It cannot be in the book.
pub(crate) fn read(contact: &RawContact) -> Result<Fields, Unfit> {
    let mut fields = read_rows(&contact.rows)?;
    fields.starred = contact.head.starred;
    Ok(fields)
}

fn read_rows(rows: &[Row]) -> Result<Fields, Unfit> {
    let mut fields = Fields::default();
    if let Some(row) = first(rows, NAME) {
        let parts = NameParts {
            given: text(row.data(2))?,
            family: text(row.data(3))?,
            prefix: text(row.data(4))?,
            middle: text(row.data(5))?,
            suffix: text(row.data(6))?,
        };
        fields.name = match text(row.data(1))? {
            None => text(Some(joined(&parts).as_str()).filter(|name| !name.is_empty()))?,
            name => name,
        };
        fields.name_parts = (parts != NameParts::default()).then(|| Box::new(parts));
    }
    let data = |mimetype, n| first(rows, mimetype).and_then(|row| row.data(n));
    fields.nickname = text(data(NICKNAME, 1))?;
    fields.organization = text(data(ORGANIZATION, 1))?;
    fields.title = text(data(ORGANIZATION, 4))?;
    fields.note = text(data(NOTE, 1))?;
    fields.birthday = birthday(rows).and_then(|row| row.data(1)?.parse().ok());
    fields.phones = list(rows, &PHONES)?.into_iter().map(phone).collect();
    fields.emails = list(rows, &EMAILS)?.into_iter().map(entry).collect();
    fields.urls = list(rows, &URLS)?.into_iter().map(entry).collect();
    fields.addresses = list(rows, &ADDRESSES)?.into_iter().map(entry).collect();
    fields.groups = list(rows, &LABELS)?.into_iter().map(|label| label.value).collect();
    if fields.is_too_large() { Err(Unfit::TooLarge) } else { Ok(fields) }
}

fn joined(parts: &NameParts) -> String {
    let NameParts { prefix, given, middle, family, suffix } = parts;
    let parts = [prefix, given, middle, family, suffix].into_iter().flatten();
    parts.map(Line::as_str).collect::<Vec<_>>().join(" ")
}

fn text<T: FromStr>(text: Option<&str>) -> Result<Option<T>, Unfit> {
    let read = |text: &str| match text.parse() {
        Ok(read) => Ok(read),
        Err(_) if text.contains('\0') => Err(Unfit::Nul),
        Err(_) => Err(Unfit::TooLong),
    };
    text.map(read).transpose()
}

fn first<'a>(rows: &'a [Row], mimetype: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.mimetype == mimetype)
}

/// The first birthday in a form that a book has. Others are left as they are.
fn birthday(rows: &[Row]) -> Option<&Row> {
    let is_readable = |row: &Row| {
        let date = row.data(1).map(str::parse::<callbook_contacts::Birthday>);
        row.data(2) == Some(BIRTHDAY) && date.is_some_and(|date| date.is_ok())
    };
    rows.iter().find(|row| row.mimetype == EVENT && is_readable(row))
}

/// The entries of a list, each once. A row without a value says nothing.
fn list(rows: &[Row], list: &List) -> Result<Vec<Listed>, Unfit> {
    let mut entries: Vec<Listed> = Vec::new();
    for row in rows.iter().filter(|row| row.mimetype == list.mimetype) {
        let Some(entry) = listed(row, list)? else { continue };
        if entries.len() == MOST_ENTRIES {
            return Err(Unfit::TooMany);
        }
        if !entries.iter().any(|there| there.value == entry.value) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn listed(row: &Row, list: &List) -> Result<Option<Listed>, Unfit> {
    let Some(value) = text(row.data(1))? else { return Ok(None) };
    if list.words.is_empty() {
        return Ok(Some(listed_label(&value)));
    }
    let word = list.words.iter().find(|(number, _)| row.data(2) == Some(number));
    let r#type = word.and_then(|(_, word)| word.parse().ok());
    Ok(Some(Listed { value, r#type, label: text(row.data(3))?, primary: row.is_primary }))
}

fn phone(Listed { value, r#type, label, primary }: Listed) -> Phone {
    Phone { number: value, region: Line::default(), key: None, r#type, label, primary }
}

fn entry(Listed { value, r#type, label, .. }: Listed) -> Entry {
    Entry { value, r#type, label }
}

fn listed_phone(phone: &Phone) -> Listed {
    let Phone { number, r#type, label, primary, .. } = phone.clone();
    Listed { value: number, r#type, label, primary }
}

fn listed_entry(entry: &Entry) -> Listed {
    let Entry { value, r#type, label } = entry.clone();
    Listed { value, r#type, label, primary: false }
}

fn listed_label(label: &Line) -> Listed {
    Listed { value: label.clone(), r#type: None, label: None, primary: false }
}

/// The operations that make rows say what a contact of the book says. None when they do.
pub(crate) fn rows(of: Of, rows: &[Row], wanted: &Fields) -> Vec<Operation> {
    let mut ops = Vec::new();
    let has = read_rows(rows).unwrap_or_default();
    if wanted.name != has.name || parts_differ(wanted, &has) {
        single(&mut ops, of, first(rows, NAME), NAME, &name(wanted));
    }
    let text = |text: &Option<Line>| text.as_ref().map(Line::to_string);
    let nickname = [(1, text(&wanted.nickname))];
    single(&mut ops, of, first(rows, NICKNAME), NICKNAME, &nickname);
    let organization = [(1, text(&wanted.organization)), (4, text(&wanted.title))];
    single(&mut ops, of, first(rows, ORGANIZATION), ORGANIZATION, &organization);
    let note = [(1, wanted.note.as_ref().map(ToString::to_string))];
    single(&mut ops, of, first(rows, NOTE), NOTE, &note);
    let date = wanted.birthday.as_ref().map(ToString::to_string);
    let kind = date.as_ref().map(|_| BIRTHDAY.to_owned());
    single(&mut ops, of, birthday(rows), EVENT, &[(1, date), (2, kind)]);
    lists(&mut ops, of, rows, &PHONES, wanted.phones.iter().map(listed_phone).collect());
    lists(&mut ops, of, rows, &EMAILS, wanted.emails.iter().map(listed_entry).collect());
    lists(&mut ops, of, rows, &URLS, wanted.urls.iter().map(listed_entry).collect());
    lists(&mut ops, of, rows, &ADDRESSES, wanted.addresses.iter().map(listed_entry).collect());
    lists(&mut ops, of, rows, &LABELS, wanted.groups.iter().map(listed_label).collect());
    ops
}

/// The operations that write a contact anew that had these rows, with all of them that the book has no field for.
pub(crate) fn anew(of: Of, had: &[Row], wanted: &Fields) -> Vec<Operation> {
    let mut there = had.to_vec();
    let mut new = Vec::new();
    for op in rows(of, had, wanted) {
        match op {
            Operation::UpdateRow { row, values } => {
                there.iter_mut().filter(|it| it.id == row).for_each(|it| update(it, &values));
            }
            Operation::DeleteRow { row } => there.retain(|it| it.id != row),
            op => new.push(op),
        }
    }
    there.iter().map(|row| insert(of, row)).chain(new).collect()
}

fn update(row: &mut Row, Values(values): &Values) {
    // A name that is given whole Android takes apart anew.
    row.data.resize(DATA.len(), None);
    let is_taken_apart = row.mimetype == NAME && !values.contains_key(DATA[1]);
    for (n, column) in DATA.into_iter().enumerate() {
        let is_part = is_taken_apart && (1..6).contains(&n);
        match values.get(column) {
            Some(value) => row.data[n].clone_from(value),
            None if is_part => row.data[n] = None,
            None => {}
        }
    }
    if let Some(is_primary) = values.get(IS_PRIMARY) {
        row.is_primary = is_primary.as_deref() == Some("1");
    }
}

fn insert(of: Of, row: &Row) -> Operation {
    let columns = DATA.into_iter().zip(row.data.iter().cloned());
    let mut values: BTreeMap<_, _> = columns.filter(|(_, value)| value.is_some()).collect();
    if row.is_primary {
        values.insert(IS_PRIMARY, Some("1".to_owned()));
    }
    Operation::InsertRow { of, mimetype: row.mimetype.clone().into(), values: Values(values) }
}

/// A book without the parts of a name leaves them to the phone, which takes names apart by itself.
fn parts_differ(wanted: &Fields, has: &Fields) -> bool {
    wanted.name_parts.is_some() && wanted.name_parts != has.name_parts
}

/// The columns of a name. Without its parts, Android makes them of `DATA1`, if no other column is given.
fn name(wanted: &Fields) -> Vec<(usize, Option<String>)> {
    let text = |text: &Option<Line>| text.as_ref().map(Line::to_string);
    let mut columns = vec![(1, text(&wanted.name))];
    if wanted.name_parts.is_some() || wanted.name.is_none() {
        let parts = wanted.name_parts.as_deref().cloned().unwrap_or_default();
        let NameParts { prefix, given, middle, family, suffix } = &parts;
        let parts = [given, family, prefix, middle, suffix];
        columns.extend((2..).zip(parts.map(text)));
    }
    columns
}

/// A row of which a contact has one: inserted, updated where it differs, or, when it would say nothing more,
/// deleted.
fn single(
    ops: &mut Vec<Operation>,
    of: Of,
    row: Option<&Row>,
    mimetype: &'static str,
    columns: &[(usize, Option<String>)],
) {
    let is_empty = columns.iter().all(|(_, value)| value.is_none());
    let column = |(n, value): &(usize, Option<String>)| (DATA[n - 1], value.clone());
    let Some(row) = row else {
        if !is_empty {
            let there = columns.iter().filter(|(_, value)| value.is_some()).map(column);
            let (mimetype, values) = (mimetype.into(), Values(there.collect()));
            ops.push(Operation::InsertRow { of, mimetype, values });
        }
        return;
    };
    let is_ours = |n: usize| columns.iter().any(|(ours, _)| *ours == n);
    // Types alone say nothing, nor do the columns from the tenth on, in which Android notes styles.
    let says_more = (4..10).any(|n| !is_ours(n) && row.data(n).is_some());
    if is_empty && !says_more {
        ops.push(Operation::DeleteRow { row: row.id });
        return;
    }
    let differs = |(n, value): &&(usize, Option<String>)| row.data(*n) != value.as_deref();
    // Of a name all: where it is given in part, Android makes the rest of it.
    let all = mimetype == NAME && columns.iter().any(|column| differs(&column));
    let values: BTreeMap<_, _> =
        columns.iter().filter(|column| all || differs(column)).map(column).collect();
    if !values.is_empty() {
        ops.push(Operation::UpdateRow { row: row.id, values: Values(values) });
    }
}

/// Rows of a list. One whose value cannot be read, or that has none, is left as it is.
fn lists(ops: &mut Vec<Operation>, of: Of, rows: &[Row], list: &List, wanted: Vec<Listed>) {
    let there = rows.iter().filter(|row| row.mimetype == list.mimetype);
    let there: Vec<(&Row, Listed)> =
        there.filter_map(|row| Some((row, listed(row, list).ok()??))).collect();
    for (row, has) in &there {
        match wanted.iter().find(|wanted| wanted.value == has.value) {
            None => ops.push(Operation::DeleteRow { row: row.id }),
            Some(wanted) if wanted != has => {
                let values = columns(list, wanted, Some((row, has)));
                if !values.is_empty() {
                    ops.push(Operation::UpdateRow { row: row.id, values: Values(values) });
                }
            }
            Some(_) => {}
        }
    }
    for wanted in wanted.iter().filter(|new| !there.iter().any(|(_, has)| has.value == new.value)) {
        let mut values = columns(list, wanted, None);
        values.insert(DATA[0], Some(wanted.value.to_string()));
        let (mimetype, values) = (list.mimetype.into(), Values(values));
        ops.push(Operation::InsertRow { of, mimetype, values });
    }
}

/// The columns beside the value: of a row that is there, those that differ.
fn columns(
    list: &List,
    wanted: &Listed,
    there: Option<(&Row, &Listed)>,
) -> BTreeMap<&'static str, Option<String>> {
    let mut columns = BTreeMap::new();
    if list.words.is_empty() {
        return columns;
    }
    let says_kind =
        there.is_some_and(|(_, has)| (&has.r#type, &has.label) == (&wanted.r#type, &wanted.label));
    if !says_kind {
        let (number, label) = kind(list, wanted);
        for (n, value) in [(2, Some(number)), (3, label)] {
            let before = there.and_then(|(row, _)| row.data(n));
            if value.as_deref() != before {
                columns.insert(DATA[n - 1], value);
            }
        }
    }
    if wanted.primary != there.is_some_and(|(_, has)| has.primary) {
        columns.insert(IS_PRIMARY, Some(i32::from(wanted.primary).to_string()));
    }
    columns
}

/// `TYPE` and `LABEL`. A type that Android has no number for becomes the user's own word.
fn kind(list: &List, wanted: &Listed) -> (String, Option<String>) {
    let label = wanted.label.as_ref().map(Line::to_string);
    let number = |word: &Line| list.words.iter().find(|(_, known)| *known == word.as_str());
    match (&wanted.r#type, label) {
        (Some(word), label) => match number(word) {
            Some((number, _)) => ((*number).to_owned(), label),
            None => ("0".to_owned(), label.or_else(|| Some(word.to_string()))),
        },
        (None, Some(label)) => ("0".to_owned(), Some(label)),
        (None, None) => (list.other.to_owned(), None),
    }
}

/// A contact with the regions in which its numbers were written, where these of the same spelling have one: Android
/// knows none.
pub(crate) fn placed(mut fields: Fields, known: &[Phone]) -> Fields {
    for phone in fields.phones.iter_mut().filter(|phone| phone.region.as_str().is_empty()) {
        if let Some(there) = known.iter().find(|there| there.number == phone.number) {
            phone.region.clone_from(&there.region);
        }
    }
    fields
}

/// A contact of the book as it reads from a phone on which it was written.
pub(crate) fn as_read(wanted: &Fields) -> Fields {
    let rows = new_rows(&rows(Of::Operation(0), &[], wanted), 0);
    let fields = read_rows(&rows).unwrap_or_default();
    Fields { starred: wanted.starred, ..fields }
}

/// The rows that operations insert, with ids from `id` on.
pub(crate) fn new_rows(ops: &[Operation], id: i64) -> Vec<Row> {
    let inserted = ops.iter().filter_map(|op| match op {
        Operation::InsertRow { mimetype, values, .. } => Some((mimetype, values)),
        _ => None,
    });
    let row = |(id, (mimetype, Values(values))): (i64, (&Cow<'_, str>, &Values))| Row {
        id,
        mimetype: mimetype.to_string(),
        data: DATA.map(|column| values.get(column).cloned().flatten()).to_vec(),
        is_primary: values.get(IS_PRIMARY).is_some_and(|it| it.as_deref() == Some("1")),
    };
    (id..).zip(inserted).map(row).collect()
}

/// Whether a raw contact that says this says what a contact of the book does, the parts of a name that the book
/// leaves to the phone aside.
pub(crate) fn is_shown_by(wanted: &Fields, has: &Fields) -> bool {
    let differs = |mut wanted: Fields| {
        if wanted.name_parts.is_none() {
            wanted.name_parts.clone_from(&has.name_parts);
        }
        !super::diff::changed(&wanted, has).is_empty()
    };
    // What is said word for word was written so; nearly all is.
    !differs(wanted.clone()) || !differs(as_read(wanted))
}
