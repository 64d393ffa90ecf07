//! The phone's own contacts, as Android's contacts provider has them, and what is to be done with them: plain
//! data, in Android's words. What becomes of a change is decided in `engine/phone.rs`; a driver reads and writes,
//! and decides nothing. Android's API must never live here.
//!
//! All of it is read and written as a *sync adapter* (`CALLER_IS_SYNCADAPTER`), so that nothing that a driver
//! writes looks like its user's doing.

mod batch;
mod diff;
#[cfg(any(test, feature = "test-support"))]
pub mod fake;
mod fields;
mod labels;
#[cfg(test)]
mod tests;
mod wire;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use callbook_base::{ContactId, Line, Rev, Timestamp};
use callbook_contacts::Fields;
use serde::{Deserialize, Deserializer, Serialize};

pub use batch::{Batch, MOST_OPERATIONS};
pub(crate) use batch::{Group, Queue};
pub(crate) use diff::{beyond, changed, needed};
#[cfg(test)]
pub(crate) use fields::new_rows;
pub(crate) use fields::{anew, as_read, is_shown_by, placed, read, rows};
pub use labels::GroupRow;
pub(crate) use labels::Labels;

/// `RawContacts._ID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawId(pub i64);

/// `RawContacts.ACCOUNT_NAME` and `ACCOUNT_TYPE`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// Often an address of mail.
    pub name: String,
    /// Such as `com.google`.
    pub r#type: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.r#type)
    }
}

/// A row of `RawContacts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// `_ID`
    #[serde(default, deserialize_with = "or_default")]
    pub raw: RawId,
    /// `None` for contacts of the device itself.
    #[serde(default)]
    pub account: Option<Account>,
    /// `SOURCE_ID`: in Callbook's own account the id of the contact in the book.
    #[serde(default)]
    pub source_id: Option<String>,
    /// `VERSION`
    #[serde(default, deserialize_with = "or_default")]
    pub version: i64,
    /// `DIRTY`: somebody else than its sync adapter has changed it.
    #[serde(default, deserialize_with = "or_default")]
    pub dirty: bool,
    /// `DELETED`: somebody has deleted it, and its sync adapter is to know.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
    /// `STARRED`
    #[serde(default, deserialize_with = "or_default")]
    pub starred: bool,
    /// When it was saved, as far as that is known: `CONTACT_LAST_UPDATED_TIMESTAMP`.
    #[serde(default)]
    pub saved_at: Option<Timestamp>,
}

/// A row of `Data`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// `_ID`
    #[serde(default, deserialize_with = "or_default")]
    pub id: i64,
    /// `MIMETYPE`
    #[serde(default, deserialize_with = "or_default")]
    pub mimetype: String,
    /// `DATA1` and so on; what is not there is null. `DATA15`, a blob in base 64, may be left out unless it is asked
    /// for: no field is made of it.
    #[serde(default, deserialize_with = "or_default")]
    pub data: Vec<Option<String>>,
    /// `IS_PRIMARY`
    #[serde(default, deserialize_with = "or_default")]
    pub is_primary: bool,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} {})", self.id, self.mimetype)
    }
}

impl Row {
    /// `DATA1` is 1. A text without a character says nothing.
    fn data(&self, n: usize) -> Option<&str> {
        self.data.get(n - 1)?.as_deref().filter(|text| !text.is_empty())
    }
}

/// A raw contact with its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "wire::RawContact")]
pub struct RawContact {
    /// The raw contact.
    #[serde(flatten)]
    pub head: Head,
    /// Its rows of `Data`, in the order of their ids.
    pub rows: Vec<Row>,
}

/// What a driver is asked to do with the phone's contacts. It answers with the [`Given`] of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    /// Read all raw contacts and all rows of `Groups`, those with `DELETED=1` too.
    Heads,
    /// Read these with their rows. Those that are not there are left out.
    Rows {
        /// Which.
        raws: Vec<RawId>,
        /// Whether they are about to be removed, and `DATA15` of their rows is wanted too, in base 64: of a photo
        /// the large one where that has at most 64 KiB.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
    },
    /// `applyBatch`: these operations in one call.
    Apply(Batch),
    /// Nothing more, for now.
    Done,
}

/// What a driver found, or what came of what it did.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "wire::Given")]
pub enum Given {
    /// To begin with.
    Start,
    /// All raw contacts of the phone.
    Heads {
        /// In any order.
        heads: Vec<Head>,
        /// In any order; `None` from a driver that knows no groups: then labels are left alone.
        groups: Option<Vec<GroupRow>>,
    },
    /// Those that were asked for and are there.
    Rows {
        /// In any order.
        contacts: Vec<RawContact>,
    },
    /// The batch has been applied as a whole. For each operation, the id of the row that it inserted, or the
    /// number of rows that it changed.
    Applied {
        /// In their order.
        results: Vec<i64>,
    },
    /// The batch has not been applied, or in part.
    Refused {
        /// As far as that is known.
        why: Refusal,
    },
}

/// Why a provider did not apply a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// `TransactionTooLargeException`
    TooLarge,
    /// Anything else, such as an [`Operation::Expect`] that does not hold.
    Failed,
}

/// One operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Operation {
    /// `newAssertQuery`: refuses the batch unless the raw contact is at this version: nobody has changed it since
    /// it was read.
    Expect {
        /// `_ID`
        raw: RawId,
        /// `VERSION`
        version: i64,
    },
    /// Inserts a raw contact.
    InsertRaw {
        /// Whose.
        account: Account,
        /// `SOURCE_ID`
        source_id: String,
        /// `STARRED`
        starred: bool,
    },
    /// Inserts a row of `Data`.
    InsertRow {
        /// Of which raw contact.
        of: Of,
        /// `MIMETYPE`
        mimetype: Cow<'static, str>,
        /// Its columns.
        values: Values,
    },
    /// Updates a row of `Data`: these columns, and no others.
    UpdateRow {
        /// `_ID`
        row: i64,
        /// The columns.
        values: Values,
    },
    /// Deletes a row of `Data`.
    DeleteRow {
        /// `_ID`
        row: i64,
    },
    /// Sets `STARRED` of a raw contact.
    SetStarred {
        /// `_ID`
        raw: RawId,
        /// `STARRED`
        starred: bool,
    },
    /// Sets `SOURCE_ID` of a raw contact.
    SetSourceId {
        /// `_ID`
        raw: RawId,
        /// `SOURCE_ID`
        source_id: String,
    },
    /// Sets `DIRTY` to 0 where the raw contact is still at this version.
    ClearDirty {
        /// `_ID`
        raw: RawId,
        /// `VERSION`
        version: i64,
    },
    /// Deletes a raw contact for good, where it is still at this version.
    DeleteRaw {
        /// `_ID`
        raw: RawId,
        /// `VERSION`
        version: i64,
    },
    /// Inserts a row of `Groups`.
    InsertGroup {
        /// Whose.
        account: Account,
        /// `TITLE`, and `SOURCE_ID` too.
        title: Line,
    },
    /// Sets `SOURCE_ID` of a row of `Groups`.
    SetGroupSource {
        /// `_ID`
        group: i64,
        /// `SOURCE_ID`
        source_id: Line,
    },
    /// Deletes a row of `Groups` for good.
    DeleteGroup {
        /// `_ID`
        group: i64,
    },
}

/// Of which raw contact a new row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// One that is there.
    Raw(RawId),
    /// The one that this operation of the batch inserts, from 0: `withValueBackReference`.
    Operation(usize),
}

/// Columns of a row of `Data`, with their values; of `DATA15` in base 64.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Values(pub BTreeMap<&'static str, Option<String>>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a contact of the phone cannot be in the book. It stays on the phone as it is, is shown to the user, and
/// follows into the book when it has been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unfit {
    /// A text holds NUL, at which databases end a text.
    #[error("a text of it holds a character that cannot be stored: type it again")]
    Nul,
    /// A name, number or address of more than 1,000 characters, or a note of more than 64 KiB.
    #[error(
        "a name, number or address has more than 1,000 characters, or its note more than 64 KiB"
    )]
    TooLong,
    /// More than 100 numbers, or other entries of one kind.
    #[error("it has more than 100 numbers, or other entries of one kind")]
    TooMany,
    /// More than 256 KiB.
    #[error("it is larger than 256 KiB")]
    TooLarge,
}

impl Unfit {
    /// Stable, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Nul => "nul",
            Self::TooLong => "too_long",
            Self::TooMany => "too_many",
            Self::TooLarge => "too_large",
        }
    }
}

/// What is known of a raw contact: which contact of the book it stands for, and what it said when it was last
/// read or written. What it says now, less that, is what its user has changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Which raw contact.
    pub raw: RawId,
    /// Of the book; `None` while it is kept from it.
    pub id: Option<ContactId>,
    /// Whether it is of Callbook's own account. No other is ever written.
    pub own: bool,
    /// At which it was read.
    pub version: i64,
    /// What it said, and where its numbers were written, as far as that is known.
    #[serde(with = "shared")]
    pub has: Arc<Fields>,
    /// The rev of the mirror that it shows; `None` when changes of this phone were on top of it.
    pub rev: Option<Rev>,
    /// Why it is kept from the book, if it cannot be in it.
    pub unfit: Option<Unfit>,
}

impl Link {
    /// With this region for the numbers of which none is known, if there are any.
    pub(crate) fn written_in(&self, region: &Line) -> Option<Self> {
        let mut link = self.clone();
        let phones = Arc::make_mut(&mut link.has).phones.iter_mut();
        phones.filter(|phone| phone.region.as_str().is_empty()).for_each(|phone| {
            phone.region.clone_from(region);
        });
        (link != *self).then_some(link)
    }
}

/// A contact that was removed from the phone since others are older.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    /// Which.
    pub id: ContactId,
    /// The oldest of those that have its numbers, which the phone shows in its place.
    pub owner: ContactId,
    /// When the phone heard of it.
    pub at: Timestamp,
    /// What it said.
    #[serde(with = "shared")]
    pub had: Arc<Fields>,
    /// Its rows, once it was removed. When it comes back, they do: the book has no field for some of them.
    #[serde(default)]
    pub rows: Option<Vec<Row>>,
    /// Whether its user need not see it: they know, or it is in the book again and about to be on the phone.
    #[serde(default)]
    pub is_over: bool,
}

/// A column that must not be null, and is. A raw contact or row without an id is none: nothing is made of it.
pub(crate) fn or_default<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Fields that are shared in memory, as JSON.
mod shared {
    use std::sync::Arc;

    use callbook_contacts::Fields;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(fields: &Fields, to: S) -> Result<S::Ok, S::Error> {
        fields.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Fields>, D::Error> {
        Fields::deserialize(from).map(Arc::new)
    }
}

/// What is known of the phone's raw contacts: the store's links, in memory.
#[derive(Debug, Default)]
pub(crate) struct Links {
    by_raw: BTreeMap<RawId, Link>,
    own: BTreeMap<ContactId, RawId>,
}

impl Links {
    pub(crate) fn insert(&mut self, link: Link) {
        self.remove(link.raw);
        if let (true, Some(id)) = (link.own, link.id) {
            self.own.insert(id, link.raw);
        }
        self.by_raw.insert(link.raw, link);
    }

    pub(crate) fn remove(&mut self, raw: RawId) {
        let Some(link) = self.by_raw.remove(&raw) else { return };
        if let Some(id) = link.id.filter(|id| self.own.get(id) == Some(&raw)) {
            self.own.remove(&id);
        }
    }

    pub(crate) fn change(&mut self, links: Vec<Link>, gone: Vec<RawId>) {
        gone.into_iter().for_each(|raw| self.remove(raw));
        links.into_iter().for_each(|link| self.insert(link));
    }

    pub(crate) fn get(&self, raw: RawId) -> Option<&Link> {
        self.by_raw.get(&raw)
    }

    /// The raw contact of Callbook's own account that stands for a contact.
    pub(crate) fn own(&self, id: ContactId) -> Option<&Link> {
        self.own.get(&id).and_then(|raw| self.by_raw.get(raw))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.by_raw.values()
    }
}

impl FromIterator<Link> for Links {
    fn from_iter<T: IntoIterator<Item = Link>>(all: T) -> Self {
        let mut links = Self::default();
        all.into_iter().for_each(|link| links.insert(link));
        links
    }
}
