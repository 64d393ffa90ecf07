//! The last events of a failed run: one lane a phone and one for the service, time from top to bottom, and
//! beside each row in words what happened. What is drawn is decided in [`rows`], as plain data.

use callbook_base::Timestamp;
use maud::{Markup, html};

use super::Closer;
use crate::fault::Fault;
use crate::tape::{Event, Lane, What};

/// Pixels.
const ROW: usize = 26;
const LANE: usize = 52;
const TIME: usize = 176;

/// One line of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    at: Timestamp,
    lane: Lane,
    mark: Mark,
    text: String,
}

/// What is drawn in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// A request to the service.
    Asks,
    /// Its answer.
    Answers,
    /// Both, when nothing came between.
    Exchange,
    /// A request that is lost on its way.
    AsksInVain,
    /// An answer that is lost on its way.
    AnswersInVain,
    /// Something that went wrong there.
    Fault,
    /// Nobody gets through.
    Partition,
    /// The first difference.
    Difference,
}

/// In which order things are shown that have the same time: what a request met comes before its answer, and
/// what was then seen after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Happens,
    Answers,
    Sees,
}

pub(super) fn section(closer: &Closer, seed: u64) -> Markup {
    let differs = closer.events.iter().any(|event| matches!(event.what, What::Difference(_)));
    let rows = rows(&closer.events);
    let lanes = lanes(&rows);
    let width = lanes.len() * LANE;
    html! {
        section aria-labelledby="lanes" {
            h3 id="lanes" { (if differs { "The last events" } else { "Events" }) " of seed " (seed) }
            p {
                @match &closer.about {
                    Some(id) => {
                        "Those that name contact " code { (id) } ", of which the first difference speaks, and what \
                        happened to phones meanwhile. "
                    }
                    None if differs => { "Up to where the first difference was seen. " }
                    None => { "What happened around each fault, and the last of all. " }
                }
                "Each row is a moment: → a request, ← its answer, ✗ something that went wrong."
            }
            div class="lanes" role="region" aria-label="Events, lane by lane" tabindex="0" {
                div class="names" aria-hidden="true" {
                    span class="time" style=(format!("width:{TIME}px")) { "Time" }
                    @for lane in &lanes {
                        span style=(format!("width:{LANE}px")) { (name(*lane)) }
                    }
                    span class="text" { "What happened" }
                }
                ol {
                    @for row in &rows {
                        li class=(class(row.mark)) {
                            span class="time" style=(format!("width:{TIME}px")) { (time(row.at)) }
                            span class="text" {
                                @if row.mark != Mark::Difference {
                                    span class="who" { (name(row.lane)) ": " }
                                }
                                (row.text)
                            }
                            svg width=(width) height=(ROW) aria-hidden="true" { (drawing(row, &lanes)) }
                        }
                    }
                }
            }
            details {
                summary { "The same as a table" }
                div class="wide" role="region" aria-label="Events as a table" tabindex="0" {
                    table {
                        caption { (if differs { "The last events" } else { "Events" }) " of seed " (seed) }
                        thead {
                            tr { th scope="col" { "Time" } th scope="col" { "Where" } th scope="col" { "What" } }
                        }
                        tbody {
                            @for row in &rows {
                                tr class=(class(row.mark)) {
                                    td { (time(row.at)) } td { (name(row.lane)) } td { (row.text) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The events as rows, in the order of time: a request and its answer are one if nothing came between.
fn rows(events: &[Event]) -> Vec<Row> {
    let mut moments: Vec<(Timestamp, Turn, usize)> = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let turn = match event.what {
            What::Difference(_) => Turn::Sees,
            _ => Turn::Happens,
        };
        moments.push((event.at, turn, index));
        if let What::Exchange { answered_at, .. } = event.what {
            moments.push((answered_at, Turn::Answers, index));
        }
    }
    moments.sort_by_key(|(at, turn, _)| (*at, *turn));
    let mut rows = Vec::new();
    let mut moments = moments.into_iter().peekable();
    while let Some((at, turn, index)) = moments.next() {
        let Event { lane, what, .. } = &events[index];
        let (mark, text) = match what {
            What::Exchange { asked, answer, .. } if turn == Turn::Happens => {
                match moments.next_if(|(.., next)| *next == index) {
                    Some(_) => (Mark::Exchange, format!("{asked} → {answer}")),
                    None => (Mark::Asks, asked.clone()),
                }
            }
            What::Exchange { asked, answer, .. } => (Mark::Answers, format!("{answer} ← {asked}")),
            What::Fault(fault, to) => {
                let mark = match fault {
                    Fault::RequestLost => Mark::AsksInVain,
                    Fault::AnswerLost => Mark::AnswersInVain,
                    Fault::Partition => Mark::Partition,
                    _ => Mark::Fault,
                };
                let colon = if to.is_empty() { "" } else { ": " };
                (mark, format!("{}{colon}{to}", fault.name().replace('-', " ")))
            }
            What::Difference(text) => (Mark::Difference, format!("first difference: {text}")),
        };
        rows.push(Row { at, lane: *lane, mark, text });
    }
    rows
}

/// Lanes in which something happens, the service's last.
fn lanes(rows: &[Row]) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = rows.iter().map(|row| row.lane).chain([Lane::Service]).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}

fn name(lane: Lane) -> String {
    match lane {
        Lane::Phone(index) => format!("phone {index}"),
        Lane::Desk => "desk".to_owned(),
        Lane::Service => "service".to_owned(),
    }
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Asks | Mark::Answers | Mark::Exchange => "message",
        Mark::Difference => "difference",
        _ => "fault",
    }
}

/// `11-22 10:19:10.450` of an RFC 3339 time.
fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(5..23).unwrap_or(&text).replace('T', " ")
}

/// A row of the picture: every lane's line, and what happens on it.
fn drawing(row: &Row, lanes: &[Lane]) -> Markup {
    let x =
        |lane: Lane| lanes.iter().position(|other| *other == lane).unwrap_or(0) * LANE + LANE / 2;
    let (here, there, y) = (x(row.lane), x(Lane::Service), ROW / 2);
    let half = here + (there - here) / 2;
    html! {
        @for lane in lanes {
            line class="life" x1=(x(*lane)) x2=(x(*lane)) y1="0" y2=(ROW) {}
        }
        @match row.mark {
            Mark::Exchange => {
                (arrow(here, there, y - 4))
                (arrow(there, here, y + 4))
            }
            Mark::Asks => (arrow(here, there, y)),
            Mark::Answers => (arrow(there, here, y)),
            Mark::AsksInVain => {
                line class="way" x1=(here) x2=(half) y1=(y) y2=(y) {}
                (cross(half, y))
            }
            Mark::AnswersInVain => {
                line class="way" x1=(there) x2=(half) y1=(y) y2=(y) {}
                (cross(half, y))
            }
            Mark::Fault => (cross(here, y)),
            Mark::Partition => line class="partition" x1="0" x2=(lanes.len() * LANE) y1=(y) y2=(y) {},
            Mark::Difference => circle class="first" cx=(here) cy=(y) r="8" {},
        }
    }
}

fn arrow(from: usize, to: usize, y: usize) -> Markup {
    let back = if to > from { to - 7 } else { to + 7 };
    html! {
        line class="way" x1=(from) x2=(to) y1=(y) y2=(y) {}
        path class="head" d=(format!("M{to} {y}L{back} {}L{back} {}Z", y - 4, y + 4)) {}
    }
}

fn cross(x: usize, y: usize) -> Markup {
    let (left, right, top, bottom) = (x - 6, x + 6, y - 6, y + 6);
    let path = format!("M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}");
    html! { path class="cross" d=(path) {} }
}
