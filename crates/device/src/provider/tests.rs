//! (rows before, rows now, book → edit) and (book, rows → operations), as tables.

use callbook_base::{ContactId, Rev, Timestamp};
use callbook_contacts::{Edit, Fields};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Rows as `kind data1 | data2 | …`, a line each; `-` is null, a `*` before the kind says that it is primary.
fn rows_of(text: &str) -> Vec<Row> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let row = |(id, line): (i64, &str)| {
        let (kind, data) = line.split_once(' ').unwrap_or((line, ""));
        let data = data.split('|').map(str::trim).map(|it| (it != "-").then(|| it.to_owned()));
        let is_primary = kind.starts_with('*');
        let mimetype = format!("vnd.android.cursor.item/{}", kind.trim_start_matches('*'));
        Row { id, mimetype, data: data.collect(), is_primary }
    };
    (1..).zip(lines).map(row).collect()
}

fn contact(text: &str) -> RawContact {
    let (starred, text) = match text.strip_prefix("starred") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let head = Head {
        raw: RawId(7),
        account: None,
        source_id: None,
        version: 1,
        dirty: true,
        deleted: false,
        starred,
        saved_at: None,
    };
    RawContact { head, rows: rows_of(text) }
}

fn said(text: &str) -> Fields {
    read(&contact(text)).unwrap()
}

fn fields(json: &Value) -> Fields {
    serde_json::from_value(json.clone()).unwrap()
}

#[test]
fn what_its_user_changed_becomes_an_edit() {
    /// What it said when it was last read, what it says now, and what the book has where that is not the first.
    #[track_caller]
    fn check(before: &str, now: &str, book: Option<&str>, edit: Value) {
        let [before, now] = [before, now].map(said);
        let book = book.map_or_else(|| before.clone(), said);
        let got = needed(changed(&before, &now), &book);
        assert_eq!(serde_json::to_value(&got).unwrap(), edit);
        // The edit makes of the book's contact what its user sees, but for what others have changed.
        if book == before {
            let after = got.apply(&book, &Default::default(), |_, _| None).unwrap();
            assert!(changed(&after, &now).is_empty(), "{after:?} {now:?}");
        }
    }
    check("", "", None, json!({}));
    check("name Ann", "name Ann", None, json!({}));
    check("name Ann", "name Anna", None, json!({ "set": { "name": "Anna" } }));
    check("name Ann", "", None, json!({ "set": { "name": null } }));
    check("name Ann", "starred name Ann", None, json!({ "set": { "starred": true } }));
    check(
        "name Ann Lee | Ann | Lee",
        "name Ann Roe | Ann | Roe",
        None,
        json!({ "set": { "name": "Ann Roe", "name_parts": {
            "given": "Ann", "family": "Roe" } } }),
    );
    // A name in parts alone is put together.
    check(
        "",
        "name - | Ann | Lee | Dr.",
        None,
        json!({ "set": { "name": "Dr. Ann Lee", "name_parts": {
            "given": "Ann", "family": "Lee", "prefix": "Dr." } } }),
    );
    check(
        "phone_v2 111 | 2",
        "phone_v2 111 | 2\n *phone_v2 222 | 3\n phone_v2 333 | 0 | Boat",
        None,
        json!({ "add": { "phones": [
            { "number": "222", "type": "work", "primary": true },
            { "number": "333", "label": "Boat", "primary": false } ] } }),
    );
    check(
        "phone_v2 111 | 2\n phone_v2 222 | 3",
        "phone_v2 222 | 1",
        None,
        json!({ "add": { "phones": [{ "number": "222", "type": "home", "primary": false }] },
            "remove": { "phones": ["111"] } }),
    );
    // The same number twice is one; one without a number says nothing; nor does a photo, or what nobody knows.
    check(
        "phone_v2 111 | 2",
        "phone_v2 111 | 2\n phone_v2 111 | 3\n phone_v2 - | 2\n phone_v2\n photo - | - \n x.y 5",
        None,
        json!({}),
    );
    check(
        "email_v2 a@x.org | 1\n website x.org | 7\n postal-address_v2 1 Main St | 2",
        "email_v2 b@x.org | 2\n website x.org | 7\n postal-address_v2 2 Main St | 2",
        None,
        json!({
            "add": { "emails": [{ "value": "b@x.org", "type": "work" }],
                "addresses": [{ "value": "2 Main St", "type": "work" }] },
            "remove": { "emails": ["a@x.org"], "addresses": ["1 Main St"] } }),
    );
    check(
        "group_membership Team\n group_membership VIP",
        "group_membership VIP\n group_membership Crew\n group_membership Crew",
        None,
        json!({ "add": { "groups": ["Crew"] }, "remove": { "groups": ["Team"] } }),
    );
    check(
        "note hi\n organization Acme | 1 | - | Boss\n nickname A",
        "organization Acme | 1 | - | -\n contact_event --02-29 | 3\n contact_event 2001-01-01 | 1",
        None,
        json!({ "set": { "note": null, "title": null, "nickname": null, "birthday": "--02-29" } }),
    );
    // A day that cannot be read stays on the phone.
    check("", "contact_event 19770228 | 3", None, json!({}));
    // Others have changed the contact since: only what this user did is sent, and not what is so already.
    check("name Ann", "name Ann\n note hi", Some("name Anna"), json!({ "set": { "note": "hi" } }));
    check("name Ann", "name Anna", Some("name Anna"), json!({}));
    // A pull that was applied in part took the number from the phone: it is asleep in the book, and stays.
    check(
        "phone_v2 111 | 2\n phone_v2 222 | 2",
        "phone_v2 222 | 2",
        Some("phone_v2 222 | 2"),
        json!({}),
    );
}

#[test]
fn what_cannot_be_in_the_book_is_told() {
    #[track_caller]
    fn check(text: &str, why: Unfit) {
        assert_eq!(read(&contact(text)), Err(why));
        assert!(!why.to_string().is_empty() && !why.code().is_empty());
    }
    check("name A\0nn", Unfit::Nul);
    check("phone_v2 5\0 | 2", Unfit::Nul);
    check(&format!("name {}", "x".repeat(1_001)), Unfit::TooLong);
    check(&format!("note {}", "x".repeat(1 << 20)), Unfit::TooLong);
    let numbers = |n: u32| (0..n).map(|n| format!("phone_v2 {n} | 2\n")).collect::<String>();
    check(&numbers(101), Unfit::TooMany);
    check(&numbers(5_000), Unfit::TooMany);
    assert_eq!(said(&numbers(100)).phones.len(), 100);
    let long = |kind: &str| (0..100).map(|n| format!("{kind} {n:01000} | 1\n")).collect::<String>();
    let large = ["email_v2", "website", "postal-address_v2"].map(long).concat();
    check(&large, Unfit::TooLarge);
    assert_eq!(said("name 👩‍👩‍👧 \u{202e}Ann").name.unwrap().as_str(), "👩‍👩‍👧 \u{202e}Ann");
}

/// An operation in one line.
fn line(op: &Operation) -> String {
    let columns = |values: &Values| {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let columns = values.0.iter().map(|(name, value)| format!("{name}={}", text(value)));
        columns.collect::<Vec<_>>().join(" ")
    };
    match op {
        Operation::InsertRow { mimetype, values, .. } => {
            format!("insert {} {}", mimetype.rsplit('/').next().unwrap(), columns(values))
        }
        Operation::UpdateRow { row, values } => format!("update {row} {}", columns(values)),
        Operation::DeleteRow { row } => format!("delete {row}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn what_the_book_says_becomes_operations() {
    #[track_caller]
    fn check(there: &str, book: Value, ops: &[&str]) {
        let got = rows(Of::Raw(RawId(7)), &rows_of(there), &fields(&book));
        assert_eq!(got.iter().map(line).collect::<Vec<_>>(), ops);
    }
    check("", json!({}), &[]);
    check("", json!({ "name": "Ann" }), &["insert name data1=Ann"]);
    check("name Ann", json!({ "name": "Ann" }), &[]);
    // Android has taken the name apart, and the book has no parts: nothing to do.
    check("name Ann Lee | Ann | Lee", json!({ "name": "Ann Lee" }), &[]);
    // The new name is taken apart by Android, when no part is given.
    check("name Ann Lee | Ann | Lee", json!({ "name": "Ann Roe" }), &["update 1 data1=Ann Roe"]);
    check(
        "name Ann Lee | Ann | Lee",
        json!({ "name": "Ann Lee", "name_parts": { "given": "Ann Lee" } }),
        &["update 1 data1=Ann Lee data2=Ann Lee data3=- data4=- data5=- data6=-"],
    );
    check("name Ann | Ann", json!({}), &["delete 1"]);
    // A phonetic name, a department, a second employer: the book has no field for them.
    check(
        "name Ann | Ann | - | - | - | - | An",
        json!({}),
        &["update 1 data1=- data2=- data3=- data4=- data5=- data6=-"],
    );
    check(
        "organization Acme | 1 | - | Boss | Sales\n organization Other | 1",
        json!({ "title": "Chief" }),
        &["update 1 data1=- data4=Chief"],
    );
    check("organization Acme | 1 | - | Boss | Sales", json!({}), &["update 1 data1=- data4=-"]);
    check("organization Acme | 1 | - | Boss", json!({}), &["delete 1"]);
    // Photos, kinds that nobody knows, and a birthday that cannot be read.
    check("photo - | -\n x.y 5\n contact_event 19770228 | 3", json!({}), &[]);
    check(
        "contact_event 19770228 | 3\n contact_event 2001-01-01 | 1",
        json!({ "birthday": "1977-02-28" }),
        &["insert contact_event data1=1977-02-28 data2=3"],
    );
    check("contact_event --02-28 | 3", json!({}), &["delete 1"]);
    let phone = |number: &str, more: Value| {
        let mut phone = json!({ "number": number, "region": "US", "key": null });
        phone.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "phones": [phone] })
    };
    check("", phone("111", json!({})), &["insert phone_v2 data1=111 data2=7"]);
    check(
        "",
        phone("111", json!({ "type": "work", "label": "Desk", "primary": true })),
        &["insert phone_v2 data1=111 data2=3 data3=Desk is_primary=1"],
    );
    check(
        "",
        phone("111", json!({ "type": "moon" })),
        &["insert phone_v2 data1=111 data2=0 data3=moon"],
    );
    check("phone_v2 111 | 0 | moon", phone("111", json!({ "type": "moon" })), &[]);
    // A type that Android knows and the book does not stays.
    check("phone_v2 111 | 99", phone("111", json!({})), &[]);
    check("phone_v2 111 | 99", phone("111", json!({ "type": "home" })), &["update 1 data2=1"]);
    check("*phone_v2 111 | 7 | - | +1111", phone("111", json!({})), &["update 1 is_primary=0"]);
    check(
        "phone_v2 111 | 2\n phone_v2 111 | 3\n phone_v2 - | 2",
        phone("222", json!({ "type": "mobile" })),
        &["delete 1", "delete 2", "insert phone_v2 data1=222 data2=2"],
    );
    check(
        "email_v2 a@x.org | 1\n website x.org | 7",
        json!({ "emails": [{ "value": "a@x.org", "type": "work" }] }),
        &["update 1 data2=2", "delete 2"],
    );
    check(
        "group_membership Team\n group_membership VIP",
        json!({ "groups": ["VIP", "Crew"] }),
        &["delete 1", "insert group_membership data1=Crew"],
    );
}

#[test]
fn a_contact_is_written_anew_with_what_it_had() {
    #[track_caller]
    fn check(had: &str, book: Value, ops: &[&str]) {
        let got = anew(Of::Operation(0), &rows_of(had), &fields(&book));
        assert_eq!(got.iter().map(line).collect::<Vec<_>>(), ops);
    }
    check("", json!({ "name": "Ann" }), &["insert name data1=Ann"]);
    check(
        "name Ann Lee | Ann | Lee | - | - | - | An\n x.y 5 | 6\n *phone_v2 111 | 2\n note hi",
        json!({ "name": "Ann Roe", "phones": [{ "number": "222", "region": "" }] }),
        &[
            "insert name data1=Ann Roe data7=An",
            "insert x.y data1=5 data2=6",
            "insert phone_v2 data1=222 data2=7",
        ],
    );
    check(
        "name Ann | Ann",
        json!({ "name": "Ann", "name_parts": { "family": "Ann" } }),
        &["insert name data1=Ann data3=Ann"],
    );
}

fn line_() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-c]{1,3}")
}

prop_compose! {
    fn any_fields()(
        name in line_(), nickname in line_(), organization in line_(), title in line_(), note in line_(),
        given in line_(), family in line_(), starred: bool, birthday: bool,
        phones in prop::collection::btree_map("[0-9]{3}", (line_(), line_(), any::<bool>()), 0..4),
        emails in prop::collection::btree_map("[a-c]{3}", (prop::option::of("home|work|moon"), line_()), 0..4),
    ) -> Fields {
        let phones: Vec<Value> = phones.into_iter().map(|(number, (kind, label, primary))| {
            json!({ "number": number, "region": "", "key": null, "type": kind, "label": label, "primary": primary })
        }).collect();
        let emails: Vec<Value> = emails.into_iter().map(|(value, (kind, label))| {
            json!({ "value": value, "type": kind, "label": label })
        }).collect();
        let parts = (given.is_some() || family.is_some()).then(|| json!({ "given": given, "family": family }));
        fields(&json!({
            "name": name, "nickname": nickname, "organization": organization, "title": title, "note": note,
            "name_parts": parts, "birthday": birthday.then_some("--02-29"), "starred": starred,
            "phones": phones, "emails": emails,
        }))
    }
}

proptest! {
    /// What is written reads as the book says it, and writing it again does nothing.
    #[test]
    fn what_is_written_is_read(before in any_fields(), after in any_fields()) {
        let there = new_rows(&rows(Of::Raw(RawId(7)), &[], &before), 1);
        let ops = rows(Of::Raw(RawId(7)), &there, &after);
        let mut now = there;
        for op in &ops {
            match op {
                Operation::UpdateRow { row, values } => {
                    let row = now.iter_mut().find(|it| it.id == *row).unwrap();
                    for (column, value) in &values.0 {
                        match column.strip_prefix("data") {
                            Some(n) => row.data[n.parse::<usize>().unwrap() - 1].clone_from(value),
                            None => row.is_primary = value.as_deref() == Some("1"),
                        }
                    }
                }
                Operation::DeleteRow { row } => now.retain(|it| it.id != *row),
                _ => {}
            }
        }
        now.extend(new_rows(&ops, 1_000));
        let mut contact = contact("");
        contact.head.starred = after.starred;
        contact.rows = now;
        let has = read(&contact).unwrap();
        prop_assert!(is_shown_by(&after, &has), "{:?} {:?}", after, has);
        prop_assert_eq!(rows(Of::Raw(RawId(7)), &contact.rows, &after), []);
    }

    /// An edit takes what a contact said to what it says, and what is said beyond the book takes nothing from it.
    #[test]
    fn an_edit_is_what_changed(before in any_fields(), after in any_fields()) {
        let apply = |edit: &Edit| edit.apply(&before, &Default::default(), |_, _| None).unwrap();
        prop_assert!(changed(&apply(&changed(&before, &after)), &after).is_empty());
        let more = apply(&beyond(&before, &after));
        prop_assert!(beyond(&more, &after).is_empty());
        prop_assert!(before.phones.iter().all(|phone| more.phones.iter().any(|it| it.number == phone.number)));
    }

    /// Batches have all operations once, in order, within what Android takes; references stay within a contact.
    #[test]
    fn batches_hold_what_android_takes(
        sizes in prop::collection::vec(1usize..600, 0..40),
        millis in 0usize..3_000,
    ) {
        let mut queue = Queue::default();
        let op = |n: usize| Operation::DeleteRow { row: n as i64 };
        let id = ContactId::new(Timestamp::from_millis(0), [0; 10]);
        queue.extend(sizes.iter().map(|size| {
            let row = |_| Operation::InsertRow { of: Of::Operation(0), mimetype: "x".into(), values: Values::default() };
            Group::writing(id, None, Some(Rev(1)), [op(*size)].into_iter().chain((1..*size).map(row)).collect())
        }));
        let mut seen = Vec::new();
        loop {
            let groups = queue.next();
            if groups.is_empty() {
                break;
            }
            let batch = Batch::of(&groups);
            prop_assert!(batch.operations.len() <= MOST_OPERATIONS);
            queue.applied(batch.operations.len(), millis);
            let starts = &batch.yields;
            for (index, op) in batch.operations.iter().enumerate() {
                match op {
                    Operation::DeleteRow { row } => seen.push(*row as usize),
                    Operation::InsertRow { of: Of::Operation(to), .. } => {
                        prop_assert_eq!(starts.iter().rev().find(|start| **start <= index), Some(to));
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(starts.len(), groups.len());
        }
        prop_assert_eq!(seen, sizes);
    }
}

#[test]
fn nothing_printed_shows_what_people_typed() {
    let contact = contact("name Zaphod\n phone_v2 0123456789 | 2");
    let ops = rows(Of::Raw(RawId(7)), &[], &read(&contact).unwrap());
    let account = Account { name: "zaphod@x.org".into(), r#type: "x".into() };
    let printed = format!("{contact:?} {ops:?} {account:?}").to_lowercase();
    assert!(!printed.contains("zaphod") && !printed.contains("0123"), "{printed}");
}

#[test]
fn rows_of_nulls_are_read_and_say_nothing() {
    let head = r#"{"raw":null,"account":null,"source_id":null,"version":null,"dirty":null,"deleted":null,"starred":null}"#;
    let row = r#"{"id":null,"mimetype":null,"data":null,"is_primary":null}"#;
    let nulls = r#"{"id":3,"mimetype":"vnd.android.cursor.item/phone_v2","data":[null,null,null]}"#;
    let given = format!(
        r#"{{"given":"rows","contacts":[{},"rows":[{row},{nulls}]}}]}}"#,
        head.trim_end_matches('}')
    );
    let Given::Rows { contacts } = serde_json::from_str(&given).unwrap() else { panic!() };
    assert_eq!(read(&contacts[0]), Ok(Fields::default()));
    assert_eq!(rows(Of::Raw(RawId(7)), &contacts[0].rows, &Fields::default()), []);
    let given = format!(r#"{{"given":"heads","heads":[{head}]}}"#);
    assert!(serde_json::from_str::<Given>(&given).is_ok());
    let call: crate::call_log::CallRow =
        serde_json::from_str(r#"{"id":null,"number":null,"date":null,"utc_offset":null}"#).unwrap();
    assert_eq!(call.id, 0);
}
