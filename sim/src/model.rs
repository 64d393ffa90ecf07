//! An independent, naive model of the book: what the protocol says, written once more with lists and
//! scans, fed with the bodies of the pushes that were committed, in the order of their commits. It
//! shares no code with the service: keys come from the simulator's own spellings, JSON is read as
//! plain values. After which op of a push a service stops, it is told.

mod accounts;
mod desk;
mod owners;
pub(crate) mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::text::{dialled, empty, identity, keys, millis};
use crate::database::Rekeyed;
use crate::keys::Keys;
use crate::order::Put;
use crate::versions::Versions;

/// The book.
#[derive(Clone)]
pub(crate) struct Model {
    keys: Arc<Keys>,
    /// Whether the older release makes the keys, as the last step of re-keying has left it.
    is_older: bool,
    /// Numbers on phones that have lost what they knew of them, and the regions of those phones.
    read_again: BTreeSet<(String, String)>,
    /// What such phones have said so, by contact: of this book and of those that it was before it was put back.
    came_elsewhere: BTreeSet<(String, (String, String))>,
    pub(crate) rev: u64,
    /// Of the visible contacts, and how many they are.
    pub(crate) digest: u64,
    pub(crate) visible: u64,
    /// All that phones may have of this book.
    pub(crate) versions: Versions,
    pub(crate) clock: i64,
    pub(crate) contacts: BTreeMap<String, Entry>,
    /// What must never happen and did.
    pub(crate) violations: Vec<String>,
    /// Of each key, all live contacts that have it, in any order.
    claimants: BTreeMap<String, Vec<String>>,
    devices: BTreeMap<String, Device>,
    accounts: BTreeMap<String, Account>,
    /// How often accounts have changed, also by a restore.
    pub(crate) turns: u64,
    /// Keys that every claimant shows.
    pub(crate) shared: Vec<String>,
    /// Each delete that changed something: when, and by which device.
    deletes: Vec<(i64, String)>,
    /// Contacts that may have to be stamped, and whether their content is another.
    touched: BTreeMap<String, bool>,
    /// By user, what was dialled, time and direction.
    pub(crate) calls: BTreeMap<(String, String, String, String), Value>,
}

/// A contact.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) created_at: i64,
    /// Of its last stamp.
    pub(crate) rev: u64,
    /// As it was stamped last, if it ever was.
    form: Option<Form>,
    /// When it was edited last, and by which user.
    edited: (i64, String),
    pub(crate) fields: Map<String, Value>,
    /// What made them, in order.
    pub(crate) puts: Vec<Arc<Put>>,
    pub(crate) live: bool,
    retired_by: Option<String>,
    took: Vec<String>,
    deleted_at: i64,
    /// Each edit: its rev, and the device.
    edits: Vec<(u64, String)>,
}

/// A user.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) password: String,
    pub(crate) is_disabled: bool,
    pub(crate) is_admin: bool,
}

/// What a contact is stamped for, beside its content.
#[derive(Clone, PartialEq)]
enum Form {
    /// Everyone sees it, but for these of its keys.
    Visible {
        asleep: Vec<String>,
    },
    Hidden {
        asleep: Vec<String>,
    },
    Deleted {
        at: i64,
        by: Option<String>,
        took: Vec<String>,
    },
}

#[derive(Clone, Default)]
struct Device {
    user: String,
    acked: u64,
    floor: Option<i64>,
    replaces: Option<String>,
    ended: bool,
    /// How many refresh tokens it was given.
    tokens: u64,
    /// What it called each op that was taken.
    op_ids: Vec<String>,
}

/// A push that was committed.
pub(crate) struct Push<'a> {
    pub(crate) device: &'a str,
    pub(crate) user: &'a str,
    pub(crate) now: i64,
    /// Up to which op the service has taken it: it may stop anywhere, which is its own business.
    pub(crate) acked: Option<u64>,
    pub(crate) body: Value,
}

impl Model {
    pub(crate) fn new(keys: Keys, is_older: bool) -> Self {
        Self {
            keys: Arc::new(keys),
            is_older,
            read_again: BTreeSet::new(),
            came_elsewhere: BTreeSet::new(),
            rev: 0,
            digest: 0,
            visible: 0,
            versions: Versions::default(),
            clock: i64::MIN,
            contacts: BTreeMap::new(),
            violations: Vec::new(),
            claimants: BTreeMap::new(),
            devices: BTreeMap::new(),
            accounts: BTreeMap::new(),
            turns: 0,
            deletes: Vec::new(),
            shared: Vec::new(),
            touched: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    /// The book is put back from a backup. What must never happen has happened all the same.
    pub(crate) fn restore(&mut self, backup: &Self) {
        let violations = std::mem::take(&mut self.violations);
        let read_again = std::mem::take(&mut self.read_again);
        let came_elsewhere = std::mem::take(&mut self.came_elsewhere);
        let turns = self.turns + 1;
        *self = Self { violations, read_again, came_elsewhere, turns, ..backup.clone() };
    }

    /// A phone of this region has lost what it knew of the numbers in its contacts.
    pub(crate) fn are_read_again(&mut self, numbers: Vec<String>, home: &str) {
        self.read_again.extend(numbers.into_iter().map(|number| (number, home.to_owned())));
    }

    /// Whether a device has sent an op of that name, and it was taken.
    pub(crate) fn has_had(&self, op_id: &str) -> bool {
        self.devices.values().any(|device| device.op_ids.iter().any(|taken| taken == op_id))
    }

    /// How many of a device's ops were taken, and its floor.
    pub(crate) fn pushes(&self, device: &str) -> (u64, Option<i64>) {
        self.devices.get(device).map_or((0, None), |device| (device.acked, device.floor))
    }

    /// `POST /sync/contacts`.
    pub(crate) fn push_contacts(&mut self, push: &Push<'_>) {
        let device = self.devices.entry(push.device.to_owned()).or_default();
        let (acked, floor) = (device.acked, device.floor);
        let now = push.now.max(self.clock).max(floor.unwrap_or(i64::MIN));
        let sent_at = millis(&push.body["sent_at"]);
        let stood_at = self.rev;
        let mut put_here = Vec::new();
        let mut changed = false;
        let asked = self.asked_to_delete(push, u64::MAX);
        let refuses_deletes = self.are_too_many(push, asked.len());
        let last = push.acked.unwrap_or(u64::MAX);
        let gone = self.asked_to_delete(push, last);
        let mut is_cut = false;
        for op in push.body["ops"].as_array().into_iter().flatten() {
            let seq = op["op_seq"].as_u64().expect("devices count their ops");
            let op_id = op["op_id"].as_str().expect("an id").to_owned();
            if seq > last {
                is_cut = true;
                break;
            }
            let device = self.devices.entry(push.device.to_owned()).or_default();
            if seq <= device.acked {
                if device.op_ids[seq as usize - 1] != op_id {
                    let device = push.device;
                    let text = format!("op {op_id} of device {device} was taken, and never done");
                    self.violations.push(text);
                }
                continue;
            }
            device.acked = seq;
            device.op_ids.push(op_id);
            if self.refuses(op, stood_at) {
                continue;
            }
            changed |= match op["op"].as_str() {
                Some("put") => {
                    let created_at = match (floor, op["created_at"].is_string()) {
                        (Some(floor), true) => {
                            (millis(&op["created_at"]) - sent_at + now).clamp(floor, now)
                        }
                        _ => now,
                    };
                    self.put(op, created_at, (push, now), &mut put_here)
                }
                _ if refuses_deletes => false,
                _ => self.delete(op, now, push.device, &put_here),
            };
        }
        if !refuses_deletes {
            self.deletes.extend(gone.iter().map(|_| (push.now, push.device.to_owned())));
        }
        if changed {
            self.rev += 1;
            self.clock = now;
        }
        self.stamp();
        debug_assert!(self.devices[push.device].acked >= acked);
        if push.body["complete"] == true && !is_cut {
            let day = 24 * 60 * 60 * 1_000;
            let as_of = millis(&push.body["as_of"]).max(sent_at - day);
            let told = (as_of - sent_at + now).min(now);
            let device = self.devices.entry(push.device.to_owned()).or_default();
            device.floor = Some(device.floor.map_or(told, |floor| floor.max(told)));
        }
    }

    /// Whether an op speaks of what the book cannot know: the books of a restore differ.
    fn refuses(&self, op: &Value, stood_at: u64) -> bool {
        let base_rev = op["base_rev"].as_u64().expect("a rev");
        let is_known = self.contacts.contains_key(op["id"].as_str().expect("an id"));
        if is_known { base_rev > stood_at } else { op["op"] == "put" && base_rev > 0 }
    }

    /// Contacts that a push asks to delete up to an op, and that are there to be deleted.
    fn asked_to_delete(&self, push: &Push<'_>, last: u64) -> Vec<String> {
        let acked = self.devices[push.device].acked;
        let own = self.lineage(push.device);
        let mut gone: Vec<String> = Vec::new();
        for op in push.body["ops"].as_array().into_iter().flatten() {
            let id = op["id"].as_str().expect("an id").to_owned();
            let op_seq = op["op_seq"].as_u64().expect("a number");
            if op_seq <= acked || op_seq > last {
                continue;
            }
            gone.retain(|other| *other != id);
            let base_rev = op["base_rev"].as_u64().expect("a rev");
            let entry = self.contacts.get(&id).filter(|entry| entry.live);
            let is_kept = |entry: &Entry| {
                entry.edits.iter().any(|(rev, by)| *rev > base_rev && !own.contains(by))
            };
            if op["op"] == "delete"
                && base_rev <= self.rev
                && entry.is_some_and(|entry| !is_kept(entry))
            {
                gone.push(id);
            }
        }
        gone
    }

    /// Whether so many deletes of a push are refused.
    fn are_too_many(&self, push: &Push<'_>, asked: usize) -> bool {
        let own = self.lineage(push.device);
        let since = push.now - 24 * 60 * 60 * 1_000;
        let lately = self.deletes.iter().filter(|(at, by)| *at > since && own.contains(by)).count();
        if asked == 0 || asked + lately <= 20 || push.body["confirm_deletes"] == true {
            return false;
        }
        let visible = self.contacts.keys().filter(|id| self.is_visible(id)).count();
        4 * (asked + lately) > visible
    }

    fn put(
        &mut self,
        op: &Value,
        created_at: i64,
        (push, now): (&Push<'_>, i64),
        put_here: &mut Vec<String>,
    ) -> bool {
        let region = push.body["region"].as_str().unwrap_or_default();
        let id = op["id"].as_str().expect("an id").to_owned();
        put_here.push(id.clone());
        let before = self.contacts.get(&id).map_or_else(empty, |entry| entry.fields.clone());
        let after = self.edited(&before, op, region);
        let elsewhere = self.read_elsewhere(&id, &before, &after);
        self.violations.extend(elsewhere);
        let live = self.contacts.get(&id).is_some_and(|entry| entry.live);
        if live && after == before {
            return false;
        }
        self.unclaim(&id);
        let took = match self.contacts.get_mut(&id) {
            Some(entry) if !entry.live => std::mem::take(&mut entry.took),
            _ => Vec::new(),
        };
        for other in took {
            let Some(entry) = self.contacts.get_mut(&other) else { continue }; // purged
            if !entry.live && entry.retired_by.as_deref() == Some(&id) {
                entry.live = true;
                entry.retired_by = None;
                self.claim(&other);
            }
        }
        let entry = self.contacts.entry(id.clone()).or_insert_with(|| Entry {
            created_at,
            rev: 0,
            form: None,
            edited: (now, push.user.to_owned()),
            fields: empty(),
            puts: Vec::new(),
            live: true,
            retired_by: None,
            took: Vec::new(),
            deleted_at: i64::MAX,
            edits: Vec::new(),
        });
        entry.live = true;
        entry.retired_by = None;
        entry.fields = after;
        entry.puts.push(Arc::new(Put { op: op.clone(), region: region.to_owned() }));
        entry.edited = (now, push.user.to_owned());
        entry.edits.push((self.rev + 1, push.device.to_owned()));
        self.claim(&id);
        self.touched.insert(id, true);
        true
    }

    fn delete(&mut self, op: &Value, now: i64, device: &str, put_here: &[String]) -> bool {
        let id = op["id"].as_str().expect("an id").to_owned();
        let base_rev = op["base_rev"].as_u64().expect("a rev");
        let own = self.lineage(device);
        let Some(entry) = self.contacts.get(&id).filter(|entry| entry.live) else { return false };
        if entry.edits.iter().any(|(rev, by)| *rev > base_rev && !own.contains(by)) {
            return false;
        }
        let freed: Vec<String> = keys(&entry.fields)
            .into_iter()
            .filter(|key| self.owner(key).as_deref() == Some(&id) && !self.shared.contains(key))
            .collect();
        let claimants = freed.iter().flat_map(|key| self.claimants[key].clone());
        let shown: Vec<String> = claimants.filter(|other| self.is_visible(other)).collect();
        self.unclaim(&id);
        let mut took = Vec::new();
        for key in &freed {
            while let Some(heir) = self.owner(key) {
                let last = self.contacts[&heir].edits.last().map(|(_, by)| by);
                let kept = put_here.contains(&heir) || last.is_some_and(|by| own.contains(by));
                if shown.contains(&heir) || kept {
                    break;
                }
                self.unclaim(&heir);
                let entry = self.contacts.get_mut(&heir).expect("claimants are contacts");
                (entry.live, entry.deleted_at) = (false, now);
                entry.retired_by = Some(id.clone());
                took.push(heir);
            }
        }
        let entry = self.contacts.get_mut(&id).expect("it is there");
        (entry.live, entry.deleted_at, entry.took) = (false, now, took);
        true
    }

    /// Tombstones go, which must be from before `since`.
    pub(crate) fn purge(&mut self, ids: &[String], since: i64) {
        for id in ids {
            self.unclaim(id);
            let entry = self.contacts.remove(id);
            if entry.is_none_or(|entry| entry.live || entry.deleted_at >= since) {
                self.violations.push(format!("contact {id} was purged, and is no old tombstone"));
            }
        }
        self.rev += 1;
    }

    fn edited(&self, before: &Map<String, Value>, op: &Value, region: &str) -> Map<String, Value> {
        let mut fields = before.clone();
        for (name, value) in op["set"].as_object().into_iter().flatten() {
            fields.insert(name.clone(), value.clone());
        }
        for (name, gone) in op["remove"].as_object().into_iter().flatten() {
            let gone = gone.as_array().expect("a list");
            let list = fields[name].as_array_mut().expect("a list");
            list.retain(|entry| !gone.contains(identity(entry)));
        }
        for (name, new) in op["add"].as_object().into_iter().flatten() {
            for new in new.as_array().expect("a list") {
                let list = fields[name].as_array().expect("a list");
                let at = list.iter().position(|entry| identity(entry) == identity(new));
                let entry = self.entry(name, new, at.map(|at| &list[at]), region);
                let list = fields[name].as_array_mut().expect("a list");
                match at {
                    Some(at) => list[at] = entry,
                    None => list.push(entry),
                }
            }
        }
        fields
    }

    /// A step of re-keying; how many contacts it gave other keys.
    pub(crate) fn rekey(&mut self, step: &Rekeyed, now: i64) -> u64 {
        self.is_older = step.is_older;
        let within =
            |id: &&String| **id > step.after && step.to.as_ref().is_none_or(|to| *id <= to);
        let ids: Vec<String> = self.contacts.keys().filter(within).cloned().collect();
        let mut changed = 0;
        for id in ids {
            let mut fields = self.contacts[&id].fields.clone();
            for phone in fields["phones"].as_array_mut().expect("a list") {
                let text = |name: &str| phone[name].as_str().expect("a text").to_owned();
                let key = self.keys.key(text("number"), text("region"), self.is_older);
                phone["key"] = json!(key);
            }
            if fields == self.contacts[&id].fields {
                continue;
            }
            changed += 1;
            self.unclaim(&id);
            let entry = self.contacts.get_mut(&id).expect("it is there");
            entry.fields = fields;
            if entry.live {
                self.claim(&id);
            }
            self.touched.insert(id, true);
        }
        if changed > 0 {
            self.rev += 1;
            self.clock = now.max(self.clock);
        }
        self.stamp();
        changed
    }

    /// A number that was written in one region is not read in another, where nobody has written it: not one that
    /// the contact has, and not one that comes to it, as all do that a new contact has. Of those that come, Android
    /// knows no region: a phone that has lost all but its contacts reads them in its own. When the book is put back
    /// from before that, whoever had pulled it says it again, also of a number that the contact has.
    fn read_elsewhere(
        &mut self,
        id: &str,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) -> Option<String> {
        let before = before["phones"].as_array()?;
        for now in after["phones"].as_array()? {
            let text = |name: &str| now[name].as_str().unwrap_or_default().to_owned();
            let place = (text("number"), text("region"));
            if self.keys.are_written(&place) {
                continue;
            }
            match before.iter().find(|was| was["number"] == now["number"]) {
                Some(was) if was["key"] == now["key"] => {}
                None if self.keys.are_written_as(&place.0, now["key"].as_str()) => {}
                None if self.read_again.contains(&place) => {
                    self.came_elsewhere.insert((id.to_owned(), place));
                }
                Some(_) if self.came_elsewhere.contains(&(id.to_owned(), place)) => {}
                _ => {
                    let region = &now["region"];
                    return Some(format!(
                        "contact {id}: a number is read in {region}, where nobody wrote it"
                    ));
                }
            }
        }
        None
    }

    fn entry(&self, list: &str, new: &Value, there: Option<&Value>, region: &str) -> Value {
        let text = |name: &str| new.get(name).cloned().unwrap_or(Value::Null);
        match list {
            "groups" => new.clone(),
            "phones" => {
                let text_of = |entry: &Value, name: &str| entry[name].as_str().map(str::to_owned);
                let number = text_of(new, "number").expect("a number");
                // What is there keeps its region and its key, unless the edit says another region.
                let (region, key) = match (text_of(new, "region"), there) {
                    (None, Some(there)) => (there["region"].clone(), there["key"].clone()),
                    (said, _) => {
                        let region = said.unwrap_or_else(|| region.to_owned());
                        let key = self.keys.key(number.clone(), region.clone(), self.is_older);
                        (json!(region), json!(key))
                    }
                };
                json!({ "number": number, "region": region, "key": key, "type": text("type"),
                        "label": text("label"), "primary": new["primary"] == true })
            }
            _ => json!({ "value": new["value"], "type": text("type"), "label": text("label") }),
        }
    }

    /// `POST /sync/calls`.
    pub(crate) fn push_calls(&mut self, push: &Push<'_>) {
        for call in push.body["calls"].as_array().into_iter().flatten() {
            let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
            let id = (
                push.user.to_owned(),
                dialled(&text("phone_number")),
                text("timestamp"),
                text("direction"),
            );
            let mut call = call.clone();
            call["region"] = push.body["region"].clone();
            self.calls.entry(id).or_insert(call);
        }
    }

    fn lineage(&self, device: &str) -> Vec<String> {
        let mut lineage = vec![device.to_owned()];
        while let Some(older) =
            lineage.last().and_then(|device| self.devices.get(device)?.replaces.clone())
        {
            lineage.push(older);
        }
        lineage
    }
}
