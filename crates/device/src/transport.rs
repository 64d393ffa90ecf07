//! What the engine sends and gets, and the driver that carries it. Addresses of servers, TLS and
//! timeouts must never live here.

use std::fmt;
use std::future::Future;

use callbook_auth::Secret;
use callbook_base::Timestamp;
use rand::Rng;

use crate::engine::Engine;
use crate::status::SignInReason;
use crate::store::{Store, StoreError};

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With a body of JSON.
    Post,
    /// The same.
    Put,
}

/// Which request an answer belongs to.
///
/// It is drawn, so that neither an engine that is opened anew nor the one before it takes an answer that is
/// meant for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A request to the service.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// To be given back with the answer; it is not sent.
    pub id: RequestId,
    /// How.
    pub method: Method,
    /// Where: the path with its query, from the server's root.
    pub path: String,
    /// For `Authorization: Bearer …`.
    pub bearer: Option<Secret>,
    /// JSON.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// What is asked for, without what it is asked about: no cursor, and no number.
    pub fn route(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        if path.starts_with("/numbers/") { "/numbers" } else { path }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({:?} {})", self.method, self.route())
    }
}

/// An answer of the service, or of something that answers in its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The server was not reached: no network, no such host, a connection that is refused or breaks.
    #[error("the server cannot be reached")]
    Unreachable,
    /// It did not answer in time. The request may or may not have arrived; perhaps it was too much at once.
    #[error("the server did not answer in time")]
    TimedOut,
}

/// The network as the host has it.
pub trait Transport {
    /// Sends a request and waits for its answer, or gives up.
    fn send(&mut self, request: Request) -> impl Future<Output = Result<Response, NoAnswer>>;
}

/// What the engine wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this, and give [`Engine::receive`] what comes of it, with the request's id.
    Send(Request),
    /// Ask again at this time of the phone's clock, or after [`Engine::start_sync`].
    Wait(Timestamp),
    /// Somebody must type a password.
    SignIn(SignInReason),
}

/// Runs a sync until there is nothing to do for now.
///
/// # Errors
/// The store fails. What it had committed stands, and the next sync goes on from there.
pub async fn sync<S: Store, T: Transport, R: Rng>(
    engine: &mut Engine<S>,
    transport: &mut T,
    mut now: impl FnMut() -> Timestamp,
    chance: &mut R,
) -> Result<Next, StoreError> {
    engine.start_sync();
    loop {
        match engine.next(now(), chance)? {
            Next::Send(request) => {
                let id = request.id;
                let answer = transport.send(request).await;
                engine.receive(id, answer, now(), chance)?;
            }
            rest => return Ok(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_prints_no_number() {
        #[track_caller]
        fn check(path: &str, printed: &str) {
            let (id, path) = (RequestId(1), path.to_owned());
            let request = Request { id, method: Method::Put, path, bearer: None, body: None };
            assert_eq!(format!("{request:?}"), printed);
        }
        check("/sync/contacts", "Request(Put /sync/contacts)");
        check("/sync/contacts?cursor=abc&limit=5", "Request(Put /sync/contacts)");
        check("/numbers/%2B14155552671", "Request(Put /numbers)");
        check("/numbers/%2B14155552671?x=1", "Request(Put /numbers)");
    }
}
