//! What people do at desks, over a network without faults: they set the book up, revoke devices, change
//! passwords and roles, and disable each other.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use callbook_device::Response;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::model::Model;
use crate::network::{self, Delivered, Fate};
use crate::shared::Shared;

/// Everybody's first password, in a simulation.
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn user_name(user: usize) -> String {
    format!("user-{user}")
}

impl Shared {
    /// The first admin, and the other users.
    pub(crate) async fn set_up(&self, users: usize, chance: &mut ChaCha8Rng) {
        let mut post = async |path: &str, bearer: Option<String>, body: Value| {
            let answer = self.ask((Method::POST, path), bearer, body, chance).await;
            assert!(answer.status < 300, "{path} answers {}", answer.status);
            serde_json::from_slice::<Value>(&answer.body).expect("the service answers JSON")
        };
        let id = |answer: &Value| answer["user"]["id"].as_str().expect("an id").to_owned();
        let setup =
            json!({ "setup_token": "let me in", "username": user_name(0), "password": PASSWORD });
        let mut ids = vec![id(&post("/setup", None, setup).await)];
        let login = post("/login", None, login(0, PASSWORD)).await;
        let token = login["access_token"].as_str().map(str::to_owned);
        for user in 1..users {
            let new =
                json!({ "username": user_name(user), "password": PASSWORD, "role": "member" });
            ids.push(id(&post("/users", token.clone(), new).await));
        }
        self.have(ids);
    }

    /// Another user of the team ends a device, if the service can be reached.
    pub(crate) async fn revoke(&self, device: &str, chance: &mut ChaCha8Rng) {
        let Some(admin) = self.log_in(0, chance).await else { return };
        let (path, restores) = (format!("/devices/{device}"), self.restores());
        self.may_be_shut_out(device);
        let answer = self.ask((Method::DELETE, &path), Some(admin), Value::Null, chance).await;
        // A restore that came between may have brought it back.
        if answer.status == 204 && self.restores() == restores {
            self.end_device(device);
        }
    }

    /// A user takes another password, which ends all their phones.
    pub(crate) async fn change_password(&self, user: usize, chance: &mut ChaCha8Rng) {
        let Some(token) = self.log_in(user, chance).await else { return };
        let new = format!("battery staple {}", chance.random_range(0..1_000_000));
        let body = json!({ "current_password": self.password(user), "new_password": new });
        let answer = self.ask((Method::POST, "/me/password"), Some(token), body, chance).await;
        if answer.status == 204 {
            self.fault(Fault::PasswordChanged);
        }
    }

    /// An admin disables a user for some hours.
    pub(crate) async fn disable(self: Arc<Self>, user: usize, mut chance: ChaCha8Rng) {
        let Some(admin) = self.log_in(0, &mut chance).await else { return };
        self.may_be_shut_out(&self.user_id(user));
        if self.patch(user, json!({ "disabled": true }), admin, &mut chance).await {
            self.fault(Fault::UserDisabled);
        }
        tokio::time::sleep(Duration::from_secs(60 * chance.random_range(1..600))).await;
        self.enable(user, &mut chance).await;
    }

    /// After the faults everyone is let in again.
    pub(crate) async fn enable_all(&self, chance: &mut ChaCha8Rng) {
        for user in 1..self.mix().users {
            self.enable(user, chance).await;
        }
    }

    async fn enable(&self, user: usize, chance: &mut ChaCha8Rng) {
        while self.is_disabled(user) {
            if let Some(admin) = self.log_in(0, chance).await
                && self.patch(user, json!({ "disabled": false }), admin, chance).await
            {
                return;
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }

    /// An admin makes a user an admin, or a member again. Their tokens of before say otherwise, and what the
    /// user may do is what they are now.
    pub(crate) async fn change_role(&self, user: usize, chance: &mut ChaCha8Rng) {
        let (Some(admin), Some(theirs)) =
            (self.log_in(0, chance).await, self.log_in(user, chance).await)
        else {
            return;
        };
        let role = if self.is_admin(user) { "member" } else { "admin" };
        if !self.patch(user, json!({ "role": role }), admin, chance).await {
            return;
        }
        self.fault(Fault::RoleChanged);
        let before = (self.is_admin(user), self.accounts_changed());
        let answer = self.ask((Method::GET, "/users"), Some(theirs), Value::Null, chance).await;
        let expected = if before.0 { 200 } else { 403 };
        let is_as_ever = before == (self.is_admin(user), self.accounts_changed());
        if is_as_ever && matches!(answer.status, 200 | 403) && answer.status != expected {
            let status = answer.status;
            self.violation(format!(
                "user {user} is {role} now, and is answered {status} at /users"
            ));
        }
    }

    /// A user brings a contact back to what it said once, or back at all.
    pub(crate) async fn bring_back(&self, user: usize, chance: &mut ChaCha8Rng) {
        let request = |model: &Model, chance: &mut ChaCha8Rng| {
            let (id, rev) = model.some_revision(chance)?;
            Some((format!("/contacts/{id}/restore"), json!({ "rev": rev })))
        };
        self.change_contact(user, request, Fault::ContactRestored, chance).await;
    }

    /// A user says of two contacts with one number that they are not the same.
    pub(crate) async fn tell_apart(&self, user: usize, chance: &mut ChaCha8Rng) {
        let request = |model: &Model, chance: &mut ChaCha8Rng| {
            let (id, key) = model.some_rivalry(chance)?;
            Some((format!("/contacts/{id}/split"), json!({ "key": key })))
        };
        self.change_contact(user, request, Fault::ContactSplit, chance).await;
    }

    async fn change_contact(
        &self,
        user: usize,
        request: impl FnOnce(&Model, &mut ChaCha8Rng) -> Option<(String, Value)>,
        what: Fault,
        chance: &mut ChaCha8Rng,
    ) {
        let Some(token) = self.log_in(user, chance).await else { return };
        let Some((path, body)) = request(&self.inner().model, chance) else { return };
        if self.ask((Method::POST, &path), Some(token), body, chance).await.status == 200 {
            self.fault(what);
        }
    }

    async fn patch(
        &self,
        user: usize,
        body: Value,
        admin: String,
        chance: &mut ChaCha8Rng,
    ) -> bool {
        let path = format!("/users/{}", self.user_id(user));
        self.ask((Method::PATCH, &path), Some(admin), body, chance).await.status == 200
    }

    /// A user's access token for a desk, if the service gives one.
    async fn log_in(&self, user: usize, chance: &mut ChaCha8Rng) -> Option<String> {
        let body = login(user, &self.password(user));
        let answer = self.ask((Method::POST, "/login"), None, body, chance).await;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        answer["access_token"].as_str().map(str::to_owned)
    }

    async fn ask(
        &self,
        (method, path): (Method, &str),
        bearer: Option<String>,
        body: Value,
        chance: &mut ChaCha8Rng,
    ) -> Response {
        let body = body.to_string();
        let sent = Delivered::new(None, self.now(), (method, path), bearer, body);
        let fate = Fate { seed: chance.random(), dies_after: None, dies_before: false };
        network::serve(self, Arc::new(sent), fate).await
    }
}

fn login(user: usize, password: &str) -> Value {
    let device = json!({ "name": "console", "platform": "simulator" });
    json!({ "username": user_name(user), "password": password, "device": device })
}
