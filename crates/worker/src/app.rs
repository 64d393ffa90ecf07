//! What every request needs: the database, the keys, and the moment at which it came. A rule of the
//! domain must never live here, nor anything that reads a clock.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use callbook_auth::{Access, PasswordCost, Secret, SigningKeys, TokenError};
use callbook_base::Timestamp;
use callbook_dedup::Tables;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::de::DeserializeOwned;

use crate::database::{Database, Rows, Statement};
use crate::problem::Problem;
use crate::settings::Settings;
use crate::sql::devices::{self, Session};
use crate::timing::{Clock, Timed};

/// The service's parts, put together by whoever hosts it.
pub struct App {
    /// The book.
    pub database: Arc<dyn Database>,
    /// What makes the keys of numbers. A book that others made is re-keyed.
    pub tables: Tables,
    /// How long deleted contacts can be restored, and phones that were away need not pull from the start.
    pub tombstones_kept: Duration,
    /// What signs access tokens.
    pub keys: SigningKeys,
    /// What lets in to `POST /setup`; without one nobody is let in there.
    pub setup_token: Option<Secret>,
    /// What hashing a password costs.
    pub password_cost: PasswordCost,
    /// What an operator may choose.
    pub settings: Settings,
}

/// Where a request came from, if its host tells that and can be believed: the host puts it into the
/// extensions of each request. Failed sign-ins are counted by it.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

/// When a request came, and its share of chance: the host puts one into the extensions of each
/// request.
#[derive(Clone, Copy)]
pub struct Moment {
    /// The server's clock.
    pub now: Timestamp,
    /// New for each request.
    pub seed: [u8; 32],
}

impl Moment {
    /// The generator of all that this request leaves to chance.
    pub(crate) fn chance(&self) -> Chance {
        Chance(ChaCha12Rng::from_seed(self.seed))
    }

    /// What logs, answers and the audit call this request: from a stream of chance of its own, so that it
    /// tells nothing of the secrets that the other makes.
    pub fn request_id(&self) -> String {
        let mut generator = ChaCha12Rng::from_seed(self.seed);
        generator.set_stream(1);
        Chance(generator).hex()
    }
}

/// Chance, as ids, salts and tokens take it.
pub(crate) struct Chance(ChaCha12Rng);

impl Chance {
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// 16 hex digits.
    pub(crate) fn hex(&mut self) -> String {
        format!("{:016x}", u64::from_be_bytes(self.bytes()))
    }
}

impl App {
    /// Tells by this clock how long requests take, and how long they wait for the database.
    #[must_use]
    pub fn timed(mut self, clock: Clock) -> Self {
        self.database = Arc::new(Timed { database: self.database, clock });
        self.settings.clock = Some(clock);
        self
    }

    pub(crate) async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, Problem> {
        Ok(self.database.batch(statements).await?)
    }

    /// Who calls, and what else the same batch gave. The statements have run when the caller turns
    /// out to have been shut out: they only read, or ask for themselves.
    pub(crate) async fn session(
        &self,
        access: &Access,
        statements: Vec<Statement>,
    ) -> Result<(Session, Vec<Rows>), Problem> {
        let with_session = [devices::session(access)].into_iter().chain(statements).collect();
        let mut rows = self.batch(with_session).await?;
        let rest = rows.split_off(1);
        Ok((devices::read_session(&rows[0])?, rest))
    }

    /// Writes for a caller who is still let in when it is written; what the statements gave. `None` when a
    /// constraint of theirs refused them.
    pub(crate) async fn write(
        &self,
        access: &Access,
        moment: Moment,
        statements: Vec<Statement>,
    ) -> Result<Option<Vec<Rows>>, Problem> {
        let guard = devices::guard(access.device, moment.now);
        match self.database.batch([guard].into_iter().chain(statements).collect()).await {
            Err(error) if error.is_constraint() => {
                self.session(access, Vec::new()).await?;
                Ok(None)
            }
            written => {
                let mut rows = written?;
                Ok(Some(rows.split_off(1)))
            }
        }
    }
}

impl FromRequestParts<Arc<App>> for Moment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| {
            let detail = "the host of this service gives requests no moment";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no_moment", detail)
        })
    }
}

/// Where the request came from, if that is known.
pub(crate) struct Address(pub(crate) Option<IpAddr>);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get().map(|ClientAddress(address)| *address)))
    }
}

/// What the caller's program calls itself, such as `Callbook/1.2 (Android 16)`: its first 100 characters.
pub(crate) struct AppVersion(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for AppVersion {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self(agent.map(|agent| agent.chars().take(100).collect())))
    }
}

/// What the caller's access token says. Whether it still holds is asked of the database with the
/// request's first batch.
pub(crate) struct Caller(pub(crate) Access);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let now = Moment::from_request_parts(parts, app).await?.now;
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        // A header that ends after the scheme loses its space on the way.
        let token = token.filter(|token| !token.is_empty());
        Ok(Self(app.keys.verify(token.ok_or(TokenError::Missing)?, now)?))
    }
}

/// A body as it came, within the limit that the router sets.
pub(crate) struct Body(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| {
            match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::too_large("a body has at most 1 MiB: send it in parts")
                }
                _ => Problem::invalid_request("the body did not arrive whole"),
            }
        })
    }
}

/// A body read from JSON.
pub(crate) struct Read<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Read<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Body(bytes) = Body::from_request(request, state).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            Problem::invalid_request(format!("the request cannot be read: {error}"))
        })
    }
}
