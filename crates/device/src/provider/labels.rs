//! Labels: Android's groups of contacts, and the rows that say which contact is in which. The book names labels by
//! their titles and Android by ids of rows; here one becomes the other. Which contact has which label must never be
//! decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use callbook_base::Line;
use serde::{Deserialize, Serialize};

use super::{Account, Group, Operation, RawContact, or_default};

/// `GroupMembership.CONTENT_ITEM_TYPE`. In rows as the engine has them `DATA1` is a title, and not the id of a group.
pub(crate) const MEMBERSHIP: &str = "vnd.android.cursor.item/group_membership";

/// A row of `Groups`.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupRow {
    /// `_ID`
    #[serde(default, deserialize_with = "or_default")]
    pub id: i64,
    /// `ACCOUNT_NAME` and `ACCOUNT_TYPE`
    #[serde(default)]
    pub account: Option<Account>,
    /// `TITLE`
    #[serde(default)]
    pub title: Option<String>,
    /// `SOURCE_ID`: in Callbook's own account the title that the book knows it by.
    #[serde(default)]
    pub source_id: Option<String>,
    /// Whether it is none of its user's making: it has a `SYSTEM_ID`, or is of `FAVORITES` or `AUTO_ADD`.
    #[serde(default, deserialize_with = "or_default")]
    pub is_system: bool,
    /// `DELETED`
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
}

impl fmt::Debug for GroupRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupRow({})", self.id)
    }
}

impl GroupRow {
    /// The label that it stands for, if it is one that a book can have.
    pub(crate) fn label(&self) -> Option<Line> {
        let title = self.title.as_deref().filter(|title| !title.is_empty() && !self.is_system);
        title?.parse().ok()
    }

    /// The label that one of Callbook's own account stands for: what it was where no book can have its title.
    pub(crate) fn own_label(&self) -> Option<Line> {
        self.label().or_else(|| self.known_as().filter(|_| !self.is_system))
    }

    /// The label that the book knows it by.
    pub(crate) fn known_as(&self) -> Option<Line> {
        self.source_id.as_deref().filter(|title| !title.is_empty())?.parse().ok()
    }
}

/// The labels of a phone.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// Of all accounts, by the ids of their groups.
    titles: BTreeMap<String, Line>,
    /// Groups of Callbook's own account, by their labels.
    own: BTreeMap<Line, i64>,
}

impl Labels {
    pub(crate) fn of(groups: &[GroupRow], own: Option<&Account>) -> Self {
        let mut labels = Self::default();
        for group in groups.iter().filter(|group| !group.deleted) {
            let is_own = own.is_some() && group.account.as_ref() == own;
            let title = if is_own { group.own_label() } else { group.label() };
            let Some(title) = title else { continue };
            labels.titles.insert(group.id.to_string(), title.clone());
            if is_own {
                labels.own.entry(title).or_insert(group.id);
            }
        }
        labels
    }

    /// A group was made in Callbook's own account.
    pub(crate) fn insert(&mut self, title: Line, group: i64) {
        self.titles.insert(group.to_string(), title.clone());
        self.own.insert(title, group);
    }

    /// Rows of groups name them by their labels afterwards. Those of groups that are no labels are left out, so
    /// that nobody touches them.
    pub(crate) fn read(&self, contact: &mut RawContact) {
        contact.rows.retain_mut(|row| {
            if row.mimetype != MEMBERSHIP {
                return true;
            }
            let title = row.data.first().cloned().flatten().and_then(|id| self.titles.get(&id));
            if let (Some(column), Some(title)) = (row.data.first_mut(), title) {
                *column = Some(title.to_string());
            }
            title.is_some()
        });
    }

    /// Labels that these operations name and no group of Callbook's own account has.
    pub(crate) fn missing<'a>(&self, groups: impl Iterator<Item = &'a Group>) -> BTreeSet<Line> {
        let named = groups.flat_map(|group| &group.ops).filter_map(named);
        named.filter(|label| !self.own.contains_key(label)).collect()
    }

    /// Operations name groups by their ids afterwards. A label whose group Android did not take is left out, and the
    /// next pass tries again.
    pub(crate) fn write(&self, group: &mut Group) {
        let before = group.ops.len();
        group.ops.retain_mut(|op| match (named(op), op) {
            (Some(label), Operation::InsertRow { values, .. }) => match self.own.get(&label) {
                Some(id) => values.0.insert("data1", Some(id.to_string())).is_some(),
                None => false,
            },
            _ => true,
        });
        group.rev = group.rev.filter(|_| group.ops.len() == before);
    }
}

/// The label that an operation puts a contact under.
fn named(op: &Operation) -> Option<Line> {
    match op {
        Operation::InsertRow { mimetype, values, .. } if mimetype == MEMBERSHIP => {
            values.0.get("data1")?.as_deref()?.parse().ok()
        }
        _ => None,
    }
}
