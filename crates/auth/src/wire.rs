//! The messages of section 7 as JSON. Phones and the service read and write the same structs. Rules
//! must never live here, nor a message that shows a secret when printed.
//!
//! Requests hold what people typed as it was typed: `username` is read into a
//! [`Username`] by whoever answers, so that a bad one is `invalid_username` for a new user and
//! `invalid_credentials` at login. Members that are not listed are ignored.

use callbook_base::{DeviceId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::{ACCESS_TTL, Act, DeviceName, Platform, RefreshToken, Role, Secret, Username};

/// `POST /setup`, answered with a [`UserAnswer`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupRequest {
    /// The operator's `SETUP_TOKEN`.
    pub setup_token: Secret,
    /// The first admin's name, as typed.
    pub username: String,
    /// The first admin's password, as typed.
    pub password: Secret,
}

/// The answer to `POST /setup`, `POST /users` and `PATCH /users/{id}`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserAnswer {
    /// The user as it is now.
    pub user: UserView,
}

/// `POST /login`, answered with a [`SessionAnswer`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRequest {
    /// As typed.
    pub username: String,
    /// As typed.
    pub password: Secret,
    /// The phone that signs in.
    pub device: NewDevice,
}

/// A phone as it signs in.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDevice {
    /// What it calls itself.
    pub name: DeviceName,
    /// What it runs.
    pub platform: Platform,
    /// The user's older device that this one follows, which ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<DeviceId>,
}

/// `POST /token`, answered with a [`SessionAnswer`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRequest {
    /// The last refresh token received. It is read into a [`RefreshToken`] by whoever answers: a text
    /// that is none is `token_invalid`.
    pub refresh_token: Secret,
}

/// A pair of tokens and whose they are.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionAnswer {
    /// For `Authorization: Bearer …`.
    pub access_token: Secret,
    /// How to send it.
    pub token_type: TokenType,
    /// Seconds that the access token lives.
    pub expires_in: u64,
    /// For the next `POST /token`.
    pub refresh_token: Secret,
    /// Who signed in.
    pub user: UserView,
    /// The device that they signed in on; at login its `acked_seq` is 0.
    pub device: DeviceView,
}

impl SessionAnswer {
    /// The answer that carries this pair.
    pub fn new(
        access_token: Secret,
        refresh_token: &RefreshToken,
        user: UserView,
        device: DeviceView,
    ) -> Self {
        Self {
            access_token,
            token_type: TokenType::Bearer,
            expires_in: ACCESS_TTL.as_secs(),
            refresh_token: refresh_token.to_secret(),
            user,
            device,
        }
    }
}

/// How an access token is sent.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// Whoever holds it is let in (RFC 6750).
    Bearer,
}

/// A user as others see them.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// Minted by the server.
    pub id: UserId,
    /// What they sign in with.
    pub username: Username,
    /// What they may do.
    pub role: Role,
    /// Whether they are shut out.
    pub disabled: bool,
    /// When they were made.
    pub created_at: Timestamp,
}

/// A device as its user and admins see it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Minted by the server at login.
    pub id: DeviceId,
    /// Whose it is.
    pub user: UserId,
    /// What it called itself at login.
    pub name: DeviceName,
    /// What it ran at login.
    pub platform: Platform,
    /// When it signed in.
    pub created_at: Timestamp,
    /// Its last request; left out while there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Timestamp>,
    /// Its last op that the server has taken (section 4); 0 at login.
    pub acked_seq: u64,
    /// When it was ended; left out while it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// The answer to `GET /me`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeAnswer {
    /// Who asks.
    pub user: UserView,
    /// On which device.
    pub device: DeviceView,
}

/// `POST /me/password`, answered with nothing.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePasswordRequest {
    /// As typed.
    pub current_password: Secret,
    /// As typed.
    pub new_password: Secret,
}

/// `POST /users`, answered with a [`UserAnswer`].
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUserRequest {
    /// As typed.
    pub username: String,
    /// As typed.
    pub password: Secret,
    /// What they may do.
    pub role: Role,
}

/// `PATCH /users/{id}`, answered with a [`UserAnswer`]. What is left out or null stays.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchUserRequest {
    /// What they may do from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether they are shut out from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Their new password, as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// The answer to `GET /users`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersAnswer {
    /// All of them, disabled ones too.
    pub users: Vec<UserView>,
}

/// The answer to `GET /devices`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicesAnswer {
    /// All that the caller may see.
    pub devices: Vec<DeviceStatus>,
}

/// A device, and how far it follows the book.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStatus {
    /// The device.
    #[serde(flatten)]
    pub device: DeviceView,
    /// Whose it is, by name.
    pub username: Username,
    /// What its app called itself at its last sign-in or refresh; left out when it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its last push, or the last pull that brought something; left out while there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sync_at: Option<Timestamp>,
    /// How many contacts have changed that it has not told to have pulled, at most 1,000; 0 when it has
    /// ended.
    pub pending: u64,
    /// Since when it has not had all of the book; left out while it has, and when it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_since: Option<Timestamp>,
}

/// The answer to `GET /audit`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditAnswer {
    /// The latest first.
    pub entries: Vec<AuditEntry>,
    /// For the next page; null when there is none.
    pub cursor: Option<String>,
}

/// Something that somebody did.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: Act,
    /// Who; null when that is not known, as for a name that nobody has.
    pub user: Option<UserId>,
    /// Their name.
    pub username: Option<String>,
    /// On which device.
    pub device: Option<DeviceId>,
    /// From where, for sign-ins.
    pub address: Option<String>,
    /// To whom or to what: the id of a user or a device.
    pub subject: Option<String>,
}

impl std::fmt::Debug for AuditEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuditEntry({}, {})", self.at, self.act)
    }
}

#[cfg(test)]
mod tests;
