//! What a book becomes when other tables make its keys: as if every number had been written under them
//! (section 2 of the protocol). It is no edit: it beats no delete, and has no history.

use std::sync::Arc;

use callbook_base::Timestamp;
use callbook_dedup::Tables;

use super::draft::{Content, Draft};
use super::{Changes, Held};
use crate::fields::Fields;

/// The fields under other tables; `None` when all its numbers have the same keys.
pub fn rekeyed(fields: &Fields, tables: Tables) -> Option<Fields> {
    let key = |phone: &crate::Phone| (tables.key)(phone.number.as_str(), phone.region.as_str());
    if fields.phones.iter().all(|phone| phone.key == key(phone)) {
        return None;
    }
    let mut after = fields.clone();
    for phone in &mut after.phones {
        phone.key = key(phone);
    }
    Some(after)
}

/// Gives the contacts whose fields are there the keys of other tables, tombstones too: they may come
/// back. Owners follow, and whoever is seen otherwise is stamped.
pub fn rekey(held: &Held, tables: Tables, now: Timestamp) -> Changes {
    let mut draft = Draft::new(held);
    for (id, fields) in &held.fields {
        let Some(after) = rekeyed(fields, tables) else { continue };
        let is_live = draft.contact(*id).is_some_and(|contact| contact.state.is_live());
        draft.unclaim(*id);
        let drafted = draft.drafted(*id);
        drafted.contact.keys = after.keys();
        drafted.fields = Some(Arc::new(after));
        drafted.content = Content::Rekeyed;
        if is_live {
            draft.claim(*id);
        }
    }
    draft.changes(now.max(held.clock))
}
