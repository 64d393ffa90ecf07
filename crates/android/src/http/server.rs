//! The address of a server as a user types it.

use std::str::FromStr;

use ureq::http::Uri;

/// Where a team's service is: `https://` and a host, perhaps with a port.
///
/// Without a scheme `https://` is added. `http://` is for tests of a debug build, to this machine only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    is_cleartext: bool,
    authority: String,
}

/// Why a text is no address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not of the form of one.
    #[error("this is no server address: it looks like book.example.org")]
    Unreadable,
    /// `http://`, or another way that all the network can read.
    #[error("the address must begin with https://")]
    NotHttps,
    /// There is more than the server.
    #[error("the address ends after the server's name: no path, no user")]
    TooMuch,
}

impl BadAddress {
    /// The stable word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "bad_address",
            Self::NotHttps => "not_https",
            Self::TooMuch => "address_too_long",
        }
    }
}

impl FromStr for Server {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        let with_scheme = match text.contains("://") {
            true => text.to_owned(),
            false => format!("https://{text}"),
        };
        let uri: Uri = with_scheme.parse().map_err(|_| BadAddress::Unreadable)?;
        let authority = uri.authority().ok_or(BadAddress::Unreadable)?;
        if authority.host().is_empty() {
            return Err(BadAddress::Unreadable);
        }
        let is_cleartext = match uri.scheme_str() {
            Some("https") => false,
            Some("http") if cfg!(debug_assertions) && is_this_machine(authority.host()) => true,
            _ => return Err(BadAddress::NotHttps),
        };
        if authority.as_str().contains('@') || uri.query().is_some() || uri.path() != "/" {
            return Err(BadAddress::TooMuch);
        }
        Ok(Self { is_cleartext, authority: authority.as_str().to_ascii_lowercase() })
    }
}

impl Server {
    pub(super) fn is_cleartext(&self) -> bool {
        self.is_cleartext
    }

    /// The whole address of a path, which begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http{}://{}", if self.is_cleartext { "" } else { "s" }, self.authority)
    }
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, BadAddress>) {
        let server = text.parse::<Server>().map(|server| server.to_string());
        assert_eq!(server, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn what_people_type() {
        check("book.example.org", Ok("https://book.example.org"));
        check(" Book.Example.ORG/ ", Ok("https://book.example.org"));
        check("https://book.example.org:8443/", Ok("https://book.example.org:8443"));
        check("http://127.0.0.1:8787", Ok("http://127.0.0.1:8787"));
        check("http://book.example.org", Err(BadAddress::NotHttps));
        check("ftp://book.example.org", Err(BadAddress::NotHttps));
        check("https://book.example.org/team", Err(BadAddress::TooMuch));
        check("https://ann@book.example.org", Err(BadAddress::TooMuch));
        check("https://book.example.org?x=1", Err(BadAddress::TooMuch));
        for text in ["", "https://", "a b", "https://:80", "\0", "https://exa mple.org"] {
            check(text, Err(BadAddress::Unreadable));
        }
    }
}
