//! Tombstones that are forgotten, and phones that come back after that.

use std::time::Duration;

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Service {
    /// Later, with another pair of tokens for these phones; the others are away.
    async fn later(&mut self, days: u32, phones: &mut [&mut Phone]) {
        for _ in 0..days.div_ceil(40) {
            self.now = self.now.after(DAY * days / days.div_ceil(40));
            for phone in &mut *phones {
                let request = json!({ "refresh_token": phone.refresh });
                let answer = self.post("/token", None, &request).await.ok();
                **phone = Phone { op_seq: phone.op_seq, ..super::phone(&answer) };
            }
        }
    }

    /// How many tombstones go.
    async fn purge(&self) -> usize {
        let moment = Moment { now: self.now, seed: [0; 32] };
        app(self.database.clone(), Tables::CURRENT).purge(moment).await.unwrap()
    }

    async fn pull_from(&mut self, phone: &Phone, cursor: &str) -> Answer {
        self.get(&format!("/sync/contacts?cursor={cursor}"), phone).await
    }

    /// Pulls all that came after a cursor, and tells the book so with the next one.
    async fn follow(&mut self, phone: &Phone, cursor: &str) -> String {
        let next = self.pull_from(phone, cursor).await.ok()["cursor"].as_str().unwrap().to_owned();
        self.pull_from(phone, &next).await.ok();
        next
    }
}

/// A book of two phones, with one contact and one tombstone of another; where both phones stand.
async fn book() -> (Service, Phone, Phone, String) {
    let mut service = Service::new().await;
    let (mut ann, bob) = (service.log_in("ann").await, service.log_in("bob").await);
    service.push(&mut ann, json!([put(1, 0, "(415) 555-2671"), put(2, 0, "911")])).await;
    let start = service.get("/sync/contacts", &ann).await.ok()["cursor"].clone();
    let start = start.as_str().unwrap().to_owned();
    for phone in [&ann, &bob] {
        service.follow(phone, &start).await;
    }
    service.push(&mut ann, json!([{ "op": "delete", "id": id(1), "base_rev": 1 }])).await;
    (service, ann, bob, start)
}

#[tokio::test]
async fn a_tombstone_goes_when_it_is_old_and_all_who_are_not_have_pulled_it() {
    let (mut service, mut ann, mut bob, start) = book().await;
    service.later(80, &mut [&mut ann, &mut bob]).await;
    let end = service.follow(&ann, &start).await;
    assert_eq!(service.purge().await, 0, "it is young");
    service.later(11, &mut [&mut ann, &mut bob]).await;
    assert_eq!(service.purge().await, 0, "a phone that is there has not pulled it");
    assert_eq!(service.pull_from(&bob, &start).await.ok()["contacts"][0]["deleted"], true);
    service.follow(&bob, &start).await;
    assert_eq!(service.purge().await, 1);
    assert_eq!(service.purge().await, 0);

    // Who has pulled it goes on; a cursor from before it has missed it.
    assert_eq!(service.pull_from(&ann, &end).await.ok()["contacts"], json!([]));
    assert_eq!(service.pull_from(&bob, &start).await.problem(), (410, "cursor_expired"));
    assert_eq!(service.pull(&bob).await.len(), 1);

    // Nothing of it is left; an edit is asked for whole, and makes it anew.
    let rest = "SELECT id FROM contacts UNION SELECT contact FROM history";
    let rest = service.database.batch(vec![callbook_worker::database::Statement::new(rest)]).await;
    assert_eq!(rest.unwrap()[0].len(), 1);
    let result = service.push(&mut ann, json!([put(1, 1, "1")])).await["results"][0].clone();
    assert_eq!(
        (&result["status"], &result["code"]),
        (&json!("rejected"), &json!("unknown_contact"))
    );
    let result = service.push(&mut ann, json!([put(1, 0, "1")])).await["results"][0].clone();
    assert_eq!(result["status"], "applied");
}

#[tokio::test]
async fn a_phone_that_was_away_for_long_is_not_waited_for() {
    let (mut service, mut ann, bob, start) = book().await;
    service.later(91, &mut [&mut ann]).await;
    service.follow(&ann, &start).await;
    assert_eq!(service.purge().await, 1);
    let old_phone = service
        .log_in_as(json!({ "username": "bob", "password": PASSWORD,
        "device": { "name": "Pixel 9", "platform": "android 16", "replaces": bob.device } }))
        .await;
    assert_eq!(service.pull_from(&old_phone, &start).await.problem(), (410, "cursor_expired"));
}

/// A first pull in pages that a purge comes between: it needs the tombstones since its first page.
#[tokio::test]
async fn a_first_pull_that_a_purge_comes_between_begins_again() {
    let (mut service, mut ann, mut bob, start) = book().await;
    service.push(&mut ann, json!([put(3, 0, "1")])).await;
    service.later(91, &mut [&mut ann, &mut bob]).await;
    let mut new = service.log_in("bob").await;
    let page = service.get("/sync/contacts?limit=1", &new).await.ok();
    let second = page["cursor"].as_str().unwrap().to_owned();
    let mut end = String::new();
    for phone in [&ann, &bob] {
        end = service.follow(phone, &start).await;
    }
    assert_eq!(service.purge().await, 1);
    assert_eq!(service.pull_from(&new, &second).await.ok()["contacts"][0]["id"], json!(id(3)));

    service.push(&mut ann, json!([{ "op": "delete", "id": id(2), "base_rev": 2 }])).await;
    service.later(91, &mut [&mut ann, &mut bob, &mut new]).await;
    for phone in [&ann, &bob] {
        service.follow(phone, &end).await;
    }
    assert_eq!(service.purge().await, 1);
    assert_eq!(service.pull_from(&new, &second).await.problem(), (410, "cursor_expired"));
}

/// Found by the simulator (seed 2, pages of four rows): a page that ends among the deletes of one push.
#[tokio::test]
async fn a_cursor_in_the_middle_of_a_rev_has_not_seen_all_of_it() {
    let (mut service, mut ann, mut bob, start) = book().await;
    let delete = |n: u8| json!({ "op": "delete", "id": id(n), "base_rev": 3 });
    service.push(&mut ann, json!([put(3, 0, "1"), put(4, 0, "2")])).await;
    let end = service.follow(&bob, &start).await;
    service.push(&mut ann, json!([delete(3), delete(4)])).await;
    let page = service.get(&format!("/sync/contacts?cursor={end}&limit=1"), &bob).await.ok();
    let middle = page["cursor"].as_str().unwrap().to_owned();
    service.later(91, &mut [&mut ann]).await;
    service.follow(&ann, &end).await;
    while service.purge().await > 0 {}
    service.later(1, &mut [&mut ann]).await;
    let request = json!({ "username": "bob", "password": PASSWORD,
        "device": { "name": "", "platform": "", "replaces": bob.device } });
    bob = service.log_in_as(request).await;
    assert_eq!(service.pull_from(&bob, &middle).await.problem(), (410, "cursor_expired"));
}
