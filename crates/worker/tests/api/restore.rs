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

#[tokio::test]
async fn a_restored_book_tells_how_far_a_phone_knows_it() {
    let mut service = Service::new().await;
    let mut ann = service.log_in("ann").await;
    service.push(&mut ann, json!([put(1, 0, "1")])).await;
    service.push(&mut ann, json!([put(2, 0, "2")])).await;
    let first = service.epoch(&mut ann).await;
    let cursor = service.get("/sync/contacts", &ann).await.ok()["cursor"].clone();
    let cursor = cursor.as_str().unwrap();

    service.say_restored().await;
    let refused = service.push_from(&ann, &first).await;
    let second = refused["epoch"].clone();
    assert_ne!(first, second);
    assert_eq!((&refused["acked_seq"], &refused["rev"]), (&json!(2), &json!(2)));
    let pull = service.get(&format!("/sync/contacts?cursor={cursor}"), &ann).await;
    assert_eq!(pull.problem(), (410, "cursor_expired"));
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
async fn a_server_without_a_book_has_none_to_restore() {
    let service = Service::bare();
    let moment = Moment { now: service.now, seed: [0; 32] };
    assert!(!app(service.database, Tables::CURRENT).restored(moment).await.unwrap());
}
