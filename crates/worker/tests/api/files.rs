//! The book as files: vCards in and out, tables.

use callbook_worker::Settings;

use super::*;

impl Service {
    async fn import(&mut self, phone: &Phone, query: &str, file: &str) -> Answer {
        let path = format!("/contacts/import{query}");
        self.send(Method::POST, &path, Some(phone), file.as_bytes().to_vec()).await
    }
}

fn card(lines: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n")
}

#[tokio::test]
async fn a_book_goes_out_as_a_file_and_comes_back_as_it_was() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    let mut full = put(1, 0, "(415) 555-2671");
    full["set"] =
        json!({ "name": "Ann; \"Lee\"", "note": "a\nb", "birthday": "--02-29", "starred": true });
    full["add"]["emails"] = json!([{ "value": "ann@example.org", "type": "home" }]);
    full["add"]["groups"] = json!(["Choir"]);
    service.push(&mut ann, json!([full, put(2, 0, "911")])).await;
    service.now = service.now.plus_millis(1_000);
    // A duplicate stays where it is: phones do not show it either.
    service.push(&mut ann, json!([put(3, 0, "+1 415 555 2671")])).await;
    for version in ["3.0", "4.0"] {
        let file = service.get(&format!("/contacts.vcf?version={version}"), &ann).await;
        assert_eq!(file.content_type, "text/vcard; charset=utf-8");
        assert_eq!(file.headers["content-disposition"], "attachment; filename=\"contacts.vcf\"");
        let again = service.import(&ann, "?region=US", &file.text).await.ok();
        assert_eq!((&again["unchanged"], &again["rev"]), (&json!(2), &json!(2)), "{again}");

        // Into another book, with its times, since an admin says so.
        let mut other = Service::new().await;
        other.now = other.now.plus_millis(86_400_000);
        let admin = other.log_in("ann").await;
        let taken = other.import(&admin, "?region=US", &file.text).await.ok();
        assert_eq!((&taken["imported"], &taken["next"]), (&json!(2), &Value::Null), "{taken}");
        let plain = |rows: Vec<Value>| -> Vec<Value> {
            let mut rows = rows;
            for row in &mut rows {
                for member in ["rev", "updated_at", "updated_by"] {
                    row.as_object_mut().unwrap().remove(member);
                }
            }
            rows.sort_by_key(|row| row["id"].to_string());
            rows
        };
        assert_eq!(plain(other.pull(&admin).await), plain(service.pull(&ann).await));
    }
    let bad = service.get("/contacts.vcf?version=2.1", &ann).await;
    assert_eq!(bad.problem(), (400, "invalid_request"));
}

#[tokio::test]
async fn only_an_admins_import_is_as_old_as_it_says() {
    let mut service = Service::new().await;
    let (mut ann, bob) = (service.log_in("ann").await, service.log_in("bob").await);
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    service.now = service.now.plus_millis(1_000);
    let file = card("FN:Older\r\nTEL:+1 415 555 2671\r\nREV:20200101T000000Z");
    let by_member = service.import(&bob, "", &file).await.ok();
    assert_eq!((&by_member["imported"], &by_member["hidden"]), (&json!(0), &json!(1)));
    let again = service.import(&bob, "", &file).await.ok();
    assert_eq!((&again["unchanged"], &again["rev"]), (&json!(1), &by_member["rev"]));
    let mut other = Service::new().await;
    let mut ann = other.log_in("ann").await;
    other.push(&mut ann, json!([put(1, 0, "(415) 555-2671")])).await;
    let by_admin = other.import(&ann, "", &file).await.ok();
    assert_eq!((&by_admin["imported"], &by_admin["hidden"]), (&json!(1), &json!(0)));
    assert_eq!(other.pull(&ann).await[0]["created_at"], "2020-01-01T00:00:00.000Z");
}

#[tokio::test]
async fn a_bad_card_fails_none_of_its_neighbours() {
    let mut service = Service::new().await;
    let ann = service.log_in("ann").await;
    let file = [
        card("FN:Ann\r\nTEL:911"),
        card("X-NOTHING:1"),
        card("KIND:group\r\nFN:Choir"),
        "between cards\r\n".to_owned(),
        card(&format!("FN:{}", "x".repeat(1_001))),
        card("FN:Bob"),
        "BEGIN:VCARD\r\nFN:cut".to_owned(),
    ];
    let answer = service.import(&ann, "?region=US", &file.concat()).await.ok();
    assert_eq!(answer["imported"], 2);
    let rejected: Vec<(&Value, &Value)> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["index"], &it["code"]))
        .collect();
    assert_eq!(
        rejected,
        [
            (&json!(1), &json!("empty_card")),
            (&json!(2), &json!("group_card")),
            (&json!(3), &json!("invalid_contact")),
            (&json!(5), &json!("cut_off"))
        ]
    );
    for file in ["", "name,phone\nAnn,911\n", "{}"] {
        let answer = service.import(&ann, "", file).await;
        assert_eq!(answer.problem(), (400, "no_cards"));
    }
    let phones: String = (0..101).map(|n| format!("TEL:{n}\r\n")).collect();
    let many = service.import(&ann, "", &card(phones.trim_end())).await.ok();
    assert_eq!(many["rejected"][0]["code"], "contact_too_large");
}

#[tokio::test]
async fn a_large_file_is_imported_in_several_requests() {
    let bare = Service::bare();
    let mut app = app(bare.database.clone(), Tables::CURRENT);
    app.settings = Settings { pieces_of_an_import: 1, ..app.settings };
    let way = Way::InProcess(router(app));
    let mut service = Service { way, ..bare }.with_users().await;
    let ann = service.log_in("ann").await;
    let file: String =
        (0..1_200).map(|n| card(&format!("FN:Name {n}\r\nTEL:+1415555{n:04}"))).collect();
    let first = service.import(&ann, "", &file).await.ok();
    assert_eq!((&first["imported"], &first["next"]), (&json!(500), &json!(500)));
    let second = service.import(&ann, "?from=500", &file).await.ok();
    assert_eq!((&second["imported"], &second["next"]), (&json!(500), &json!(1_000)));
    let last = service.import(&ann, "?from=1000", &file).await.ok();
    assert_eq!((&last["imported"], &last["next"]), (&json!(200), &Value::Null));
    assert_eq!(service.get("/stats", &ann).await.ok()["contacts"]["visible"], 1_200);
    // A file goes out in pages.
    let out = service.get("/contacts.vcf", &ann).await.text;
    assert_eq!(out.matches("BEGIN:VCARD").count(), 1_200);
}

#[tokio::test]
async fn tables_are_for_spreadsheets_and_run_nothing() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    let mut op = put(1, 0, "(415) 555-2671");
    op["set"] = json!({ "name": "=cmd|' /C calc'!A0", "organization": "Lee, \"Ann\"" });
    service.push(&mut ann, json!([op])).await;
    let call = |number: &str, second: u32| {
        json!({ "phone_number": number, "timestamp": format!("2026-11-22T09:00:{second:02}.000Z"),
                "duration": 61, "direction": "incoming" })
    };
    let calls = json!({ "region": "US", "calls": [call("415-555-2671", 1), call("@SUM(1)", 2)] });
    service.post("/sync/calls", Some(&ann), &calls).await.ok();
    let contacts = service.get("/contacts.csv", &ann).await;
    assert!(contacts.content_type.starts_with("text/csv"));
    let lines: Vec<&str> = contacts.text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("id,name,prefix,"));
    assert!(
        lines[1].contains(",'=cmd|' /C calc'!A0,") && lines[1].contains("\"Lee, \"\"Ann\"\"\"")
    );
    let calls = service.get("/calls.csv", &ann).await;
    let lines: Vec<&str> = calls.text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains(",'@SUM(1),"), "{}", lines[1]);
    assert!(lines[2].contains(",+14155552671,") && lines[2].contains("'=cmd"), "{}", lines[2]);
    let one = service.get("/calls.csv?from=2026-11-22T09:00:02.000Z", &ann).await;
    assert_eq!(one.text.lines().count(), 2);
    let audit = service.get("/audit", &ann).await.ok();
    let acts = audit["entries"].as_array().unwrap().iter();
    assert_eq!(acts.filter(|entry| entry["act"] == "exported").count(), 3);
}
