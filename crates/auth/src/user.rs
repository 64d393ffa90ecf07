//! Who a user is: a name to sign in with, and a role. Where users are kept must never live here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a user may do.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, users and others' devices too.
    Admin,
    /// The book, and their own devices.
    Member,
}

impl Role {
    /// The text as sent and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is admin or member")]
pub struct InvalidRole;

impl FromStr for Role {
    type Err = InvalidRole;
    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        [Self::Admin, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(InvalidRole)
    }
}

/// A text that cannot be a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a username has 1 to 64 characters: letters, digits and any of . _ - @ +")]
pub struct InvalidUsername;

/// What a user signs in with: 1 to 64 letters and digits of any script and `.`, `_`, `-`, `@`, `+`,
/// in lower case. Read from text, it is trimmed and lower-cased, so `" Ann"` signs in as `ann`.
///
/// Marks that combine with the letter before them are no letters: a name that looks the same in
/// two spellings cannot be taken twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    /// The name in lower case, as sent and stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, InvalidUsername> {
        let name = text.trim().to_lowercase();
        let fits = (1..=64).contains(&name.chars().count())
            && name.chars().all(|c| c.is_alphanumeric() || "._-@+".contains(c));
        if fits { Ok(Self(name)) } else { Err(InvalidUsername) }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

callbook_base::serde_as_text!(Username);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_trimmed_and_lower_case() {
        #[track_caller]
        fn check(text: &str, name: Option<&str>) {
            let read = text.parse::<Username>();
            assert_eq!(read.as_ref().ok().map(Username::as_str), name, "{text:?}");
            if let Ok(read) = read {
                assert_eq!(read.as_str().parse().as_ref(), Ok(&read), "reads back");
            }
        }
        check("ann", Some("ann"));
        check(" Ann.Lee\n", Some("ann.lee"));
        check("ann_lee-2@example.org", Some("ann_lee-2@example.org"));
        check("ann+work@x.org", Some("ann+work@x.org"));
        check("ÉMILE", Some("émile"));
        check("ΑΝΝΑΣ", Some("αννας"));
        check("анна", Some("анна"));
        check("安娜", Some("安娜"));
        check(&"é".repeat(64), Some(&"é".repeat(64)));
        check(&"é".repeat(65), None);
        check(&"a".repeat(10_000), None);
        check("", None);
        check("  ", None);
        check("ann lee", None);
        check("ann\u{a0}lee", None);
        check("ann\0", None);
        check("ann\tlee", None);
        check("ann\u{200b}", None);
        check("e\u{301}mile", None);
        check("İ", None);
        check("ann/../bob", None);
        check("<ann>", None);
    }

    #[test]
    fn roles_read_back() {
        for role in [Role::Admin, Role::Member] {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        for text in ["", "Admin", "owner", " admin"] {
            assert_eq!(text.parse::<Role>(), Err(InvalidRole), "{text}");
        }
    }
}
