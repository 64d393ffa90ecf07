//! The phone's own contacts: what its user changed there becomes ops, and what the book changed is written there
//! (in this order, so that nothing is overwritten that nobody has read). How rows and fields correspond is in
//! `provider/`; a driver does what it is asked, as [`Ask`] says, and decides nothing.
//!
//! Only `DELETED` is a deletion. A raw contact that is not there is written again, whatever it was that took it:
//! Android's safe mode, an account removed and added, a crash. What a crash left half applied is found by the id
//! of the contact in `SOURCE_ID`, and otherwise by what it says.

mod give;
mod take;

use std::collections::BTreeMap;

use callbook_base::{ContactId, Line, Rev, Timestamp};
use rand::Rng;

use super::Engine;
use crate::call_log::SeenCalls;
use crate::outbox::Change;
use crate::provider::Account;
use crate::provider::{
    Ask, Batch, Given, Group, Head, Labels, Link, Operation, Queue, RawContact, RawId, Refusal,
};
use crate::settings::{Entries, Settings};
use crate::store::{State, Store, StoreChange, StoreError};

/// How many raw contacts are read with their rows at once: what a batch writes can be read back in one go, and each
/// chunk costs the disk a commit.
const CHUNK: usize = 250;

/// How many are read with their photos at once.
const WHOLE_CHUNK: usize = 8;

/// How often a pass begins again, at most, when Android refuses what it was given.
const MOST_RESTARTS: u32 = 40;

/// How often one contact is tried.
const TRIES: u32 = 2;

/// A version that no raw contact has: it is read again.
const UNREAD: i64 = -1;

/// One pass over the phone's contacts. It is in memory only, and may be dropped at any time.
#[derive(Debug, Default)]
pub struct Pass {
    stage: Stage,
    /// All raw contacts.
    heads: BTreeMap<RawId, Head>,
    /// The phone's labels; `None` when its driver knows none.
    labels: Option<Labels>,
    /// Whether contacts may be under other labels although nobody has touched them.
    has_new_labels: bool,
    /// Whether the book knows all labels by what they are now.
    labels_are_settled: bool,
    /// Those that are to be read.
    unread: Vec<RawId>,
    /// Those that are to be read before they are removed.
    removed: Vec<RawId>,
    /// Labels that the phone has no group for yet.
    new_labels: Vec<Line>,
    /// What the phone shows, by name, once somebody has looked for a contact by what it says.
    by_name: Option<BTreeMap<Option<Line>, Vec<ContactId>>>,
    /// What its user keeps private.
    private: Entries,
    queue: Queue,
    /// Of the batch under way.
    sent: Vec<Group>,
    /// When that was asked for.
    sent_at: Option<Timestamp>,
    /// Written just now and to be read again: of which contact, and at which rev.
    written: BTreeMap<RawId, (ContactId, Option<Rev>)>,
    /// How often each contact has failed by itself.
    failed: BTreeMap<(Option<ContactId>, Option<RawId>), u32>,
    restarts: u32,
    /// Whether a contact was cut, so that the rest of it is still missing.
    is_cut: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Heads,
    /// What the user changed.
    Take,
    /// What differs from the book.
    Compare,
    Apply,
    ReadBack,
    Done,
}

impl Pass {
    /// Asks for the next raw contacts that are to be read.
    fn ask_rows(&mut self) -> Option<Ask> {
        let rest = self.unread.len().saturating_sub(CHUNK);
        let raws = self.unread.split_off(rest);
        if !raws.is_empty() {
            return Some(Ask::Rows { raws, whole: false });
        }
        let rest = self.removed.len().saturating_sub(WHOLE_CHUNK);
        let raws = self.removed.split_off(rest);
        (!raws.is_empty()).then_some(Ask::Rows { raws, whole: true })
    }

    /// Raw contacts that name their groups by labels.
    fn labelled(&self, mut contacts: Vec<RawContact>) -> Vec<RawContact> {
        let none = Labels::default();
        let labels = self.labels.as_ref().unwrap_or(&none);
        contacts.iter_mut().for_each(|contact| labels.read(contact));
        contacts
    }

    /// What to apply next: labels first, each by itself, then contacts that name them.
    fn next_batch(&mut self, account: &Account) -> Vec<Group> {
        if let Some(title) = self.new_labels.pop() {
            let account = account.clone();
            return vec![Group::of_labels(Operation::InsertGroup { account, title })];
        }
        let mut groups = self.queue.next();
        if let Some(labels) = &self.labels {
            groups.iter_mut().for_each(|group| labels.write(group));
        }
        groups
    }

    fn find_new_labels(&mut self) {
        let has_failed = self.failed.get(&(None, None)).is_some_and(|times| *times >= TRIES);
        let labels = self.labels.as_ref().filter(|_| !has_failed);
        let missing = labels.map(|labels| labels.missing(self.queue.iter())).unwrap_or_default();
        self.new_labels = missing.into_iter().collect();
    }

    fn has_failed(&self, group: &Group) -> bool {
        self.failed.get(&(group.id, group.raw)).is_some_and(|times| *times >= TRIES)
    }

    /// These are to be applied, but for those that have failed by themselves.
    fn queue(&mut self, groups: impl IntoIterator<Item = Group>) {
        let groups = groups.into_iter().filter(|group| !self.has_failed(group));
        let groups: Vec<Group> = groups.collect();
        self.queue.extend(groups);
    }

    /// Reads all again, and keeps what it has learnt of batches.
    fn restart(&mut self) {
        self.queue.clear();
        self.new_labels.clear();
        self.by_name = None;
        self.restarts += 1;
        self.stage = if self.restarts > MOST_RESTARTS { Stage::Done } else { Stage::Heads };
    }
}

impl<S: Store> Engine<S> {
    /// What the user has chosen.
    pub fn settings(&self) -> &Settings {
        &self.state.settings
    }

    /// Chooses. What was kept from the book by what was chosen before is looked at again.
    ///
    /// # Errors
    /// The store cannot be written; nothing has changed.
    pub fn set_settings(&mut self, settings: Settings) -> Result<(), StoreError> {
        let before = &self.state.settings;
        if settings == *before {
            return Ok(());
        }
        let mut state = State { settings, ..self.state.clone() };
        let mut links = Vec::new();
        if state.settings.private != before.private {
            let kept = self.links.iter().filter(|link| link.id.is_none() && link.unfit.is_none());
            links.extend(kept.map(|link| Link { version: UNREAD, ..link.clone() }));
        }
        if (state.settings.calls, &state.settings.private) != (before.calls, &before.private) {
            state.seen_calls = SeenCalls::default();
        }
        self.commit(state, changes_of(&links, &[]))?;
        self.links.change(links, Vec::new());
        Ok(())
    }

    /// Raw contacts that cannot be in the book, each with what it said before, if that was in the book, and why.
    /// They stay on the phone as they are, and follow when they have been changed.
    pub fn unfit(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| link.unfit.is_some())
    }

    /// Contacts that the phone's provider did not take in the last pass. The next tries again.
    pub fn not_taken(&self) -> &[ContactId] {
        &self.not_taken
    }

    /// What to do next with the phone's contacts, after what came of what was asked. A pass begins with
    /// [`Given::Start`] and ends with [`Ask::Done`]. One belongs before each sync and one after it.
    ///
    /// # Errors
    /// The store cannot be read or written. The next pass goes on from what it has.
    pub fn phone(
        &mut self,
        pass: &mut Pass,
        given: Given,
        now: Timestamp,
        chance: &mut impl Rng,
    ) -> Result<Ask, StoreError> {
        let Some(account) = self.state.settings.account.clone() else { return Ok(Ask::Done) };
        let given = match given {
            Given::Rows { contacts } => Given::Rows { contacts: pass.labelled(contacts) },
            given => given,
        };
        match (pass.stage, given) {
            (_, Given::Start) => {
                *pass = Pass::default();
                pass.private = self.state.settings.private.entries(&self.state.region);
                self.not_taken.clear();
                return Ok(Ask::Heads);
            }
            (Stage::Heads, Given::Heads { heads, groups }) => {
                let heads = heads.into_iter().filter(|head| head.raw != RawId::default());
                pass.heads = heads.map(|head| (head.raw, head)).collect();
                pass.labels = groups.as_ref().map(|groups| Labels::of(groups, Some(&account)));
                self.take_labels(pass, groups.as_deref().unwrap_or_default(), &account)?;
                self.take_heads(pass, chance)?;
                pass.stage = Stage::Take;
            }
            (Stage::Take, Given::Rows { contacts }) => self.take(pass, contacts, now, chance)?,
            (Stage::Compare, Given::Rows { contacts }) => self.compare(pass, contacts)?,
            (Stage::Apply, Given::Applied { results }) => self.applied(pass, &results, now)?,
            (Stage::ReadBack, Given::Rows { contacts }) => self.read_back(pass, contacts)?,
            (Stage::Apply, Given::Refused { why }) => self.refused_by_phone(pass, why),
            // What was asked for cannot be had.
            _ => return Ok(Ask::Done),
        }
        loop {
            match pass.stage {
                Stage::Heads => return Ok(Ask::Heads),
                Stage::Take => match pass.ask_rows() {
                    Some(ask) => return Ok(ask),
                    None => {
                        self.plan(pass)?;
                        // Those that were known before stay so, also where the book is not whole now.
                        let are_read = self.knows_the_book() || !pass.has_new_labels;
                        self.note_labels(pass.labels_are_settled && are_read)?;
                        pass.stage = Stage::Compare;
                    }
                },
                Stage::Compare => match pass.ask_rows() {
                    Some(ask) => return Ok(ask),
                    None => {
                        pass.find_new_labels();
                        pass.stage = Stage::Apply;
                    }
                },
                Stage::ReadBack => match pass.ask_rows() {
                    Some(ask) => return Ok(ask),
                    None => {
                        pass.written.clear();
                        pass.stage = Stage::Apply;
                    }
                },
                Stage::Apply => {
                    pass.sent = pass.next_batch(&account);
                    if !pass.sent.is_empty() {
                        pass.sent_at = Some(now);
                        return Ok(Ask::Apply(Batch::of(&pass.sent)));
                    }
                    match std::mem::take(&mut pass.is_cut) {
                        true => pass.restart(),
                        false => pass.stage = Stage::Done,
                    }
                }
                Stage::Done => return Ok(Ask::Done),
            }
        }
    }

    /// A batch was refused. One that is too large was not even looked at. What was applied of another, reading all
    /// again will show.
    fn refused_by_phone(&mut self, pass: &mut Pass, why: Refusal) {
        let sent = std::mem::take(&mut pass.sent);
        let alone = match (why, sent.len()) {
            (Refusal::TooLarge, _) => pass.queue.halve(sent),
            (Refusal::Failed, 1) => sent,
            (Refusal::Failed, groups) => {
                pass.queue.narrow(groups);
                Vec::new()
            }
        };
        for group in alone {
            let times = pass.failed.entry((group.id, group.raw)).or_default();
            *times += if why == Refusal::TooLarge { TRIES } else { 1 };
            if *times >= TRIES {
                self.not_taken.extend(group.id);
            }
        }
        if why == Refusal::Failed {
            pass.restart();
        }
    }

    /// Whether the mirror has the whole book, so that what it has not is not there.
    fn knows_the_book(&self) -> bool {
        self.state.is_whole && !self.state.sweeping
    }

    /// Notes ops, links that come or change, and raw contacts that are gone: all or none.
    fn note(
        &mut self,
        ops: Vec<(ContactId, Change, Option<Rev>)>,
        links: Vec<Link>,
        gone: Vec<RawId>,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        if ops.is_empty() {
            return self.note_links(links, gone);
        }
        let changes = changes_of(&links, &gone);
        self.queue_with(self.state.clone(), ops, changes, chance)?;
        self.links.change(links, gone);
        Ok(())
    }

    fn note_links(&mut self, links: Vec<Link>, gone: Vec<RawId>) -> Result<(), StoreError> {
        if links.is_empty() && gone.is_empty() {
            return Ok(());
        }
        self.commit(self.state.clone(), changes_of(&links, &gone))?;
        self.links.change(links, gone);
        Ok(())
    }
}

/// The contact of the book that a raw contact of Callbook's own account says it is.
fn source(head: &Head) -> Option<ContactId> {
    head.source_id.as_deref()?.parse().ok()
}

fn delete(head: &Head) -> Operation {
    Operation::DeleteRaw { raw: head.raw, version: head.version }
}

/// Those that are gone go first: one of the others may stand in their place.
fn changes_of(links: &[Link], gone: &[RawId]) -> Vec<StoreChange> {
    let removes = gone.iter().map(|raw| StoreChange::RemoveLink(*raw));
    removes.chain(links.iter().cloned().map(StoreChange::PutLink)).collect()
}
