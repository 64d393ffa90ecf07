//! Whether the order of arrival changes anything (section 3.3): at the end of a run, the puts that made the
//! contacts which are there are put once more into an empty book, in another order and other pushes, through the
//! real planner. The puts of one contact keep their order, since they may touch the same entry. Deletes act on the
//! book as it stands, so none is here: who is there at the end depends on them, who then owns what does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use callbook_base::{ContactId, DeviceId, Line, Rev, Timestamp, UserId};
use callbook_contacts::{Change, Changes, Contact, Device, Facts, Fields, Held, Push, State, plan};
use callbook_dedup::{Claim, NumberKey, Tables};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::check::Difference;
use crate::model::Model;
use crate::model::text::said;

/// A push here has at most so many ops.
const MOST_OPS: usize = 12;

/// What a put said, and where it was written.
pub(crate) struct Put {
    pub(crate) op: Value,
    pub(crate) region: String,
}

/// What is otherwise in a book into which the same puts came in another order.
pub(crate) fn differences(model: &Model, chance: &mut ChaCha8Rng) -> Vec<Difference> {
    let live: Vec<_> = model.contacts.iter().filter(|(_, entry)| entry.live).collect();
    let mut order: Vec<usize> = Vec::new();
    for (index, (_, entry)) in live.iter().enumerate() {
        order.extend(entry.puts.iter().map(|_| index));
    }
    order.shuffle(chance);

    let mut book = Book::of(model);
    let mut next = vec![0; live.len()];
    let mut ops: Vec<Value> = Vec::new();
    let mut region = "";
    let mut most = 1;
    for index in order {
        let (_, entry) = &live[index];
        let put = &entry.puts[next[index]];
        next[index] += 1;
        if ops.len() == most || put.region != region {
            book.push(&std::mem::take(&mut ops), region);
            most = chance.random_range(1..=MOST_OPS);
        }
        region = &put.region;
        let mut op = put.op.clone();
        op["base_rev"] = json!(0);
        op["created_at"] = json!(Timestamp::from_millis(entry.created_at));
        ops.push(op);
    }
    book.push(&ops, region);

    let differs = live.iter().filter_map(|(id, _)| book.differs(model, id));
    differs.map(Difference).collect()
}

/// A book in memory.
struct Book {
    held: Held,
    fields: BTreeMap<ContactId, Arc<Fields>>,
    claims: BTreeMap<NumberKey, BTreeSet<Claim>>,
    device: Device,
    user: UserId,
    id: DeviceId,
}

impl Book {
    /// An empty one, as late as the model's.
    fn of(model: &Model) -> Self {
        let key = |key: &String| key.parse().expect("a key");
        let now = Timestamp::from_millis(model.clock);
        let held = Held {
            rev: Rev(0),
            digest: callbook_contacts::Digest::default(),
            visible: 0,
            clock: now,
            contacts: BTreeMap::new(),
            fields: BTreeMap::new(),
            claims: Vec::new(),
            shared: model.shared.iter().map(key).collect(),
        };
        // Times are accepted as they stand: the device has had a complete push long ago.
        let device = Device { floor: Some(Timestamp::MIN), ..Device::default() };
        Self {
            held,
            fields: BTreeMap::new(),
            claims: BTreeMap::new(),
            device,
            user: UserId::new(now, [0; 10]),
            id: DeviceId::new(now, [0; 10]),
        }
    }

    fn push(&mut self, ops: &[Value], region: &str) {
        if ops.is_empty() {
            return;
        }
        let mut numbered = ops.to_vec();
        for (seq, op) in (self.device.acked_seq + 1..).zip(&mut numbered) {
            op["op_seq"] = json!(seq);
        }
        let now = self.held.clock;
        let body = json!({ "epoch": null, "region": region, "sent_at": now, "ops": numbered });
        let body = serde_json::to_vec(&body).expect("JSON");
        let push = Push::read(&body).expect("a push that was read before");
        let plan = plan(&self.facts(&push), &push, now).expect("ops that follow each other");
        self.device = plan.device;
        self.change(plan.changes);
    }

    /// What a service would read for this push.
    fn facts(&self, push: &Push) -> Facts {
        let tables = Tables::CURRENT;
        let (mut ids, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for op in push.ops.iter().filter_map(|op| op.op.as_ref().ok()) {
            ids.insert(op.id);
            let Change::Put { edit, .. } = &op.change else { continue };
            keys.extend(edit.add.phones.iter().filter_map(|phone| {
                let region: &Line = phone.region.as_ref().unwrap_or(&push.region);
                (tables.key)(phone.number.as_str(), region.as_str())
            }));
        }
        let fields = |id: &ContactId| Some((*id, Fields::clone(self.fields.get(id)?)));
        let fields = ids.iter().filter_map(fields).collect();
        let keys_of = |id: &ContactId| {
            self.held.contacts.get(id).into_iter().flat_map(|contact| contact.keys.iter().copied())
        };
        keys.extend(ids.iter().flat_map(keys_of));
        let claimants = keys.iter().filter_map(|key| self.claims.get(key)).flatten();
        ids.extend(claimants.map(|claim| claim.contact));
        keys.extend(ids.iter().flat_map(keys_of).collect::<Vec<_>>());
        let contact = |id: &ContactId| Some((*id, self.held.contacts.get(id)?.clone()));
        let claims = keys
            .iter()
            .flat_map(|key| self.claims.get(key).into_iter().flatten().map(|claim| (*key, *claim)));
        let held = Held {
            contacts: ids.iter().filter_map(contact).collect(),
            fields,
            claims: claims.collect(),
            shared: self.held.shared.clone(),
            ..self.held
        };
        Facts {
            held,
            tables,
            user: self.user,
            lineage: BTreeMap::from([(self.id, self.device.deletes.clone())]),
            id: self.id,
            device: self.device.clone(),
            edited_by_others: BTreeMap::new(),
        }
    }

    fn change(&mut self, changes: Changes) {
        (self.held.rev, self.held.digest) = (changes.rev, changes.digest);
        (self.held.visible, self.held.clock) = (changes.visible, changes.clock);
        for (key, claim) in changes.unclaimed {
            self.claims.entry(key).or_default().remove(&claim);
        }
        for (key, claim) in changes.claimed {
            self.claims.entry(key).or_default().insert(claim);
        }
        for (id, contact, fields) in changes.edited {
            self.held.contacts.insert(id, contact);
            self.fields.insert(id, fields);
        }
        self.held.contacts.extend(changes.stamped);
    }

    /// How a contact stands otherwise than in the model's book.
    fn differs(&self, model: &Model, id: &str) -> Option<String> {
        let contact_id = id.parse().expect("an id");
        let order = "in another order of arrival";
        let Some(Contact { state, asleep, .. }) = self.held.contacts.get(&contact_id) else {
            return Some(format!("contact {id}: {order} it is not there"));
        };
        let shows = matches!(state, State::Visible);
        if shows != model.is_visible(id) {
            let is = if shows { "visible" } else { "hidden" };
            return Some(format!("contact {id}: {order} it is {is}"));
        }
        let asleep: BTreeSet<String> = asleep.iter().map(ToString::to_string).collect();
        if asleep != model.asleep(id).into_iter().collect() {
            return Some(format!("contact {id}: {order} others own {asleep:?} of its numbers"));
        }
        let fields = serde_json::to_value(&**self.fields.get(&contact_id)?).ok()?;
        (fields.as_object() != Some(&said(&model.contacts[id].fields)))
            .then(|| format!("contact {id}: {order} its fields are {fields}"))
    }
}
