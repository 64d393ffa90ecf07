//! What people do to contacts at desks, each as the put that comes to the same.

use rand::{Rng, RngExt};
use serde_json::{Map, Value, json};

use super::text::{empty, identity};
use super::{Model, Push};

impl Model {
    /// `POST /contacts/{id}/restore` and `/split`, each as the put that comes to the same.
    pub(crate) fn change_at_a_desk(&mut self, path: &str, push: &Push<'_>) {
        let (id, what) = path.split_once('/').expect("a contact and what happens to it");
        let fields = &self.contacts[id].fields;
        let mut op = match what {
            "restore" => {
                let said = self.said_at(id, push.body["rev"].as_u64().expect("a rev"));
                put_back(fields, &said)
            }
            _ => {
                let phones = fields["phones"].as_array().expect("a list").iter();
                let given_up = phones.filter(|phone| phone["key"] == push.body["key"]);
                let given_up: Vec<&Value> = given_up.map(identity).collect();
                json!({ "remove": { "phones": given_up } })
            }
        };
        let head = json!({ "op": "put", "op_id": "at-a-desk", "id": id });
        op.as_object_mut().expect("an object").extend(head.as_object().expect("an object").clone());
        let now = push.now.max(self.clock);
        if self.put(&op, now, (push, now), &mut Vec::new()) {
            self.rev += 1;
            self.clock = now;
        }
        self.stamp();
    }

    /// What a contact said once its edits up to a rev were done: from its puts, not from what was kept of it.
    fn said_at(&self, id: &str, rev: u64) -> Map<String, Value> {
        let entry = &self.contacts[id];
        let puts = entry.puts.iter().zip(&entry.edits).take_while(|(_, (at, _))| *at <= rev);
        puts.fold(empty(), |said, (put, _)| self.edited(&said, &put.op, &put.region))
    }

    /// A contact, perhaps deleted, and the rev of one of its edits.
    pub(crate) fn some_revision(&self, chance: &mut impl Rng) -> Option<(String, u64)> {
        let at = chance.random_range(0..self.contacts.len().max(1));
        let (id, entry) = self.contacts.iter().nth(at)?;
        let (rev, _) = entry.edits[chance.random_range(0..entry.edits.len())];
        Some((id.clone(), rev))
    }

    /// A key that several claim, and its owner.
    pub(crate) fn some_rivalry(&self, chance: &mut impl Rng) -> Option<(String, String)> {
        let rivalries: Vec<&String> =
            self.claimants.iter().filter(|(_, ids)| ids.len() > 1).map(|(key, _)| key).collect();
        let key = *rivalries.get(chance.random_range(0..rivalries.len().max(1)))?;
        Some((self.owner(key)?, key.clone()))
    }
}

/// The put that makes of what a contact says what it said once.
fn put_back(now: &Map<String, Value>, said: &Map<String, Value>) -> Value {
    let (mut set, mut add, mut remove) = (Map::new(), Map::new(), Map::new());
    for (name, value) in said {
        match now[name].as_array() {
            Some(list) => {
                remove.insert(name.clone(), list.iter().map(identity).cloned().collect());
                let mut entries = value.clone();
                for entry in
                    entries.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
                {
                    entry.remove("key"); // it is made anew
                }
                add.insert(name.clone(), entries);
            }
            None => drop(set.insert(name.clone(), value.clone())),
        }
    }
    json!({ "set": set, "add": add, "remove": remove })
}
