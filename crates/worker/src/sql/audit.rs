//! The record of sign-ins and of what admins did.

use std::net::IpAddr;

use callbook_auth::wire::AuditEntry;
use callbook_auth::{Access, Act};
use callbook_base::{DeviceId, Timestamp, UserId};

use crate::app::Moment;
use crate::database::{DatabaseError, Row, Rows, Statement};

/// Something that is to be remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) act: Act,
    /// Who did it; nobody that is known, for a wrong name.
    pub(crate) user: Option<UserId>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) address: Option<IpAddr>,
    /// To whom or what: the id of a user or a device.
    pub(crate) subject: Option<&'a str>,
}

impl Entry<'_> {
    pub(crate) fn of(act: Act, user: impl Into<Option<UserId>>) -> Self {
        Self { act, user: user.into(), device: None, address: None, subject: None }
    }

    /// What whoever this token is of has done.
    pub(crate) fn by(act: Act, access: &Access) -> Self {
        Self { device: Some(access.device), ..Self::of(act, access.user) }
    }
}

/// Remembers it, if the statement before it in the batch has changed something.
pub(crate) fn record(entry: &Entry<'_>, moment: Moment) -> Statement {
    let Entry { act, user, device, address, subject } = entry;
    Statement::new(
        "INSERT INTO audit (at, id, act, user, device, address, subject)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE changes() > 0",
    )
    .bind(moment.now)
    .bind(moment.request_id())
    .bind(act.as_str())
    .bind(user.map(|user| user.to_string()))
    .bind(device.map(|device| device.to_string()))
    .bind(address.map(|address| address.to_string()))
    .bind(*subject)
}

/// The latest before a time and an id, and one more when there is more.
pub(crate) fn page(before: Option<(Timestamp, &str)>, limit: u64) -> Statement {
    let (at, id) = before.unwrap_or((Timestamp::MAX, ""));
    Statement::new(
        "SELECT a.at, a.id, a.act, a.user, u.username, a.device, a.address, a.subject
         FROM audit AS a LEFT JOIN users AS u ON u.id = a.user
         WHERE (a.at, a.id) < (?1, ?2) ORDER BY a.at DESC, a.id DESC LIMIT ?3 + 1",
    )
    .bind(at)
    .bind(id)
    .bind(limit)
}

/// Entries, each with its id.
pub(crate) fn read_page(rows: &Rows) -> Result<Vec<(String, AuditEntry)>, DatabaseError> {
    let read = |row: Row<'_>| {
        let text =
            |column: &str| Ok::<_, DatabaseError>(row.text_or_null(column)?.map(str::to_owned));
        let entry = AuditEntry {
            at: row.time("at")?,
            act: row.parse("act")?,
            user: row.parse_or_null("user")?,
            username: text("username")?,
            device: row.parse_or_null("device")?,
            address: text("address")?,
            subject: text("subject")?,
        };
        Ok((row.text("id")?.to_owned(), entry))
    };
    rows.iter().map(read).collect()
}

/// Forgets the oldest from before a time, so many at once.
pub(crate) fn purge(before: Timestamp, limit: u64) -> Statement {
    Statement::new(
        "DELETE FROM audit WHERE (at, id) IN (
           SELECT at, id FROM audit WHERE at < ?1 ORDER BY at, id LIMIT ?2)",
    )
    .bind(before)
    .bind(limit)
}
