//! Users.

use callbook_auth::wire::UserView;
use callbook_auth::{Role, Username};
use callbook_base::UserId;

use crate::database::{DatabaseError, Row, Rows, Statement};

/// A user who signs in.
pub(crate) struct Account {
    pub(crate) user: UserView,
    /// A PHC string.
    pub(crate) password: String,
}

/// How many there are, as `users`.
pub(crate) fn count() -> Statement {
    Statement::new("SELECT count(*) AS users FROM users")
}

/// One, if there is any.
pub(crate) fn any() -> Statement {
    Statement::new("SELECT id FROM users LIMIT 1")
}

/// The first user; changes nothing when there is one.
pub(crate) fn create_first(user: &UserView, password: String) -> Statement {
    bind_new(
        Statement::new(
            "INSERT INTO users (id, username, password, role, disabled, created_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM users)",
        ),
        user,
        password,
    )
}

/// Another user; fails when the name is taken.
pub(crate) fn create(user: &UserView, password: String) -> Statement {
    bind_new(
        Statement::new(
            "INSERT INTO users (id, username, password, role, disabled, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        ),
        user,
        password,
    )
}

fn bind_new(statement: Statement, user: &UserView, password: String) -> Statement {
    statement
        .bind(user.id.to_string())
        .bind(user.username.as_str())
        .bind(password)
        .bind(user.role.as_str())
        .bind(user.disabled)
        .bind(user.created_at)
}

pub(crate) fn by_username(username: &Username) -> Statement {
    Statement::new(
        "SELECT id, username, password, role, disabled, created_at FROM users WHERE username = ?1",
    )
    .bind(username.as_str())
}

pub(crate) fn account(id: UserId) -> Statement {
    Statement::new(
        "SELECT id, username, password, role, disabled, created_at FROM users WHERE id = ?1",
    )
    .bind(id.to_string())
}

pub(crate) fn by_id(id: UserId) -> Statement {
    Statement::new("SELECT id, username, role, disabled, created_at FROM users WHERE id = ?1")
        .bind(id.to_string())
}

pub(crate) fn all() -> Statement {
    Statement::new("SELECT id, username, role, disabled, created_at FROM users ORDER BY username")
}

/// Changes what is given; changes nothing when that would leave no admin.
pub(crate) fn patch(
    id: UserId,
    role: Option<Role>,
    disabled: Option<bool>,
    password: Option<String>,
) -> Statement {
    Statement::new(
        "UPDATE users SET role = coalesce(?2, role), disabled = coalesce(?3, disabled),
           password = coalesce(?4, password)
         WHERE id = ?1 AND (
           (coalesce(?2, role) = 'admin' AND NOT coalesce(?3, disabled))
           OR EXISTS (SELECT 1 FROM users AS other
                      WHERE other.role = 'admin' AND NOT other.disabled AND other.id <> ?1))",
    )
    .bind(id.to_string())
    .bind(role.map(Role::as_str))
    .bind(disabled)
    .bind(password)
}

/// Another password; fails the batch unless the stored one is still the one that was read.
pub(crate) fn change_password(id: UserId, read: &str, password: String) -> Statement {
    Statement::new("UPDATE users SET password = CASE WHEN password = ?2 THEN ?3 END WHERE id = ?1")
        .bind(id.to_string())
        .bind(read)
        .bind(password)
}

/// The same password hashed at today's cost.
pub(crate) fn rehash(id: UserId, password: String) -> Statement {
    Statement::new("UPDATE users SET password = ?2 WHERE id = ?1")
        .bind(id.to_string())
        .bind(password)
}

pub(crate) fn read_account(rows: &Rows) -> Result<Option<Account>, DatabaseError> {
    let account =
        |row: Row<'_>| Ok(Account { user: read(row)?, password: row.text("password")?.to_owned() });
    rows.first().map(account).transpose()
}

pub(crate) fn read_all(rows: &Rows) -> Result<Vec<UserView>, DatabaseError> {
    rows.iter().map(read).collect()
}

fn read(row: Row<'_>) -> Result<UserView, DatabaseError> {
    Ok(UserView {
        id: row.parse("id")?,
        username: row.parse("username")?,
        role: row.parse("role")?,
        disabled: row.count("disabled")? != 0,
        created_at: row.time("created_at")?,
    })
}
