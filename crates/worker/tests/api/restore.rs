//! A book that is put back from a backup, and says so.

use super::*;

impl Service {
    /// Gives the book another epoch, as its host does after a restore.
    async fn say_restored(&mut self) {
        self.requests += 1;
        let moment = Moment { now: self.now, seed: [self.requests as u8; 32] };
        assert!(app(self.database.clone(), Tables::CURRENT).restored(moment).await.unwrap());
    }

    /// The epoch that pushes are answered with.
    async fn epoch(&mut self, phone: &mut Phone) -> Value {
        self.push(phone, json!([])).await["epoch"].clone()
    }

    /// What a push is refused with that knows the book by this epoch.
    async fn push_from(&mut self, phone: &Phone, epoch: &Value) -> Value {
        let mut body = self.push_body(phone, json!([put(9, 0, "911")]));
        body["epoch"] = epoch.clone();
        let answer = self.post("/sync/contacts", Some(phone), &body).await;
        assert_eq!(answer.problem(), (409, "epoch_changed"));
        answer.body
    }
}

/// A book of two contacts, one a push, that was put back; a phone that made them, and the epoch that it knows.
async fn restored() -> (Service, Phone, Value) {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "1")])).await;
    service.push(&mut ann, json!([put(2, 0, "2")])).await;
    let first = service.epoch(&mut ann).await;
    service.say_restored().await;
    (service, ann, first)
}

#[tokio::test]
async fn a_restored_book_tells_how_far_a_phone_knows_it() {
    let (mut service, mut ann, first) = restored().await;
    let refused = service.push_from(&ann, &first).await;
    let second = refused["epoch"].clone();
    assert_ne!(first, second);
    assert_eq!((&refused["acked_seq"], &refused["rev"]), (&json!(2), &json!(2)));
    assert_eq!(service.pull(&ann).await.len(), 2, "nothing of the refused push was done");

    // Further restores: each epoch of this book's past with the rev where it ended, others with none.
    service.push(&mut ann, json!([put(3, 0, "3")])).await;
    service.say_restored().await;
    let known = [(&first, 2), (&second, 3), (&json!("never-was"), 0)];
    for (epoch, rev) in known {
        assert_eq!(service.push_from(&ann, epoch).await["rev"], rev, "{epoch}");
    }
}

#[tokio::test]
async fn a_pull_goes_on_in_a_restored_book_from_where_both_are_one() {
    let (mut service, ann, first) = restored().await;
    let second = service.push_from(&ann, &first).await["epoch"].clone();
    let body = json!({ "epoch": second, "region": "US", "sent_at": service.now, "ops": [
        { "op_seq": 3, "op_id": "3", "op": "put", "id": id(3), "base_rev": 0, "set": { "name": "Cid" } },
    ] });
    service.post("/sync/contacts", Some(&ann), &body).await.ok();

    let cursor = |epoch: &Value, rev: u64, last: &str, first| {
        let (epoch, rev) = (epoch.as_str().unwrap().parse().unwrap(), callbook_base::Rev(rev));
        let cursor = callbook_base::Cursor { epoch, rev, last: last.to_owned(), first };
        format!("/sync/contacts?cursor={cursor}")
    };
    let (all, unknown) = (format!("&ids={},{},{}", id(1), id(9), id(3)), json!("never-was"));
    for (cursor, ids, told) in [
        (cursor(&first, 2, "", None), "", Some(vec![3])),
        (cursor(&first, 1, "", None), "", Some(vec![2, 3])),
        // The phone had come further than the backup, and lacks what was changed there.
        (cursor(&first, 99, "", None), "", Some(vec![3])),
        (cursor(&first, 99, "", None), &all, Some(vec![1, 9, 3])),
        (cursor(&second, 3, "", None), &all, Some(vec![1, 9, 3])),
        (cursor(&second, 3, "", None), "", Some(vec![])),
        (cursor(&second, 99, "", None), "", None),
        // In the middle of a pull, and of another book.
        (cursor(&first, 1, &id(1).to_string(), None), "", None),
        (cursor(&first, 1, "", Some(callbook_base::Rev(1))), "", None),
        (cursor(&unknown, 0, "", None), "", None),
    ] {
        let answer = service.get(&format!("{cursor}{ids}"), &ann).await;
        let Some(told) = told else {
            assert_eq!(answer.problem(), (410, "cursor_expired"), "{cursor}");
            continue;
        };
        let answer = answer.ok();
        let ids: Vec<&Value> =
            answer["contacts"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!(
            ids,
            told.iter().map(|n| json!(id(*n))).collect::<Vec<_>>().iter().collect::<Vec<_>>(),
            "{cursor}"
        );
        assert_eq!((&answer["epoch"], &answer["rev"]), (&second, &json!(3)));
        for row in answer["contacts"].as_array().unwrap() {
            assert_eq!(row["deleted"] == true, row["id"] == json!(id(9)), "{row}");
        }
    }
    let calls = cursor(&first, 0, "", None).replace("contacts", "calls");
    assert_eq!(service.get(&calls, &ann).await.problem(), (410, "cursor_expired"));
}

#[tokio::test]
async fn a_server_without_a_book_has_none_to_restore() {
    let service = Service::bare();
    let moment = Moment { now: service.now, seed: [0; 32] };
    assert!(!app(service.database, Tables::CURRENT).restored(moment).await.unwrap());
}
