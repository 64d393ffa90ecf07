//! The tables, and what the provider counts and marks in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Columns, Table, Thrown, Uri};
use crate::provider::{Account, GroupRow};

/// Columns of `RawContacts` that can be written, and of `Data` beside [`super::fields`]'.
const RAW_COLUMNS: [&str; 12] = [
    "account_name",
    "account_type",
    "sourceid",
    "backup_id",
    "version",
    "dirty",
    "deleted",
    "starred",
    "sync1",
    "sync2",
    "sync3",
    "sync4",
];
const DATA_COLUMNS: [&str; 8] = [
    "raw_contact_id",
    "mimetype",
    "is_primary",
    "is_super_primary",
    "data_sync1",
    "data_sync2",
    "data_sync3",
    "data_sync4",
];

pub(super) const NAME: &str = "vnd.android.cursor.item/name";
const MEMBERSHIP: &str = "vnd.android.cursor.item/group_membership";
/// Kinds of rows whose update to the same value is none.
const COMPARED: [&str; 3] =
    [NAME, "vnd.android.cursor.item/phone_v2", "vnd.android.cursor.item/postal-address_v2"];

/// What is in the database, and what of it the transaction under way has to flush. A copy shares the rows: each batch
/// begins with one, for when it fails.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) raws: BTreeMap<i64, Arc<Raw>>,
    pub(super) data: BTreeMap<i64, Arc<Datum>>,
    /// The same by their raw contacts, as an index of the database: of each row which it is of, and its id.
    pub(super) data_of: BTreeSet<(i64, i64)>,
    pub(super) groups: BTreeMap<i64, GroupRow>,
    pub(super) last_raw: i64,
    pub(super) last_datum: i64,
    pub(super) last_group: i64,
    /// Raw contacts that rows were inserted for since the last flush.
    pub(super) inserted_for: BTreeSet<i64>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Raw {
    pub(super) account: Option<Account>,
    pub(super) version: i64,
    pub(super) dirty: bool,
    pub(super) deleted: bool,
    pub(super) starred: bool,
    /// The other columns.
    pub(super) texts: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Datum {
    pub(super) raw: i64,
    pub(super) mimetype: String,
    /// Of all columns but the two above.
    pub(super) columns: BTreeMap<String, String>,
}

pub(super) fn is_column(column: &str) -> bool {
    RAW_COLUMNS.contains(&column)
        || column == "title" // of `Groups`
        || DATA_COLUMNS.contains(&column)
        || column
            .strip_prefix("data")
            .and_then(|n| n.parse().ok())
            .is_some_and(|n: u8| (1..16).contains(&n))
}

pub(super) fn value<'a>(values: Columns<'a>, column: &str) -> Option<&'a str> {
    values.iter().find(|(name, _)| *name == column).and_then(|(_, value)| *value)
}

pub(super) fn is_one(value: Option<&str>) -> bool {
    value.is_some_and(|value| value != "0")
}

impl Rows {
    /// What happens when a transaction ends, and before an update or delete within one: raw contacts for which
    /// rows were inserted get their next version.
    pub(super) fn flush(&mut self) {
        for raw in std::mem::take(&mut self.inserted_for) {
            self.count(raw, 1);
        }
    }

    fn count(&mut self, raw: i64, changes: i64) {
        if let Some(raw) = self.raws.get_mut(&raw) {
            Arc::make_mut(raw).version += changes;
        }
    }

    pub(super) fn insert(&mut self, uri: &Uri, values: Columns<'_>) -> Result<Option<i64>, Thrown> {
        if values.iter().any(|(column, _)| !is_column(column)) {
            return Ok(None); // SQLite's error is only logged
        }
        match uri.table {
            Table::Data => self.insert_datum(uri, values).map(Some),
            Table::Groups => Ok(Some(self.insert_group(values))),
            _ => self.insert_raw(uri, values),
        }
    }

    fn insert_raw(&mut self, uri: &Uri, values: Columns<'_>) -> Result<Option<i64>, Thrown> {
        let illegal = |text: &str| {
            Err(Thrown::IllegalArgument(format!(
                "{text}; URI: content://com.android.contacts/raw_contacts"
            )))
        };
        let given = match (value(values, "account_name"), value(values, "account_type")) {
            (None, None) => None,
            (Some(name), Some(kind)) => {
                Some(Account { name: name.to_owned(), r#type: kind.to_owned() })
            }
            _ => return illegal("Must specify both or neither of ACCOUNT_NAME and ACCOUNT_TYPE"),
        };
        let account = match (given, uri.account.clone()) {
            (Some(given), Some(of_uri)) if given != of_uri => {
                return illegal("When both specified, ACCOUNT_NAME and ACCOUNT_TYPE must match");
            }
            (given, of_uri) => given.or(of_uri),
        };
        let backup = value(values, "backup_id");
        if backup.is_some()
            && self
                .raws
                .values()
                .any(|raw| raw.texts.get("backup_id").map(String::as_str) == backup)
        {
            return Ok(None); // the index is unique
        }
        self.last_raw += 1;
        let mut raw = Raw { account, version: 1, ..Raw::default() };
        raw.set(values);
        self.raws.insert(self.last_raw, Arc::new(raw));
        Ok(Some(self.last_raw))
    }

    fn insert_group(&mut self, values: Columns<'_>) -> i64 {
        self.last_group += 1;
        let text = |column| value(values, column).map(str::to_owned);
        let account = text("account_name").zip(text("account_type"));
        let group = GroupRow {
            id: self.last_group,
            account: account.map(|(name, r#type)| Account { name, r#type }),
            title: text("title"),
            source_id: text("sourceid"),
            ..GroupRow::default()
        };
        self.groups.insert(self.last_group, group);
        self.last_group
    }

    /// What a group's contacts say of it goes with it. Its tombstone stays until the sync adapter has seen it.
    fn delete_group(&mut self, id: i64, sync: bool) {
        let group = id.to_string();
        let is_of = |datum: &Datum| {
            datum.mimetype == MEMBERSHIP && datum.columns.get("data1") == Some(&group)
        };
        let of: Vec<i64> =
            self.data.iter().filter(|(_, datum)| is_of(datum)).map(|(id, _)| *id).collect();
        for row in of {
            let datum = self.remove_datum(row);
            datum.into_iter().for_each(|datum| self.count(datum.raw, 1));
        }
        match self.groups.get_mut(&id) {
            Some(group) if !sync => group.deleted = true,
            _ => drop(self.groups.remove(&id)),
        }
    }

    fn insert_datum(&mut self, uri: &Uri, values: Columns<'_>) -> Result<i64, Thrown> {
        let required = |column| {
            value(values, column)
                .ok_or_else(|| Thrown::IllegalArgument(format!("{column} is required")))
        };
        let raw = required("raw_contact_id")?.parse().unwrap_or(-1);
        let mimetype = required("mimetype")?.to_owned();
        self.last_datum += 1;
        let id = self.last_datum;
        let columns = named(&mimetype, BTreeMap::new(), values);
        self.data.insert(id, Arc::new(Datum { raw, mimetype, columns }));
        self.data_of.insert((raw, id));
        self.inserted_for.insert(raw);
        self.touch(raw, uri.sync);
        if is_one(value(values, "is_primary")) {
            self.make_primary(id, "is_primary");
        }
        Ok(id)
    }

    fn remove_datum(&mut self, id: i64) -> Option<Arc<Datum>> {
        let datum = self.data.remove(&id)?;
        self.data_of.remove(&(datum.raw, id));
        Some(datum)
    }

    /// The ids of a raw contact's rows, in their order.
    fn ids_of(&self, raw: i64) -> Vec<i64> {
        self.data_of.range((raw, i64::MIN)..=(raw, i64::MAX)).map(|(_, id)| *id).collect()
    }

    /// An app has changed a raw contact.
    fn touch(&mut self, raw: i64, sync: bool) {
        if let Some(raw) = self.raws.get_mut(&raw) {
            Arc::make_mut(raw).dirty |= !sync;
        }
    }

    /// The rows of this URI, at this version of their raw contact.
    pub(super) fn matching(&self, uri: &Uri, version: Option<i64>) -> Vec<i64> {
        let is_asked = |raw: Option<&Arc<Raw>>| {
            uri.account
                .as_ref()
                .is_none_or(|asked| raw.is_some_and(|raw| raw.account.as_ref() == Some(asked)))
                && version.is_none_or(|version| raw.is_some_and(|raw| raw.version == version))
        };
        let ids = uri.id.unwrap_or(i64::MIN)..=uri.id.unwrap_or(i64::MAX);
        match uri.table {
            Table::RawContacts | Table::Contacts => {
                let is_shown = |raw: &Raw| uri.table == Table::RawContacts || !raw.deleted;
                let rows = self.raws.range(ids).filter(|(_, raw)| is_shown(raw));
                rows.filter(|(_, raw)| is_asked(Some(raw))).map(|(id, _)| *id).collect()
            }
            Table::Groups => self.groups.range(ids).map(|(id, _)| *id).collect(),
            Table::Data | Table::DataOf(_) => {
                let rows: Vec<i64> = match uri.table {
                    Table::DataOf(raw) => self.ids_of(raw),
                    _ => self.data.range(ids.clone()).map(|(id, _)| *id).collect(),
                };
                let raw = |id: &i64| self.raws.get(&self.data[id].raw).filter(|raw| !raw.deleted);
                let is_shown = |id: &i64| raw(id).is_some_and(|raw| is_asked(Some(raw)));
                rows.into_iter().filter(|id| ids.contains(id) && is_shown(id)).collect()
            }
        }
    }

    pub(super) fn update(
        &mut self,
        uri: &Uri,
        values: Columns<'_>,
        version: Option<i64>,
    ) -> Result<usize, Thrown> {
        self.flush();
        if let Some((column, _)) = values.iter().find(|(column, _)| !is_column(column)) {
            return Err(Thrown::IllegalArgument(format!("Invalid column {column}")));
        }
        let rows = self.matching(uri, version);
        let update = |id: &i64| match uri.table {
            Table::RawContacts => self.update_raw(*id, uri.sync, values),
            Table::Groups => self.update_group(*id, values),
            _ => self.update_datum(*id, uri.sync, values),
        };
        Ok(rows.iter().map(update).filter(|is_changed| *is_changed).count())
    }

    fn update_raw(&mut self, id: i64, sync: bool, values: Columns<'_>) -> bool {
        let Some(raw) = self.raws.get_mut(&id).map(Arc::make_mut) else { return false };
        let (was_deleted, was_at) = (raw.deleted, raw.version);
        let is_of_user = values
            .iter()
            .any(|(name, _)| ["starred", "account_name", "account_type"].contains(name));
        raw.dirty |= is_of_user && !sync;
        raw.set(values);
        if raw.deleted != was_deleted && raw.version == was_at {
            raw.version += 1;
        }
        true
    }

    fn update_group(&mut self, id: i64, values: Columns<'_>) -> bool {
        let Some(group) = self.groups.get_mut(&id) else { return false };
        for (name, value) in values {
            match *name {
                "title" => group.title = value.map(str::to_owned),
                "sourceid" => group.source_id = value.map(str::to_owned),
                _ => {}
            }
        }
        true
    }

    fn update_datum(&mut self, id: i64, sync: bool, values: Columns<'_>) -> bool {
        let Some(datum) = self.data.get_mut(&id).map(Arc::make_mut) else { return false };
        let (primary, others): (Vec<_>, Vec<_>) =
            values.iter().copied().partition(|(name, _)| name.starts_with("is_"));
        let raw = datum.raw;
        let columns = named(&datum.mimetype, datum.columns.clone(), &others);
        let is_same = columns == datum.columns && COMPARED.contains(&datum.mimetype.as_str());
        if is_same && primary.is_empty() {
            return false;
        }
        if !others.is_empty() && !is_same {
            datum.columns = columns;
            self.count(raw, 1);
        }
        if is_one(value(&primary, "is_super_primary")) {
            self.make_primary(id, "is_super_primary");
            self.make_primary(id, "is_primary");
        } else if is_one(value(&primary, "is_primary")) {
            self.make_primary(id, "is_primary");
        } else if !primary.is_empty() {
            let Some(datum) = self.data.get_mut(&id).map(Arc::make_mut) else { return false };
            datum.columns.retain(|name, _| !name.starts_with("is_"));
            self.count(raw, 1);
        }
        self.touch(raw, sync);
        true
    }

    /// One row of a kind is the first; each row that is written counts.
    fn make_primary(&mut self, id: i64, column: &str) {
        let Some(first) = self.data.get(&id).cloned() else { return };
        let mut rows = 0;
        for other in self.ids_of(first.raw) {
            let Some(datum) = self.data.get_mut(&other) else { continue };
            if datum.mimetype == first.mimetype {
                let columns = &mut Arc::make_mut(datum).columns;
                match other == id {
                    true => columns.insert(column.to_owned(), "1".to_owned()),
                    false => columns.remove(column),
                };
                rows += 1;
            }
        }
        self.count(first.raw, rows);
    }

    pub(super) fn delete(&mut self, uri: &Uri, version: Option<i64>) -> usize {
        self.flush();
        let rows = self.matching(uri, version);
        for id in &rows {
            match uri.table {
                Table::RawContacts => self.delete_raw(*id, uri.sync),
                Table::Contacts => self.delete_raw(*id, false),
                Table::Groups => self.delete_group(*id, uri.sync),
                Table::Data | Table::DataOf(_) => {
                    if let Some(datum) = self.remove_datum(*id) {
                        self.count(datum.raw, 1);
                        self.touch(datum.raw, uri.sync);
                    }
                }
            }
        }
        rows.len()
    }

    /// A raw contact is gone with its rows, and leaves no tombstone.
    pub(super) fn remove_raw(&mut self, id: i64) {
        self.raws.remove(&id);
        for row in self.ids_of(id) {
            self.remove_datum(row);
        }
    }

    fn delete_raw(&mut self, id: i64, sync: bool) {
        let Some(raw) = self.raws.get_mut(&id) else { return };
        if sync || raw.account.is_none() {
            self.remove_raw(id);
        } else if !raw.deleted {
            let raw = Arc::make_mut(raw);
            (raw.deleted, raw.dirty) = (true, true);
            raw.version += 1;
        }
    }
}

impl Raw {
    fn set(&mut self, values: Columns<'_>) {
        for (name, value) in values {
            match *name {
                "dirty" => self.dirty = is_one(*value),
                "deleted" => self.deleted = is_one(*value),
                "starred" => self.starred = is_one(*value),
                "version" => self.version = value.and_then(|it| it.parse().ok()).unwrap_or(0),
                "account_name" | "account_type" => {}
                _ => match value {
                    Some(value) => drop(self.texts.insert((*name).to_owned(), (*value).to_owned())),
                    None => drop(self.texts.remove(*name)),
                },
            }
        }
    }
}

/// A row's columns after these values. A name that is given whole is taken apart, and one in parts is put together.
fn named(
    mimetype: &str,
    mut columns: BTreeMap<String, String>,
    values: Columns<'_>,
) -> BTreeMap<String, String> {
    let before = columns.clone();
    for (name, value) in values {
        match (*name, value) {
            ("raw_contact_id" | "mimetype", _) => {}
            (name, Some(value)) => drop(columns.insert(name.to_owned(), (*value).to_owned())),
            (name, None) => drop(columns.remove(name)),
        }
    }
    const PARTS: [&str; 5] = ["data4", "data2", "data5", "data3", "data6"];
    let is_given = |column: &&str| values.iter().any(|(name, _)| name == column);
    let (whole, parts) = (is_given(&"data1"), PARTS.iter().any(is_given));
    if mimetype != NAME || columns == before || whole == parts {
        return columns;
    }
    if whole {
        PARTS.iter().for_each(|part| drop(columns.remove(*part)));
        let text = columns.get("data1").cloned().unwrap_or_default();
        let mut words = text.split_whitespace();
        let (given, family) = (words.next(), words.collect::<Vec<_>>().join(" "));
        given.map(|given| columns.insert("data2".to_owned(), given.to_owned()));
        (!family.is_empty()).then(|| columns.insert("data3".to_owned(), family));
    } else {
        let parts = PARTS.iter().filter_map(|part| columns.get(*part).cloned());
        let text = parts.collect::<Vec<_>>().join(" ");
        match text.is_empty() {
            true => columns.remove("data1"),
            false => columns.insert("data1".to_owned(), text),
        };
    }
    columns
}
