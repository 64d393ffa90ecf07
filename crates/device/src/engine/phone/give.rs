//! What the book changed is written into the phone.

use std::collections::BTreeSet;
use std::sync::Arc;

use callbook_base::{ContactId, Rev};

use super::{Pass, Stage, UNREAD, delete};
use crate::engine::Engine;
use crate::provider::{
    Group, Head, Link, Of, Operation, RawContact, RawId, as_read, is_shown_by, read, rows,
};
use crate::store::{Store, StoreError};

impl<S: Store> Engine<S> {
    /// The rev of the mirror that a contact on the phone shows when it says what the book does now.
    fn shows(&self, id: ContactId, rev: Rev) -> Option<Rev> {
        (!self.outbox.touches(id)).then_some(rev)
    }

    /// What of the book is not on the phone.
    pub(super) fn plan(&mut self, pass: &mut Pass) -> Result<(), StoreError> {
        let Some(account) = self.state.settings.account.clone() else { return Ok(()) };
        if !self.knows_the_book() {
            return Ok(());
        }
        let mirrored = self.store.not_seen_in(u64::MAX)?;
        let mut links = Vec::new();
        let mut unread = Vec::new();
        for (id, rev) in &mirrored {
            let shows = self.shows(*id, *rev);
            let Some(link) = self.links.own(*id) else {
                if let Some(wanted) = self.contact(*id)? {
                    let mut ops = vec![Operation::InsertRaw {
                        account: account.clone(),
                        source_id: id.to_string(),
                        starred: wanted.starred,
                    }];
                    ops.extend(rows(Of::Operation(0), &[], &wanted));
                    pass.queue([Group::writing(*id, None, shows, ops)]);
                }
                continue;
            };
            if link.unfit.is_some() || (link.rev == shows && shows.is_some()) {
                continue;
            }
            match self.contact(*id)? {
                Some(wanted) if is_shown_by(&wanted, &link.has) => {
                    links.extend((link.rev != shows).then(|| Link { rev: shows, ..link.clone() }));
                }
                Some(_) => unread.push(link.raw),
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
            match self.contact(id)? {
                None => {
                    pass.queue([Group::of(link.raw, vec![delete(head)])]);
                }
                // Changes of this phone on top of what no pull has sent.
                Some(wanted) if !mirrored.contains(&id) && !is_shown_by(&wanted, &link.has) => {
                    unread.push(link.raw);
                }
                _ => {}
            }
        }
        unread.reverse();
        pass.unread = unread;
        self.note_links(links, Vec::new())
    }

    /// Compares raw contacts, row by row, with what the book has of them.
    pub(super) fn compare(
        &mut self,
        pass: &mut Pass,
        contacts: Vec<RawContact>,
    ) -> Result<(), StoreError> {
        let mut links = Vec::new();
        for contact in contacts {
            let raw = contact.head.raw;
            let Some((link, id)) = self.links.get(raw).and_then(|link| Some((link, link.id?)))
            else {
                continue;
            };
            // Its user has changed it since it was read: that is taken first, in the next pass.
            let is_touched = contact.head.dirty && contact.head.version != link.version;
            let Some(wanted) = self.contact(id)?.filter(|_| !is_touched) else { continue };
            let rev = self.store.rev(id)?.and_then(|rev| self.shows(id, rev));
            let version = contact.head.version;
            let mut ops = rows(Of::Raw(raw), &contact.rows, &wanted);
            if wanted.starred != contact.head.starred {
                ops.push(Operation::SetStarred { raw, starred: wanted.starred });
            }
            if ops.is_empty() {
                let has = read(&contact).map_or_else(|_| link.has.clone(), Arc::new);
                links.push(Link { version, has, rev, ..link.clone() });
                continue;
            }
            ops.insert(0, Operation::Expect { raw, version });
            pass.queue([Group::writing(id, Some(raw), rev, ops)]);
        }
        links.retain(|link| self.links.get(link.raw) != Some(link));
        self.note_links(links, Vec::new())
    }

    /// A batch was applied. What it wrote is read again: Android makes something of what it is given, such as
    /// the parts of a name, and that must not look like its user's doing.
    pub(super) fn applied(&mut self, pass: &mut Pass, results: &[i64]) -> Result<(), StoreError> {
        let sent = std::mem::take(&mut pass.sent);
        let (mut rest, mut gone) = (results, Vec::new());
        for group in sent {
            let (results, others) = rest.split_at(group.ops.len().min(rest.len()));
            rest = others;
            let Some(result) = results.first() else { continue };
            pass.is_cut |= group.is_cut;
            match (&group.ops[0], group.raw) {
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
        pass.queue.widen();
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
        let mut links = Vec::new();
        for contact in contacts {
            let RawContact { head: Head { raw, version, dirty, .. }, .. } = contact;
            let Some((id, rev)) = pass.written.get(&raw).copied() else { continue };
            let wanted = || Ok::<_, StoreError>(as_read(&self.contact(id)?.unwrap_or_default()));
            // Its user was faster than this reading.
            let (version, has) = match read(&contact) {
                Ok(fields) if !dirty => (version, fields),
                _ => (UNREAD, wanted()?),
            };
            let (has, id) = (Arc::new(has), Some(id));
            links.push(Link { raw, id, own: true, version, has, rev, unfit: None });
        }
        self.note_links(links, Vec::new())
    }
}
