//! The pictures of numbers: lines as SVG, bars as cells of their tables. Every number that is drawn must also
//! stand there as text.

use std::fmt::Write as _;
use std::time::Duration;

use maud::{Markup, html};

use crate::course::{Course, Sample};
use crate::report::{count, tenths};
use crate::stats::Stats;

/// Where the line ends: at 100 faults stop, and what then follows takes no time to speak of.
const END: usize = 106;

/// Every so many looks are rows of the table.
const EVERY: usize = 5;

/// How many phones had another book than the server's.
pub(super) fn convergence(course: &Course, time: Duration) -> Markup {
    let at = |step: usize| hours(time * step as u32 / 100);
    let most = course.samples.iter().map(|sample| sample.devices).max().unwrap_or(0);
    let when = |step: usize| if step > 100 { "when all is quiet".to_owned() } else { at(step) };
    let rows = (1..).zip(&course.samples).filter(|(step, _)| step % EVERY == 0 || *step > 100);
    html! {
        section aria-labelledby="convergence" {
            h2 id="convergence" { "How books came together" }
            p {
                "People change their books all the time, and a phone syncs every half hour: so most of the time it \
                differs from the server's book. What counts is that few are out of touch for long but when nobody \
                gets through, and that all are equal once the faults have stopped."
            }
            figure {
                div class="chart" {
                    div class="y" aria-hidden="true" {
                        span { (count(most)) } span { (count(most / 2)) } span { "0" }
                    }
                    svg viewBox=(format!("0 0 {END} 100")) preserveAspectRatio="none" role="img"
                        aria-label="Phones that differ from the server's book over time; the same as a table below" {
                        rect class="calm" x="100" y="0" width=(END - 100) height="100" {}
                        line class="grid" x1="0" x2=(END) y1="50" y2="50" {}
                        path class="area" d=(area(&course.samples, |sample| sample.differing)) {}
                        path class="line" d=(line(&course.samples, |sample| sample.differing)) {}
                        path class="line long" d=(line(&course.samples, |sample| sample.for_long)) {}
                    }
                    div class="x" aria-hidden="true" {
                        span { "start" } span { (at(50)) } span { "faults stop" }
                    }
                }
                figcaption {
                    span class="key" { "phones that differ from the server's book" }
                    span class="key long" { "of these, without a whole sync for over an hour" }
                }
            }
            details {
                summary { "The same as a table" }
                table {
                    caption { "Phones that differ, of " (count(most)) }
                    thead {
                        tr {
                            th scope="col" { "After" }
                            th scope="col" class="number" { "Differ" }
                            th scope="col" class="number" { "For over an hour" }
                        }
                    }
                    tbody {
                        @for (step, sample) in rows {
                            tr {
                                th scope="row" { (when(step)) }
                                td class="number" { (count(sample.differing)) }
                                td class="number" { (count(sample.for_long)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A line from look to look; before the first everybody's book differs.
fn line(samples: &[Sample], of: impl Fn(&Sample) -> u64) -> String {
    let mut path = "M0 0".to_owned();
    for (step, sample) in (1..).zip(samples) {
        let x = if step > 100 { END } else { step };
        let y = 1_000 - of(sample) * 1_000 / sample.devices.max(1);
        let _ = write!(path, "L{x} {}", tenths(y));
    }
    path
}

fn area(samples: &[Sample], of: impl Fn(&Sample) -> u64) -> String {
    let end = if samples.len() > 100 { END } else { samples.len() };
    format!("{}L{end} 100L0 100Z", line(samples, of))
}

/// How long whole syncs took.
pub(super) fn syncs(course: &Course) -> Markup {
    let longest = course.percentile(100).unwrap_or(0);
    // A long sync waits for a server that is out of reach, a short one for a few messages.
    let length = |ms: u64| ((1 + ms) as f64).ln() / ((1 + longest.max(1)) as f64).ln();
    let rows = [("Half", 50), ("90 of 100", 90), ("99 of 100", 99), ("All", 100)];
    html! {
        section aria-labelledby="syncs" {
            h2 id="syncs" { "How long a sync took" }
            p {
                "In virtual time, from its first request to its last answer, of the "
                (count(course.syncs.len() as u64)) " syncs that came to their end while things went wrong. Bars grow \
                with the logarithm."
            }
            table class="bars" {
                caption { "Time of a whole sync" }
                (head("Syncs", "Took at most"))
                tbody {
                    @for (name, percent) in rows {
                        @let ms = course.percentile(percent).unwrap_or(0);
                        tr {
                            th scope="row" { (name) }
                            td class="number" { (seconds(ms)) }
                            (bar(length(ms)))
                        }
                    }
                }
            }
        }
    }
}

/// The head of a table of bars.
fn head(name: &str, value: &str) -> Markup {
    html! {
        thead {
            tr {
                th scope="col" { (name) }
                th scope="col" class="number" { (value) }
                th class="bar" aria-hidden="true" {}
            }
        }
    }
}

/// What went wrong, on purpose.
pub(super) fn faults(stats: &Stats) -> Markup {
    let most = stats.faults.values().max().copied().unwrap_or(1);
    html! {
        section aria-labelledby="faults" {
            h2 id="faults" { "What went wrong, on purpose" }
            @if stats.faults.is_empty() {
                p { "Nothing." }
            } @else {
                table class="bars" {
                    caption { (count(stats.faults.values().sum())) " faults" }
                    (head("Fault", "Times"))
                    tbody {
                        @for (fault, times) in &stats.faults {
                            tr {
                                th scope="row" { (fault.to_string()) }
                                td class="number" { (count(*times)) }
                                (bar(*times as f64 / most as f64))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A share of the longest bar.
fn bar(share: f64) -> Markup {
    let width = format!("width:{:.1}%", share * 100.0);
    html! { td class="bar" aria-hidden="true" { span style=(width) {} } }
}

fn seconds(ms: u64) -> String {
    format!("{} s", tenths(ms.div_ceil(100)))
}

fn hours(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}
