//! Rows as they are kept: JSON, beside the columns that are looked for.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use callbook_base::{Rev, Timestamp};
use callbook_contacts::wire::Shown;
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Mirrored, StoreError};

/// A row of the mirror.
pub(super) struct Contact {
    rev: Rev,
    pass: u64,
    created_at: i64,
    updated_at: i64,
    updated_by: String,
    fields: String,
}

pub(super) fn contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    Ok(Contact {
        rev: rev(row, 0)?,
        pass: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
        created_at: row.get(2)?,
        updated_at: row.get(3)?,
        updated_by: row.get(4)?,
        fields: row.get(5)?,
    })
}

impl Contact {
    pub(super) fn read(self) -> Result<Mirrored, StoreError> {
        let Self { rev, pass, created_at, updated_at, updated_by, fields } = self;
        let shown = Shown {
            created_at: Timestamp::from_millis(created_at),
            updated_at: Timestamp::from_millis(updated_at),
            updated_by: parse(&updated_by)?,
            fields: read(&fields)?,
        };
        Ok(Mirrored { rev, pass, shown: Arc::new(shown) })
    }
}

pub(super) fn rev(row: &Row<'_>, column: usize) -> rusqlite::Result<Rev> {
    Ok(Rev(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0)))
}

/// SQLite's numbers are signed. None of ours comes to 2⁶³, but for bounds that mean "all".
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is kept is plain text and numbers")
}

/// The text of an error of serde's may quote what it has read, so it is not passed on.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json)
        .map_err(|error| StoreError::Damaged(format!("a row ends at {}", error.column())))
}

pub(super) fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Damaged(error.to_string()))
}
