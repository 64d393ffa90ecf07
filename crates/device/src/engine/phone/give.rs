//! What the book changed is written into the phone.

use std::collections::BTreeSet;
use std::sync::Arc;

use callbook_base::{ContactId, Rev, Timestamp};
use callbook_contacts::Fields;

use super::{Pass, Stage, UNREAD, delete};
use crate::engine::Engine;
use crate::provider::{
    Duplicate, Group, Head, Link, Of, Operation, RawContact, RawId, anew, as_read, is_shown_by,
    placed, read, rows,
};
use crate::store::{Store, StoreChange, StoreError};

impl<S: Store> Engine<S> {
    /// The rev of the mirror that a contact on the phone shows when it says what the book does now.
    fn shows(&self, id: ContactId, rev: Rev) -> Option<Rev> {
        (!self.outbox.touches(id)).then_some(rev)
    }

    /// What the phone is to show of a contact.
    fn wanted(&self, pass: &Pass, id: ContactId) -> Result<Option<Fields>, StoreError> {
        let wanted = self.contact(id)?;
        Ok(match pass.labels {
            Some(_) => wanted,
            None => wanted.map(|wanted| Fields { groups: Vec::new(), ..wanted }),
        })
    }

    /// What of the book is not on the phone.
    pub(super) fn plan(&mut self, pass: &mut Pass) -> Result<(), StoreError> {
        let Some(account) = self.state.settings.account.clone() else { return Ok(()) };
        if !self.knows_the_book() {
            return Ok(());
        }
        let mirrored = self.store.not_seen_in(u64::MAX)?;
        let mut links = Vec::new();
        let (mut unread, mut removed) = (Vec::new(), Vec::new());
        for (id, rev) in &mirrored {
            let shows = self.shows(*id, *rev);
            let Some(link) = self.links.own(*id) else {
                if let Some(wanted) = self.wanted(pass, *id)? {
                    let mut ops = vec![Operation::InsertRaw {
                        account: account.clone(),
                        source_id: id.to_string(),
                        starred: wanted.starred,
                    }];
                    let had = self.duplicates.get(id).and_then(|it| it.rows.as_deref());
                    ops.extend(anew(Of::Operation(0), had.unwrap_or_default(), &wanted));
                    pass.queue([Group::writing(*id, None, shows, ops)]);
                }
                continue;
            };
            let is_shown = link.rev == shows && shows.is_some() && !pass.has_new_labels;
            if link.unfit.is_some() || is_shown {
                continue;
            }
            match self.wanted(pass, *id)? {
                Some(wanted) if is_shown_by(&wanted, &link.has) => {
                    links.extend((link.rev != shows).then(|| Link { rev: shows, ..link.clone() }));
                }
                Some(_) => {
                    unread.push(link.raw);
                    // What a driver without labels wrote of it was not all.
                    let is_shown = pass.has_new_labels && link.rev.is_some();
                    links.extend(is_shown.then(|| Link { rev: None, ..link.clone() }));
                }
                None => {}
            }
        }
        let mirrored: BTreeSet<ContactId> = mirrored.into_iter().map(|(id, _)| id).collect();
        for link in self.links.iter().filter(|link| link.own && link.unfit.is_none()) {
            let Some(id) = link.id else { continue };
            let head = pass.heads.get(&link.raw).filter(|head| !head.deleted);
            let (Some(head), false) = (head, mirrored.contains(&id) && !self.outbox.touches(id))
            else {
                continue;
            };
            match self.wanted(pass, id)? {
                None if self.may_come_back(id) => removed.push(link.raw),
                None => {
                    let group = Group::of(link.raw, vec![delete(head)]);
                    pass.queue([group]);
                }
                // Changes of this phone on top of what no pull has sent.
                Some(wanted) if !mirrored.contains(&id) && !is_shown_by(&wanted, &link.has) => {
                    unread.push(link.raw);
                }
                _ => {}
            }
        }
        unread.reverse();
        (pass.unread, pass.removed) = (unread, removed);
        self.note_links(links, Vec::new())
    }

    /// Whether a contact that is to be removed may come back, and what it has is not noted yet.
    fn may_come_back(&self, id: ContactId) -> bool {
        self.duplicates.get(&id).is_some_and(|duplicate| duplicate.rows.is_none())
    }

    /// Compares raw contacts, row by row, with what the book has of them.
    pub(super) fn compare(
        &mut self,
        pass: &mut Pass,
        contacts: Vec<RawContact>,
    ) -> Result<(), StoreError> {
        let (mut links, mut removed) = (Vec::new(), Vec::new());
        for contact in contacts {
            let raw = contact.head.raw;
            let Some((link, id)) = self.links.get(raw).and_then(|link| Some((link, link.id?)))
            else {
                continue;
            };
            // Its user has changed it since it was read: that is taken first, in the next pass.
            let is_touched = contact.head.dirty && contact.head.version != link.version;
            if is_touched {
                continue;
            }
            let Some(wanted) = self.wanted(pass, id)? else {
                if let Some(duplicate) = self.duplicates.get(&id) {
                    let rows = Some(contact.rows);
                    removed
                        .push(StoreChange::PutDuplicate(Duplicate { rows, ..duplicate.clone() }));
                    pass.queue([Group::of(raw, vec![delete(&contact.head)])]);
                }
                continue;
            };
            let rev = self.store.rev(id)?.and_then(|rev| self.shows(id, rev));
            let version = contact.head.version;
            let mut ops = rows(Of::Raw(raw), &contact.rows, &wanted);
            if wanted.starred != contact.head.starred {
                ops.push(Operation::SetStarred { raw, starred: wanted.starred });
            }
            if ops.is_empty() {
                let has = match read(&contact) {
                    Ok(fields) => Arc::new(placed(fields, &wanted.phones)),
                    Err(_) => link.has.clone(),
                };
                links.push(Link { version, has, rev, ..link.clone() });
                continue;
            }
            ops.insert(0, Operation::Expect { raw, version });
            pass.queue([Group::writing(id, Some(raw), rev, ops)]);
        }
        links.retain(|link| self.links.get(link.raw) != Some(link));
        self.commit_duplicates(removed)?;
        self.note_links(links, Vec::new())
    }

    /// A batch was applied. What it wrote is read again: Android makes something of what it is given, such as
    /// the parts of a name, and that must not look like its user's doing.
    pub(super) fn applied(
        &mut self,
        pass: &mut Pass,
        results: &[i64],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sent = std::mem::take(&mut pass.sent);
        // A clock that was set back meanwhile tells nothing.
        let millis = pass.sent_at.take().map_or(0, |sent_at| now.millis_since(sent_at));
        pass.queue.applied(results.len(), usize::try_from(millis).unwrap_or(0));
        let (mut rest, mut gone) = (results, Vec::new());
        for group in sent {
            let (results, others) = rest.split_at(group.ops.len().min(rest.len()));
            rest = others;
            let Some(result) = results.first() else { continue };
            pass.is_cut |= group.is_cut;
            match (&group.ops[0], group.raw) {
                (Operation::InsertGroup { title, .. }, _) => {
                    let labels = pass.labels.as_mut();
                    labels.into_iter().for_each(|labels| labels.insert(title.clone(), *result));
                }
                (Operation::DeleteRaw { raw, .. }, _) if *result > 0 => gone.push(*raw),
                (Operation::DeleteRaw { .. }, _) => {}
                (_, raw) => {
                    let raw = raw.unwrap_or(RawId(*result));
                    if let Some(id) = group.id {
                        pass.written.insert(raw, (id, group.rev.filter(|_| !group.is_cut)));
                    }
                }
            }
        }
        pass.unread = pass.written.keys().rev().copied().collect();
        pass.stage = Stage::ReadBack;
        gone.retain(|raw| self.links.get(*raw).is_some());
        self.note_links(Vec::new(), gone)
    }

    pub(super) fn read_back(
        &mut self,
        pass: &mut Pass,
        contacts: Vec<RawContact>,
    ) -> Result<(), StoreError> {
        let (mut links, mut back) = (Vec::new(), Vec::new());
        for contact in contacts {
            let RawContact { head: Head { raw, version, dirty, .. }, .. } = contact;
            let Some((id, rev)) = pass.written.get(&raw).copied() else { continue };
            let wanted = self.wanted(pass, id)?.unwrap_or_default();
            // Its user was faster than this reading.
            let (version, has) = match read(&contact) {
                Ok(fields) if !dirty => (version, fields),
                // What is still missing of one that was cut was not removed by anybody.
                _ if pass.is_cut => {
                    let link = self.links.get(raw);
                    (UNREAD, link.map(|link| Fields::clone(&link.has)).unwrap_or_default())
                }
                _ => (UNREAD, as_read(&wanted)),
            };
            let has = Arc::new(placed(has, &wanted.phones));
            let is_back = self.duplicates.get(&id).is_some_and(|duplicate| duplicate.is_over);
            back.extend((is_back && !pass.is_cut).then_some(StoreChange::RemoveDuplicate(id)));
            links.push(Link { raw, id: Some(id), own: true, version, has, rev, unfit: None });
        }
        self.note_links(links, Vec::new())?;
        self.commit_duplicates(back)
    }
}
