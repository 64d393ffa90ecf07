//! Signing in and staying signed in.

use std::time::Duration;

use callbook_auth::wire::{LoginRequest, NewDevice, SessionAnswer, TokenRequest};
use callbook_auth::{DeviceName, Platform, Secret};
use callbook_base::Timestamp;

use super::{Ask, Engine, Outcome, Sent, Stage, Typed};
use crate::event::Happened;
use crate::status::SignInReason;
use crate::store::{Session, State, Store, StoreError};
use crate::transport::Method;

/// An access token that ends within so long is not used any more: a request takes its time.
const LAST_OF_ACCESS: Duration = Duration::from_secs(30);

/// So long after its end an access token is believed to have ended: a sync comes in half an hour, as a rule.
const WHILE_SINCE_ACCESS: Duration = Duration::from_secs(40 * 60);

impl<S: Store> Engine<S> {
    /// Signs in with what somebody typed, at the next sync. The new device replaces the phone's last.
    pub fn sign_in(
        &mut self,
        username: String,
        password: Secret,
        device: DeviceName,
        platform: Platform,
    ) {
        self.typed = Some(Typed { username, password, device, platform });
        self.is_leaving = false;
    }

    /// Ends the session at the server, at the next sync. What was not pushed stays.
    pub fn sign_out(&mut self) {
        self.typed = None;
        self.is_leaving = self.state.session.is_some();
    }

    pub(super) fn log_out(&self) -> (Sent, Ask) {
        (Sent::LogOut, self.ask(Method::Post, "/logout".to_owned(), None))
    }

    pub(super) fn signed_out(&mut self) -> Result<Outcome, StoreError> {
        self.end_session(SignInReason::SignedOut)?;
        Ok(Outcome::Taken)
    }

    pub(super) fn log_in(&self) -> Option<(Sent, Ask)> {
        let Typed { username, password, device, platform } = self.typed.as_ref()?;
        let request = LoginRequest {
            username: username.clone(),
            password: password.clone(),
            device: NewDevice {
                name: device.clone(),
                platform: platform.clone(),
                replaces: self.state.device,
            },
        };
        Some((Sent::LogIn, post("/login", &request)))
    }

    pub(super) fn refresh(&self) -> (Sent, Ask) {
        let refresh = self.state.session.as_ref().map(|session| session.refresh.clone());
        let refresh_token = refresh.expect("only a session is refreshed");
        (Sent::Refresh, post("/token", &TokenRequest { refresh_token }))
    }

    /// A new pair of tokens; after a login, a new device with an op counter of its own.
    pub(super) fn signed_in(&mut self, answer: SessionAnswer) -> Result<Outcome, StoreError> {
        let session = Session { access: Some(answer.access_token), refresh: answer.refresh_token };
        let (session, user) = (Some(session), Some(answer.user.id));
        let lives = Duration::from_secs(answer.expires_in).saturating_sub(LAST_OF_ACCESS);
        // A request for it that had no answer may still be on its way: the next is not sent before it must be.
        let access_ends = (self.failures == 0).then(|| self.now.after(lives));
        let mut state = State { session, user, access_ends, ..self.state.clone() };
        if state.device != Some(answer.device.id) {
            self.happened(Happened::SignedIn);
            state.device = Some(answer.device.id);
            state.acked_seq = 0;
            state.told_all = false;
            self.stage = Stage::PushContacts;
        }
        self.commit(state, Vec::new())?;
        self.refreshed = true;
        self.typed = None;
        Ok(Outcome::Taken)
    }

    /// Whether the access token has ended a while ago, as the phone's clock has it: that spares a request that would be
    /// refused. A new one is always tried; and long ago is not believed, since a clock that was set on says
    /// so of one that has just come.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        let since = self.state.access_ends.map(|ends| now.millis_since(ends));
        let is_now =
            since.is_some_and(|since| (0..WHILE_SINCE_ACCESS.as_millis() as i64).contains(&since));
        is_now && !self.refreshed
    }

    /// The access token no longer lets in: another is asked for.
    pub(super) fn forget_access(&mut self) -> Result<(), StoreError> {
        let mut state = self.state.clone();
        if let Some(session) = &mut state.session {
            session.access = None;
        }
        self.commit(state, Vec::new())
    }

    /// Another phone counts its ops as this device. This one becomes a device of its own, and leaves the
    /// other's as it is: somebody uses it.
    pub(super) fn is_a_copy(&mut self) -> Result<(), StoreError> {
        self.sign_in = SignInReason::Copied;
        self.happened(Happened::SignedOut);
        self.commit(State { session: None, device: None, ..self.state.clone() }, Vec::new())
    }

    /// Somebody must sign in. What was not pushed is pushed then, by the new device.
    pub(super) fn end_session(&mut self, reason: SignInReason) -> Result<(), StoreError> {
        self.sign_in = reason;
        self.is_leaving = false;
        self.happened(Happened::SignedOut);
        self.commit(State { session: None, ..self.state.clone() }, Vec::new())
    }
}

fn post(path: &str, body: &impl serde::Serialize) -> Ask {
    let body = serde_json::to_vec(body).expect("what was typed is plain text");
    Ask { method: Method::Post, path: path.to_owned(), bearer: None, body: Some(body) }
}
