//! The phone's HTTP: one request at a time, over TLS, that another thread can give up. What is asked and
//! what an answer means must never live here: that is the engine's.

mod failure;
mod server;
mod tls;

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use callbook_device::{Method, NoAnswer, Request, Response, Transport};
use ureq::Agent;
use ureq::http::{HeaderMap, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use zeroize::Zeroizing;

pub use failure::Failure;
pub use server::{BadAddress, Server};

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long the name of the server is looked for, and how long its door is knocked at.
    pub connect: Duration,
    /// How long a connection may be silent, in either direction.
    pub silence: Duration,
    /// A whole request.
    pub whole: Duration,
}

impl Default for Patience {
    /// Ten seconds, thirty, and for a mebibyte over the slowest network that is of use five minutes.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), silence: seconds(30), whole: seconds(5 * 60) }
    }
}

/// The largest answer that is read, unpacked: a page is a mebibyte, and one contact.
const LARGEST: u64 = 16 << 20;

/// The way to one server. A connection is kept as long as this lives: one for a sync. A clone is the same way.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
    server: Server,
    cancel: Cancel,
    failure: Option<Failure>,
}

impl Http {
    /// A way to `server`, which must show a certificate that one of `roots` vouches for: those of the
    /// phone's own store, DER. Roots that cannot be read vouch for nothing.
    pub fn new<'r>(server: Server, roots: impl IntoIterator<Item = &'r [u8]>) -> Self {
        Self::with_patience(server, roots, Patience::default())
    }

    /// The same, that waits for so long.
    pub fn with_patience<'r>(
        server: Server,
        roots: impl IntoIterator<Item = &'r [u8]>,
        Patience { connect, silence, whole }: Patience,
    ) -> Self {
        let roots: Vec<_> =
            roots.into_iter().map(|der| Certificate::from_der(der).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(tls::provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .https_only(!server.is_cleartext())
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("callbook/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .max_idle_connections(1)
            .timeout_resolve(Some(connect))
            .timeout_connect(Some(connect))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .timeout_global(Some(whole))
            .build()
            .new_agent();
        Self { agent, server, cancel: Cancel::default(), failure: None }
    }

    /// What gives up the request under way, from another thread.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Why the last request had no answer of the service, if it had none.
    pub fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Sends a request and blocks until its answer is there, or until it is given up.
    ///
    /// # Errors
    /// There was no answer; [`Http::failure`] says why.
    pub fn ask(&mut self, request: Request) -> Result<Response, NoAnswer> {
        let (method, route) = (request.method, request.route().to_owned());
        let answer = self.exchange(request);
        match &answer {
            Ok(Answer { response, .. }) => {
                let Response { status, body, .. } = response;
                ::log::debug!("{method:?} {route}: {status}, {} bytes", body.len());
            }
            Err(failure) => ::log::warn!("{method:?} {route}: {failure}"),
        }
        self.failure = match &answer {
            Ok(answer) => answer.is_of_a_portal.then_some(Failure::Portal),
            Err(failure) => Some(*failure),
        };
        answer.map(|answer| answer.response).map_err(|failure| match failure {
            Failure::TimedOut => NoAnswer::TimedOut,
            _ => NoAnswer::Unreachable,
        })
    }

    /// An answer that comes after the request was given up is dropped with the thread that waits for it.
    fn exchange(&self, request: Request) -> Result<Answer, Failure> {
        let (told, news) = mpsc::channel();
        if !self.cancel.listen(told.clone()) {
            return Err(Failure::Cancelled);
        }
        let (agent, url) = (self.agent.clone(), self.server.url(&request.path));
        let thread = std::thread::Builder::new().name("callbook-http".to_owned());
        let work = move || {
            // Nobody listens when the request was given up.
            _ = told.send(News::Answer(fetch(&agent, &url, request)));
        };
        thread.spawn(work).map_err(|_| Failure::NoThread)?;
        wait(&news)
    }
}

/// The first news of a request.
fn wait(news: &Receiver<News>) -> Result<Answer, Failure> {
    match news.recv() {
        Ok(News::Answer(answer)) => answer,
        Ok(News::Cancelled) => Err(Failure::Cancelled),
        // Its thread has ended without a word: it panicked.
        Err(_) => Err(Failure::Broken),
    }
}

impl Transport for Http {
    async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        self.ask(request)
    }
}

/// Gives up requests of the [`Http`] that it is of.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<Listener>>);

#[derive(Default)]
enum Listener {
    #[default]
    None,
    Request(Sender<News>),
    /// Whatever is sent is given up at once.
    Cancelled,
}

enum News {
    Answer(Result<Answer, Failure>),
    Cancelled,
}

impl Cancel {
    /// Gives up the request under way and all later ones, until [`Cancel::clear`].
    pub fn cancel(&self) {
        if let Listener::Request(told) = self.set(Listener::Cancelled) {
            _ = told.send(News::Cancelled);
        }
    }

    /// Whether nothing goes out.
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.lock(), Listener::Cancelled)
    }

    /// Lets requests go out again.
    pub fn clear(&self) {
        self.set(Listener::None);
    }

    /// Whether the request may go out.
    fn listen(&self, told: Sender<News>) -> bool {
        let mut listener = self.lock();
        let may = !matches!(*listener, Listener::Cancelled);
        if may {
            *listener = Listener::Request(told);
        }
        may
    }

    fn set(&self, listener: Listener) -> Listener {
        std::mem::replace(&mut self.lock(), listener)
    }

    fn lock(&self) -> MutexGuard<'_, Listener> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Answer {
    response: Response,
    /// Whether something between the phone and the service has answered: the page of a hotel's network.
    is_of_a_portal: bool,
}

fn fetch(agent: &Agent, url: &str, request: Request) -> Result<Answer, Failure> {
    let bearer =
        request.bearer.as_ref().map(|token| Zeroizing::new(format!("Bearer {}", token.expose())));
    // It may be a password. The client's and the system's own buffers are out of reach.
    let body = Zeroizing::new(request.body.unwrap_or_default());
    let answer = match request.method {
        Method::Get => signed(agent.get(url), bearer).call(),
        Method::Post => signed(agent.post(url), bearer).content_type(JSON).send(&*body),
        Method::Put => signed(agent.put(url), bearer).content_type(JSON).send(&*body),
    };
    let (head, body) = answer.map_err(Failure::of)?.into_parts();
    let body = body.into_with_config().limit(LARGEST).read_to_vec().map_err(Failure::of)?;
    let status = head.status.as_u16();
    Ok(Answer {
        is_of_a_portal: is_of_a_portal(status, &head.headers),
        response: Response { status, retry_after: retry_after(&head.headers), body },
    })
}

const JSON: &str = "application/json";

fn signed<B>(
    request: ureq::RequestBuilder<B>,
    bearer: Option<Zeroizing<String>>,
) -> ureq::RequestBuilder<B> {
    match bearer {
        Some(bearer) => request.header(header::AUTHORIZATION, bearer.as_str()),
        None => request,
    }
}

/// The service never redirects, and says what is well in JSON. (What is not may also come from the
/// network before it, which is no portal: Cloudflare's own pages have 5xx.)
fn is_of_a_portal(status: u16, headers: &HeaderMap) -> bool {
    let is_json = text(headers, header::CONTENT_TYPE).is_some_and(|it| it.starts_with(JSON));
    status == 511 || (300..400).contains(&status) && status != 304 || status == 200 && !is_json
}

/// `Retry-After` in seconds. A time is taken as one of the server's clock: the phone's may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let after = text(headers, header::RETRY_AFTER)?;
    let time = |text| httpdate::parse_http_date(text).ok();
    after.parse().ok().or_else(|| {
        let left = time(after)?.duration_since(time(text(headers, header::DATE)?)?);
        Some(left.map_or(0, |left| left.as_secs()))
    })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
