use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fields::Fields;

/// A card as a program writes it, lines by LF, and the edit that it makes.
#[track_caller]
fn check(card: &str, edit: serde_json::Value) {
    let card = card.replace('\n', "\r\n");
    let read = read_card(card.as_bytes()).unwrap();
    assert_eq!(serde_json::to_value(&read.edit).unwrap(), edit);
}

fn in_card(lines: &str) -> String {
    format!("BEGIN:VCARD\nVERSION:4.0\n{lines}\nEND:VCARD\n")
}

#[test]
fn cards_of_android() {
    // 2.1, as Android's own export writes it: quoted-printable over two lines, and a photo.
    check(
        "BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4D=C3=BC=6C=6C=65=72;=4A=C3=B6=72=67;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4A=C3=B6=72=67=20=
=4D=C3=BC=6C=6C=65=72
TEL;CELL;PREF:0170 1234567
TEL;WORK;FAX:030-123456
TEL;X-Boat:+49 40 1234
EMAIL;HOME:joerg@example.org
ORG:Hafen GmbH;Kran 3
BDAY:1977-02-28
PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQ
 EBAQEBAQEBAQEBAQEBAQEBAQ==

END:VCARD
",
        json!({
            "set": { "name": "Jörg Müller", "organization": "Hafen GmbH, Kran 3", "birthday": "1977-02-28",
                "name_parts": { "given": "Jörg", "family": "Müller" } },
            "add": {
                "phones": [
                    { "number": "0170 1234567", "type": "mobile", "primary": true },
                    { "number": "030-123456", "type": "fax_work", "primary": false },
                    { "number": "+49 40 1234", "label": "Boat", "primary": false }],
                "emails": [{ "value": "joerg@example.org", "type": "home" }] },
        }),
    );
}

#[test]
fn cards_of_ios() {
    check(
        "BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iPhone OS 17.5//EN
N:Lee;Ann;Mary;Dr.;Jr.
FN:Dr. Ann Mary Lee Jr.
NICKNAME:Annie
ORG:Acme\\, Inc.;
TITLE:Head of \\; things
TEL;type=CELL;type=VOICE;type=pref:(415) 555-2671
TEL;type=IPHONE;type=CELL;type=VOICE:+1 415 555 0001
item1.TEL:555 0002
item1.X-ABLabel:_$!<School>!$_
item2.EMAIL;type=INTERNET:ann@acme.example
item2.X-ABLabel:Old one
item3.URL;type=pref:https\\://acme.example
item3.X-ABLabel:_$!<HomePage>!$_
item4.ADR;type=HOME;type=pref:;;1 Main St\\nApt 2;Springfield;IL;62701;USA
item4.X-ABADR:us
BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29
NOTE:First line\\nsecond\\, with comma
END:VCARD
",
        json!({
            "set": { "name": "Dr. Ann Mary Lee Jr.", "nickname": "Annie", "organization": "Acme, Inc.",
                "title": "Head of ; things", "note": "First line\nsecond, with comma", "birthday": "--02-29",
                "name_parts": { "prefix": "Dr.", "given": "Ann", "middle": "Mary", "family": "Lee", "suffix": "Jr." } },
            "add": {
                "phones": [
                    { "number": "(415) 555-2671", "type": "mobile", "primary": true },
                    { "number": "+1 415 555 0001", "type": "mobile", "primary": false },
                    { "number": "555 0002", "label": "School", "primary": false }],
                "emails": [{ "value": "ann@acme.example", "label": "Old one" }],
                "urls": [{ "value": "https://acme.example", "label": "HomePage" }],
                "addresses": [{ "value": "1 Main St, Apt 2, Springfield IL 62701, USA", "type": "home" }] },
        }),
    );
}

#[test]
fn cards_of_google_and_outlook() {
    check(
        "BEGIN:VCARD
VERSION:3.0
FN:Bob
N:;Bob;;;
EMAIL;TYPE=INTERNET;TYPE=WORK:bob@example.org
TEL;TYPE=CELL:+1 415-555-2671
TEL;TYPE=WORK:tel:+1-415-555-0000;ext=9
CATEGORIES:starred,myContacts,Choir
END:VCARD
",
        json!({
            "set": { "name": "Bob", "starred": true,
                "name_parts": { "given": "Bob" } },
            "add": {
                "phones": [
                    { "number": "+1 415-555-2671", "type": "mobile", "primary": false },
                    { "number": "+1-415-555-0000;ext=9", "type": "work", "primary": false }],
                "emails": [{ "value": "bob@example.org", "type": "work" }],
                "groups": ["Choir"] },
        }),
    );
    // Outlook: 2.1 in Latin-1, parts of a name without the name, a label in capitals.
    let card = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;LANGUAGE=de:M\xfcller;J\xf6rg\r\nTEL;WORK;VOICE:030 1\r\nX-MS-OL-DEFAULT-POSTAL-ADDRESS:0\r\nREV:20261122T100000Z\r\nEND:VCARD\r\n";
    let read = read_card(card).unwrap();
    assert_eq!(read.created_at, "2026-11-22T10:00:00Z".parse().ok());
    assert_eq!(read.edit.set.name, Some("Jörg Müller".parse().ok()));
    assert_eq!(read.edit.add.phones[0].r#type, "work".parse().ok());
}

#[test]
fn single_properties() {
    let birthday = |text: &str, read: serde_json::Value| {
        check(
            &in_card(&format!("FN:x\nBDAY:{text}")),
            json!({ "set": match read {
            serde_json::Value::Null => json!({ "name": "x" }),
            day => json!({ "name": "x", "birthday": day }),
        } }),
        );
    };
    birthday("19770228", json!("1977-02-28"));
    birthday("1977-02-28T00:00:00Z", json!("1977-02-28"));
    birthday("--0228", json!("--02-28"));
    birthday("--02-28", json!("--02-28"));
    birthday("1977", json!(null));
    birthday("circa 1800", json!(null));
    // Folded within a word, and a line that is none.
    check(&in_card("FN:Ann\n  Lee\nnonsense"), json!({ "set": { "name": "Ann Lee" } }));
    check(&in_card("FN;LANGUAGE=\"a:b;c\":Ann"), json!({ "set": { "name": "Ann" } }));
    check(&in_card("FN:Ann\nFN:Other"), json!({ "set": { "name": "Ann" } }));
    check(&in_card("ROLE:Cook\nTITLE:Chef"), json!({ "set": { "title": "Cook" } }));
    check(
        &in_card("EMAIL:a@x.org\nEMAIL:b@x.org\nEMAIL:a@x.org"),
        json!({ "add": { "emails": [{ "value": "a@x.org" }, { "value": "b@x.org" }] } }),
    );
    check(&in_card("FN:\nNOTE:a\nNOTE:b"), json!({ "set": { "note": "a\nb" } }));
    check(&in_card("NOTE;ENCODING=8BIT:1=41"), json!({ "set": { "note": "1=41" } }));
    check(
        &in_card("FN:x\nADR;LABEL=\"1 Main^nTown\":;;1 Main;Town;;;"),
        json!({ "set": { "name": "x" },
            "add": { "addresses": [{ "value": "1 Main, Town" }] } }),
    );
    check(
        &in_card("ADR;LABEL=\"^'1^' Main^^n^x\":"),
        json!({ "add": { "addresses": [{ "value": "\"1\" Main^n^x" }] } }),
    );
    // A semicolon within quotes ends no parameter, and one after them does.
    check(
        &in_card("TEL;X=\"a;TYPE=fax;b\";PREF=1:1"),
        json!({ "add": { "phones": [{ "number": "1", "primary": true }] } }),
    );
    // A type that is no word of the book's is none.
    for (kind, known) in [
        ("satellite_2", json!("satellite_2")),
        ("Büro", json!(null)),
        ("a-b", json!(null)),
        ("", json!(null)),
    ] {
        let mut phone = json!({ "number": "1", "type": known, "primary": false });
        if known.is_null() {
            phone.as_object_mut().unwrap().remove("type");
        }
        check(&in_card(&format!("TEL;TYPE={kind}:1")), json!({ "add": { "phones": [phone] } }));
    }
    check(
        &in_card("TEL;TYPE=iPhone:1"),
        json!({ "add": { "phones": [{ "number": "1", "type": "mobile", "primary": false }] } }),
    );
    // The same number twice is one.
    check(
        &in_card("TEL:1\nTEL;PREF=1:1\nTEL:"),
        json!({ "add": { "phones": [{ "number": "1", "primary": true }] } }),
    );
}

#[test]
fn cards_of_which_no_contact_is_made() {
    #[track_caller]
    fn check(lines: &str, error: InvalidCard, code: &str) {
        assert_eq!(read_card(in_card(lines).as_bytes()), Err(error));
        assert_eq!(error.code(), code);
    }
    check("", InvalidCard::Empty, "empty_card");
    check("FN:\nN:;;;;", InvalidCard::Empty, "empty_card");
    check("KIND:group\nFN:Choir\nMEMBER:urn:uuid:x", InvalidCard::Group, "group_card");
    check("X-ADDRESSBOOKSERVER-KIND:group\nFN:Choir", InvalidCard::Group, "group_card");
    let long = |count| "x".repeat(count);
    check(&format!("FN:{}", long(1_001)), InvalidCard::TooLong, "invalid_contact");
    check(&format!("FN:x\nNOTE:{}", long(70_000)), InvalidCard::TooLong, "invalid_contact");
}

#[test]
fn a_card_that_is_imported_twice_is_one_contact() {
    let id = |lines: &str| read_card(in_card(lines).as_bytes()).unwrap().id;
    let own = "01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(id(&format!("FN:x\nUID:urn:uuid:{own}")).to_string(), own);
    assert_eq!(id(&format!("FN:x\nUID:{own}")).to_string(), own);
    assert_eq!(id("FN:x\nUID:1@example.org"), id("FN:y\nUID:1@example.org\nREV:20260101T000000Z"));
    assert_ne!(id("FN:x\nUID:1@example.org"), id("FN:x\nUID:2@example.org"));
    assert_eq!(id("FN:x\nTEL:1"), id("TEL:1\nFN:x"));
    assert_ne!(id("FN:x\nTEL:1"), id("FN:x\nTEL:2"));
}

#[test]
fn a_stream_is_cut_into_cards_however_it_arrives() {
    let one = "BEGIN:VCARD\r\nFN:Ann\r\nEND:VCARD\r\n";
    let nested = "begin:vcard\nAGENT:\nBEGIN:VCARD\nFN:x\nEND:VCARD\nFN:Bob\nend:vcard";
    let stream = format!("\u{feff}{one}between\r\n\r\n{nested}");
    for size in [1, 2, 7, 1_000] {
        let mut cards = Cards::default();
        let mut found = Vec::new();
        for bytes in stream.as_bytes().chunks(size) {
            cards.feed(bytes);
            found.extend(std::iter::from_fn(|| cards.next_card().unwrap()));
        }
        cards.end();
        found.extend(std::iter::from_fn(|| cards.next_card().unwrap()));
        let found: Vec<String> =
            found.into_iter().map(|it| String::from_utf8(it).unwrap()).collect();
        assert_eq!(found, [format!("\u{feff}{one}"), format!("{nested}\r\n")], "{size}");
        assert!(!cards.is_within_a_card());
    }
    let mut cards = Cards::default();
    cards.feed(b"BEGIN:VCARD\nFN:Ann\n");
    cards.end();
    assert_eq!(cards.next_card(), Ok(None));
    assert!(cards.is_within_a_card());
    cards.feed(&vec![b'x'; 5 << 20]);
    assert_eq!(cards.next_card(), Err(CardTooLarge));
    // A card may have 4 MiB, and not a byte more.
    let mut cards = Cards::default();
    cards.feed(&vec![b'x'; 4 << 20]);
    assert_eq!(cards.next_card(), Ok(None));
    cards.feed(b"x");
    assert_eq!(cards.next_card(), Err(CardTooLarge));
}

fn back(card: &str) -> Card {
    read_card(card.as_bytes()).unwrap()
}

#[test]
fn what_is_written() {
    let fields: Fields = serde_json::from_value(json!({
        "name": "Ann; \"Lee\"\r\nEND:VCARD", "organization": "Acme, Inc.", "birthday": "--02-29", "starred": true,
        "name_parts": { "given": "Ann", "family": "Lee" }, "note": "x".repeat(70 + 74 + 74),
        "phones": [{ "number": "+1 415\n555", "region": "US", "type": "fax_work", "label": "Boat: \"X\"", "primary": true, "key": null }],
        "addresses": [{ "value": "1 Main; Town", "type": "home" }], "groups": ["a,b", "c"],
    }))
    .unwrap();
    let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    let times =
        ["2026-11-22T10:00:00.123Z", "2026-11-23T10:00:00.000Z"].map(|it| it.parse().unwrap());
    for version in [Version::V3, Version::V4] {
        let card = write_card(id, &fields, times.into(), version);
        assert!(card.lines().all(|line| line.len() <= 75), "{card}");
        let read = back(&card);
        assert_eq!((read.id, read.created_at), (id, Some(times[0])));
        insta::assert_snapshot!(card.replace("\r\n", "\n"));
    }
}

#[test]
fn a_region_that_would_end_its_parameter_is_not_written() {
    #[track_caller]
    fn check(region: &str, line: &str) {
        let phone = json!({ "number": "1", "region": region, "key": null });
        let fields: Fields = serde_json::from_value(json!({ "phones": [phone] })).unwrap();
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let at = callbook_base::Timestamp::from_millis(0);
        let card = write_card(id, &fields, (at, at), Version::V4);
        assert_eq!(card.lines().find(|it| it.starts_with("TEL")), Some(line), "{region}");
    }
    check("US", "TEL;X-REGION=US:1");
    check("U:", "TEL:1");
    check("USA", "TEL:1");
    check("", "TEL:1");
}

#[test]
fn versions() {
    #[track_caller]
    fn check(text: &str, version: Result<Version, InvalidVersion>) {
        assert_eq!(text.parse(), version, "{text}");
    }
    check("3", Ok(Version::V3));
    check("3.0", Ok(Version::V3));
    check("4", Ok(Version::V4));
    check("4.0", Ok(Version::V4));
    check("2.1", Err(InvalidVersion));
    check("", Err(InvalidVersion));
}

proptest! {
    /// Whatever a contact says is read back from its card, in both versions.
    #[test]
    fn what_is_written_is_read_back(
        name in "[^\\x00]{0,80}", number in "[^\\x00\\s][^\\x00]{0,30}", label in prop::option::of("[^\\x00]{1,30}"),
        value in "[^\\x00]{1,60}", group in "[^\\x00]{1,30}", note in "[^\\x00]{0,200}",
        starred: bool,
    ) {
        // What is trimmed, and what ends a line in another way, does not come back as it was.
        let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned();
        let fields: Fields = serde_json::from_value(json!({
            "name": name, "note": note, "starred": starred, "phones": [{ "number": number, "region": "DE", "key": null, "label": label }],
            "emails": [{ "value": value }], "urls": [{ "value": value, "label": label }],
            "addresses": [{ "value": value, "type": "work" }], "groups": [group],
        })).unwrap();
        let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
        let at = callbook_base::Timestamp::from_millis(1_795_341_600_123);
        for version in [Version::V3, Version::V4] {
            let Card { edit, .. } = back(&write_card(id, &fields, (at, at), version));
            let set = edit.set.name.flatten().map(|name| name.to_string()).unwrap_or_default();
            prop_assert_eq!(set, plain(&name));
            prop_assert_eq!(edit.set.starred.unwrap_or_default(), starred || plain(&group) == "starred");
            let phone = edit.add.phones.first().map(|phone| phone.number.to_string());
            let number = plain(&number);
            prop_assert!(number.to_lowercase().starts_with("tel:") || phone == Some(number));
            prop_assert!(!edit.add.phones.iter().any(|phone| phone.primary));
            prop_assert_eq!(edit.add.groups.first().map(|it| it.to_string()).unwrap_or_default(),
                match plain(&group).as_str() { "starred" | "myContacts" => String::new(), it => it.to_owned() });
            prop_assert_eq!(edit.add.urls.first().map(|it| it.value.to_string()).unwrap_or_default(), plain(&value));
        }
    }

    /// No bytes make the reader panic.
    #[test]
    fn anything_is_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut card = b"BEGIN:VCARD\r\nTEL;TYPE=".to_vec();
        card.extend(&bytes);
        card.extend(b"\r\nBDAY:");
        card.extend(&bytes);
        card.extend(b"\r\nREV:");
        card.extend(&bytes);
        let _ = read_card(&card);
        let mut cards = Cards::default();
        cards.feed(&card);
        cards.end();
        let _ = cards.next_card();
    }
}
