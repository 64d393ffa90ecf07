//! The one seam to the database: a batch of statements that applies whole or not at all.
//!
//! This is D1's own `batch`. There are no open transactions, so nothing here can hold a lock while
//! it thinks: whoever must read, decide and write reads in one batch, plans, and writes in a second
//! one whose first statement checks that what was read still holds.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use callbook_base::{Rev, Timestamp};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What [`Database::batch`] returns.
pub type BatchFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Rows>, DatabaseError>> + Send + 'a>>;

/// A database that runs batches. Implementations: D1 on Cloudflare, SQLite elsewhere, and the
/// simulator's faulty wrapper around SQLite.
pub trait Database: Send + Sync + 'static {
    /// Runs the statements in order in one transaction and returns the rows of each. After an error
    /// nothing of the batch remains, unless the answer itself was lost on the way.
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_>;
}

/// One SQL statement with its bound parameters, `?1` first.
#[derive(Clone)]
pub struct Statement {
    /// The text; constant in this crate, never made from input.
    pub sql: &'static str,
    /// The parameters; D1 takes at most 100.
    pub params: Vec<Value>,
    /// Whether what it writes may be lost with the power, since it is told again.
    pub may_be_lost: bool,
}

impl Statement {
    /// A statement without parameters.
    pub fn new(sql: &'static str) -> Self {
        Self { sql, params: Vec::new(), may_be_lost: false }
    }

    /// Binds the next parameter.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.params.push(value.into());
        self
    }

    /// What it writes may be lost with the power. A batch with such a statement writes nothing else, and
    /// SQLite does not wait for the disk at its end. D1 makes no difference.
    pub fn may_be_lost(mut self) -> Self {
        self.may_be_lost = true;
        self
    }
}

/// What D1 takes and gives. Every number is a double, so whole numbers are exact up to 2⁵³; a set
/// of rows travels as one JSON text that the SQL unfolds with `json_each`. As JSON it is the value itself;
/// what JSON has no number for is null, as it is to D1.
#[derive(Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// Any number.
    Real(f64),
    /// UTF-8 text.
    Text(String),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("null, a number or a text")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Real(number as f64))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(Value::Real(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
                Ok(Value::Real(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Value, E> {
                Ok(Value::Text(text))
            }

            /// As D1 gives bytes.
            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
                Err(A::Error::custom("is a BLOB, which nothing here reads"))
            }
        }

        json.deserialize_any(Read)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        debug_assert!(number.unsigned_abs() <= 1 << 53, "a double does not hold this number");
        Self::Real(number as f64)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        debug_assert!(number <= 1 << 53, "a double does not hold this number");
        Self::Real(number as f64)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        time.as_millis().into()
    }
}

impl From<Rev> for Value {
    fn from(rev: Rev) -> Self {
        rev.0.into()
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Real(f64::from(u8::from(flag)))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows that one statement gave, and what it cost.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// The names of the columns, in order; none if there is no row.
    pub columns: Vec<String>,
    /// The values, row after row in one list, each row as long as `columns`.
    pub values: Vec<Value>,
    /// How many rows an INSERT, UPDATE or DELETE changed, with those that a foreign key took along; 0 for
    /// other statements.
    pub changes: u64,
    /// Steps of SQLite's virtual machine: how much work it was, rows that were looked at and not given too.
    /// D1 does not tell: 0.
    pub steps: u64,
    /// How many rows D1 has read for it, and written, those of indexes too: what it bills. SQLite does not
    /// tell: 0.
    pub billed: (u64, u64),
}

impl Rows {
    /// The rows, to be read by column name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.lists().map(|values| Row { columns: &self.columns, values })
    }

    /// The values of each row.
    pub fn lists(&self) -> impl ExactSizeIterator<Item = &[Value]> {
        self.values.chunks_exact(self.columns.len().max(1))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lists().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The first row, if there is one.
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }
}

/// One row, read by column name.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [Value],
}

impl<'a> Row<'a> {
    fn get(&self, column: &str) -> Result<&'a Value, DatabaseError> {
        let index = self.columns.iter().position(|name| name == column);
        index.map(|i| &self.values[i]).ok_or_else(|| DatabaseError::shape(column, "is not there"))
    }

    /// A text that is never NULL.
    pub fn text(&self, column: &str) -> Result<&'a str, DatabaseError> {
        self.text_or_null(column)?.ok_or_else(|| DatabaseError::shape(column, "is NULL"))
    }

    /// A text or NULL.
    pub fn text_or_null(&self, column: &str) -> Result<Option<&'a str>, DatabaseError> {
        match self.get(column)? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            Value::Real(_) => Err(DatabaseError::shape(column, "is a number, not a text")),
        }
    }

    /// A whole number that is never NULL.
    pub fn int(&self, column: &str) -> Result<i64, DatabaseError> {
        self.int_or_null(column)?.ok_or_else(|| DatabaseError::shape(column, "is NULL"))
    }

    /// A whole number or NULL.
    pub fn int_or_null(&self, column: &str) -> Result<Option<i64>, DatabaseError> {
        match self.get(column)? {
            Value::Real(number) if number.fract() == 0.0 => Ok(Some(*number as i64)),
            Value::Null => Ok(None),
            _ => Err(DatabaseError::shape(column, "is not a whole number")),
        }
    }

    /// A count that is never NULL or negative.
    pub fn count(&self, column: &str) -> Result<u64, DatabaseError> {
        u64::try_from(self.int(column)?).map_err(|_| DatabaseError::shape(column, "is negative"))
    }

    /// A time that is never NULL.
    pub fn time(&self, column: &str) -> Result<Timestamp, DatabaseError> {
        self.int(column).map(Timestamp::from_millis)
    }

    /// A time or NULL.
    pub fn time_or_null(&self, column: &str) -> Result<Option<Timestamp>, DatabaseError> {
        Ok(self.int_or_null(column)?.map(Timestamp::from_millis))
    }

    /// A rev that is never NULL.
    pub fn rev(&self, column: &str) -> Result<Rev, DatabaseError> {
        self.count(column).map(Rev)
    }

    /// A text that is read into a type: an id, a key, a rev.
    pub fn parse<T: std::str::FromStr>(&self, column: &str) -> Result<T, DatabaseError> {
        self.text(column)?.parse().map_err(|_| DatabaseError::shape(column, "cannot be read"))
    }

    /// A text or NULL that is read into a type.
    pub fn parse_or_null<T: std::str::FromStr>(
        &self,
        column: &str,
    ) -> Result<Option<T>, DatabaseError> {
        let text = self.text_or_null(column)?;
        text.map(|text| text.parse().map_err(|_| DatabaseError::shape(column, "cannot be read")))
            .transpose()
    }

    /// A JSON text that is read into a type.
    pub fn json<T: serde::Deserialize<'a>>(&self, column: &str) -> Result<T, DatabaseError> {
        let text = self.text(column)?;
        serde_json::from_str(text).map_err(|_| DatabaseError::shape(column, "is not its JSON"))
    }
}

/// Why a batch failed, as D1 says it: `D1_ERROR: UNIQUE constraint failed: t.c: SQLITE_CONSTRAINT`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseError {
    message: String,
}

impl DatabaseError {
    /// An error with D1's words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// A value that is not what this crate's own SQL promises: the schema and the code disagree.
    pub(crate) fn shape(column: &str, problem: &str) -> Self {
        Self::new(format!("the column {column} {problem}"))
    }

    /// An answer without as many rows as the batch had statements.
    pub(crate) fn few_answers() -> Self {
        Self::new("a batch gave fewer answers than it had statements")
    }

    /// Whether the database said so, and not a reader of its rows.
    pub fn is_of_the_database(&self) -> bool {
        self.message.starts_with("D1_ERROR")
    }

    /// Whether the database has not the tables and columns that this program asks for: it waits for a
    /// migration.
    pub fn is_behind(&self) -> bool {
        const WORDS: [&str; 3] = ["no such column", "no such table", "has no column named"];
        self.is_of_the_database() && WORDS.iter().any(|words| self.message.contains(words))
    }

    /// Whether a guard of the write batch failed: what was read no longer holds, and nothing of the
    /// batch was written.
    pub fn is_constraint(&self) -> bool {
        self.message.contains("SQLITE_CONSTRAINT")
    }
}
