//! The last events of a run, for a picture of how it came to fail. A tape is only put in when a seed that has
//! failed is run once more: so it knows what to look for, and no other run pays for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use callbook_base::{ContactId, Timestamp};
use callbook_device::{Request, Response};
use serde_json::Value;

use crate::check::Difference;
use crate::fault::Fault;
use crate::network::{CURRENT, Delivered};
use crate::world::START;

/// How many events are kept.
const MOST: usize = 60;

/// Of a run that ends well: how many events are kept before and after one that went wrong, and of all.
const SCENE: usize = 8;
const MOST_OF_SCENES: usize = 240;

tokio::task_local! {
    /// The phone whose task this is.
    pub(crate) static PHONE: usize;
}

/// Where something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// On a phone.
    Phone(usize),
    /// At the desk of an admin.
    Desk,
    /// At the service.
    Service,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it began, in the run's time.
    pub at: Timestamp,
    /// Whose it is.
    pub lane: Lane,
    /// What it is.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A request that reached the service, and its answer.
    Exchange {
        /// Method and path without its query, and what was said in a few words.
        asked: String,
        /// When the answer left the service.
        answered_at: Timestamp,
        /// Its status, and what it said in a few words.
        answer: String,
    },
    /// Something went wrong, on purpose; to a request, if there is a text.
    Fault(Fault, String),
    /// Something that must be true was seen not to be.
    Difference(String),
}

impl Event {
    fn ends_at(&self) -> Timestamp {
        match self.what {
            What::Exchange { answered_at, .. } => answered_at,
            _ => self.at,
        }
    }
}

/// A ring of the last events, or of those around whatever went wrong.
pub struct Tape {
    /// Only what names this contact is kept, if there is one.
    about: Option<String>,
    /// Whether the run is known to end well.
    of_scenes: bool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<Event>,
    /// Of scenes: how many of these stay, and how many of the next do.
    settled: usize,
    next: usize,
    /// Of the contact that is followed: what befell phones that have not named it since.
    befell: Vec<Event>,
}

impl Tape {
    /// A tape for the run that ends with this difference.
    pub fn of(difference: &Difference) -> Self {
        Self { about: contact_of(&difference.0), of_scenes: false, kept: Mutex::default() }
    }

    /// A tape for a run that ends well: what happened around each fault.
    pub fn of_scenes() -> Self {
        Self { about: None, of_scenes: true, kept: Mutex::default() }
    }

    /// The contact that it follows.
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// What it has, in the order of time. The difference that the end of the run showed, if it did, is the last,
    /// unless one was seen on the way. `virtual_ms` is how long the run took in its own time.
    pub fn events(&self, virtual_ms: u64, last: Option<&Difference>) -> Vec<Event> {
        let virtual_ms = i64::try_from(virtual_ms).unwrap_or(i64::MAX);
        let end = Timestamp::from_millis(START).plus_millis(virtual_ms);
        // A run that panicked does not tell how long it took.
        let end = self.lock().events.iter().map(Event::ends_at).fold(end, Timestamp::max);
        last.iter().for_each(|last| self.differs(end, &last.0));
        let mut events: Vec<Event> = self.lock().events.iter().cloned().collect();
        events.sort_by_key(|event| event.at);
        events
    }

    /// A request that was answered.
    pub(crate) fn answered(&self, sent: &Delivered, answer: &Response, now: Timestamp) {
        if !self.names_it(&sent.body) && !self.names_it(&answer.body) {
            return;
        }
        let path = sent.path.split('?').next().unwrap_or_default();
        let (asked, said) = (self.gist(&sent.body), self.gist(&answer.body));
        let what = What::Exchange {
            asked: format!("{} {path}{asked}", sent.method),
            answered_at: now,
            answer: format!("{}{said}", answer.status),
        };
        let lane = sent.phone().map_or(Lane::Desk, Lane::Phone);
        let befell = self.lock().befell.extract_if(.., |event| event.lane == lane).collect();
        last(befell).into_iter().for_each(|event| self.push(event));
        self.push(Event { at: sent.now, lane, what });
    }

    /// A fault, to whatever is being done.
    pub(crate) fn fault(&self, fault: Fault, now: Timestamp) {
        let event = |lane| Event { at: now, lane, what: What::Fault(fault, String::new()) };
        let at_service = CURRENT.try_with(|sent| self.names_it(&sent.body));
        match (at_service, PHONE.try_with(|phone| *phone)) {
            (Ok(true), _) => self.push(event(Lane::Service)),
            (Err(_), Ok(phone)) if self.about.is_none() => self.push(event(Lane::Phone(phone))),
            (Err(_), Ok(phone)) if is_of_a_phone(fault) => {
                self.lock().befell.push(event(Lane::Phone(phone)));
            }
            _ => {}
        }
    }

    /// A fault of the network, to a request of a phone.
    pub(crate) fn fault_on_the_way(
        &self,
        fault: Fault,
        phone: usize,
        sent: &Request,
        now: Timestamp,
    ) {
        if !self.names_it(sent.body.as_deref().unwrap_or_default()) {
            return; // what a pull would have brought is not known
        }
        let path = sent.path.split('?').next().unwrap_or_default();
        let method = format!("{:?}", sent.method).to_uppercase();
        let what = What::Fault(fault, format!("{method} {path}"));
        self.push(Event { at: now, lane: Lane::Phone(phone), what });
    }

    /// Something that must be true is not. Nothing is kept after the first.
    pub(crate) fn differs(&self, now: Timestamp, text: &str) {
        let what = What::Difference(text.to_owned());
        self.push(Event { at: now, lane: Lane::Service, what });
    }

    fn push(&self, event: Event) {
        let mut kept = self.lock();
        if self.of_scenes {
            return kept.push_scene(event);
        }
        let events = &mut kept.events;
        if matches!(events.back(), Some(Event { what: What::Difference(_), .. })) {
            return;
        }
        if events.len() == MOST {
            events.pop_front();
        }
        events.push_back(event);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("a run has one thread")
    }

    fn names_it(&self, body: &[u8]) -> bool {
        self.about
            .as_deref()
            .is_none_or(|id| body.windows(id.len()).any(|part| part == id.as_bytes()))
    }

    /// What a body says, in a few words after a separator: of the contact that is followed, else how much.
    fn gist(&self, body: &[u8]) -> String {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return String::new() };
        let mut words = Vec::new();
        if let Some(code) = body.get("code").and_then(Value::as_str) {
            words.push(code.to_owned());
        }
        for (list, kind) in [("ops", "op"), ("results", "status"), ("contacts", ""), ("calls", "")]
        {
            let Some(rows) = body.get(list).and_then(Value::as_array) else { continue };
            match &self.about {
                Some(id) => words.extend(
                    rows.iter().filter(|row| row["id"] == id.as_str()).map(|row| of_row(row, kind)),
                ),
                // As many results as there were ops.
                None if rows.is_empty() || list == "results" => {}
                None if rows.len() == 1 => words.push(format!("1 {}", list.trim_end_matches('s'))),
                None => words.push(format!("{} {list}", rows.len())),
            }
        }
        if let Some(rev) = body.get("rev").and_then(Value::as_u64) {
            words.push(format!("rev {rev}"));
        }
        words.into_iter().fold(String::new(), |text, word| text + " · " + &word)
    }
}

impl Kept {
    fn push_scene(&mut self, event: Event) {
        if self.settled >= MOST_OF_SCENES {
            return;
        }
        let is_fault = matches!(event.what, What::Fault(..));
        self.events.push_back(event);
        self.next = if is_fault { SCENE + 1 } else { self.next };
        if self.next > 0 {
            self.next -= 1;
            self.settled = self.events.len();
        } else if self.events.len() - self.settled > SCENE {
            self.events.remove(self.settled);
        }
    }
}

/// The last few, which say enough.
fn last(mut events: Vec<Event>) -> Vec<Event> {
    events.split_off(events.len().saturating_sub(3))
}

/// Whether it changes what a phone is or holds, and not only what it hears.
fn is_of_a_phone(fault: Fault) -> bool {
    use Fault::*;
    matches!(fault, PhoneCrashed | PhoneRestored | PhoneWiped | ClockJumped | DeviceRevoked)
}

/// What a row of a list says of its contact: the value that is its kind, or its state.
fn of_row(row: &Value, kind: &str) -> String {
    match row[kind].as_str() {
        Some(word) => word.to_owned(),
        None if row["deleted"] == true => "gone".to_owned(),
        None if row["hidden"] == true => "hidden".to_owned(),
        None => "shown".to_owned(),
    }
}

/// The contact that a difference names first.
fn contact_of(difference: &str) -> Option<String> {
    let words: Vec<&str> = difference.split([' ', ':']).collect();
    let after = words.windows(2).find(|pair| pair[0] == "contact").map(|pair| pair[1]);
    let id = after.or_else(|| words.first().copied())?;
    id.parse::<ContactId>().is_ok().then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;
    use crate::Place;

    const ID: &str = "014ad0cb-ad27-7c67-97af-dcae2b22cb20";

    #[test]
    fn a_tape_follows_the_contact_that_differs() {
        let check = |text: String, expected: Option<&str>| {
            assert_eq!(Tape::of(&Difference(text.clone())).about(), expected, "{text}");
        };
        check(format!("contact {ID}: state is hidden on the server"), Some(ID));
        check(format!("contact {ID} is only in the model's book"), Some(ID));
        check(format!("phone 3: contact {ID} is not shown"), Some(ID));
        check(format!("{ID} shows +1, which belongs to another, the oldest"), Some(ID));
        check(format!("device {ID} was revoked, and has written since: /sync/contacts"), None);
        check("a panic: at the contact list".to_owned(), None);
        check(String::new(), None);
    }

    /// What a tape keeps of an exchange with these bodies.
    fn kept(about: Option<&str>, asked: &str, answered: &str) -> Option<String> {
        let about = about.map(str::to_owned);
        let tape = Tape { about, ..Tape::of(&Difference(String::new())) };
        let (place, address) = (Place::Request(1, 0), (Method::POST, "/sync/contacts?cursor=x"));
        let sent = Delivered::new(Some(place), Timestamp::MIN, address, None, asked.to_owned());
        let answer = Response { status: 200, retry_after: None, body: answered.into() };
        tape.answered(&sent, &answer, Timestamp::MIN);
        match &tape.lock().events.front()?.what {
            What::Exchange { asked, answer, .. } => Some(format!("{asked} → {answer}")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_exchange_is_told_in_a_few_words() {
        let check = |about, asked: &str, answered: &str, expected: Option<&str>| {
            assert_eq!(kept(about, asked, answered).as_deref(), expected);
        };
        let ops =
            format!(r#"{{"ops":[{{"id":"{ID}","op":"put"}},{{"id":"other","op":"delete"}}]}}"#);
        let results = format!(r#"{{"rev":7,"results":[{{"id":"{ID}","status":"hidden"}}]}}"#);
        let told = "POST /sync/contacts · put → 200 · hidden · rev 7";
        check(Some(ID), &ops, &results, Some(told));
        let told = "POST /sync/contacts · 2 ops → 200 · rev 7";
        check(None, &ops, &results, Some(told));
        let pulled = format!(r#"{{"rev":8,"contacts":[{{"id":"{ID}","deleted":true}}]}}"#);
        check(Some(ID), "", &pulled, Some("POST /sync/contacts → 200 · gone · rev 8"));
        check(Some(ID), "", r#"{"rev":8,"contacts":[]}"#, None);
        let problem = r#"{"code":"op_gap"}"#;
        check(None, "<html>", problem, Some("POST /sync/contacts → 200 · op_gap"));
    }

    fn event(n: i64, what: What) -> Event {
        Event { at: Timestamp::from_millis(n), lane: Lane::Phone(0), what }
    }

    #[test]
    fn a_run_that_ends_well_is_told_around_its_faults() {
        let tape = Tape::of_scenes();
        let answered_at = Timestamp::from_millis(0);
        let (asked, answer) = (String::new(), String::new());
        let exchange = What::Exchange { asked, answered_at, answer };
        for n in 0..100 {
            tape.push(event(n, exchange.clone()));
            if [30, 35, 70].contains(&n) {
                tape.push(event(n, What::Fault(Fault::Busy, String::new())));
            }
        }
        let times = |events: &[Event]| -> Vec<i64> {
            events.iter().map(|event| event.at.as_millis()).collect()
        };
        let expected: Vec<i64> = (23..=30)
            .chain([30])
            .chain(31..=35)
            .chain([35])
            .chain(36..=43)
            .chain(63..=70)
            .chain([70])
            .chain(71..=78)
            .chain(92..=99)
            .collect();
        assert_eq!(times(&tape.events(0, None)), expected);
    }

    #[test]
    fn the_last_events_are_kept_up_to_the_first_difference() {
        let tape = Tape::of(&Difference(String::new()));
        let fault = |n| event(n, What::Fault(Fault::Busy, String::new()));
        (0..100).for_each(|n| tape.push(fault(n)));
        tape.differs(Timestamp::from_millis(100), "first");
        tape.push(fault(101));
        let events = tape.events(0, Some(&Difference("last".to_owned())));
        assert_eq!(events.len(), MOST);
        assert_eq!(events[0].at, Timestamp::from_millis(41));
        let last = events.last().map(|event| &event.what);
        assert_eq!(last, Some(&What::Difference("first".to_owned())));
    }
}
