//! A sync in steps: the phone's contacts tell what changed, its log of calls too, the server is told and heard, and
//! the contacts are told what came. Each step ends where the app has something to do, or after one request, so that
//! it can be stopped at any of them: what was done stands, and the next sync goes on from there.

use std::fmt;
use std::sync::atomic::Ordering;

use callbook_base::Timestamp;
use callbook_device::call_log::{CallRow, CallsWanted};
use callbook_device::provider::{Ask, Given};
use callbook_device::{CallPass, Next, Pass, Response, SignInReason, StoreError};
use serde::Serialize;

use super::{Heard, Phone};
use crate::edge;
use crate::error::Error;
use crate::http::Failure;

/// How often a sync asks the server, at most: a new phone hears of the book first, and then tells what it has beyond it.
const ROUNDS: u32 = 2;

/// A sync under way.
pub(super) struct Run {
    stage: Stage,
    rounds: u32,
    ended: Ended,
}

enum Stage {
    /// What the user changed in the phone's contacts.
    Before(Box<Pass>),
    Calls(CallPass),
    Server,
    /// What the book changed.
    After(Box<Pass>),
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Ended {
    /// When to sync again, by the phone's clock.
    wake_at: Option<Timestamp>,
    /// Why somebody must sign in.
    sign_in: Option<SignInReason>,
    /// Why the last request had no answer of the service: the `code` of a failure.
    failure: Option<&'static str>,
    /// Whether the server has answered the last request by asking to wait.
    #[serde(skip)]
    is_put_off: bool,
}

/// For the phone's log, which people read.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.sign_in, self.failure) {
            (Some(reason), _) => write!(f, "somebody must sign in ({reason:?})")?,
            (None, Some(failure)) => write!(f, "{failure}")?,
            (None, None) => f.write_str("well")?,
        }
        self.wake_at.map_or(Ok(()), |at| write!(f, ", the next at {at}"))
    }
}

/// What the app is to do next.
#[derive(Serialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub(super) enum Wanted {
    /// With the phone's contacts.
    Phone(Ask),
    /// Read these rows of the log of calls.
    Calls(CallsWanted),
    /// Nothing: the sync goes on with another step.
    Step,
    /// The sync has ended.
    Done(Ended),
}

impl Phone {
    /// Begins a sync, whatever was under way.
    pub(super) fn begin(&mut self) -> Result<Wanted, Error> {
        self.http.cancel().clear();
        let stage = Stage::Before(Box::default());
        self.run = Some(Run { stage, rounds: 0, ended: Ended::default() });
        self.step(Some(Given::Start), None)
    }

    /// Goes on with what the app has done. What is not what was asked for ends the sync, and so does a cancel, at
    /// the next contact that the store is asked for.
    pub(super) fn step(
        &mut self,
        phone: Option<Given>,
        calls: Option<Vec<CallRow>>,
    ) -> Result<Wanted, Error> {
        self.until_cancelled(|it| it.one_step(phone, calls))
    }

    /// A part of a sync: the store stops it when the sync is cancelled.
    fn until_cancelled<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.in_step.store(true, Ordering::Relaxed);
        let done = part(self);
        self.in_step.store(false, Ordering::Relaxed);
        done.map_err(|error| match error {
            Error::Store(StoreError::Stopped) => Error::Cancelled,
            error => error,
        })
    }

    fn one_step(
        &mut self,
        phone: Option<Given>,
        calls: Option<Vec<CallRow>>,
    ) -> Result<Wanted, Error> {
        let mut run = self.run.take().ok_or(Error::OutOfStep)?;
        if self.http.cancel().is_cancelled() {
            return Err(Error::Cancelled);
        }
        let wanted = match (&mut run.stage, phone, calls) {
            (Stage::Before(pass) | Stage::After(pass), Some(given), None) => {
                match self.engine.phone(pass, given, edge::now(), &mut self.chance)? {
                    Ask::Done => self.after_phone(&mut run)?,
                    ask => Wanted::Phone(ask),
                }
            }
            (Stage::Calls(pass), None, Some(rows)) => {
                match self.engine.take_calls(pass, rows, edge::now())? {
                    true => Wanted::Calls(pass.wanted()),
                    false => self.turn_to_server(&mut run),
                }
            }
            (Stage::Server, None, None) => self.ask_server(&mut run)?,
            _ => return Err(Error::OutOfStep),
        };
        match wanted {
            Wanted::Done(ended) => ::log::info!("a sync has ended: {ended}"),
            _ => self.run = Some(run),
        }
        match wanted {
            Wanted::Done(Ended { is_put_off: true, wake_at: Some(wake_at), .. }) => {
                let left = wake_at.millis_since(edge::now()).max(0).unsigned_abs();
                Err(Error::Later(left.div_ceil(1_000)))
            }
            wanted => Ok(wanted),
        }
    }

    /// The phone's contacts have said, or heard, all.
    fn after_phone(&mut self, run: &mut Run) -> Result<Wanted, Error> {
        if matches!(run.stage, Stage::After(_)) {
            let Ended { sign_in, failure, is_put_off, .. } = run.ended;
            let has_failed = sign_in.is_some() || failure.is_some() || is_put_off;
            let may = run.rounds < ROUNDS && !has_failed;
            let has_news = may && self.engine.status()?.unpushed > 0;
            return Ok(if has_news { self.turn_to_server(run) } else { Wanted::Done(run.ended) });
        }
        Ok(match self.engine.calls() {
            Some(pass) => {
                let wanted = pass.wanted();
                run.stage = Stage::Calls(pass);
                Wanted::Calls(wanted)
            }
            None => self.turn_to_server(run),
        })
    }

    fn turn_to_server(&mut self, run: &mut Run) -> Wanted {
        run.stage = Stage::Server;
        run.rounds += 1;
        self.engine.start_sync();
        Wanted::Step
    }

    /// One request to send, or none when there is nothing more to say.
    fn ask_server(&mut self, run: &mut Run) -> Result<Wanted, Error> {
        match self.engine.next(edge::now(), &mut self.chance)? {
            Next::Send(request) => {
                self.to_send = Some(request);
                return Ok(Wanted::Step);
            }
            // One that syncs only after changes waits for ever.
            Next::Wait(until) => run.ended.wake_at = Some(until).filter(|it| *it < Timestamp::MAX),
            Next::SignIn(reason) => run.ended.sign_in = Some(reason),
        }
        let mut pass = Box::<Pass>::default();
        let ask = self.engine.phone(&mut pass, Given::Start, edge::now(), &mut self.chance)?;
        run.stage = Stage::After(pass);
        match ask {
            Ask::Done => self.after_phone(run),
            ask => Ok(Wanted::Phone(ask)),
        }
    }

    /// What came of the request of the step before.
    pub(super) fn take_heard(&mut self, heard: Heard) -> Result<(), Error> {
        let mut run = self.run.take().ok_or(Error::OutOfStep)?;
        self.until_cancelled(|it| it.receive(&mut run.ended, heard))?;
        self.run = Some(run);
        Ok(())
    }

    fn receive(&mut self, ended: &mut Ended, heard: Heard) -> Result<(), Error> {
        let Heard { id, answer, failure } = heard;
        if failure == Some(Failure::Cancelled) {
            self.engine.give_up();
            return Err(Error::Cancelled);
        }
        ended.failure = failure.map(Failure::code);
        let asks_to_wait = |answer: &Response| matches!(answer.status, 429 | 500..=599);
        ended.is_put_off = failure.is_none() && answer.as_ref().is_ok_and(asks_to_wait);
        Ok(self.engine.receive(id, answer, edge::now(), &mut self.chance)?)
    }
}
