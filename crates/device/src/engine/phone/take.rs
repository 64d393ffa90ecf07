//! What the user changed on the phone becomes ops.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use callbook_base::{ContactId, Timestamp};
use callbook_contacts::{Edit, Fields};
use rand::Rng;

use super::{Pass, UNREAD, delete, source};
use crate::engine::Engine;
use crate::engine::people::new_id;
use crate::outbox::Change;
use crate::provider::{
    Account, Group, GroupRow, Head, Link, Operation, RawContact, RawId, beyond, changed, needed,
    placed, read,
};
use crate::store::{State, Store, StoreError};

/// What a chunk of raw contacts comes to.
#[derive(Default)]
struct Taken {
    ops: Vec<(ContactId, Change)>,
    links: Vec<Link>,
    /// Contacts that one of these has just been found to stand for, in Callbook's own account.
    own: BTreeSet<ContactId>,
    groups: Vec<Group>,
}

impl<S: Store> Engine<S> {
    /// Looks at all raw contacts: what was deleted, what is gone, and what has to be read.
    pub(super) fn take_heads(
        &mut self,
        pass: &mut Pass,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        let (moved, strayed) = self.strayed(&pass.heads);
        self.note_links(moved, strayed)?;

        let settings = self.state.settings.clone();
        let knows_the_book = self.knows_the_book();
        let (mut gone, mut deleted) = (Vec::new(), Vec::new());
        let (mut links, mut purged, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for head in pass.heads.values() {
            let link = self.links.get(head.raw);
            if settings.is_own(head.account.as_ref()) {
                let id = link.map_or_else(|| source(head), |link| link.id);
                match (head.deleted, id) {
                    // Nobody knows yet whether the book has it.
                    (false, _) if link.is_none() && !knows_the_book => {}
                    (false, _) => {
                        let is_known = link.is_some_and(|link| {
                            is_as_noted(link, head)
                                && (link.unfit.is_some() || link.id == source(head))
                        });
                        let is_touched = head.dirty && !is_unfit(link, head);
                        if !is_known || is_touched || pass.has_new_labels {
                            unread.push(head.raw);
                        }
                    }
                    (true, Some(_)) if link.is_none() && !knows_the_book => {}
                    (true, id) => {
                        let is_extra = id.is_some_and(|id| {
                            self.links.own(id).is_some_and(|own| own.raw != head.raw)
                        });
                        deleted.extend(id.filter(|_| !is_extra).map(|id| (id, link)));
                        // A deletion is taken once, however often a pass dies before its row is purged: what
                        // was typed after it stays.
                        let (raw, version, has) = (head.raw, head.version, Arc::default());
                        let (id, own, rev, unfit) = (None, true, None, None);
                        let taken = Link { raw, id, own, version, has, rev, unfit };
                        links.extend((link != Some(&taken)).then_some(taken));
                        purged.push(Group::of(head.raw, vec![delete(head)]));
                    }
                }
            } else if settings.follows(head.account.as_ref()) {
                let is_known = link.is_some_and(|link| is_as_noted(link, head));
                match head.deleted {
                    // It stays in the book: its user has removed it from that account.
                    true => gone.extend(link.map(|link| link.raw)),
                    false if link.is_none() && !knows_the_book => {}
                    false if !is_known || pass.has_new_labels => unread.push(head.raw),
                    false => {}
                }
            }
        }
        let mut ops = Vec::new();
        for (id, link) in deleted {
            if self.contact(id)?.is_some() {
                ops.push((id, Change::Delete, link.and_then(|link| link.rev)));
            }
        }
        unread.reverse(); // they are read from the end
        pass.unread = unread;
        pass.queue(purged);
        self.note(ops, links, gone, chance)
    }

    /// Links whose raw contact is gone, or is another by now: Android gives contacts other ids when it restores them
    /// from a backup, and counts from 1 again when their storage was cleared. Those of Callbook's own account are
    /// known by their `SOURCE_ID`, and come first as they are now; when they tell that all ids are others, no
    /// link of another account is believed.
    fn strayed(&self, heads: &BTreeMap<RawId, Head>) -> (Vec<Link>, Vec<RawId>) {
        let is_own = |head: &Head| self.state.settings.is_own(head.account.as_ref());
        let says = |head: &Head, link: &Link| match (source(head), link.id) {
            (Some(source), Some(id)) => source == id,
            _ => true,
        };
        let stands = |link: &&Link| {
            heads
                .get(&link.raw)
                .is_some_and(|head| is_own(head) == link.own && (!link.own || says(head, link)))
        };
        let (standing, mut strayed): (Vec<&Link>, Vec<&Link>) = self.links.iter().partition(stands);
        if strayed.is_empty() {
            return Default::default(); // as in nearly every pass
        }
        let own = heads.values().filter(|head| !head.deleted && is_own(head));
        let own: BTreeMap<ContactId, RawId> =
            own.filter_map(|head| Some((source(head)?, head.raw))).collect();
        let moved = strayed.iter().filter(|link| link.own).filter_map(|link| {
            let raw = *own.get(&link.id?)?;
            Some(Link { raw, version: UNREAD, ..Link::clone(link) })
        });
        let moved: Vec<Link> = moved.collect();
        let have_own = |links: &[&Link]| links.iter().any(|link| link.own && link.id.is_some());
        if have_own(&strayed) && (!moved.is_empty() || !have_own(&standing)) {
            strayed.extend(standing.iter().filter(|link| !link.own));
        }
        (moved, strayed.into_iter().map(|link| link.raw).collect())
    }

    /// Looks at the labels of Callbook's own account. A group's `SOURCE_ID` is the label that the book knows it by: one
    /// that has another now was renamed by its user. Nobody touches a contact with that, so all of them are read
    /// until a pass has read them with the labels as they are.
    pub(super) fn take_labels(
        &mut self,
        pass: &mut Pass,
        groups: &[GroupRow],
        account: &Account,
    ) -> Result<(), StoreError> {
        pass.labels_are_settled = pass.labels.is_some();
        for group in groups.iter().filter(|group| group.account.as_ref() == Some(account)) {
            let op = match group.own_label() {
                _ if group.is_system => continue,
                _ if group.deleted => Operation::DeleteGroup { group: group.id },
                Some(title) if group.known_as().as_ref() != Some(&title) => {
                    Operation::SetGroupSource { group: group.id, source_id: title }
                }
                _ => continue,
            };
            pass.labels_are_settled = false;
            pass.queue([Group::of_labels(op)]);
        }
        let knows_labels = self.state.knows_labels && pass.labels_are_settled;
        pass.has_new_labels = pass.labels.is_some() && !knows_labels;
        self.note_labels(knows_labels)
    }

    /// Whether what contacts say of labels is known.
    pub(super) fn note_labels(&mut self, knows_labels: bool) -> Result<(), StoreError> {
        if self.state.knows_labels == knows_labels {
            return Ok(());
        }
        self.commit(State { knows_labels, ..self.state.clone() }, Vec::new())
    }

    /// Notes what raw contacts that were read say.
    pub(super) fn take(
        &mut self,
        pass: &mut Pass,
        mut contacts: Vec<RawContact>,
        now: Timestamp,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        contacts.sort_by_key(|contact| contact.head.raw);
        let mut taken = Taken::default();
        for contact in contacts {
            self.take_one(pass, &mut taken, &contact, now, chance)?;
        }
        pass.queue(taken.groups);
        let ops = taken.ops.into_iter().map(|(id, change)| (id, change, None)).collect();
        self.note(ops, taken.links, Vec::new(), chance)
    }

    fn take_one(
        &self,
        pass: &mut Pass,
        taken: &mut Taken,
        contact: &RawContact,
        now: Timestamp,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        let head = &contact.head;
        let own = self.state.settings.is_own(head.account.as_ref());
        let before = self.links.get(head.raw);
        let linked = before.filter(|link| link.id.is_some());
        let mut link = Link {
            raw: head.raw,
            id: linked.and_then(|link| link.id),
            own,
            version: head.version,
            has: before.map(|link| link.has.clone()).unwrap_or_default(),
            rev: linked.and_then(|link| link.rev),
            unfit: None,
        };
        let mut fields = match read(contact) {
            // What its driver does not know stays as it was.
            Ok(fields) if pass.labels.is_none() => {
                Fields { groups: link.has.groups.clone(), ..fields }
            }
            Ok(fields) => fields,
            Err(why) => {
                link.unfit = Some(why);
                link.id = link.id.or_else(|| source(head).filter(|_| own));
                taken.links.extend((before != Some(&link)).then_some(link));
                return Ok(());
            }
        };
        if pass.private.have(&fields, &self.state.region) {
            // What of it is in the book already stays there as it is, and is compared again some time.
            taken.links.extend((linked.is_none() && before != Some(&link)).then_some(link));
            return Ok(());
        }
        let known = link.id.or_else(|| source(head).filter(|_| own));
        // Where its numbers were written Android does not know: a link does, and without one the mirror.
        fields = match (linked, known) {
            (None, Some(id)) => self.placed(fields, id)?,
            _ => placed(fields, &link.has.phones),
        };
        if linked.is_some_and(|linked| *linked.has != fields) {
            // Its user has changed it, or the store is older than the phone's contacts: it was restored from a
            // backup. What the book makes of that is compared, also where it has no other rev for it.
            link.rev = None;
        }
        let id = match (linked, known) {
            (Some(linked), Some(id)) => {
                let edit = match !own || head.dirty {
                    true => changed(&linked.has, &fields),
                    false if pass.has_new_labels => {
                        let groups = fields.groups.clone();
                        changed(&linked.has, &Fields { groups, ..Fields::clone(&linked.has) })
                    }
                    false => Edit::default(),
                };
                taken.ops.extend(self.edit_of(id, edit, &fields, now)?.map(|change| (id, change)));
                id
            }
            (None, Some(id)) => {
                let other = self.links.own(id).is_some_and(|other| {
                    pass.heads.get(&other.raw).is_some_and(|head| !head.deleted)
                });
                let is_extra = other || taken.own.contains(&id);
                match self.contact(id)? {
                    Some(book) if head.dirty => {
                        let edit = beyond(&book, &fields);
                        let change = (!edit.is_empty()).then(|| Change::Edit(Box::new(edit)));
                        taken.ops.extend(change.map(|change| (id, change)));
                    }
                    Some(_) => {}
                    None if !self.knows_the_book() => return Ok(()),
                    None if head.dirty => {
                        let edit = Box::new(changed(&Fields::default(), &fields));
                        taken.ops.push((id, Change::Create(now, edit)));
                    }
                    None => {
                        taken.groups.push(Group::of(head.raw, vec![delete(head)]));
                        return Ok(());
                    }
                }
                if is_extra {
                    taken.groups.push(Group::of(head.raw, vec![delete(head)]));
                    return Ok(());
                }
                id
            }
            (_, None) if !self.knows_the_book() => return Ok(()),
            // What says nothing waits until it does: its user is still writing.
            (_, None) if fields == Fields::default() => {
                taken.links.extend((before != Some(&link)).then_some(link));
                return Ok(());
            }
            (_, None) => match self.same_as(pass, taken, &fields, own)? {
                Some(id) => {
                    fields = self.placed(fields, id)?;
                    id
                }
                None => {
                    let saved_at = head.saved_at.map_or(now, |saved_at| saved_at.min(now));
                    let id = new_id(saved_at, chance);
                    let edit = Box::new(changed(&Fields::default(), &fields));
                    taken.ops.push((id, Change::Create(saved_at, edit)));
                    id
                }
            },
        };
        if own {
            taken.own.insert(id);
            let mut ops = Vec::new();
            if source(head) != Some(id) {
                ops.push(Operation::SetSourceId { raw: head.raw, source_id: id.to_string() });
            }
            if head.dirty {
                ops.push(Operation::ClearDirty { raw: head.raw, version: head.version });
            }
            if !ops.is_empty() {
                taken.groups.push(Group::of(head.raw, ops));
            }
        }
        link.id = Some(id);
        link.has = Arc::new(fields);
        taken.links.extend((before != Some(&link)).then_some(link));
        Ok(())
    }

    /// The op for what its user has changed of a contact, if the book has not all of it.
    fn edit_of(
        &self,
        id: ContactId,
        edit: Edit,
        fields: &Fields,
        now: Timestamp,
    ) -> Result<Option<Change>, StoreError> {
        if edit.is_empty() {
            return Ok(None);
        }
        Ok(match self.contact(id)? {
            Some(book) => {
                let edit = needed(edit, &book);
                (!edit.is_empty()).then(|| Change::Edit(Box::new(edit)))
            }
            // Others have deleted it, or it is a duplicate. It is sent whole: an edit revives what was deleted.
            None => {
                let whole = changed(&Fields::default(), fields);
                Some(Change::Create(now, Box::new(Edit { remove: edit.remove, ..whole })))
            }
        })
    }

    /// A contact with the regions in which its numbers were written, as far as the mirror knows them.
    fn placed(&self, fields: Fields, id: ContactId) -> Result<Fields, StoreError> {
        Ok(match self.store.contact(id)? {
            Some(mirrored) => placed(fields, &mirrored.shown.fields.phones),
            None => fields,
        })
    }

    /// A contact that the phone shows and that says all that this one does.
    fn same_as(
        &self,
        pass: &mut Pass,
        taken: &Taken,
        fields: &Fields,
        own: bool,
    ) -> Result<Option<ContactId>, StoreError> {
        if pass.by_name.is_none() {
            let (mut by_name, mut from) = (BTreeMap::<_, Vec<_>>::new(), Bound::Unbounded);
            while let Some((id, shown)) = self.next_contact(from)? {
                by_name.entry(shown.name).or_default().push(id);
                from = Bound::Excluded(id);
            }
            pass.by_name = Some(by_name);
        }
        let named = pass.by_name.as_ref().and_then(|by_name| by_name.get(&fields.name));
        for id in named.into_iter().flatten() {
            let is_free = self.links.own(*id).is_none() && !taken.own.contains(id);
            if (is_free || !own)
                && self.contact(*id)?.is_some_and(|book| beyond(&book, fields).is_empty())
            {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }
}

/// Whether a raw contact says what is noted of it. Android counts no version for a star.
fn is_as_noted(link: &Link, head: &Head) -> bool {
    let is_read = link.id.is_some() && link.unfit.is_none();
    link.version == head.version && (!is_read || link.has.starred == head.starred)
}

/// Whether it is known that a raw contact cannot be in the book.
fn is_unfit(link: Option<&Link>, head: &Head) -> bool {
    link.is_some_and(|link| link.unfit.is_some() && link.version == head.version)
}
