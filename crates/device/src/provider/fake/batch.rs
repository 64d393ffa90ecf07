//! `applyBatch`.

use super::rows::{Rows, value};
use super::{Fake, Table, Thrown, Uri};

/// The most operations between two yield points, and one: `MAX_OPERATIONS_PER_YIELD_POINT`.
const TOO_MANY: usize = 500;

/// One operation of a batch.
#[derive(Debug, Clone)]
pub struct BatchOp<'a> {
    /// Of which rows.
    pub uri: Uri,
    /// What happens.
    pub call: Call,
    /// For an insert and an update.
    pub values: Vec<(&'a str, Option<&'a str>)>,
    /// The result of this earlier operation is, for an insert of `Data`, its raw contact; for others, the row.
    pub back: Option<usize>,
    /// For an insert of `Data`: its raw contact.
    pub raw: Option<i64>,
    /// Only rows whose raw contact is at this version.
    pub version: Option<i64>,
    /// `withYieldAllowed`
    pub yields: bool,
}

/// What happens in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // as Android's builders
pub enum Call {
    Insert,
    Update,
    Delete,
    /// That one row is there.
    Assert,
}

impl<'a> BatchOp<'a> {
    /// Without more.
    pub fn new(call: Call, uri: Uri, values: &[(&'a str, Option<&'a str>)]) -> Self {
        Self {
            uri,
            call,
            values: values.to_vec(),
            back: None,
            raw: None,
            version: None,
            yields: false,
        }
    }

    /// With a reference to the result of an earlier one.
    pub fn back(self, to: usize) -> Self {
        Self { back: Some(to), ..self }
    }
}

impl Fake {
    /// Applies operations, as far as Android does. The results are ids of inserted rows and numbers of changed ones.
    ///
    /// # Errors
    /// As Android throws. What was committed at a yield point stays.
    pub fn apply_batch(&mut self, ops: &[BatchOp<'_>]) -> Result<Vec<i64>, Thrown> {
        let sync = ops.iter().all(|op| op.uri.sync);
        if sync && self.most_operations.is_some_and(|most| ops.len() > most) {
            return Err(Thrown::TooLarge);
        }
        let mut committed = self.rows.clone();
        let (mut results, mut count) = (Vec::new(), 0);
        for (index, op) in ops.iter().enumerate() {
            count += 1;
            if count >= TOO_MANY {
                self.rows = committed;
                return Err(Thrown::Operation(format!(
                    "Too many content provider operations between yield points. The maximum number of operations per yield point is {TOO_MANY}"
                )));
            }
            if op.yields && index > 0 {
                count = 0;
                if self.is_contended {
                    self.rows.flush();
                    committed = self.rows.clone();
                }
            }
            match self.apply(op, &results) {
                Ok(result) => results.push(result),
                Err(thrown) => {
                    self.rows = committed;
                    return Err(thrown);
                }
            }
        }
        // An exception of the provider's own, at the end of the batch.
        match &mut self.fails_in {
            Some(0) if sync => {
                self.fails_in = None;
                self.rows = committed;
                return Err(Thrown::Operation("the database is locked".to_owned()));
            }
            Some(batches) if sync => *batches -= 1,
            _ => {}
        }
        self.commit(sync, !ops.is_empty());
        Ok(results)
    }

    fn apply(&mut self, op: &BatchOp<'_>, results: &[i64]) -> Result<i64, Thrown> {
        let poison = self.poison.as_deref();
        if poison.is_some() && value(&op.values, "sourceid") == poison {
            return Err(Thrown::Operation("this one not".to_owned()));
        }
        let rows: &mut Rows = &mut self.rows;
        let back = op.back.and_then(|to| results.get(to).copied());
        let uri = match (op.call, back) {
            (Call::Insert, _) | (_, None) => op.uri.clone(),
            (_, id) => Uri { id, ..op.uri.clone() },
        };
        Ok(match op.call {
            Call::Insert => {
                let raw = back.or(op.raw).map(|raw| raw.to_string());
                let mut values = op.values.clone();
                if op.uri.table == Table::Data && raw.is_some() {
                    values.push(("raw_contact_id", raw.as_deref()));
                }
                let none = || Thrown::Operation("insert failed".to_owned());
                rows.insert(&uri, &values)?.ok_or_else(none)?
            }
            Call::Update => rows.update(&uri, &op.values, op.version)? as i64,
            Call::Delete => rows.delete(&uri, op.version) as i64,
            Call::Assert => match rows.matching(&uri, op.version).len() {
                1 => 1,
                found => {
                    return Err(Thrown::Operation(format!("Expected 1 rows but actual {found}")));
                }
            },
        })
    }
}
