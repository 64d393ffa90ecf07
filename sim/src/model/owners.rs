//! Whose a number is, who is shown, and what is stamped when that changes.

use std::mem;

use serde_json::{Map, Value};

use super::text::keys;
use super::{Form, Model};
use crate::versions::{Version, share_of_digest};

impl Model {
    /// The oldest of a key's claimants.
    pub(crate) fn owner(&self, key: &str) -> Option<String> {
        let claimants = self.claimants.get(key)?.iter();
        claimants.min_by_key(|id| (self.contacts[*id].created_at, *id)).cloned()
    }

    /// Whether everyone sees a contact.
    pub(crate) fn is_visible(&self, id: &str) -> bool {
        let entry = &self.contacts[id];
        let keys = keys(&entry.fields);
        let owns = |key: &String| self.shows(id, key);
        entry.live && (keys.is_empty() || keys.iter().any(owns))
    }

    fn shows(&self, id: &str, key: &str) -> bool {
        self.is_shared(key) || self.owner(key).as_deref() == Some(id)
    }

    /// Whether a key is shared.
    pub(crate) fn is_shared(&self, key: &str) -> bool {
        self.shared.iter().any(|shared| shared == key)
    }

    /// `PUT /numbers/{key}`.
    pub(crate) fn share(&mut self, key: &str, shared: bool, now: i64) {
        if self.is_shared(key) == shared {
            return;
        }
        self.rev += 1;
        self.clock = now.max(self.clock);
        match shared {
            true => self.shared.push(key.to_owned()),
            false => self.shared.retain(|other| other != key),
        }
        self.touch([key.to_owned()]);
        self.stamp();
    }

    /// What phones show of a visible contact.
    pub(crate) fn shown(&self, id: &str) -> Map<String, Value> {
        let mut fields = self.contacts[id].fields.clone();
        let phones = fields["phones"].as_array_mut().expect("a list");
        phones.retain(|phone| match phone["key"].as_str() {
            Some(key) => self.shows(id, key),
            None => true,
        });
        fields
    }

    /// The keys of a live contact that it does not show.
    pub(crate) fn asleep(&self, id: &str) -> Vec<String> {
        let mut keys = keys(&self.contacts[id].fields);
        keys.retain(|key| !self.shows(id, key));
        keys
    }

    pub(super) fn claim(&mut self, id: &str) {
        let keys = keys(&self.contacts[id].fields);
        for key in &keys {
            self.claimants.entry(key.clone()).or_default().push(id.to_owned());
        }
        self.touch(keys);
    }

    pub(super) fn unclaim(&mut self, id: &str) {
        let Some(entry) = self.contacts.get(id) else { return };
        let keys = keys(&entry.fields);
        self.touched.entry(id.to_owned()).or_default();
        self.touch(keys.clone());
        for key in &keys {
            if let Some(claimants) = self.claimants.get_mut(key) {
                claimants.retain(|claimant| claimant != id);
            }
        }
    }

    /// Whoever claims one of these keys may have to be stamped.
    fn touch(&mut self, keys: impl IntoIterator<Item = String>) {
        for key in keys {
            for id in self.claimants.get(&key).into_iter().flatten() {
                self.touched.entry(id.clone()).or_default();
            }
        }
    }

    /// Gives the book's rev to each contact that is not as it was stamped last.
    pub(super) fn stamp(&mut self) {
        for (id, is_edited) in mem::take(&mut self.touched) {
            if !self.contacts.contains_key(&id) {
                continue; // purged
            }
            let form = self.form(&id);
            let before = &self.contacts[&id];
            if !is_edited && before.form.as_ref() == Some(&form) {
                continue;
            }
            if matches!(before.form, Some(Form::Visible { .. })) {
                self.digest = self.digest.wrapping_sub(share_of_digest(&id, before.rev));
                self.visible -= 1;
            }
            if matches!(form, Form::Visible { .. }) {
                self.digest = self.digest.wrapping_add(share_of_digest(&id, self.rev));
                self.visible += 1;
                let (created_at, edited) = (before.created_at, before.edited.clone());
                let version = Version::new(created_at, edited, self.shown(&id));
                self.versions.add(&id, self.rev, version);
            }
            let rev = self.rev;
            let entry = self.contacts.get_mut(&id).expect("it is there");
            (entry.rev, entry.form) = (rev, Some(form));
        }
    }

    fn form(&self, id: &str) -> Form {
        let entry = &self.contacts[id];
        if !entry.live {
            let (at, by, took) = (entry.deleted_at, entry.retired_by.clone(), entry.took.clone());
            return Form::Deleted { at, by, took };
        }
        let (keys, asleep) = (keys(&entry.fields), self.asleep(id));
        match keys.is_empty() || asleep.len() < keys.len() {
            true => Form::Visible { asleep },
            false => Form::Hidden { asleep },
        }
    }
}
