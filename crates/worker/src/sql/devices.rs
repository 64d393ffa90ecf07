//! Devices, their refresh tokens, and whether a caller is still let in.

use std::collections::BTreeMap;

use callbook_auth::wire::{DeviceStatus, DeviceView, UserView};
use callbook_auth::{Access, AuthError, REFRESH_TTL, RefreshHash, Role, StoredRefresh, TokenError};
use callbook_base::{Cursor, DeviceId, Epoch, Rev, Timestamp, UserId};
use callbook_contacts::{Deletes, Device};

use crate::database::{DatabaseError, Row, Rows, Statement};
use crate::problem::Problem;

/// Who calls, on which device, as the database has them now.
pub(crate) struct Session {
    pub(crate) user: UserView,
    pub(crate) device: DeviceView,
    /// What the book remembers of the device's pushes.
    pub(crate) pushes: Device,
}

impl Session {
    pub(crate) fn admin(&self) -> Result<(), Problem> {
        match self.user.role {
            Role::Admin => Ok(()),
            Role::Member => Err(AuthError::Forbidden.into()),
        }
    }
}

/// Why a device ended, if its tokens answer more than `token_invalid`.
const REUSED: &str = "reused";

macro_rules! columns {
    () => {
        "d.id, d.user, d.name, d.platform, d.created_at, d.last_seen_at, d.ended_at, d.ended_why,
         d.acked_seq, d.acked_op, d.floor, d.rejections, d.deletes"
    };
}

macro_rules! columns_of_both {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", u.username, u.role, u.disabled, u.created_at AS user_created_at"
        )
    };
}

pub(crate) fn session(access: &Access) -> Statement {
    Statement::new(concat!(
        columns_of_both!(),
        " FROM devices AS d JOIN users AS u ON u.id = d.user WHERE d.id = ?1 AND d.user = ?2"
    ))
    .bind(access.device.to_string())
    .bind(access.user.to_string())
}

/// Refuses one that has ended, or whose user is shut out.
pub(crate) fn read_session(rows: &Rows) -> Result<Session, Problem> {
    let row = rows.first().ok_or(TokenError::Invalid)?;
    let device = read(row)?;
    let user = UserView {
        id: device.user,
        username: row.parse("username")?,
        role: row.parse("role")?,
        disabled: row.count("disabled")? != 0,
        created_at: row.time("user_created_at")?,
    };
    if device.ended_at.is_some() {
        let reused = row.text_or_null("ended_why")? == Some(REUSED);
        return Err(if reused { TokenError::Reused } else { TokenError::Invalid }.into());
    }
    if user.disabled {
        return Err(TokenError::Invalid.into());
    }
    let pushes = Device {
        acked_seq: row.count("acked_seq")?,
        acked_op: row.parse_or_null("acked_op")?,
        floor: row.time_or_null("floor")?,
        rejections: row.json("rejections")?,
        deletes: row.json("deletes")?,
    };
    Ok(Session { user, device, pushes })
}

/// A new device, and its first refresh token; fails the batch unless its user may sign in and has the
/// password, as it is stored, that was checked.
pub(crate) fn create(
    device: &DeviceView,
    replaces: Option<DeviceId>,
    refresh: RefreshHash,
    checked: &str,
    version: Option<&str>,
) -> [Statement; 2] {
    let id = device.id.to_string();
    let row = Statement::new(
        "INSERT INTO devices (id, user, name, platform, created_at, replaces, refresh_current,
           version, acked_seq, rejections)
         VALUES (?1, (SELECT id FROM users WHERE id = ?2 AND password = ?8 AND NOT disabled), ?3, ?4, ?5,
           (SELECT id FROM devices WHERE id = ?6 AND user = ?2), ?7, ?9, 0, '[]')",
    )
    .bind(id)
    .bind(device.user.to_string())
    .bind(device.name.as_str())
    .bind(device.platform.as_str())
    .bind(device.created_at)
    .bind(replaces.map(|replaced| replaced.to_string()))
    .bind(refresh.to_string())
    .bind(checked)
    .bind(version);
    [row, create_refresh(device.id, refresh, None, device.created_at)]
}

fn create_refresh(
    device: DeviceId,
    refresh: RefreshHash,
    parent: Option<RefreshHash>,
    now: Timestamp,
) -> Statement {
    Statement::new(
        "INSERT INTO refresh_tokens (hash, device, parent, expires_at) VALUES (?1, ?2, ?3, ?4)",
    )
    .bind(refresh.to_string())
    .bind(device.to_string())
    .bind(parent.map(|parent| parent.to_string()))
    .bind(now.after(REFRESH_TTL))
}

/// Forgets refresh tokens that expired a day ago or more. Their hashes are by chance, so that a sixteenth
/// of them is looked at each day: an index by time would write a row more for each refresh.
pub(crate) fn purge_refresh(now: Timestamp) -> Statement {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    let digit = now.as_millis().div_euclid(DAY).rem_euclid(16);
    let (from, to) = (format!("{digit:x}"), format!("{digit:x}g"));
    Statement::new("DELETE FROM refresh_tokens WHERE hash >= ?1 AND hash < ?2 AND expires_at < ?3")
        .bind(from)
        .bind(to)
        .bind(now.plus_millis(-DAY))
}

/// Ends a device; one that has ended stays as it is.
pub(crate) fn end(device: DeviceId, now: Timestamp) -> Statement {
    Statement::new("UPDATE devices SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL")
        .bind(device.to_string())
        .bind(now)
}

/// Ends a device of this user.
pub(crate) fn end_of_user(device: DeviceId, user: UserId, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE devices SET ended_at = ?3 WHERE id = ?1 AND user = ?2 AND ended_at IS NULL",
    )
    .bind(device.to_string())
    .bind(user.to_string())
    .bind(now)
}

/// Ends all devices of a user but one, now that their password is this one, as it is stored.
pub(crate) fn end_others(
    user: UserId,
    stays: DeviceId,
    password: &str,
    now: Timestamp,
) -> Statement {
    Statement::new(
        "UPDATE devices SET ended_at = ?4 WHERE user = ?1 AND id <> ?2 AND ended_at IS NULL
           AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND password = ?3)",
    )
    .bind(user.to_string())
    .bind(stays.to_string())
    .bind(password)
    .bind(now)
}

/// Ends a device of which there are two.
pub(crate) fn end_reused(device: DeviceId, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE devices SET ended_at = ?2, ended_why = ?3 WHERE id = ?1 AND ended_at IS NULL",
    )
    .bind(device.to_string())
    .bind(now)
    .bind(REUSED)
}

pub(crate) fn by_refresh(refresh: RefreshHash) -> Statement {
    Statement::new(concat!(
        columns_of_both!(),
        ", r.hash, r.parent, r.expires_at, d.refresh_current
         FROM refresh_tokens AS r JOIN devices AS d ON d.id = r.device JOIN users AS u ON u.id = d.user
         WHERE r.hash = ?1"
    ))
    .bind(refresh.to_string())
}

pub(crate) fn read_refresh(rows: &Rows) -> Result<Option<StoredRefresh>, DatabaseError> {
    let read = |row: Row<'_>| {
        Ok(StoredRefresh {
            hash: row.parse("hash")?,
            parent: row.parse_or_null("parent")?,
            expires_at: row.time("expires_at")?,
            device_current: row.parse("refresh_current")?,
        })
    };
    rows.first().map(read).transpose()
}

/// A pair for the token that was sent; fails the batch unless the device's current one is still the
/// one that was read.
pub(crate) fn rotate(
    device: DeviceId,
    read: RefreshHash,
    current: RefreshHash,
    next: RefreshHash,
    version: Option<&str>,
    now: Timestamp,
) -> [Statement; 2] {
    let guard = Statement::new(
        "UPDATE devices SET refresh_current = CASE WHEN refresh_current = ?2 THEN ?3 END,
           last_seen_at = ?4, version = coalesce(?5, version) WHERE id = ?1",
    )
    .bind(device.to_string())
    .bind(read.to_string())
    .bind(current.to_string())
    .bind(now)
    .bind(version);
    [guard, create_refresh(device, next, Some(current), now)]
}

/// All of a user's, or of everyone's, and how far each follows the book: so many rows of the index are
/// counted for one that does not.
pub(crate) fn all(of: Option<UserId>) -> Statement {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        ", d.version, d.synced_at, u.username,
           CASE WHEN d.ended_at IS NULL THEN (
             SELECT count(*) FROM (
               SELECT 1 FROM pulled AS p WHERE p.rev > d.pulled_rev LIMIT ?2)) ELSE 0 END AS pending,
           CASE WHEN d.ended_at IS NULL THEN (
             SELECT c.edit_at FROM pulled AS p CROSS JOIN contacts AS c ON c.id = p.id
             WHERE p.rev > d.pulled_rev ORDER BY p.rev, p.id LIMIT 1) END AS behind_since
         FROM devices AS d JOIN users AS u ON u.id = d.user
         WHERE ?1 IS NULL OR d.user = ?1 ORDER BY d.id"
    ))
    .bind(of.map(|user| user.to_string()))
    .bind(MOST_PENDING)
}

/// What is counted of the contacts that a device has yet to pull.
const MOST_PENDING: u64 = 1_000;

pub(crate) fn read_statuses(rows: &Rows) -> Result<Vec<DeviceStatus>, DatabaseError> {
    let status = |row: Row<'_>| {
        let last_sync_at = row.time_or_null("synced_at")?;
        // What it lacks may be older than its last sync: a stamp is no edit.
        let behind_since = row.time_or_null("behind_since")?;
        Ok(DeviceStatus {
            device: read(row)?,
            username: row.parse("username")?,
            version: row.text_or_null("version")?.map(str::to_owned),
            last_sync_at,
            pending: row.count("pending")?,
            stale_since: behind_since.map(|since| last_sync_at.map_or(since, |at| at.max(since))),
        })
    };
    rows.iter().map(status).collect()
}

pub(crate) fn by_id(device: DeviceId) -> Statement {
    Statement::new(concat!("SELECT ", columns!(), " FROM devices AS d WHERE d.id = ?1"))
        .bind(device.to_string())
}

pub(crate) fn read_all(rows: &Rows) -> Result<Vec<DeviceView>, DatabaseError> {
    rows.iter().map(read).collect()
}

fn read(row: Row<'_>) -> Result<DeviceView, DatabaseError> {
    Ok(DeviceView {
        id: row.parse("id")?,
        user: row.parse("user")?,
        name: row.parse("name")?,
        platform: row.parse("platform")?,
        created_at: row.time("created_at")?,
        last_seen_at: row.time_or_null("last_seen_at")?,
        acked_seq: row.count("acked_seq")?,
        ended_at: row.time_or_null("ended_at")?,
    })
}

/// The device bound there, those that it replaces, and those that they do.
macro_rules! lineage {
    ($device:literal) => {
        concat!(
            "WITH RECURSIVE lineage (id) AS (SELECT ",
            $device,
            "
           UNION
           SELECT d.replaces FROM lineage JOIN devices AS d ON d.id = lineage.id
           WHERE d.replaces IS NOT NULL)"
        )
    };
}
pub(super) use lineage;

pub(crate) fn lineage_of(device: DeviceId) -> Statement {
    Statement::new(concat!(
        lineage!("?1"),
        " SELECT d.id, d.deletes FROM lineage CROSS JOIN devices AS d ON d.id = lineage.id"
    ))
    .bind(device.to_string())
}

/// Each device, and what it has deleted lately.
pub(crate) fn read_lineage(rows: &Rows) -> Result<BTreeMap<DeviceId, Deletes>, DatabaseError> {
    rows.iter().map(|row| Ok((row.parse("id")?, row.json("deletes")?))).collect()
}

/// Whether the device of the row is let in: nobody has ended it, or disabled its user.
macro_rules! is_let_in {
    () => {
        "ended_at IS NULL AND NOT (SELECT u.disabled FROM users AS u WHERE u.id = devices.user)"
    };
}

/// The guard of a write that is no push: fails the batch unless the device is let in.
pub(crate) fn guard(device: DeviceId, now: Timestamp) -> Statement {
    Statement::new(concat!(
        "UPDATE devices SET acked_seq = CASE WHEN ",
        is_let_in!(),
        " THEN acked_seq END, last_seen_at = ?2 WHERE id = ?1"
    ))
    .bind(device.to_string())
    .bind(now)
}

/// How far a device has pulled, as a cursor that it sends tells; `None` while it has not pulled all once.
/// Nothing is written when that is known already, or the cursor is not of this book.
pub(crate) fn pulled(device: DeviceId, cursor: &Cursor, now: Timestamp) -> Option<Statement> {
    let rev = cursor.complete_to();
    let update = Statement::new(concat!(
        "UPDATE devices SET pulled_rev = ?2, last_seen_at = ?4, synced_at = ?4
         WHERE id = ?1 AND pulled_rev < ?2 AND ",
        is_let_in!(),
        " AND EXISTS (SELECT 1 FROM book WHERE epoch = ?3 AND rev >= ?2)"
    ));
    cursor
        .first
        .is_none()
        .then(|| update.bind(device.to_string()).bind(rev).bind(cursor.epoch.as_str()).bind(now))
        .map(Statement::may_be_lost)
}

/// What the book remembers of a device's pushes, when the book of that epoch has come to that rev. It
/// fails the batch unless the device's count and floor are still those that were read, the device is let
/// in, and the book stands there.
///
/// The floor, since a complete push without ops moves it, and no count. The rev, since a push that
/// changes nothing says so of the book that it has read: a delete that came between would have been
/// undone by a put of what was there already.
pub(crate) fn acknowledge(
    device: DeviceId,
    before: &Device,
    after: &Device,
    (epoch, rev): (&Epoch, Rev),
    now: Timestamp,
) -> Statement {
    let rejections = serde_json::to_string(&after.rejections).expect("rejections are plain text");
    Statement::new(concat!(
        "UPDATE devices SET acked_seq = CASE
             WHEN acked_seq = ?2 AND floor IS ?8 AND ",
        is_let_in!(),
        " AND (SELECT rev FROM book WHERE epoch = ?11) = ?9 THEN ?3 END,
           acked_op = ?4, floor = ?5, rejections = ?6, deletes = ?10, last_seen_at = ?7,
           synced_at = ?7
         WHERE id = ?1"
    ))
    .bind(device.to_string())
    .bind(before.acked_seq)
    .bind(after.acked_seq)
    .bind(after.acked_op.as_ref().map(ToString::to_string))
    .bind(after.floor)
    .bind(rejections)
    .bind(now)
    .bind(before.floor)
    .bind(rev)
    .bind(serde_json::to_string(&after.deletes).expect("times and counts are numbers"))
    .bind(epoch.as_str())
}
