//! Cloudflare D1 behind the seam. A batch's answer crosses from JavaScript as one JSON text: one crossing
//! instead of one for each value. SQL must never live here.

use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, Error, JSON};
use worker::send::SendFuture;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::worker_sys::types::D1Database as Binding;
use worker::{D1Database, send::SendWrapper};

use crate::database::{BatchFuture, Database, DatabaseError, Rows, Statement, Value};

/// A book on D1.
pub(super) struct D1(SendWrapper<Binding>);

impl D1 {
    pub(super) fn new(database: D1Database) -> Self {
        Self(SendWrapper::new(JsValue::from(database).unchecked_into()))
    }

    async fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, DatabaseError> {
        let prepared = Array::new();
        for statement in &statements {
            let params: Array = statement.params.iter().map(to_js).collect();
            let bound = self.0.prepare(statement.sql).and_then(|it| it.bind(params));
            let bound: JsValue = bound.map_err(d1_error)?.into();
            prepared.push(&bound);
        }
        let answer = self.0.batch(prepared).map_err(d1_error)?;
        let answer = JsFuture::from(answer).await.map_err(d1_error)?;
        let text = JSON::stringify(&answer).map_err(d1_error)?;
        let answers: Vec<Answer> = serde_json::from_str(&String::from(text))
            .map_err(|error| DatabaseError::new(format!("D1_ERROR: {error}")))?;
        Ok(answers.into_iter().map(Rows::from).collect())
    }
}

impl Database for D1 {
    /// JavaScript's futures are not `Send`; a Worker is one thread, so it may be said that they are.
    fn batch(&self, statements: Vec<Statement>) -> BatchFuture<'_> {
        Box::pin(SendFuture::new(self.run(statements)))
    }
}

fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Real(number) => JsValue::from_f64(*number),
        Value::Text(text) => JsValue::from_str(text),
    }
}

/// D1's words, which worker's own type for its errors would panic on showing. Where it quotes a value, the rest
/// is left out: `bad JSON path: '…'`.
fn d1_error(error: JsValue) -> DatabaseError {
    let message = match error.dyn_into::<Error>() {
        Ok(error) => String::from(error.message()),
        Err(_) => "D1 threw what is no error".to_owned(),
    };
    let message = message.split('\'').next().unwrap_or_default();
    DatabaseError::new(match message.starts_with("D1_ERROR") {
        true => message.to_owned(),
        false => format!("D1_ERROR: {message}"), // an error of the runtime itself
    })
}

/// What D1 answers to one statement.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    results: Table,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta {
    changes: u64,
    rows_read: u64,
    rows_written: u64,
}

impl From<Answer> for Rows {
    fn from(Answer { results, meta }: Answer) -> Self {
        let Table { columns, values } = results;
        let billed = (meta.rows_read, meta.rows_written);
        Self { columns, values, changes: meta.changes, steps: 0, billed }
    }
}

/// Rows that came as objects; of none there are no columns either.
#[derive(Default)]
struct Table {
    columns: Vec<String>,
    values: Vec<Value>,
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("rows")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Table, A::Error> {
                let mut table = Table::default();
                while rows.next_element_seed(NextRow(&mut table))?.is_some() {}
                Ok(table)
            }
        }

        json.deserialize_seq(Read)
    }
}

/// Reads a row, and from the first the names of the columns.
struct NextRow<'a>(&'a mut Table);

impl<'de> DeserializeSeed<'de> for NextRow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for NextRow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        let Table { columns, values } = self.0;
        let is_first = columns.is_empty();
        let begins_at = values.len();
        while values.len() - begins_at < columns.len() || is_first {
            if is_first {
                let Some(column) = row.next_key()? else { break };
                columns.push(column);
            } else if row.next_key::<IgnoredAny>()?.is_none() {
                return Err(A::Error::custom("a row has fewer columns than the first"));
            }
            let value = row.next_value::<Value>();
            let column = &columns[values.len() - begins_at];
            values.push(
                value.map_err(|error| {
                    A::Error::custom(format_args!("the column {column} {error}"))
                })?,
            );
        }
        Ok(())
    }
}
