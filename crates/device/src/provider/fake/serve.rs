//! The driver of a fake provider: what [`Ask`] asks, done; and what people and other apps do there.

use std::sync::Arc;

use callbook_base::Timestamp;

use super::rows::is_one;
use super::{BatchOp, Call, Columns, Fake, Table, Thrown, Uri};
use crate::provider::{
    Account, Ask, Batch, Given, GroupRow, Head, Of, Operation, RawContact, RawId, Refusal, Row,
    Values,
};

impl Fake {
    /// Does what is asked.
    pub fn serve(&mut self, ask: Ask) -> Given {
        match ask {
            Ask::Done => Given::Start,
            Ask::Heads => Given::Heads { heads: self.heads(), groups: Some(self.groups()) },
            Ask::Rows { raws, whole } => {
                let mut contacts: Vec<_> =
                    raws.into_iter().filter_map(|raw| self.contact(raw)).collect();
                let rows = contacts.iter_mut().flat_map(|contact| &mut contact.rows);
                rows.filter(|_| !whole).for_each(|row| row.data[14] = None);
                Given::Rows { contacts }
            }
            Ask::Apply(batch) => match self.apply_batch(&batch_ops(&batch)) {
                Ok(results) => Given::Applied { results },
                Err(Thrown::TooLarge) => Given::Refused { why: Refusal::TooLarge },
                Err(_) => Given::Refused { why: Refusal::Failed },
            },
        }
    }

    /// Applies the first so many operations of a batch, as when the phone's power is lost in the middle of it.
    pub fn apply_first(&mut self, batch: &Batch, operations: usize) {
        let ops = batch_ops(batch);
        let applied = self.apply_batch(&ops[..operations.min(ops.len())]);
        drop(applied); // nobody is there to be told
    }

    /// All raw contacts.
    pub fn heads(&self) -> Vec<Head> {
        self.rows.raws.keys().map(|raw| self.head(*raw)).collect()
    }

    /// The raw contacts of an account that nobody has deleted.
    pub fn live(&self, account: &Account) -> impl Iterator<Item = RawId> {
        let raws = self.rows.raws.iter();
        let live = raws.filter(|(_, raw)| raw.account.as_ref() == Some(account) && !raw.deleted);
        live.map(|(id, _)| RawId(*id))
    }

    fn head(&self, id: i64) -> Head {
        let raw = &self.rows.raws[&id];
        Head {
            raw: RawId(id),
            account: raw.account.clone(),
            source_id: raw.texts.get("sourceid").cloned(),
            version: raw.version,
            dirty: raw.dirty,
            deleted: raw.deleted,
            starred: raw.starred,
            saved_at: Some(Timestamp::from_millis(self.now)),
        }
    }

    /// All groups.
    pub fn groups(&self) -> Vec<GroupRow> {
        self.rows.groups.values().cloned().collect()
    }

    /// An app makes a group; its id.
    pub fn label(&mut self, account: &Account, title: &str) -> i64 {
        let values = [
            ("account_name", Some(account.name.as_str())),
            ("account_type", Some(account.r#type.as_str())),
            ("title", Some(title)),
        ];
        let inserted = self.rows.insert(&Uri::of(Table::Groups), &values);
        inserted.ok().flatten().unwrap_or(-1)
    }

    /// A raw contact with its rows.
    pub fn contact(&self, raw: RawId) -> Option<RawContact> {
        self.rows.raws.get(&raw.0)?;
        let rows = self.rows.matching(&Uri::of(Table::DataOf(raw.0)), None);
        let row = |id: i64| {
            let datum = &self.rows.data[&id];
            let data = (1..=15).map(|n| datum.columns.get(&format!("data{n}")).cloned());
            Row {
                id,
                mimetype: datum.mimetype.clone(),
                data: data.collect(),
                is_primary: is_one(datum.columns.get("is_primary").map(String::as_str)),
            }
        };
        Some(RawContact { head: self.head(raw.0), rows: rows.into_iter().map(row).collect() })
    }

    /// An app saves a contact: its rows, each with its kind.
    pub fn save(&mut self, account: Option<&Account>, rows: &[(&str, Columns<'_>)]) -> RawId {
        let mut of = Vec::new();
        if let Some(Account { name, r#type }) = account {
            of = vec![
                ("account_name", Some(name.as_str())),
                ("account_type", Some(r#type.as_str())),
            ];
        }
        let mut ops = vec![BatchOp::new(Call::Insert, Uri::of(Table::RawContacts), &of)];
        for (mimetype, columns) in rows {
            let mut values = columns.to_vec();
            values.push(("mimetype", Some(mimetype)));
            ops.push(BatchOp::new(Call::Insert, Uri::of(Table::Data), &values).back(0));
        }
        let results = self.apply_batch(&ops);
        RawId(results.ok().and_then(|results| results.first().copied()).unwrap_or(-1))
    }

    /// An app changes columns of the first row of a kind, or adds a row of that kind.
    pub fn write(&mut self, raw: RawId, mimetype: &str, columns: Columns<'_>) {
        let row = self.contact(raw).into_iter().flat_map(|contact| contact.rows);
        let row = row.into_iter().find(|row| row.mimetype == mimetype);
        let done = match row {
            Some(row) => self.update(&Uri::row(Table::Data, row.id), columns).map(drop),
            None => self.add(raw, mimetype, columns),
        };
        done.ok();
    }

    /// An app adds a row.
    ///
    /// # Errors
    /// As Android throws.
    pub fn add(&mut self, raw: RawId, mimetype: &str, columns: Columns<'_>) -> Result<(), Thrown> {
        let raw = raw.0.to_string();
        let mut values = columns.to_vec();
        values.extend([("raw_contact_id", Some(raw.as_str())), ("mimetype", Some(mimetype))]);
        self.insert(&Uri::of(Table::Data), &values).map(drop)
    }

    /// An app deletes a contact.
    pub fn remove(&mut self, raw: RawId) {
        self.delete(&Uri::row(Table::RawContacts, raw.0));
    }

    /// An account is removed from the phone, or its contacts are lost: they are gone with its groups, and nothing
    /// tells of it.
    pub fn lose(&mut self, account: &Account) {
        let rows = &mut self.rows;
        rows.groups.retain(|_, group| group.account.as_ref() != Some(account));
        let of = rows.raws.iter().filter(|(_, raw)| raw.account.as_ref() == Some(account));
        let of: Vec<i64> = of.map(|(id, _)| *id).collect();
        of.into_iter().for_each(|id| rows.remove_raw(id));
    }

    /// The phone is restored from a backup, and all its contacts get other ids.
    pub fn renumber(&mut self, by: i64) {
        let rows = &mut self.rows;
        rows.raws =
            std::mem::take(&mut rows.raws).into_iter().map(|(id, raw)| (id + by, raw)).collect();
        rows.data.values_mut().for_each(|datum| Arc::make_mut(datum).raw += by);
        rows.data_of = rows.data.iter().map(|(id, datum)| (datum.raw, *id)).collect();
        rows.last_raw += by;
    }
}

/// What a driver makes of a batch.
fn batch_ops(batch: &Batch) -> Vec<BatchOp<'_>> {
    let ops = batch.operations.iter().enumerate();
    ops.map(|(index, op)| BatchOp { yields: batch.yields.contains(&index), ..batch_op(op) })
        .collect()
}

fn batch_op(op: &Operation) -> BatchOp<'_> {
    let raw = |raw: &RawId| Uri::row(Table::RawContacts, raw.0).sync();
    let row = |row: &i64| Uri::row(Table::Data, *row).sync();
    let flag = |flag: bool| if flag { "1" } else { "0" };
    match op {
        Operation::Expect { raw: id, version } => {
            BatchOp { version: Some(*version), ..BatchOp::new(Call::Assert, raw(id), &[]) }
        }
        Operation::InsertRaw { account, source_id, starred } => BatchOp::new(
            Call::Insert,
            Uri::of(Table::RawContacts).sync(),
            &[
                ("account_name", Some(account.name.as_str())),
                ("account_type", Some(account.r#type.as_str())),
                ("sourceid", Some(source_id.as_str())),
                ("starred", Some(flag(*starred))),
            ],
        ),
        Operation::InsertRow { of, mimetype, values } => {
            let mut op = BatchOp::new(Call::Insert, Uri::of(Table::Data).sync(), &[]);
            op.values = texts(values);
            op.values.push(("mimetype", Some(mimetype)));
            match of {
                Of::Operation(index) => op.back(*index),
                Of::Raw(raw) => BatchOp { raw: Some(raw.0), ..op },
            }
        }
        Operation::UpdateRow { row: id, values } => {
            BatchOp { values: texts(values), ..BatchOp::new(Call::Update, row(id), &[]) }
        }
        Operation::DeleteRow { row: id } => BatchOp::new(Call::Delete, row(id), &[]),
        Operation::SetStarred { raw: id, starred } => {
            BatchOp::new(Call::Update, raw(id), &[("starred", Some(flag(*starred)))])
        }
        Operation::SetSourceId { raw: id, source_id } => {
            BatchOp::new(Call::Update, raw(id), &[("sourceid", Some(source_id.as_str()))])
        }
        Operation::ClearDirty { raw: id, version } => {
            let op = BatchOp::new(Call::Update, raw(id), &[("dirty", Some("0"))]);
            BatchOp { version: Some(*version), ..op }
        }
        Operation::DeleteRaw { raw: id, version } => {
            BatchOp { version: Some(*version), ..BatchOp::new(Call::Delete, raw(id), &[]) }
        }
        Operation::InsertGroup { account, title } => BatchOp::new(
            Call::Insert,
            Uri::of(Table::Groups).sync(),
            &[
                ("account_name", Some(account.name.as_str())),
                ("account_type", Some(account.r#type.as_str())),
                ("sourceid", Some(title.as_str())),
                ("title", Some(title.as_str())),
            ],
        ),
        Operation::SetGroupSource { group, source_id } => {
            let values = [("sourceid", Some(source_id.as_str()))];
            BatchOp::new(Call::Update, Uri::row(Table::Groups, *group).sync(), &values)
        }
        Operation::DeleteGroup { group } => {
            BatchOp::new(Call::Delete, Uri::row(Table::Groups, *group).sync(), &[])
        }
    }
}

fn texts(Values(values): &Values) -> Vec<(&str, Option<&str>)> {
    values.iter().map(|(name, value)| (*name, value.as_deref())).collect()
}
