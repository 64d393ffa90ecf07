//! Calls as a table, for spreadsheets and scripts. Which calls, and for whom, must never live here.

use callbook_base::cell;

use crate::wire::CallView;

const HEADER: [&str; 9] = [
    "timestamp",
    "direction",
    "duration",
    "phone_number",
    "key",
    "contact",
    "name",
    "username",
    "line",
];

/// Rows of the table (RFC 4180), before them its header if these are the first. No cell is a formula to a
/// spreadsheet.
pub fn table(with_header: bool, calls: &[CallView]) -> Vec<u8> {
    let mut table =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    const IN_MEMORY: &str = "memory takes all, and rows are of one length";
    if with_header {
        table.write_record(HEADER).expect(IN_MEMORY);
    }
    for CallView { call: pulled, username, contact } in calls {
        let call = &pulled.call;
        let name = contact.as_ref().and_then(|contact| contact.name.as_ref());
        let cells: [String; 9] = [
            call.timestamp.to_string(),
            call.direction.to_string(),
            call.duration.0.to_string(),
            call.phone_number.to_string(),
            pulled.key.map(|key| key.to_string()).unwrap_or_default(),
            contact.as_ref().map(|contact| contact.id.to_string()).unwrap_or_default(),
            name.map(ToString::to_string).unwrap_or_default(),
            username.clone(),
            call.line.as_ref().map(ToString::to_string).unwrap_or_default(),
        ];
        table.write_record(cells.iter().map(|text| cell(text).into_owned())).expect(IN_MEMORY);
    }
    table.into_inner().expect(IN_MEMORY)
}
