//! Who may do what: users, and their devices as far as they are let in.

use serde_json::Value;

use super::{Account, Device, Model};
use crate::desk::PASSWORD;

impl Model {
    /// A new device, and the one that it says it follows: a restored book may not know that one.
    pub(crate) fn sign_in(&mut self, device: &str, user: &str, older: Option<&str>) {
        let replaces = older.filter(|older| self.devices.contains_key(*older)).map(str::to_owned);
        let new = Device { user: user.to_owned(), replaces, ..Device::default() };
        self.devices.insert(device.to_owned(), new);
    }

    /// The users that the book has at first; the first is an admin.
    pub(crate) fn set_up(&mut self, users: &[String]) {
        let account =
            |is_admin| Account { password: PASSWORD.to_owned(), is_disabled: false, is_admin };
        let accounts = users.iter().enumerate();
        self.accounts = accounts.map(|(at, id)| (id.clone(), account(at == 0))).collect();
    }

    pub(crate) fn account(&self, user: &str) -> Option<&Account> {
        self.accounts.get(user)
    }

    /// `POST /me/password`: the user's other devices end.
    pub(crate) fn change_password(&mut self, user: &str, stays: &str, body: &Value) {
        self.turns += 1;
        if let Some(account) = self.accounts.get_mut(user) {
            account.password = body["new_password"].as_str().expect("a text").to_owned();
        }
        let devices = self.devices.iter_mut();
        let others = devices.filter(|(id, device)| device.user == user && *id != stays);
        others.for_each(|(_, device)| device.ended = true);
    }

    /// `PATCH /users/{id}`, without a password.
    pub(crate) fn change_user(&mut self, user: &str, body: &Value) {
        self.turns += 1;
        let Some(account) = self.accounts.get_mut(user) else { return };
        account.is_disabled = body["disabled"].as_bool().unwrap_or(account.is_disabled);
        account.is_admin = body["role"].as_str().map_or(account.is_admin, |role| role == "admin");
    }

    /// A device gets a refresh token.
    pub(crate) fn give_token(&mut self, device: &str) {
        self.devices.entry(device.to_owned()).or_default().tokens += 1;
    }

    /// The devices that have ended, and those whose last token a backup does not know.
    pub(crate) fn shut_out_by(&self, backup: &Self) -> Vec<String> {
        let is_shut_out = |(id, device): &(&String, &Device)| {
            device.ended || backup.devices.get(*id).is_none_or(|then| then.tokens != device.tokens)
        };
        self.devices.iter().filter(is_shut_out).map(|(id, _)| id.clone()).collect()
    }

    /// A device that was revoked.
    pub(crate) fn end(&mut self, device: &str) {
        self.devices.entry(device.to_owned()).or_default().ended = true;
    }

    pub(crate) fn has_ended(&self, device: &str) -> bool {
        self.devices.get(device).is_some_and(|device| device.ended)
    }
}
