//! Who may sign in and who stays signed in: passwords, access and refresh tokens, roles, and the
//! messages that carry them (section 7 of the protocol).
//!
//! What lives here are rules: plain functions of plain data. SQL, HTTP, a clock and randomness must
//! never live here: time and chance are arguments. Nor may a secret reach `Debug`, `Display` or the
//! text of an error.

mod act;
mod device;
mod hs256;
mod lockout;
mod password;
mod refresh;
mod secret;
mod token;
mod user;
pub mod wire;

use callbook_base::InvalidText;

pub use act::{Act, InvalidAct};
pub use device::{DeviceName, Platform};
pub use lockout::{FAILURE_COUNTS, GUESS_COUNTS, Guessed, retry_after};
pub use password::{InvalidPassword, Password, PasswordCost, Verdict, hash, verify};
pub use refresh::{
    InvalidRefreshHash, REFRESH_TTL, RefreshHash, RefreshToken, Rotation, StoredRefresh, rotate,
};
pub use secret::{Secret, same_secret};
pub use token::{ACCESS_TTL, Access, SecretTooShort, SigningKeys, TokenError};
pub use user::{InvalidRole, InvalidUsername, Role, Username};

/// Why somebody was not let in, or not let do what they asked. [`AuthError::code`] is what a caller
/// acts on; the text is for people and holds nothing that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No such user, a wrong password or a disabled user: one answer for all three, so that it does
    /// not tell which names exist.
    #[error("the username or the password is wrong")]
    InvalidCredentials,
    /// Too many guesses at this account, or from this address; the right password too has to wait.
    #[error("there were too many wrong passwords: wait as long as Retry-After says")]
    TooManyFailures,
    /// The access or refresh token sent does not, or no longer, let in.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A member at an admin's endpoint, or at another's device.
    #[error("this needs an admin")]
    Forbidden,
    /// `POST /setup` when there is a user.
    #[error("the book has been set up")]
    AlreadySetUp,
    /// Disabling or demoting the last admin who is not disabled.
    #[error("the last admin cannot be disabled or made a member")]
    LastAdmin,
    /// A name for a new user that is none.
    #[error(transparent)]
    Username(#[from] InvalidUsername),
    /// A new password that is none.
    #[error(transparent)]
    Password(#[from] InvalidPassword),
    /// A device's name or platform that is too long or holds NUL.
    #[error(transparent)]
    Label(#[from] InvalidText),
}

impl AuthError {
    /// The stable `code` on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::TooManyFailures => "too_many_failures",
            Self::Token(error) => error.code(),
            Self::Forbidden => "forbidden",
            Self::AlreadySetUp => "already_set_up",
            Self::LastAdmin => "last_admin",
            Self::Username(_) => "invalid_username",
            Self::Password(error) => error.code(),
            Self::Label(_) => "invalid_request",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_code() {
        #[track_caller]
        fn check(error: impl Into<AuthError>, code: &str) {
            assert_eq!(error.into().code(), code);
        }
        check(AuthError::InvalidCredentials, "invalid_credentials");
        check(AuthError::TooManyFailures, "too_many_failures");
        check(TokenError::Missing, "token_missing");
        check(TokenError::Invalid, "token_invalid");
        check(TokenError::Expired, "token_expired");
        check(TokenError::Reused, "token_reused");
        check(AuthError::Forbidden, "forbidden");
        check(AuthError::AlreadySetUp, "already_set_up");
        check(AuthError::LastAdmin, "last_admin");
        check(InvalidUsername, "invalid_username");
        check(InvalidPassword::TooShort, "password_too_short");
        check(InvalidPassword::TooLong, "invalid_password");
        check(InvalidPassword::HasNul, "invalid_password");
        check(InvalidText { longest: 200 }, "invalid_request");
    }
}
