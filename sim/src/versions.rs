//! Each form in which a book has ever shown a contact, by contact and rev: whatever a phone has must be one of
//! them. Who may see a contact must never be decided here: the model does that.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::sync::{Arc, OnceLock};

use callbook_base::{ContactId, Rev};
use callbook_contacts::wire::Shown;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::text::said;

/// All versions of a book, in the order in which phones pull them.
#[derive(Clone, Default)]
pub(crate) struct Versions(BTreeMap<(Rev, ContactId), Arc<Version>>);

/// A contact as everyone sees it from one rev on.
pub(crate) struct Version {
    created_at: i64,
    /// When, and by which user.
    edited: (i64, String),
    fields: Map<String, Value>,
    /// The same, as the first phone has read it.
    read: OnceLock<Arc<Shown>>,
}

impl Versions {
    pub(crate) fn add(&mut self, id: &str, rev: u64, version: Version) {
        self.0.insert((Rev(rev), id.parse().expect("an id")), Arc::new(version));
    }

    /// For the rows of a page, one after the other.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { versions: self, rest: self.0.range(..) }
    }
}

/// Looks versions up.
pub(crate) struct Reader<'a> {
    versions: &'a Versions,
    /// Those behind the last that was found.
    rest: Range<'a, (Rev, ContactId), Arc<Version>>,
}

impl Reader<'_> {
    /// Whether the book has shown a contact so, with that rev.
    pub(crate) fn have(&mut self, id: ContactId, rev: Rev, shown: &Arc<Shown>) -> bool {
        /// Most rows stand so close to the one before them: between are what was shown once, and is no longer.
        const NEAR: usize = 8;
        let place = (rev, id);
        for (at, version) in self.rest.by_ref().take(NEAR) {
            match at.cmp(&place) {
                Ordering::Less => {}
                Ordering::Equal => return version.is(shown),
                Ordering::Greater => break,
            }
        }
        self.rest = self.versions.0.range(place..);
        let found = self.rest.next().filter(|(at, _)| **at == place);
        found.is_some_and(|(_, version)| version.is(shown))
    }
}

impl Version {
    pub(crate) fn new(created_at: i64, edited: (i64, String), fields: Map<String, Value>) -> Self {
        Self { created_at, edited, fields: said(&fields), read: OnceLock::new() }
    }

    fn is(&self, shown: &Arc<Shown>) -> bool {
        if let Some(read) = self.read.get() {
            return read == shown; // nearly always the same one: phones share what they read
        }
        let (at, by) = &self.edited;
        let is = shown.created_at.as_millis() == self.created_at
            && shown.updated_at.as_millis() == *at
            && shown.updated_by.to_string() == *by
            && serde_json::to_value(&shown.fields)
                .is_ok_and(|it| it.as_object() == Some(&self.fields));
        if is {
            // Once it is set it stays.
            let _ = self.read.set(shown.clone());
        }
        is
    }
}

/// What a visible contact adds to the digest of a book, by the protocol's text.
pub(crate) fn share_of_digest(id: &str, rev: u64) -> u64 {
    let hash = Sha256::digest(format!("{id}:{rev}"));
    hash[..8].iter().fold(0, |share, byte| share << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figure is that of `printf '%s' <id>:<rev> | sha256sum | cut -c1-16`.
    #[test]
    fn a_share_is_the_head_of_a_hash() {
        let share = share_of_digest("01890a5d-ac96-774b-bcce-b302099a8057", 42);
        assert_eq!(format!("{share:016x}"), "2b78dc1bcdf79cb8");
    }
}
