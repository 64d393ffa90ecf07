//! What a run looks like on a page of HTML that needs nothing beside it: no network, no script, no font. It is
//! made of plain data, and escapes every text (maud does). How long something took must never be measured here.

mod chart;
mod lanes;

use std::time::Duration;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::check::Difference;
use crate::course::Course;
use crate::mix::Mix;
use crate::report::{count, days, tenths};
use crate::stats::Stats;
use crate::tape::Event;

/// All that a page shows.
pub struct Page<'a> {
    /// What ran when it was one run; else draws of the standard mix ran.
    pub mix: Option<&'a Mix>,
    /// The first seed.
    pub seed: u64,
    /// How many seeds.
    pub seeds: u64,
    /// For how long things go wrong in each.
    pub time: Duration,
    /// Which command makes this run again.
    pub command: &'a str,
    /// Of all runs together.
    pub stats: &'a Stats,
    /// Of all runs together.
    pub course: &'a Course,
    /// The hash of all that happened.
    pub trace: &'a str,
    /// How long it took.
    pub wall: Duration,
    /// Seeds that failed, in their order.
    pub failures: &'a [Failure<'a>],
    /// The last events: of the first of them, or of a run that ended well.
    pub closer: Option<Closer>,
    /// How fast numbers are read here.
    pub speed: Speed,
}

/// A seed that failed.
pub struct Failure<'a> {
    /// Which.
    pub seed: u64,
    /// The command that repeats it alone.
    pub command: String,
    /// The command that replays what it was made short to.
    pub short: Option<String>,
    /// What differs.
    pub differences: &'a [Difference],
}

/// A run, looked at more closely.
pub struct Closer {
    /// The contact that its events are about; all if there is none.
    pub about: Option<String>,
    /// In the order of time.
    pub events: Vec<Event>,
}

/// How fast this process reads numbers, on one thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Speed {
    /// Numbers that get their key, a second.
    pub keys: u64,
    /// Claims whose owner is found, a second.
    pub owners: u64,
}

/// How many differences of a seed are shown.
const MOST_SHOWN: usize = 12;

impl Page<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let title = match (self.failures.len(), self.seeds) {
            (0, _) => "All books agree".to_owned(),
            (_, 1) => format!("Seed {} fails", self.seed),
            (failed, seeds) => format!("{} of {} seeds fail", count(failed as u64), count(seeds)),
        };
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " – Callbook simulation" }
                    style { (PreEscaped(include_str!("page/style.css"))) }
                }
                body {
                    a class="skip" href="#main" { "Skip to the results" }
                    header {
                        p { "Callbook simulation" }
                        h1 class=(if self.failures.is_empty() { "good" } else { "bad" }) {
                            (if self.failures.is_empty() { "✓ " } else { "✗ " }) (title)
                        }
                        (self.summary())
                    }
                    main id="main" tabindex="-1" {
                        (self.failures())
                        @if let (Some(closer), []) = (&self.closer, self.failures) {
                            h2 { "How it went" }
                            (lanes::section(closer, self.seed))
                        }
                        (self.what_ran())
                        (chart::convergence(self.course, self.time))
                        (chart::syncs(self.course))
                        (chart::faults(self.stats))
                        (self.cost())
                        (self.speed())
                    }
                }
            }
        };
        page.into_string()
    }

    fn summary(&self) -> Markup {
        let (devices, changes) = (count(self.stats.devices), count(self.stats.changes));
        html! {
            @if self.failures.is_empty() {
                p {
                    (devices) " virtual phones shared their books while networks, databases, clocks and phones \
                    failed, and people made " (changes) " changes. In the end every phone's book, the server's \
                    and that of an independent model were the same."
                }
            } @else {
                p {
                    (devices) " virtual phones shared their books while networks, databases, clocks and phones \
                    failed. In the end every phone's book, the server's and that of an independent model \
                    should have been the same. What differs is below, with the command that repeats it."
                }
            }
        }
    }

    /// The first seed that failed with its last events, then the others.
    fn failures(&self) -> Markup {
        html! {
            @if let Some((first, others)) = self.failures.split_first() {
                section aria-labelledby="differs" {
                    h2 id="differs" { "What differs" }
                    (differences(first))
                    @if let Some(closer) = &self.closer {
                        (lanes::section(closer, first.seed))
                    }
                    @if !others.is_empty() {
                        h2 { "Other seeds that fail" }
                        @for failure in others { (differences(failure)) }
                    }
                }
            }
        }
    }

    fn what_ran(&self) -> Markup {
        let simulated = Duration::from_millis(self.stats.virtual_ms);
        html! {
            section aria-labelledby="ran" {
                h2 id="ran" { "What ran" }
                dl {
                    @match self.mix {
                        Some(mix) => {
                            (fact("Seed", self.seed))
                            (fact("Phones", format!("{} of {} people", mix.devices, mix.users)))
                            (fact("Numbers at the start", count(mix.contacts as u64)))
                        }
                        None => {
                            @let last = self.seed.wrapping_add(self.seeds - 1);
                            (fact("Seeds", format!("{} to {last}, {} of them", self.seed, count(self.seeds))))
                            (fact("Phones", format!("{}, 3 to 8 a seed", count(self.stats.devices))))
                        }
                    }
                    (fact("Changes by people", format!(
                        "{}, {} of them calls", count(self.stats.changes), count(self.stats.calls)
                    )))
                    (fact("Syncs", count(self.stats.syncs)))
                    (fact("Requests served", count(self.stats.requests)))
                    (fact("Contacts everyone sees", count(self.stats.visible)))
                    (fact("Duplicates removed", count(self.stats.hidden)))
                    (fact("Virtual time", format!(
                        "{}, in {:.1} s", days(simulated), self.wall.as_secs_f64()
                    )))
                    (fact("Hash of all that happened", self.trace))
                }
                (command("The same again", self.command))
            }
        }
    }

    fn cost(&self) -> Markup {
        let cost = &self.stats.cost;
        let a_sync = |number: u64| tenths(number * 10 / self.stats.syncs.max(1));
        html! {
            section aria-labelledby="cost" {
                h2 id="cost" { "What it cost the database" }
                p {
                    "Cloudflare D1 bills rows that it looks at and writes, those of indexes too, and lets a request run \
                    fifty statements. Counted here are rows that statements give and change, and SQLite's steps, \
                    which tell what was looked at. A pull may take so many for each row that it gets, whatever \
                    the size of the book: a request that takes more fails the run."
                }
                table {
                    caption { "Cost of all syncs" }
                    thead { tr { th scope="col" { "What" } th scope="col" class="number" { "How much" } } }
                    tbody {
                        (row("Rows given a sync", a_sync(cost.rows_given)))
                        (row("Rows changed a sync", a_sync(cost.rows_changed)))
                        (row("Batches a sync", a_sync(cost.batches)))
                        (row("Steps of SQLite a sync", a_sync(cost.steps)))
                        (row("Bytes sent a sync", a_sync(cost.bytes_in)))
                        (row("Bytes received a sync", a_sync(cost.bytes_out)))
                        (row("Most statements of one request", count(self.stats.most_statements)))
                    }
                }
            }
        }
    }

    fn speed(&self) -> Markup {
        html! {
            section aria-labelledby="speed" {
                h2 id="speed" { "How fast numbers are read" }
                p { "Measured after the run, in this process, on one thread, with the numbers of its file." }
                table {
                    caption { "Numbers a second" }
                    thead { tr { th scope="col" { "What" } th scope="col" class="number" { "A second" } } }
                    tbody {
                        (row("Numbers that get their key", count(self.speed.keys)))
                        (row("Claims whose oldest owner is found", count(self.speed.owners)))
                    }
                }
            }
        }
    }
}

fn differences(failure: &Failure<'_>) -> Markup {
    html! {
        h3 { "Seed " (failure.seed) }
        ul class="differences" {
            @for difference in failure.differences.iter().take(MOST_SHOWN) {
                li { (difference) }
            }
            @if failure.differences.len() > MOST_SHOWN {
                li { "and " (failure.differences.len() - MOST_SHOWN) " more" }
            }
        }
        (command("Repeat it with", &failure.command))
        @if let Some(short) = &failure.short { (command("Replay what it was made short to with", short)) }
    }
}

fn fact(name: &str, value: impl maud::Render) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn row(name: &str, value: String) -> Markup {
    html! { tr { th scope="row" { (name) } td class="number" { (value) } } }
}

/// Focusable, since it may be wider than the page.
fn command(name: &str, command: &str) -> Markup {
    html! {
        p class="label" { (name) ":" }
        pre tabindex="0" { code { (command) } }
    }
}

#[cfg(test)]
mod tests;
