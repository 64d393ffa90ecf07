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

#[cfg(test)]
mod tests {
    use callbook_base::{Named, Rev};

    use super::*;
    use crate::wire::PulledCall;
    use crate::{Call, CallId, Direction, Seconds};

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn view(number: &str, key: Option<&str>, name: Option<&str>) -> CallView {
        let call = Call {
            phone_number: number.parse().unwrap(),
            timestamp: "2026-11-22T10:00:00.000Z".parse().unwrap(),
            duration: Seconds(61),
            direction: Direction::AnsweredElsewhere,
            line: key.map(|_| "=sim-1".parse().unwrap()),
        };
        let user = ID.parse().unwrap();
        let (id, rev, device) = (CallId::of(user, &call), Rev(7), ID.parse().unwrap());
        let key = key.map(|key| key.parse().unwrap());
        let call = PulledCall { id, rev, user, device, key, call };
        let named =
            |name: &str| Named { id: ID.parse().unwrap(), name: Some(name.parse().unwrap()) };
        CallView { call, username: "bob".into(), contact: name.map(named) }
    }

    #[test]
    fn a_call_is_a_row_and_no_formula() {
        let calls = [
            view("+1 415 555 2671", Some("+14155552671"), Some("=HYPERLINK(\"http://evil\")")),
            view("", None, None),
        ];
        let first = String::from_utf8(table(true, &calls)).unwrap();
        insta::assert_snapshot!(first);
        let later = String::from_utf8(table(false, &calls[1..])).unwrap();
        assert!(first.ends_with(&later) && later.lines().count() == 1, "{later}");
    }
}
