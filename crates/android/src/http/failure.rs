//! Why a request had no answer. What the user is told must never live here.

use std::io::ErrorKind;

use ureq::Error;

/// Why a request had no answer of the service. The engine treats all alike: it tries again later. Its
/// user can do something about some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is no way to the server: no network, no such name, nobody at home.
    #[error("the server cannot be reached")]
    Offline,
    /// The server, or the network, was silent for too long.
    #[error("the server took too long")]
    TimedOut,
    /// The server cannot show that it is who it should be: another stands in its place, the certificate
    /// has run out, or the phone's clock is years off.
    #[error("the server's certificate is not trusted")]
    Certificate,
    /// A page of the network's own came instead: somebody has to sign in to it.
    #[error("the network wants a sign-in of its own")]
    Portal,
    /// What came was no HTTP, or ended too early, or was too large.
    #[error("the answer could not be read")]
    Broken,
    /// It was given up.
    #[error("the request was cancelled")]
    Cancelled,
    /// The system gives no thread.
    #[error("the system is out of threads")]
    NoThread,
}

impl Failure {
    /// The stable word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::TimedOut => "timed_out",
            Self::Certificate => "certificate",
            Self::Portal => "captive_portal",
            Self::Broken => "broken_answer",
            Self::Cancelled => "cancelled",
            Self::NoThread => "no_thread",
        }
    }

    pub(super) fn of(error: Error) -> Self {
        match error {
            Error::Timeout(_) => Self::TimedOut,
            Error::HostNotFound | Error::ConnectionFailed => Self::Offline,
            Error::Rustls(error) => Self::of_tls(&error),
            Error::Tls(_) | Error::TlsRequired => Self::Certificate,
            Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(error) => Self::of_tls(error),
                None => Self::of_io(error.kind()),
            },
            _ => Self::Broken,
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
                Self::Certificate
            }
            _ => Self::Broken,
        }
    }

    fn of_io(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::TimedOut,
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Self::Broken,
            _ => Self::Offline,
        }
    }
}
