//! Contacts as a table, for spreadsheets and scripts. Which contacts, and for whom, must never live here.

use callbook_base::{ContactId, Line, Timestamp, cell};

use crate::fields::{Entry, Fields};

/// What separates the entries of a list within a cell, as Google's tables have it.
const BETWEEN: &str = " ::: ";

const HEADER: [&str; 19] = [
    "id",
    "name",
    "prefix",
    "given",
    "middle",
    "family",
    "suffix",
    "nickname",
    "organization",
    "title",
    "birthday",
    "starred",
    "phones",
    "emails",
    "urls",
    "addresses",
    "groups",
    "note",
    "updated_at",
];

/// A contact as phones show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Which contact.
    pub id: ContactId,
    /// As the server accepted it.
    pub created_at: Timestamp,
    /// The last edit.
    pub updated_at: Timestamp,
    /// Without the numbers that others own.
    pub fields: Fields,
}

/// Rows of the table (RFC 4180), before them its header if these are the first. No cell is a formula to a
/// spreadsheet.
pub fn table(with_header: bool, contacts: &[Exported]) -> Vec<u8> {
    let mut table =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    const IN_MEMORY: &str = "memory takes all, and rows are of one length";
    if with_header {
        table.write_record(HEADER).expect(IN_MEMORY);
    }
    for contact in contacts {
        let cells = cells(contact);
        let cells = cells.iter().map(|text| cell(text));
        table.write_record(cells.map(|text| text.into_owned())).expect(IN_MEMORY);
    }
    table.into_inner().expect(IN_MEMORY)
}

fn cells(Exported { id, updated_at, fields, .. }: &Exported) -> [String; 19] {
    let line = |line: &Option<Line>| line.as_ref().map(Line::to_string).unwrap_or_default();
    let entries = |list: &[Entry]| joined(list.iter().map(|entry| entry.value.to_string()));
    let parts = fields.name_parts.as_deref().cloned().unwrap_or_default();
    [
        id.to_string(),
        line(&fields.name),
        line(&parts.prefix),
        line(&parts.given),
        line(&parts.middle),
        line(&parts.family),
        line(&parts.suffix),
        line(&fields.nickname),
        line(&fields.organization),
        line(&fields.title),
        fields.birthday.as_ref().map(ToString::to_string).unwrap_or_default(),
        fields.starred.to_string(),
        joined(fields.phones.iter().map(|phone| phone.number.to_string())),
        entries(&fields.emails),
        entries(&fields.urls),
        entries(&fields.addresses),
        joined(fields.groups.iter().map(ToString::to_string)),
        fields.note.as_ref().map(ToString::to_string).unwrap_or_default(),
        updated_at.to_string(),
    ]
}

fn joined(entries: impl Iterator<Item = String>) -> String {
    entries.collect::<Vec<_>>().join(BETWEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_a_row_and_no_formula() {
        let fields = serde_json::from_value(serde_json::json!({
            "name": "=HYPERLINK(\"http://evil\")", "organization": "Lee, \"Ann\"", "note": "a\nb",
            "phones": [{ "number": "+1 415", "region": "US", "key": null }, { "number": "911", "region": "US", "key": null }],
            "emails": [{ "value": "@SUM(1)" }], "starred": true,
        }));
        let contact = Exported {
            id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
            fields: fields.unwrap(),
        };
        let table = table(true, &[contact]);
        insta::assert_snapshot!(String::from_utf8(table).unwrap());
    }
}
