//! A contacts provider that is not there: Android 14's `ContactsProvider2` as far as sync meets it. For tests, and
//! for the simulator's phones (feature `test-support`). Its tests compare it with what the real one was seen to give,
//! call by call, in `fake/observed.tsv`. Aggregation, photos and the look-up tables are absent.

mod batch;
mod rows;
mod serve;
#[cfg(test)]
mod tests;

use super::Account;

pub use batch::{BatchOp, Call};
use rows::{Rows, is_column};

/// How long notifications of a sync adapter's changes are held together, in milliseconds.
const NOTIFIED_EVERY: i64 = 5_000;

/// Which rows, and who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uri {
    /// Which rows.
    pub table: Table,
    /// One of them.
    pub id: Option<i64>,
    /// `CALLER_IS_SYNCADAPTER`
    pub sync: bool,
    /// `account_name` and `account_type`.
    pub account: Option<Account>,
}

/// The tables that are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `RawContacts`
    RawContacts,
    /// `Data`
    Data,
    /// `RawContacts`' entities: the rows of one.
    DataOf(i64),
    /// `Groups`: read in `ContactsProvider2`'s source, and not seen to run as the others were.
    Groups,
    /// `Contacts`: here each raw contact is one by itself.
    Contacts,
}

impl Uri {
    /// All rows of a table, for an app.
    pub fn of(table: Table) -> Self {
        Self { table, id: None, sync: false, account: None }
    }

    /// One row.
    pub fn row(table: Table, id: i64) -> Self {
        Self { id: Some(id), ..Self::of(table) }
    }

    /// For the sync adapter.
    pub fn sync(self) -> Self {
        Self { sync: true, ..self }
    }

    /// As Android writes it for a row that was inserted.
    fn inserted(&self, id: i64) -> String {
        let table = if self.table == Table::Data { "data" } else { "raw_contacts" };
        let sync = if self.sync { "?caller_is_syncadapter=true" } else { "" };
        format!("content://com.android.contacts/{table}/{id}{sync}")
    }
}

/// Columns with their values.
pub type Columns<'a> = &'a [(&'a str, Option<&'a str>)];

/// What Android throws.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Thrown {
    /// Of a single call.
    #[error("IllegalArgumentException: {0}")]
    IllegalArgument(String),
    /// Of a batch.
    #[error("OperationApplicationException: {0}")]
    Operation(String),
    /// Of Binder: the provider has not even seen the batch.
    #[error("TransactionTooLargeException")]
    TooLarge,
}

/// The contacts of a phone.
#[derive(Debug, Clone, Default)]
pub struct Fake {
    rows: Rows,
    /// The phone's clock, in milliseconds.
    pub now: i64,
    /// Whether others wait for the database, so that a yield point commits.
    pub is_contended: bool,
    /// The most operations that a batch of the sync adapter's may have for Binder to carry it.
    pub most_operations: Option<usize>,
    /// After so many more batches of the sync adapter's, counted down, one fails with an exception of the provider's
    /// own.
    pub fails_in: Option<u32>,
    /// A raw contact of this source that no batch may write.
    pub poison: Option<String>,
    /// Whether each change asks for a sync, as observers were told.
    pub notified: Vec<bool>,
    notified_at: Option<i64>,
}

impl Fake {
    /// `insert`: the row's URI, or none.
    ///
    /// # Errors
    /// As Android throws.
    pub fn insert(&mut self, uri: &Uri, values: Columns<'_>) -> Result<Option<String>, Thrown> {
        let inserted = self.rows.insert(uri, values)?;
        self.commit(uri.sync, inserted.is_some());
        Ok(inserted.map(|id| uri.inserted(id)))
    }

    /// `update`: how many rows.
    ///
    /// # Errors
    /// As Android throws.
    pub fn update(&mut self, uri: &Uri, values: Columns<'_>) -> Result<usize, Thrown> {
        let updated = self.rows.update(uri, values, None)?;
        self.commit(uri.sync, updated > 0);
        Ok(updated)
    }

    /// `delete`: how many rows.
    pub fn delete(&mut self, uri: &Uri) -> usize {
        let deleted = self.rows.delete(uri, None);
        self.commit(uri.sync, deleted > 0);
        deleted
    }

    /// `query`: the ids of the rows.
    ///
    /// # Errors
    /// As Android throws, at a column that is not there.
    pub fn query(&self, uri: &Uri, projection: &[&str]) -> Result<Vec<i64>, Thrown> {
        let is_known =
            |column: &&&str| is_column(column) || ["_id", "contact_id"].contains(*column);
        match projection.iter().find(|column| !is_known(column)) {
            Some(column) => Err(Thrown::IllegalArgument(format!("Invalid column {column}"))),
            None => Ok(self.rows.matching(uri, None)),
        }
    }

    fn commit(&mut self, sync: bool, is_change: bool) {
        self.rows.flush();
        let is_due = self.notified_at.is_none_or(|at| self.now - at >= NOTIFIED_EVERY);
        if is_change && (!sync || is_due) {
            self.notified.push(!sync);
        }
        if is_change && sync && is_due {
            self.notified_at = Some(self.now);
        }
    }
}
