//! What a phone's user does: adds, edits, deletes, calls, clears the phone book, and answers what the
//! engine asks.

use std::collections::BTreeSet;
use std::ops::Bound;

use callbook_base::{ContactId, Line, Timestamp};
use callbook_calls::{Call, Direction, Seconds};
use callbook_contacts::{Add, Edit, Entry, Fields, NewPhone, Remove, Set};
use callbook_device::{Aside, Engine, StoreError};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{MINUTE, Phone};
use crate::books::Customer;
use crate::fault::Fault;
use crate::spelling::Spelling;
use crate::store::PhoneStore;

/// How many work at a company, all of whose numbers somebody adds as one contact.
const WORK_THERE: usize = 24;

/// How many contacts go, at most, when a part of a phone book is cleared.
const MOST_CLEARED: usize = 60;

/// From how many phones on nobody clears all of it: that would leave their book with nothing to do.
const MANY_PHONES: usize = 10;

impl Phone {
    /// Its user says whether many deletes are meant, if that is asked. Whether there is more to send.
    pub(super) fn answer_about_deletes(&mut self) -> bool {
        let status = self.engine_ref().status().expect("a store in memory reads");
        if status.unconfirmed_deletes == 0 {
            return false;
        }
        self.shared.stats(|stats| stats.asked_about_deletes += 1);
        // Those that the phone itself has asked about the book never gets: a yes makes new ops of them.
        let asked = self.engine_ref().aside().iter().filter(|it| it.is_unconfirmed_delete());
        let asked: BTreeSet<u64> = asked.map(|aside| aside.place).collect();
        self.signed_out_with.retain(|place, _| !asked.contains(place));
        self.answer_about(Aside::is_unconfirmed_delete, Engine::confirm_deletes)
    }

    /// Its user says yes to some changes that are kept aside, or lets them go. Whether there is more to send.
    pub(super) fn answer_about(
        &mut self,
        which: fn(&Aside) -> bool,
        yes: fn(&mut Engine<PhoneStore>, &mut ChaCha8Rng) -> Result<(), StoreError>,
    ) -> bool {
        let are_wanted = self.chance.random_bool(0.5);
        let mut chance = crate::world::split(&mut self.chance);
        let answered = match are_wanted {
            true => yes(self.engine(), &mut chance),
            false => self.engine().drop_aside(which),
        };
        answered.is_ok() && are_wanted
    }

    /// Its user does something: mostly one thing.
    pub(super) fn change_something(&mut self, others: &[Spelling]) {
        let clears = self.strikes(Fault::ContactsCleared);
        match () {
            () if self.shared.imports(self.place) => self.import(others),
            () if clears => self.clear(),
            () if self.edits_the_same(others) => {}
            () => self.change(others),
        }
    }

    /// Its user, or an app, clears the phone book: deletes what it shows from one contact on, or all.
    fn clear(&mut self) {
        let Some(some) = self.some_contact() else { return };
        let mut all = self.shared.chances.of(self.place, Fault::ContactsCleared);
        let all = all.random_bool(0.3) && self.shared.mix().devices < MANY_PHONES;
        let (mut from, most) = match all {
            true => (Bound::Unbounded, usize::MAX),
            false => (Bound::Included(some), MOST_CLEARED),
        };
        self.shared.fault(Fault::ContactsCleared);
        self.shared.note(self.place, || "clears part of the phone book".to_owned());
        let mut chance = crate::world::split(&mut self.chance);
        for _ in 0..most {
            let next = self.engine_ref().next_contact(from).expect("a store in memory reads");
            let Some((id, _)) = next else { return };
            self.shared.deletes(Some(id));
            if self.engine().delete(id, &mut chance).is_err() {
                return; // the power is lost
            }
            self.shared.stats(|stats| stats.changes += 1);
            from = Bound::Excluded(id);
        }
    }

    /// Its user enters a customer who has called for the first time; so do others.
    pub(super) fn enter(&mut self, customer: Customer) {
        let Customer { spelling, mut chance, .. } = customer;
        let edit = new_contact(&spelling, &self.region, chance.random_range(0..1_000_000));
        let clock = self.clock();
        if self.engine().create(edit, clock, &mut chance).is_ok() {
            self.shared.fault(Fault::SameCustomer);
            self.shared.stats(|stats| stats.changes += 1);
        }
    }

    /// Its user brings an old address book: more contacts than a push has ops, and with their notes more than
    /// a mebibyte.
    fn import(&mut self, others: &[Spelling]) {
        self.shared.fault(Fault::BulkImport);
        self.shared.note(self.place, || "imports an address book".to_owned());
        let many = self.chance.random_range(501..650);
        let clock = self.clock();
        let contact = |n: u32| {
            let mut edit = new_contact(&others[n as usize % others.len()], &self.region, n);
            if n.is_multiple_of(3) {
                edit.add.phones.clear();
            }
            let note = format!("{n} {}", "as the old address book has it; ".repeat(64));
            edit.set.note = Some(Some(note.parse().expect("a note of two kibibytes")));
            (edit, clock.plus_millis(-i64::from(n) * MINUTE))
        };
        let contacts: Vec<_> = (0..many).map(contact).collect();
        let mut chance = crate::world::split(&mut self.chance);
        if self.engine().import(contacts, &mut chance).is_ok() {
            self.shared.stats(|stats| stats.changes += u64::from(many));
        }
    }

    /// Its user edits what that of another phone has edited since this one has synced. Whether it is so.
    fn edits_the_same(&mut self, others: &[Spelling]) -> bool {
        if self.shared.strikes_at(self.place, Fault::ConflictingEdits).is_none() {
            return false;
        }
        let unseen =
            |(phone, _, at): &(_, _, Timestamp)| *phone != self.index && *at > self.synced_at;
        let Some((_, id, _)) = self.shared.last_edit().filter(unseen) else { return false };
        let number = &others[self.chance.random_range(0..others.len())];
        let n = self.chance.random_range(0..1_000_000);
        let engine = self.engine.as_mut().expect("it is not crashing");
        if engine.contact(id).expect("a store in memory reads").is_none() {
            return false;
        }
        let edit = an_edit(engine, id, (number, &self.region), n, &mut self.chance);
        if engine.edit(id, edit, &mut self.chance).is_ok() {
            self.shared.fault(Fault::ConflictingEdits);
            self.shared.note(self.place, || "edits what another was editing".to_owned());
            self.shared.stats(|stats| stats.changes += 1);
        }
        true
    }

    /// Its user does one thing.
    pub(super) fn change(&mut self, others: &[Spelling]) {
        let is_on_phone = self.providers.is_some() && self.chance.random_bool(0.6);
        if is_on_phone && self.change_contacts(others) {
            return;
        }
        let number = &others[self.chance.random_range(0..others.len())];
        let clock = self.clock();
        let mut chance = crate::world::split(&mut self.chance);
        let shown = self.some_contact();
        let engine = self.engine.as_mut().expect("it is not crashing");
        let n: u32 = self.chance.random_range(0..1_000_000);
        let (mut changes, mut calls, mut what, mut edited) = (1, 0, "calls somebody", None);
        let done = match (self.chance.random_range(0..100), shown) {
            (0..25, _) => {
                calls = 1;
                let call = call(number, clock, &mut self.chance);
                match &mut self.providers {
                    Some(providers) => {
                        providers.log(call);
                        Ok(())
                    }
                    None => engine.record_call(call),
                }
            }
            (25..45, _) | (_, None) => {
                what = "adds a contact";
                // One in thirty is a company: by a remainder that scripts kept from before have none of.
                let edit = match n % 30 {
                    7 => new_company(others, &self.region, n),
                    _ => new_contact(number, &self.region, n),
                };
                engine.create(edit, clock, &mut chance).map(drop)
            }
            (45..80, Some(id)) => {
                (what, edited) = ("edits a contact", Some(id));
                let edit = an_edit(engine, id, (number, &self.region), n, &mut self.chance);
                engine.edit(id, edit, &mut chance)
            }
            // A switchboard, or a couple's landline.
            (80..82, Some(id)) => {
                what = "says if a number is shared";
                let keys = shown_fields(engine, id).keys();
                let shared = self.chance.random_bool(0.7);
                keys.first().map_or(Ok(()), |key| engine.share_number(*key, shared))
            }
            (82..92, Some(id)) => {
                what = "deletes a contact";
                self.shared.deletes(Some(id));
                engine.delete(id, &mut chance)
            }
            // Some apps replace a contact by a new one and delete the old.
            (_, Some(id)) => {
                (changes, what) = (2, "replaces a contact");
                self.shared.deletes(Some(id));
                let numbers = shown_fields(engine, id).phones.into_iter();
                let phones = numbers.map(|phone| NewPhone {
                    number: phone.number,
                    region: Some(phone.region),
                    r#type: phone.r#type,
                    label: None,
                    primary: false,
                });
                let mut edit = new_contact(number, &self.region, n);
                edit.add.phones = phones.collect();
                let made = engine.create(edit, clock, &mut chance);
                made.and_then(|_| engine.delete(id, &mut chance))
            }
        };
        if done.is_err() {
            return; // the power is lost
        }
        if let Some(id) = edited {
            self.shared.edits(self.index, id);
        }
        self.shared.note(self.place, || what.to_owned());
        self.shared.stats(|stats| {
            stats.changes += changes;
            stats.calls += calls;
            stats.events += changes;
        });
    }

    /// A contact that the phone shows, if it shows one.
    fn some_contact(&mut self) -> Option<ContactId> {
        let at = self
            .chance
            .random_range(1_400_000_000_000..self.clock().as_millis().max(1_800_000_000_000));
        let from = ContactId::new(Timestamp::from_millis(at), self.chance.random());
        let next = |from| self.engine_ref().next_contact(from).expect("a store in memory reads");
        next(Bound::Included(from)).or_else(|| next(Bound::Unbounded)).map(|(id, _)| id)
    }
}

fn shown_fields(engine: &Engine<PhoneStore>, id: ContactId) -> Fields {
    engine.contact(id).expect("a store in memory reads").unwrap_or_default()
}

pub(super) fn line(text: &str) -> Line {
    text.parse().expect("the simulator writes short texts")
}

pub(super) fn new_contact(spelling: &Spelling, home: &str, n: u32) -> Edit {
    let set = Set { name: Some(Some(line(&format!("Contact {n}")))), ..Set::default() };
    Edit { set, add: phone(spelling, home, None), ..Edit::default() }
}

/// A company, whose people may be in the book by themselves: it has the numbers that no older contact has.
fn new_company(people: &[Spelling], home: &str, n: u32) -> Edit {
    let first = n as usize % people.len();
    let they = people.iter().cycle().skip(first).take(WORK_THERE);
    let mut edit = new_contact(&people[first], home, n);
    edit.add.phones = they.flat_map(|it| phone(it, home, None).phones).collect();
    edit
}

/// A number; its region is left out where it is the phone's own.
fn phone(spelling: &Spelling, home: &str, kind: Option<&str>) -> Add {
    let new = NewPhone {
        number: line(&spelling.number),
        region: (spelling.region != home).then(|| line(&spelling.region)),
        r#type: kind.map(line),
        label: None,
        primary: kind.is_some(),
    };
    Add { phones: vec![new], ..Add::default() }
}

fn an_edit(
    engine: &Engine<PhoneStore>,
    id: ContactId,
    (number, home): (&Spelling, &str),
    n: u32,
    chance: &mut ChaCha8Rng,
) -> Edit {
    let fields = shown_fields(engine, id);
    let set = |set: Set| Edit { set, ..Edit::default() };
    match chance.random_range(0..10) {
        0..3 => set(Set { name: Some(Some(line(&format!("Name {n}")))), ..Set::default() }),
        3 => set(Set { starred: Some(chance.random()), ..Set::default() }),
        4 => {
            let note =
                n.is_multiple_of(2).then(|| format!("note {n}").parse().expect("it is short"));
            set(Set { note: Some(note), ..Set::default() })
        }
        5..7 => Edit { add: phone(number, home, Some("work")), ..Edit::default() },
        7..9 if !fields.phones.is_empty() => {
            let at = chance.random_range(0..fields.phones.len());
            let phones = vec![fields.phones[at].number.clone()];
            Edit { remove: Remove { phones, ..Remove::default() }, ..Edit::default() }
        }
        _ => {
            let value = line(&format!("{}@example.org", n % 3));
            let entry = Entry { value, r#type: None, label: None };
            let gone = fields.emails.iter().map(|entry| entry.value.clone());
            Edit {
                add: Add {
                    emails: vec![entry],
                    groups: vec![line(["vip", "family"][n as usize % 2])],
                    ..Add::default()
                },
                remove: Remove { emails: gone.take(1).collect(), ..Remove::default() },
                ..Edit::default()
            }
        }
    }
}

fn call(number: &Spelling, clock: Timestamp, chance: &mut ChaCha8Rng) -> Call {
    let withheld = chance.random_bool(0.05);
    // Call logs show what the network sent: ASCII digits.
    let digits: String = number.number.chars().filter(char::is_ascii).collect();
    Call {
        phone_number: line(if withheld { "" } else { &digits }),
        timestamp: clock,
        duration: Seconds(chance.random_range(0..600)),
        direction: Direction::ALL[chance.random_range(0..Direction::ALL.len())],
        line: None,
    }
}
