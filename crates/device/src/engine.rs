//! The engine: what it sends next, and what it makes of the answer. What its user does, and each kind
//! of answer, has its module below. Anything that waits or sends must never live here.

mod call_log;
mod calls;
mod deletes;
mod duplicates;
mod people;
mod phone;
mod pull;
mod push;
mod restored;
mod session;
mod share;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use callbook_auth::{DeviceName, Platform, Secret};
use callbook_base::{ContactId, Rev, Timestamp};
use callbook_contacts::wire::ShareAnswer;
use callbook_dedup::NumberKey;
use rand::Rng;
use serde::Deserialize;
use zeroize::Zeroize;

use crate::event::{Event, Happened};
use crate::outbox::{Aside, Outbox};
use crate::portion::{Load, Portions};
use crate::provider::{Duplicate, Links};
use crate::status::{Problem, SignInReason, Status};
use crate::store::{State, Store, StoreChange, StoreError};
use crate::transport::{Method, Next, NoAnswer, Request, RequestId, Response};

pub use call_log::CallPass;
pub use people::Imported;
pub use phone::Pass;

/// How long a phone waits after a change for another, and for the last of many.
const DEBOUNCE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(30));

/// The first and the longest wait after a failure.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15 * 60));

/// The longest wait that a server may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// So many requests have died, one after another, when less is asked for: one may die of anything.
const DEATHS: u32 = 2;

/// One phone's sync.
pub struct Engine<S> {
    store: S,
    /// The store's, in memory.
    state: State,
    outbox: Outbox,
    aside: Vec<Aside>,
    links: Links,
    duplicates: BTreeMap<ContactId, Duplicate>,
    /// Contacts that the phone did not take in the last pass over its contacts.
    not_taken: Vec<ContactId>,
    stage: Stage,
    sent: Option<(RequestId, Sent)>,
    typed: Option<Typed>,
    sign_in: SignInReason,
    /// Whether the user wants the session to end.
    is_leaving: bool,
    waits: Option<Pause>,
    /// There is something to say that the pause does not know of.
    is_news: bool,
    failures: u32,
    /// Whether the access token is new and has not let in yet.
    refreshed: bool,
    /// Requests in a row that have died of what they ask for, as it seems.
    deaths: u32,
    resyncs: u64,
    problem: Option<Problem>,
    /// The rev of the book's calls, as the pull of contacts under way has told it.
    told_calls_rev: Option<Rev>,
    /// What this sync has sent and received.
    counts: (u64, u64),
    /// The phone's clock, as it was told last.
    now: Timestamp,
    /// What the next commit notes.
    events: Vec<Event>,
}

/// What a sync does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    PushContacts,
    PushCalls,
    Share,
    PullContacts,
    PullCalls,
    /// All is done until the time to sync comes again.
    Synced,
}

/// A time of the phone's clock before which nothing is sent, and how many milliseconds that was when
/// it was set.
#[derive(Debug, Clone, Copy)]
struct Pause {
    until: Timestamp,
    length: i64,
    why: Waits,
}

/// What a pause is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// All is said, until the time to sync comes again.
    Idle,
    /// There was a change at this time, and more may follow.
    Debounce { since: Timestamp },
    /// Something failed. Changes do not shorten it.
    BackOff,
}

/// What was sent, until its answer is here.
#[derive(Debug)]
enum Sent {
    LogIn,
    Refresh,
    LogOut,
    /// The places of the ops, in order, how many more were named that it has not, and whether nothing was
    /// left behind.
    PushContacts {
        places: Vec<u64>,
        named: usize,
        complete: bool,
    },
    /// The numbers of the calls.
    PushCalls(Vec<u64>),
    /// Whether a number is shared.
    Share(NumberKey, bool),
    PullContacts,
    PullCalls,
}

impl Sent {
    /// What it could have less of, and how much that was.
    fn load(&self, portions: &Portions) -> Option<(Load, usize)> {
        match self {
            Self::PushContacts { places, .. } => Some((Load::Ops, places.len())),
            Self::PushCalls(numbers) => Some((Load::Calls, numbers.len())),
            Self::PullContacts => Some((Load::Contacts, portions.size(Load::Contacts))),
            Self::PullCalls => Some((Load::PulledCalls, portions.size(Load::PulledCalls))),
            Self::LogIn | Self::Refresh | Self::LogOut | Self::Share(..) => None,
        }
    }
}

/// What somebody typed to sign in. It is kept in memory only.
struct Typed {
    username: String,
    password: Secret,
    device: DeviceName,
    platform: Platform,
}

impl<S: Store> Engine<S> {
    /// Goes on where the store was left, after a start or a crash.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(store: S) -> Result<Self, StoreError> {
        Ok(Self {
            state: store.state()?,
            aside: store.aside()?,
            links: store.links()?.into_iter().collect(),
            duplicates: store.duplicates()?.into_iter().map(|it| (it.id, it)).collect(),
            not_taken: Vec::new(),
            outbox: store.outbox()?.into_iter().collect(),
            store,
            stage: Stage::PushContacts,
            sent: None,
            typed: None,
            sign_in: SignInReason::Never,
            is_leaving: false,
            waits: None,
            is_news: false,
            failures: 0,
            refreshed: false,
            deaths: 0,
            resyncs: 0,
            problem: None,
            told_calls_rev: None,
            counts: (0, 0),
            now: Timestamp::MIN,
            events: Vec::new(),
        })
    }

    /// What a crash leaves.
    pub fn into_store(self) -> S {
        self.store
    }

    /// The store, to look at.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// How sync stands.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn status(&self) -> Result<Status, StoreError> {
        let count = |which: fn(&Aside) -> bool| self.aside.iter().filter(|it| which(it)).count();
        let (unconfirmed_deletes, lost) =
            (count(Aside::is_unconfirmed_delete), count(Aside::is_lost));
        Ok(Status {
            signed_in: self.state.session.is_some(),
            unpushed: self.outbox.unacked_len() + self.state.shares.len(),
            unpulled: self.outbox.acked_len(),
            unpushed_calls: self.calls_to_push(usize::MAX)?.len(),
            aside: self.aside.len() - unconfirmed_deletes - lost,
            unconfirmed_deletes,
            lost,
            unfit: self.unfit().count() + self.not_taken.len(),
            duplicates: self.duplicates().count(),
            resyncs: self.resyncs,
            synced: self.stage == Stage::Synced,
            problem: self.problem.clone(),
        })
    }

    /// A sync that had ended has something to do again, when its time comes.
    fn stir(&mut self) {
        if self.stage == Stage::Synced {
            self.stage = Stage::PushContacts;
        }
        self.is_news = true;
    }

    /// Asks for a sync now, whatever the engine was waiting for.
    pub fn start_sync(&mut self) {
        self.waits = None;
        self.is_news = false;
        self.problem.take_if(|problem| matches!(problem, Problem::Refused(_)));
        self.stir();
    }

    /// Whoever asked has given up the request under way. It may have arrived, and is no failure: the next goes out
    /// when somebody asks.
    pub fn give_up(&mut self) {
        self.sent = None;
    }

    /// What to do next. A request that it gave before and that had no answer counts as lost.
    ///
    /// # Errors
    /// The store cannot be read or written; ask again later.
    pub fn next(&mut self, now: Timestamp, chance: &mut impl Rng) -> Result<Next, StoreError> {
        self.now = now;
        if self.sent.take().is_some() {
            self.fail(now, chance, None);
        }
        if std::mem::take(&mut self.is_news) {
            self.debounce(now);
        }
        if let Some(Pause { until, length, .. }) = self.waits {
            // More than all of it left: the clock was set back, and must not make a phone wait for years.
            let left = until.millis_since(now);
            if (1..=length).contains(&left) {
                return Ok(Next::Wait(until));
            }
            self.start_sync();
        }
        let (sent, asked) = match &self.state.session {
            None => match self.log_in() {
                Some(asked) => asked,
                None => return Ok(Next::SignIn(self.sign_in)),
            },
            Some(session) if session.access.is_none() || self.is_stale(now) => self.refresh(),
            Some(_) if self.is_leaving => self.log_out(),
            Some(_) => match self.work(now)? {
                Some(asked) => asked,
                None => {
                    let interval = self.state.settings.interval.duration().unwrap_or(Duration::MAX);
                    return Ok(Next::Wait(self.pause(now, interval, Waits::Idle)));
                }
            },
        };
        let id = RequestId(chance.next_u64());
        self.sent = Some((id, sent));
        let Ask { method, path, bearer, body } = asked;
        Ok(Next::Send(Request { id, method, path, bearer, body }))
    }

    /// The request of this stage or the next that has something to do.
    fn work(&mut self, now: Timestamp) -> Result<Option<(Sent, Ask)>, StoreError> {
        loop {
            let request = match self.stage {
                Stage::PushContacts => self.push_contacts(now)?,
                Stage::PushCalls => self.push_calls()?,
                Stage::Share => self.share(),
                Stage::PullContacts => Some(self.pull_contacts()?),
                Stage::PullCalls if self.knows_all_calls()? => {
                    self.end_of_calls()?;
                    continue;
                }
                Stage::PullCalls => Some(self.pull_calls()),
                Stage::Synced => {
                    self.note_sync()?;
                    return Ok(None);
                }
            };
            if request.is_some() {
                return Ok(request);
            }
            self.advance();
        }
    }

    /// The next stage. What was changed while a sync went on is pushed before it ends.
    fn advance(&mut self) {
        self.stage = match self.stage {
            Stage::PushContacts => Stage::PushCalls,
            Stage::PushCalls => Stage::Share,
            Stage::Share => Stage::PullContacts,
            Stage::PullContacts => Stage::PullCalls,
            Stage::PullCalls if self.has_more_to_say() && !self.is_refused() => Stage::PushContacts,
            Stage::PullCalls | Stage::Synced => Stage::Synced,
        };
    }

    fn has_more_to_say(&self) -> bool {
        self.outbox.unacked_len() > 0 || !self.state.shares.is_empty()
    }

    /// Whether the server has refused what this phone says, in this sync.
    fn is_refused(&self) -> bool {
        matches!(self.problem, Some(Problem::Refused(_)))
    }

    /// Takes what came of the request that [`Engine::next`] gave last. What comes of an older one, or a second
    /// time, is old: the request counted as lost, and another has taken its place. It changes nothing.
    ///
    /// # Errors
    /// The store cannot be written. Nothing of the answer has been taken: the request is sent again.
    pub fn receive(
        &mut self,
        id: RequestId,
        answer: Result<Response, NoAnswer>,
        now: Timestamp,
        chance: &mut impl Rng,
    ) -> Result<(), StoreError> {
        self.now = now;
        let Some((_, sent)) = self.sent.take_if(|(waiting, _)| *waiting == id) else {
            return Ok(());
        };
        if let Some((load, size)) = sent.load(&self.state.portions) {
            self.deaths = if has_died(&answer) { self.deaths + 1 } else { 0 };
            if self.deaths >= DEATHS {
                self.halve(load, size)?;
            }
        }
        let outcome = match answer {
            Ok(Response { status: 204, .. }) if matches!(sent, Sent::LogOut) => {
                self.signed_out()?
            }
            Ok(Response { status: 200, mut body, .. }) => {
                let has_tokens = matches!(sent, Sent::LogIn | Sent::Refresh);
                let outcome = self.take_answer(sent, &body, now);
                if has_tokens {
                    body.zeroize();
                }
                outcome?
            }
            Ok(response) => self.refused(sent, &response)?,
            Err(_) => Outcome::Failed(None),
        };
        match outcome {
            Outcome::Taken => self.failures = 0,
            Outcome::Failed(retry_after) => self.fail(now, chance, retry_after),
        }
        Ok(())
    }

    /// An answer with 200. One that is not of the service's form comes from something between.
    fn take_answer(
        &mut self,
        sent: Sent,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let outcome = match sent {
            Sent::LogIn | Sent::Refresh => return read(body, |answer| self.signed_in(answer)),
            // The service has nothing to say to that but 204.
            Sent::LogOut => return Ok(Outcome::Failed(None)),
            Sent::PushContacts { places, named, complete } => {
                let pushed = (&places[..], named, complete);
                read(body, |answer| self.contacts_pushed(answer, pushed, now))
            }
            Sent::PushCalls(numbers) => read(body, |answer| self.calls_pushed(&answer, &numbers)),
            Sent::Share(key, shared) => {
                read(body, |_: ShareAnswer| self.told_of_share(key, shared))
            }
            Sent::PullContacts => read(body, |answer| self.contacts_pulled(answer, now)),
            Sent::PullCalls => read(body, |answer| self.calls_pulled(answer)),
        };
        self.refreshed = false;
        outcome
    }

    /// The next request asks for half of what this one did.
    fn halve(&mut self, load: Load, sent: usize) -> Result<(), StoreError> {
        let mut state = self.state.clone();
        state.portions.halve(load, sent);
        self.commit(state, Vec::new())
    }

    /// Any other answer.
    fn refused(&mut self, sent: Sent, response: &Response) -> Result<Outcome, StoreError> {
        let problem: ProblemAnswer = parse(&response.body).unwrap_or_default();
        let (code, fork) = (problem.code.as_str(), self.fork(&problem));
        match (response.status, sent) {
            (401, Sent::LogIn) => {
                self.typed = None;
                self.sign_in = SignInReason::WrongCredentials;
            }
            (401, _) if code == "token_reused" => self.end_session(SignInReason::Copied)?,
            (401, Sent::Refresh) => self.end_session(SignInReason::Ended)?,
            (401, _) => {
                self.forget_access()?;
                // A token that was new and does not let in: the phone slept, or the clocks of the
                // service differ. Not at once again; whether the session holds, `/token` tells.
                if std::mem::take(&mut self.refreshed) {
                    return Ok(Outcome::Failed(None));
                }
            }
            (409, Sent::PushContacts { .. }) if code == "op_reused" => self.is_a_copy()?,
            (409, Sent::PushContacts { .. }) if let Some(fork) = fork => self.restored(fork)?,
            (410, Sent::PullContacts) => self.resync()?,
            (410, Sent::PullCalls) => self.pull_all_calls()?,
            (404, Sent::Share(key, shared)) if !code.is_empty() => {
                return self.told_of_share(key, shared);
            }
            (413, Sent::PushContacts { places, .. }) => self.too_large(&places)?,
            (400..=499, sent) if response.status != 429 && !code.is_empty() => {
                self.problem = Some(Problem::Refused(code.to_owned()));
                self.happened(Happened::Refused { code: code.to_owned() });
                // What this phone cannot say must not keep it from hearing: the sync goes on, and the
                // next one tries again.
                match sent {
                    Sent::PushContacts { .. } | Sent::PushCalls(_) | Sent::Share(..) => {
                        self.advance();
                    }
                    _ => return Ok(Outcome::Failed(response.retry_after)),
                }
            }
            _ => return Ok(Outcome::Failed(response.retry_after)),
        }
        Ok(Outcome::Taken)
    }

    /// Waits: doubling from try to try, a random part of it, and not less than the server asks for.
    fn fail(&mut self, now: Timestamp, chance: &mut impl Rng, retry_after: Option<u64>) {
        if self.failures == 0 {
            self.happened(Happened::Failing);
        }
        let (first, most) = BACK_OFF;
        let longest = first.saturating_mul(1 << self.failures.min(16)).min(most).as_millis() as u64;
        self.failures += 1;
        let wait = Duration::from_millis(1_000 + chance.next_u64() % longest);
        let asked = Duration::from_secs(retry_after.unwrap_or(0)).min(LONGEST_RETRY_AFTER);
        self.pause(now, wait.max(asked), Waits::BackOff);
    }

    /// Does nothing for so long. When that ends.
    fn pause(&mut self, now: Timestamp, wait: Duration, why: Waits) -> Timestamp {
        let until = now.after(wait);
        self.waits = Some(Pause { until, length: until.millis_since(now), why });
        until
    }

    /// There was a change: a sync begins soon, once its user has stopped writing.
    fn debounce(&mut self, now: Timestamp) {
        let since = match self.waits.map(|pause| pause.why) {
            Some(Waits::Idle) => now,
            Some(Waits::Debounce { since }) if since <= now => since,
            Some(Waits::Debounce { .. }) => now, // the clock was set back
            Some(Waits::BackOff) | None => return,
        };
        let (short, long) = DEBOUNCE;
        let left = since.after(long).millis_since(now).max(0).unsigned_abs();
        self.pause(now, short.min(Duration::from_millis(left)), Waits::Debounce { since });
    }

    /// Something happened: the next commit notes it.
    fn happened(&mut self, what: Happened) {
        self.events.push(Event { at: self.now, what });
    }

    /// A sync has come to its end.
    fn note_sync(&mut self) -> Result<(), StoreError> {
        let (sent, received) = std::mem::take(&mut self.counts);
        if sent + received > 0 {
            self.happened(Happened::Synced { sent, received });
        }
        if self.events.is_empty() { Ok(()) } else { self.commit(self.state.clone(), Vec::new()) }
    }

    /// A request of this session.
    fn ask(&self, method: Method, path: String, body: Option<Vec<u8>>) -> Ask {
        let bearer = self.state.session.as_ref().and_then(|session| session.access.clone());
        Ask { method, path, bearer, body }
    }

    /// Makes these changes with the new state, or none; then the engine's own state follows.
    fn commit(&mut self, state: State, mut changes: Vec<StoreChange>) -> Result<(), StoreError> {
        changes.push(StoreChange::State(Box::new(state.clone())));
        changes.extend(self.events.iter().cloned().map(StoreChange::PutEvent));
        self.store.commit(changes)?;
        self.events.clear();
        self.state = state;
        Ok(())
    }
}

/// A request that has no id yet.
struct Ask {
    method: Method,
    path: String,
    bearer: Option<Secret>,
    body: Option<Vec<u8>>,
}

/// What came of a request.
enum Outcome {
    Taken,
    /// To be tried again, at the earliest after so many seconds.
    Failed(Option<u64>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProblemAnswer {
    code: String,
    /// Of `epoch_changed`.
    epoch: Option<String>,
    acked_seq: Option<u64>,
    rev: Option<Rev>,
    /// Of `op_gap`.
    expected: Option<u64>,
}

/// Whether a request may have died of what it asks for: there was no answer in time, or one of the service's
/// host in its place. An error that the service itself tells has a code, and another reason.
fn has_died(answer: &Result<Response, NoAnswer>) -> bool {
    match answer {
        Ok(Response { status: 500..=599, body, .. }) => {
            parse::<ProblemAnswer>(body).is_none_or(|it| it.code.is_empty())
        }
        Ok(_) | Err(NoAnswer::Unreachable) => false,
        Err(NoAnswer::TimedOut) => true,
    }
}

fn read<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    take: impl FnOnce(T) -> Result<Outcome, StoreError>,
) -> Result<Outcome, StoreError> {
    parse(body).map_or(Ok(Outcome::Failed(None)), take)
}

/// The JSON of a body, as a text: of bytes each text in it would be looked at on its own.
fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
}
