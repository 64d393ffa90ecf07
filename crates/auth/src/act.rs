//! What is remembered of sign-ins and of what admins do. Where it is kept must never live here.

use std::fmt;
use std::str::FromStr;

/// Something that an admin may want to look up later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The book was set up.
    SetUp,
    /// A password was right, and a device was made.
    SignedIn,
    /// A name or a password was wrong.
    SignInFailed,
    /// An older refresh token was sent again: its device has ended.
    TokenReused,
    /// A device ended itself.
    SignedOut,
    /// A user has another password, by their own will.
    PasswordChanged,
    /// An admin made a user.
    UserCreated,
    /// An admin changed a user's role or password, or shut them out or let them in.
    UserChanged,
    /// A device was ended by its user on another, or by an admin.
    DeviceEnded,
    /// An admin imported contacts.
    Imported,
    /// Contacts or calls were taken out as a file.
    Exported,
}

impl Act {
    const ALL: [Self; 11] = [
        Self::SetUp,
        Self::SignedIn,
        Self::SignInFailed,
        Self::TokenReused,
        Self::SignedOut,
        Self::PasswordChanged,
        Self::UserCreated,
        Self::UserChanged,
        Self::DeviceEnded,
        Self::Imported,
        Self::Exported,
    ];

    /// The word as sent and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::TokenReused => "token_reused",
            Self::SignedOut => "signed_out",
            Self::PasswordChanged => "password_changed",
            Self::UserCreated => "user_created",
            Self::UserChanged => "user_changed",
            Self::DeviceEnded => "device_ended",
            Self::Imported => "imported",
            Self::Exported => "exported",
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such act")]
pub struct InvalidAct;

impl FromStr for Act {
    type Err = InvalidAct;
    fn from_str(text: &str) -> Result<Self, InvalidAct> {
        Self::ALL.into_iter().find(|act| act.as_str() == text).ok_or(InvalidAct)
    }
}

callbook_base::serde_as_text!(Act);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_read_back() {
        for act in Act::ALL {
            assert_eq!(act.to_string().parse(), Ok(act));
        }
        assert_eq!("signed".parse::<Act>(), Err(InvalidAct));
    }
}
