//! What a driver gives, as JSON. It is read flat, in one go: serde's own way for tags and flattened fields first copies
//! all rows of a chunk of contacts to find out what they are of. Rules must never live here.

use callbook_base::Timestamp;
use serde::Deserialize;

use super::{Account, GroupRow, Head, RawId, Refusal, Row, or_default};

#[derive(Deserialize)]
pub(super) struct Given {
    given: Kind,
    heads: Option<Vec<Head>>,
    groups: Option<Vec<GroupRow>>,
    contacts: Option<Vec<super::RawContact>>,
    results: Option<Vec<i64>>,
    why: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Start,
    Heads,
    Rows,
    Applied,
    Refused,
}

impl TryFrom<Given> for super::Given {
    type Error = &'static str;

    fn try_from(flat: Given) -> Result<Self, Self::Error> {
        let Given { given, heads, groups, contacts, results, why } = flat;
        Ok(match given {
            Kind::Start => Self::Start,
            Kind::Heads => Self::Heads { heads: heads.ok_or("heads are missing")?, groups },
            Kind::Rows => Self::Rows { contacts: contacts.ok_or("contacts are missing")? },
            Kind::Applied => Self::Applied { results: results.ok_or("results are missing")? },
            Kind::Refused => Self::Refused { why: why.ok_or("why is missing")? },
        })
    }
}

/// [`Head`], and the rows beside its columns.
#[derive(Deserialize)]
pub(super) struct RawContact {
    #[serde(default, deserialize_with = "or_default")]
    raw: RawId,
    account: Option<Account>,
    source_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    version: i64,
    #[serde(default, deserialize_with = "or_default")]
    dirty: bool,
    #[serde(default, deserialize_with = "or_default")]
    deleted: bool,
    #[serde(default, deserialize_with = "or_default")]
    starred: bool,
    saved_at: Option<Timestamp>,
    rows: Vec<Row>,
}

impl From<RawContact> for super::RawContact {
    fn from(flat: RawContact) -> Self {
        let RawContact { raw, account, source_id, version, dirty, deleted, starred, .. } = flat;
        let saved_at = flat.saved_at;
        let head = Head { raw, account, source_id, version, dirty, deleted, starred, saved_at };
        Self { head, rows: flat.rows }
    }
}
