//! One phone: its engine, its way to the server, and the sync under way. It takes commands and gives answers as
//! JSON, and knows no JVM.

mod command;
mod run;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use callbook_device::{
    Engine, NoAnswer, Request, RequestId, Response, Session, SqliteStore, Store,
};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::edge;
use crate::error::Error;
use crate::http::{Cancel, Failure, Http, Server};
use command::Command;
use run::Run;

/// What it takes to open a phone.
#[derive(Deserialize)]
pub struct Config {
    /// The file of its store.
    store: PathBuf,
    /// The address of its server, as typed.
    server: String,
    /// The certificates that it trusts, DER in base 64: those of Android's own store.
    #[serde(default)]
    roots: Vec<String>,
    /// Its tokens, as an answer gave them last.
    #[serde(default)]
    session: Option<Tokens>,
    /// Whether the store is to be put aside and made anew with what can be read of it.
    #[serde(default)]
    rebuild: bool,
}

/// The tokens of a session, which the app keeps where the phone keeps secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    access: Option<callbook_auth::Secret>,
    refresh: callbook_auth::Secret,
}

impl From<Session> for Tokens {
    fn from(Session { access, refresh }: Session) -> Self {
        Self { access, refresh }
    }
}

impl From<Tokens> for Session {
    fn from(Tokens { access, refresh }: Tokens) -> Self {
        Self { access, refresh }
    }
}

/// One phone.
pub struct Phone {
    engine: Engine<SqliteStore>,
    http: Http,
    chance: ChaCha20Rng,
    run: Option<Run>,
    /// Whether a step of a sync is being taken: only that is cancelled.
    in_step: Arc<AtomicBool>,
    /// What the step under way has to send.
    to_send: Option<Request>,
    /// The tokens that the app has.
    told: Option<Tokens>,
}

/// An answer, with the tokens when they are no longer those that the app has.
#[derive(Serialize)]
struct Envelope<'a> {
    answer: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Option<Tokens>>,
}

/// A request that is to be sent, which needs no phone.
pub(crate) struct Asking {
    http: Http,
    request: Request,
}

/// What came of a request.
pub(crate) struct Heard {
    id: RequestId,
    answer: Result<Response, NoAnswer>,
    failure: Option<Failure>,
}

impl Asking {
    /// Sends it, and waits for its answer or until it is given up.
    pub(crate) fn send(mut self) -> Heard {
        let id = self.request.id;
        let answer = self.http.ask(self.request);
        Heard { id, answer, failure: self.http.failure() }
    }
}

fn warn(error: &Error) {
    ::log::warn!("a call has failed: {}", error.code());
}

impl Phone {
    /// Opens a phone.
    ///
    /// # Errors
    /// The store cannot be used, or the address is none. Nothing has changed.
    pub fn open(config: Config) -> Result<Self, Error> {
        let server: Server = config.server.parse()?;
        let session = config.session.clone().map(Session::from);
        let mut store = match config.rebuild {
            true => SqliteStore::rebuild(&config.store, session)?,
            false => SqliteStore::open(&config.store, session)?,
        };
        let roots = config.roots.iter().map(|root| BASE64_STANDARD.decode(root));
        let roots: Vec<Vec<u8>> = roots.filter_map(Result::ok).collect();
        ::log::info!("opened by {}, with {} roots", env!("CARGO_PKG_VERSION"), roots.len());
        let http = Http::new(server, roots.iter().map(Vec::as_slice));
        let (cancel, in_step) = (http.cancel(), Arc::<AtomicBool>::default());
        let is_in_step = in_step.clone();
        store.stop_when(move || is_in_step.load(Ordering::Relaxed) && cancel.is_cancelled());
        Ok(Self {
            engine: Engine::open(store)?,
            http,
            chance: edge::chance(),
            run: None,
            in_step,
            to_send: None,
            told: config.session,
        })
    }

    /// What gives up a sync, from another thread.
    pub fn cancel(&self) -> Cancel {
        self.http.cancel()
    }

    /// Does what a command says. Command and answer are JSON.
    ///
    /// # Errors
    /// As [`Error`] says. What was done before stands.
    pub fn call(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (answer, asking) = self.begin_call(Self::read(command)?)?;
        if let Some(asking) = asking {
            self.hear(asking.send())?;
        }
        self.end_call(&answer)
    }

    /// What a command says.
    pub(crate) fn read(command: &[u8]) -> Result<Command, Error> {
        parse(command).inspect_err(warn)
    }

    /// Does what a command says, up to a request. Before it is sent and heard of, nothing but queries may be asked.
    pub(crate) fn begin_call(
        &mut self,
        command: Command,
    ) -> Result<(Box<RawValue>, Option<Asking>), Error> {
        let answer = self.run_command(command).inspect_err(warn)?;
        let request = self.to_send.take();
        Ok((answer, request.map(|request| Asking { http: self.http.clone(), request })))
    }

    /// What came of the request.
    pub(crate) fn hear(&mut self, heard: Heard) -> Result<(), Error> {
        self.take_heard(heard).inspect_err(warn)
    }

    /// The answer of a call, with the tokens when they are others.
    pub(crate) fn end_call(&mut self, answer: &RawValue) -> Result<Zeroizing<Vec<u8>>, Error> {
        let tokens = self.engine.store().state()?.session.map(Tokens::from);
        let session = (tokens != self.told).then(|| tokens.clone());
        self.told = tokens;
        let json = serde_json::to_vec(&Envelope { answer, session });
        Ok(Zeroizing::new(json.expect("an answer has no maps with other keys than texts")))
    }
}

/// What Kotlin says. It is read as a text, as all else is: a reader for bytes would be all of it once more in the
/// library.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Error> {
    let text = std::str::from_utf8(json);
    let text = text.map_err(|error| Error::Command(error.valid_up_to() + 1))?;
    Ok(serde_json::from_str(text)?)
}
