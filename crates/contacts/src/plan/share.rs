//! What a book becomes when a key is marked as shared, or no longer is (rule 3.8). It is no edit: it
//! beats no delete, and has no history.

use callbook_base::Timestamp;
use callbook_dedup::NumberKey;

use super::draft::Draft;
use super::{Changes, Held};

/// Marks a key, or takes the mark away; `None` when it is so already. Whoever is seen otherwise is
/// stamped. The book's rev moves in any case, since pushes go by the mark.
pub fn share(mut held: Held, key: NumberKey, shared: bool, now: Timestamp) -> Option<Changes> {
    let changed = if shared { held.shared.insert(key) } else { held.shared.remove(&key) };
    changed.then(|| {
        let mut changes = Draft::new(&held).changes(now.max(held.clock));
        (changes.rev, changes.clock) = (held.rev.next(), now.max(held.clock));
        changes
    })
}
