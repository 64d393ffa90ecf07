//! The messages of section 8 that people's tools send and read: all of a contact, duplicates, revisions.

use callbook_base::{ContactId, DeviceId, Line, Named, Rev, Timestamp, UserId};
use callbook_dedup::NumberKey;
use serde::{Deserialize, Serialize};

use super::{Lost, Status};
use crate::fields::Fields;

/// A contact with all that the book knows of it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactView {
    /// Which contact.
    pub id: ContactId,
    /// The push that stamped it last.
    pub rev: Rev,
    /// Who sees it.
    pub state: ContactState,
    /// The keys of its numbers that others own.
    pub lost: Vec<Lost>,
    /// As the server accepted it.
    pub created_at: Timestamp,
    /// The last edit; its revision is `edit_rev`.
    pub updated_at: Timestamp,
    /// Who made it.
    pub updated_by: UserId,
    /// What `POST /contacts/{id}/restore` calls what it says now.
    pub edit_rev: Rev,
    /// Of a deleted one: since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// What it says, numbers that others own too.
    #[serde(flatten)]
    pub fields: Fields,
}

/// Who sees a contact.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactState {
    /// Everyone.
    #[default]
    Visible,
    /// Nobody: others own all its numbers.
    Hidden,
    /// Nobody: it can be restored.
    Deleted,
}

/// The answer to `GET /contacts`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactsAnswer {
    /// By name.
    pub contacts: Vec<ContactView>,
    /// For the next page; null when there is none.
    pub cursor: Option<String>,
}

/// The answer to `GET /contacts/{id}`, but for its calls.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactDetails {
    /// The contact.
    pub contact: ContactView,
    /// The name of its `updated_by`; empty when there is no such user any more.
    pub updated_by_name: String,
    /// Hidden contacts that claim a number which it owns, at most 100.
    pub duplicates: Vec<ContactView>,
    /// What edits superseded, the latest first, at most 100.
    pub history: Vec<Revision>,
}

/// What a contact said.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// What `POST /contacts/{id}/restore` calls it.
    pub rev: Rev,
    /// When it came to say that.
    pub at: Timestamp,
    /// By whom.
    pub user: UserId,
    /// Their name.
    pub username: String,
    /// On which device.
    pub device: DeviceId,
    /// What it said. Keys are those of that time.
    pub fields: Fields,
}

/// `POST /contacts/{id}/restore`, answered with a [`ChangedAnswer`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreRequest {
    /// Which revision.
    pub rev: Rev,
}

/// `POST /contacts/{id}/split`, answered with a [`ChangedAnswer`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitRequest {
    /// The number that the contact gives up.
    pub key: NumberKey,
}

/// What became of a contact.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedAnswer {
    /// The book's rev after it.
    pub rev: Rev,
    /// `applied`, `hidden`, or `unchanged` when it was so already.
    pub status: Status,
    /// Keys of its numbers that others own.
    pub lost: Vec<Lost>,
}

/// The answer to `POST /contacts/import`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// The book's rev after it.
    pub rev: Rev,
    /// Contacts that were made or changed, and are seen.
    pub imported: u64,
    /// Those that are duplicates of others.
    pub hidden: u64,
    /// Those that the book had so already.
    pub unchanged: u64,
    /// Cards of which no contact was made.
    pub rejected: Vec<RejectedCard>,
    /// The first card that was not looked at: what one request may do has an end, and the same file
    /// goes on with `?from=` this. Null when all were.
    pub next: Option<u64>,
}

/// A card of which no contact was made.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedCard {
    /// Its place in the file, from 0.
    pub index: u64,
    /// What a program may act on.
    pub code: String,
    /// For people.
    pub detail: String,
}

/// The answer to `GET /duplicates`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicatesAnswer {
    /// Contacts that nobody sees, in the order of their ids.
    pub hidden: Vec<ContactView>,
    /// Numbers that contacts of several names claim, in their own order.
    pub numbers: Vec<ClaimedNumber>,
    /// For the next page of both; null when there is none.
    pub cursor: Option<String>,
}

/// A number that several contacts claim.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedNumber {
    /// Of the number.
    pub key: NumberKey,
    /// Whether all of them show it.
    pub shared: bool,
    /// The oldest, its owner, first.
    pub claimants: Vec<Named>,
}

/// Whether a name is another, in whatever letters it is written.
pub fn are_several_names<'a>(names: impl IntoIterator<Item = Option<&'a Line>>) -> bool {
    let plain = |name: Option<&Line>| name.map(|name| name.as_str().trim().to_lowercase());
    let mut names = names.into_iter().map(plain);
    let first = names.next();
    names.any(|name| Some(name) != first)
}
