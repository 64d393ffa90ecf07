//! The phone's own contacts and log of calls: providers that behave as Android's do, the driver between them and the
//! engine, and what people, other apps and Android do there. What becomes of that is the engine's to decide.

use std::collections::{BTreeMap, BTreeSet};

use callbook_base::{ContactId, Timestamp};
use callbook_calls::{Call, CallId, Direction};
use callbook_contacts::Fields;
use callbook_device::call_log::CallRow;
use callbook_device::provider::fake::{Columns, Fake, Table, Uri};
use callbook_device::provider::{Account, Ask, Given, RawContact, RawId};
use callbook_device::settings::Settings;
use callbook_device::{Change, Pass, Queued, Store, StoreError};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Phone;
use crate::fault::Fault;
use crate::spelling::Spelling;

const NAME: &str = "vnd.android.cursor.item/name";
const NOTE: &str = "vnd.android.cursor.item/note";
const PHONE: &str = "vnd.android.cursor.item/phone_v2";
const EMAIL: &str = "vnd.android.cursor.item/email_v2";

/// How many questions a pass asks at most.
const MOST_ASKED: u32 = 20_000;

/// Contacts of larger books are compared at the end alone.
const MOST_COMPARED: usize = 1_000;

/// What Android keeps on a phone.
#[derive(Clone, Default)]
pub(crate) struct Providers {
    contacts: Fake,
    log: Vec<(CallRow, Call)>,
    calls_logged: i64,
    /// Texts that its user has typed into contacts, and no op has had yet: of one kind, the last.
    typed: BTreeMap<(RawId, &'static str), Typed>,
    /// What was deleted in Callbook's account since the last pass, and what the book calls it, if that is known.
    removed: Vec<Option<ContactId>>,
}

/// A text, and the contact of the book that it was typed into, if Callbook had written that.
#[derive(Clone)]
struct Typed {
    text: String,
    of: Option<ContactId>,
}

/// Callbook's own, on every phone.
fn own() -> Account {
    Account { name: "callbook".to_owned(), r#type: "org.callbook".to_owned() }
}

/// Where people have saved contacts before.
fn google() -> Account {
    Account { name: "somebody@example.org".to_owned(), r#type: "com.google".to_owned() }
}

impl Providers {
    /// Its user logs a call.
    pub(super) fn log(&mut self, call: Call) {
        self.calls_logged += 1;
        let number = call.phone_number.as_str();
        let row = CallRow {
            id: self.calls_logged,
            number: Some(number.to_owned()),
            presentation: Some(if number.is_empty() { 2 } else { 1 }),
            date: Some(call.timestamp.as_millis()),
            duration: Some(i64::from(call.duration.0)),
            r#type: Some(kind_of(call.direction)),
            line: None,
            utc_offset: 0,
        };
        self.log.push((row, call));
    }

    /// A new contact of an account, saved at that time.
    fn save(&mut self, at: Timestamp, account: &Account, name: &str, number: &str) {
        self.contacts.now = at.as_millis();
        let columns: Columns<'_> = &[("data1", Some(name))];
        let number: Columns<'_> = &[("data1", Some(number)), ("data2", Some("2"))];
        let raw = self.contacts.save(Some(account), &[(NAME, columns), (PHONE, number)]);
        self.typed.insert((raw, NAME), Typed { text: name.to_owned(), of: None });
    }

    /// Its user types a text that a contact has once.
    fn write(&mut self, raw: RawId, kind: &'static str, text: String) {
        self.contacts.write(raw, kind, &[("data1", Some(&text))]);
        let head = self.contacts.contact(raw).map(|contact| contact.head);
        let source = head.filter(|head| head.account == Some(own())).and_then(|it| it.source_id);
        let of = source.and_then(|source| source.parse().ok());
        self.typed.insert((raw, kind), Typed { text, of });
    }

    fn remove(&mut self, raw: RawId) {
        let head = self.contacts.contact(raw).map(|contact| contact.head);
        // Of another account it stays in the book.
        let of_own = head.filter(|head| head.account == Some(own()));
        self.removed.extend(of_own.map(|head| head.source_id.and_then(|id| id.parse().ok())));
        self.contacts.remove(raw);
        self.typed.retain(|(of, _), _| *of != raw);
    }

    /// Those of an account are gone, and nothing tells of it.
    fn lose(&mut self, account: &Account) {
        self.contacts.lose(account);
        let contacts = &self.contacts;
        self.typed.retain(|(raw, _), _| contacts.contact(*raw).is_some());
    }

    /// Contacts are as on another.
    pub(super) fn keep_contacts_of(&mut self, other: &Self) {
        (self.contacts, self.typed) = (other.contacts.clone(), other.typed.clone());
        self.removed.clone_from(&other.removed);
    }

    /// Contacts get other ids.
    fn renumber(&mut self, by: i64) {
        self.contacts.renumber(by);
        let typed = std::mem::take(&mut self.typed).into_iter();
        self.typed = typed.map(|((raw, kind), it)| ((RawId(raw.0 + by), kind), it)).collect();
    }

    /// The numbers of a contact.
    fn numbers_of(&self, raw: RawId) -> impl Iterator<Item = String> {
        let rows = self.contacts.contact(raw).into_iter().flat_map(|contact| contact.rows);
        let numbers = rows.filter(|row| row.mimetype == PHONE);
        numbers.filter_map(|row| row.data.into_iter().next().flatten())
    }

    /// One of an account, if there is one.
    fn some(&self, account: &Account, chance: &mut ChaCha8Rng) -> Option<RawId> {
        let all: Vec<RawId> = self.contacts.live(account).collect();
        let at = if all.is_empty() { 0 } else { chance.random_range(0..all.len()) };
        all.get(at).copied()
    }
}

impl Phone {
    /// Its engine is to follow its contacts, if it has some.
    pub(super) fn follow_contacts(&mut self) {
        if self.providers.is_some() {
            let settings = Settings { account: Some(own()), ..Settings::default() };
            self.engine().set_settings(settings).expect("a store in memory takes all");
        }
    }

    /// Saves what somebody had on the phone before Callbook came, where its own region reads it as it was written.
    /// Whether it did.
    pub(super) fn had_before(&mut self, at: Timestamp, spelling: &Spelling) -> bool {
        let Some(providers) = &mut self.providers else { return false };
        if spelling.region == self.region {
            let name = format!("Contact {}", self.chance.random_range(0..1_000_000));
            providers.save(at, &google(), &name, &spelling.number);
        }
        spelling.region == self.region
    }

    /// What its contacts, its calls and the engine have to tell each other, as the app does before a sync and after.
    /// Its power may be lost after so many operations of the first batch that there is.
    pub(super) fn pass(&mut self, dies_in: &mut Option<usize>) -> Result<(), StoreError> {
        if self.providers.is_none() {
            return Ok(());
        }
        let removed = self.providers.as_mut().map(|it| std::mem::take(&mut it.removed));
        removed.into_iter().flatten().for_each(|id| self.shared.deletes(id));
        let passed = self.pass_over_contacts(dies_in).and_then(|()| self.pass_over_calls());
        self.note_told();
        passed
    }

    fn pass_over_contacts(&mut self, dies_in: &mut Option<usize>) -> Result<(), StoreError> {
        let clock = self.clock();
        let mut chance = crate::world::split(&mut self.chance);
        let (mut pass, mut given) = (Pass::default(), Given::Start);
        for _ in 0..MOST_ASKED {
            let ask = self.engine().phone(&mut pass, given, clock, &mut chance)?;
            let contacts = &mut self.providers.as_mut().expect("it has some").contacts;
            contacts.now = clock.as_millis();
            given = match ask {
                Ask::Done => return Ok(()),
                Ask::Apply(batch) if let Some(operations) = dies_in.take() => {
                    contacts.apply_first(&batch, operations);
                    self.shared.fault(Fault::PassKilled);
                    self.restart(|_| ());
                    return Ok(());
                }
                ask => contacts.serve(ask),
            };
        }
        let index = self.index;
        self.shared.violation(format!("phone {index}: a pass over its contacts does not end"));
        Ok(())
    }

    fn pass_over_calls(&mut self) -> Result<(), StoreError> {
        let clock = self.clock();
        let engine = self.engine.as_mut().expect("it is not crashing");
        let log = &self.providers.as_ref().expect("it has some").log;
        let Some(mut pass) = engine.calls() else { return Ok(()) };
        for _ in 0..MOST_ASKED {
            let wanted = pass.wanted();
            let rows = log.iter().map(|(row, _)| row).filter(|row| {
                row.id > wanted.after && (row.id > wanted.seen || row.date >= Some(wanted.since))
            });
            let rows = rows.take(wanted.limit).cloned().collect();
            if !engine.take_calls(&mut pass, rows, clock)? {
                return Ok(());
            }
        }
        let index = self.index;
        self.shared.violation(format!("phone {index}: a pass over its calls does not end"));
        Ok(())
    }

    /// What an op has, or the mirror, is no longer the providers' to keep. It is one about the contact that it was
    /// typed into.
    fn note_told(&mut self) {
        let typed = &mut self.providers.as_mut().expect("it has some").typed;
        if typed.is_empty() {
            return;
        }
        let engine = self.engine.as_ref().expect("it is not crashing");
        let ops = engine.store().outbox().expect("a store in memory reads");
        let mut astray = Vec::new();
        typed.retain(|_, Typed { text, of }| {
            let mut about = ops.iter().filter(|op| tells(op, text)).map(|op| op.id);
            let first = about.next();
            if let (Some(of), Some(first)) = (*of, first)
                && first != of
                && about.all(|id| id != of)
            {
                astray.push(format!("{text:?}, typed into {of}, is told of {first}"));
            }
            first.is_none()
        });
        for what in astray {
            self.shared.violation(format!("phone {}: {what}", self.index));
        }
        if typed.is_empty() {
            return;
        }
        let mirror = engine.store().memory.contacts();
        let mirror: BTreeSet<String> =
            mirror.flat_map(|(_, it)| texts_of(&it.shown.fields)).collect();
        typed.retain(|_, typed| !mirror.contains(&typed.text));
    }

    /// The numbers in its own contacts.
    pub(super) fn numbers_in_contacts(&self) -> Vec<String> {
        let Some(providers) = &self.providers else { return Vec::new() };
        let heads = providers.contacts.heads().into_iter();
        heads.flat_map(|head| providers.numbers_of(head.raw)).collect()
    }

    /// What happens to a phone's contacts and calls without its user: other apps, and Android.
    pub(super) fn meddle_with_providers(&mut self) {
        if self.providers.is_none() {
            return;
        }
        let mut meets = |fault| self.meets(fault).then(|| crate::world::split(&mut self.chance));
        let meddled = meets(Fault::ContactsMeddled);
        let renumbered = meets(Fault::ContactsRenumbered);
        let removed = meets(Fault::AccountRemoved);
        let emptied = meets(Fault::ContactsEmpty);
        let trims = self.strikes(Fault::CallLogTrimmed);
        let trimmed = trims.then(|| crate::world::split(&mut self.chance));
        let providers = self.providers.as_mut().expect("it has some");
        if let Some(mut chance) = meddled {
            another_app(providers, &mut chance);
        }
        if let Some(mut chance) = renumbered {
            // Often so few that one now has the id that another had.
            let most = 2_i64 << chance.random_range(0..11);
            providers.renumber(chance.random_range(1..most));
        }
        if removed.is_some() {
            providers.lose(&own());
        }
        if emptied.is_some() {
            (providers.contacts, providers.typed) = (Fake::default(), BTreeMap::new());
        }
        if let Some(mut chance) = trimmed {
            let kept = chance.random_range(0..4).min(providers.log.len());
            if kept < providers.log.len() {
                self.shared.fault(Fault::CallLogTrimmed);
            }
            providers.log.drain(..providers.log.len() - kept);
        }
    }

    /// Its user does something in the phone's own contacts, with a number as written here; whether they could.
    pub(super) fn change_contacts(&mut self, others: &[Spelling]) -> bool {
        let clock = self.clock();
        let Some(providers) = &mut self.providers else { return false };
        let here: Vec<&Spelling> = others.iter().filter(|it| it.region == self.region).collect();
        if here.is_empty() {
            return false;
        }
        let number = &here[self.chance.random_range(0..here.len())].number;
        let n = self.chance.random_range(0..1_000_000_u32);
        let account = if self.chance.random_bool(0.7) { own() } else { google() };
        let some = providers.some(&account, &mut self.chance);
        providers.contacts.now = clock.as_millis();
        let what = match (self.chance.random_range(0..10), some) {
            (0..3, _) | (_, None) => {
                providers.save(clock, &account, &format!("Saved {n}"), number);
                "saves a contact on the phone"
            }
            (3..6, Some(raw)) => {
                providers.write(raw, NAME, format!("Named {n}"));
                "names a contact on the phone"
            }
            (6, Some(raw)) => {
                providers.write(raw, NOTE, format!("note {n}"));
                "notes something on the phone"
            }
            (7, Some(raw)) if n.is_multiple_of(2) && providers.numbers_of(raw).next().is_some() => {
                // The row says the number anew, and Android knows no region of it.
                let kind = if n.is_multiple_of(4) { "1" } else { "3" };
                providers.contacts.write(raw, PHONE, &[("data2", Some(kind))]);
                "changes the kind of a number"
            }
            (7, Some(raw)) => {
                let added = providers.contacts.add(raw, PHONE, &[("data1", Some(number.as_str()))]);
                added.expect("the contact is there");
                "adds a number on the phone"
            }
            (8, Some(raw)) => {
                let starred = if n.is_multiple_of(2) { "1" } else { "0" };
                let row = Uri::row(Table::RawContacts, raw.0);
                let set = providers.contacts.update(&row, &[("starred", Some(starred))]);
                set.expect("the contact is there");
                "stars a contact on the phone"
            }
            (_, Some(raw)) => {
                providers.remove(raw);
                "deletes a contact on the phone"
            }
        };
        self.shared.note(self.place, || what.to_owned());
        self.shared.stats(|stats| {
            stats.changes += 1;
            stats.events += 1;
        });
        true
    }

    /// What of the book its own contacts show otherwise, or not at all, or beyond it; and what was typed there and
    /// written over. Read without the engine.
    pub(crate) fn contacts_differ<'f>(
        &self,
        book: impl Iterator<Item = (ContactId, &'f Fields)>,
    ) -> Vec<String> {
        let Some(providers) = &self.providers else { return Vec::new() };
        let mut differences = Vec::new();
        let mut missing: BTreeMap<String, &Fields> =
            book.map(|(id, fields)| (id.to_string(), fields)).collect();
        let own = own();
        let live = providers.contacts.live(&own);
        for contact in live.filter_map(|raw| providers.contacts.contact(raw)) {
            let id = contact.head.source_id.clone().unwrap_or_default();
            match missing.remove(&id) {
                None => differences.push(format!("its contacts show {id:?} once too often")),
                Some(fields) if said(&contact) != shown(fields) => {
                    let (said, shown) = (said(&contact), shown(fields));
                    differences.push(format!(
                        "its contacts say of {id} {said:?}, and the book says {shown:?}"
                    ));
                }
                Some(_) => {}
            }
        }
        differences.extend(missing.keys().map(|id| format!("its contacts do not show {id}")));
        let unread = providers.typed.iter().map(|((raw, _), Typed { text, .. })| {
            format!("{text:?}, typed into its contact {}, has come to nothing", raw.0)
        });
        differences.extend(unread);
        differences
    }

    /// After a sync and its pass: when there is no more to push or to pull, its contacts show what it has pulled.
    pub(super) fn check_contacts(&self) {
        if self.providers.is_none() || !self.is_quiet() {
            return;
        }
        let memory = &self.engine_ref().store().memory;
        if memory.contacts().count() > MOST_COMPARED {
            return;
        }
        let mirror = memory.contacts().map(|(id, it)| (*id, &it.shown.fields));
        let index = self.index;
        for what in self.contacts_differ(mirror).into_iter().take(1) {
            self.shared.violation(format!("phone {index} at rest: {what}"));
        }
    }

    /// How many calls of its log the book has not.
    pub(crate) fn calls_untold(&self, book: &BTreeSet<&str>) -> usize {
        let Some(providers) = &self.providers else { return 0 };
        let state = self.engine_ref().store().state().expect("a store in memory reads");
        let Some(user) = state.user else { return providers.log.len() };
        let is_told = |call: &Call| book.contains(CallId::of(user, call).to_string().as_str());
        providers.log.iter().filter(|(_, call)| !is_told(call)).count()
    }
}

/// Whether an op gives its contact a text of those that people type once into one.
fn tells(op: &Queued, text: &str) -> bool {
    let (Change::Create(_, edit) | Change::Edit(edit)) = &op.change else { return false };
    let name = edit.set.name.iter().flatten().any(|name| name.as_str() == text);
    name || edit.set.note.iter().flatten().any(|note| note.as_str() == text)
}

/// What people type once into a contact.
fn texts_of(fields: &Fields) -> impl Iterator<Item = String> {
    let name = fields.name.iter().map(ToString::to_string);
    name.chain(fields.note.iter().map(ToString::to_string))
}

/// `CallLog.Calls.TYPE`.
fn kind_of(direction: Direction) -> i64 {
    match direction {
        Direction::Incoming => 1,
        Direction::Outgoing => 2,
        Direction::Missed => 3,
        Direction::Voicemail => 4,
        Direction::Rejected => 5,
        Direction::Blocked => 6,
        Direction::AnsweredElsewhere => 7,
    }
}

/// Another app deletes contacts that it holds for rubbish, or makes one of two.
fn another_app(providers: &mut Providers, chance: &mut ChaCha8Rng) {
    let some = (0..2).filter_map(|_| providers.some(&own(), chance));
    let some: Vec<RawContact> = some.filter_map(|raw| providers.contacts.contact(raw)).collect();
    match some.as_slice() {
        [one, other] if one.head.raw != other.head.raw && chance.random_bool(0.5) => {
            for row in other.rows.iter().filter(|row| row.mimetype == EMAIL) {
                let text = row.data.first().and_then(Option::as_deref);
                let added = providers.contacts.add(one.head.raw, EMAIL, &[("data1", text)]);
                added.expect("the contact is there");
            }
            providers.remove(other.head.raw);
        }
        some => some.iter().for_each(|contact| providers.remove(contact.head.raw)),
    }
}

/// Kind and text of what a contact says, and whether it is starred.
type Said = (Vec<(&'static str, String)>, bool);

fn said(contact: &RawContact) -> Said {
    let mut said = Vec::new();
    for row in &contact.rows {
        let Some(text) = row.data.first().cloned().flatten() else { continue };
        let kind = [NAME, NOTE, PHONE, EMAIL].into_iter().find(|kind| *kind == row.mimetype);
        said.extend(kind.map(|kind| (kind, text.clone())));
    }
    said.retain(|(_, text)| !text.is_empty()); // such a row says nothing
    said.sort();
    said.dedup(); // somebody typed a number twice
    (said, contact.head.starred)
}

fn shown(fields: &Fields) -> Said {
    let mut shown = Vec::new();
    shown.extend(fields.name.iter().map(|name| (NAME, name.to_string())));
    shown.extend(fields.note.iter().map(|note| (NOTE, note.to_string())));
    shown.extend(fields.phones.iter().map(|phone| (PHONE, phone.number.to_string())));
    shown.extend(fields.emails.iter().map(|email| (EMAIL, email.value.to_string())));
    shown.retain(|(_, text)| !text.is_empty());
    shown.sort();
    (shown, fields.starred)
}
