//! Makes a script that fails short: leaves out phones, faults, changes and contacts as long as it still
//! fails, the larger parts first (delta debugging), after what comes later and what else can be simpler. Whether time is left is the caller's to say.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::chances::Place;
use crate::fault::Fault;
use crate::script::{Doings, Script};

/// Something that a script can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Phone(u32),
    Strike(Place, Fault),
    Change(u32, u32),
    Save(u32, u32),
}

/// Of each kind, all that a script has.
const KINDS: [fn(&Script) -> Vec<Part>; 4] = [
    |script| script.kept.phones.keys().map(|phone| Part::Phone(*phone)).collect(),
    |script| {
        script.kept.strikes.iter().map(|(place, fault)| Part::Strike(*place, *fault)).collect()
    },
    |script| doings(script, |doings| &doings.changes, Part::Change),
    |script| doings(script, |doings| &doings.saves, Part::Save),
];

fn doings(
    script: &Script,
    which: fn(&Doings) -> &BTreeSet<u32>,
    part: fn(u32, u32) -> Part,
) -> Vec<Part> {
    let phones = script.kept.phones.iter();
    phones.flat_map(|(phone, it)| which(it).iter().map(|n| part(*phone, *n))).collect()
}

/// Makes what a script is made of simpler, one thing each.
const SIMPLER: [fn(&mut Script); 5] = [
    |script| script.mix.steps /= 2,
    |script| script.mix.steps = script.mix.steps * 7 / 8,
    |script| script.mix.in_step = false,
    |script| script.mix.slowness = 1,
    |script| script.mix.page = 500,
];

/// No run is made shorter than this.
const SHORTEST: Duration = Duration::from_secs(60 * 60);

/// A shorter script that still fails. `fails` is asked of each; `goes_on` is told the best so far, and says
/// whether there is time for another.
pub fn shrink(
    script: Script,
    mut fails: impl FnMut(&Script) -> bool,
    mut goes_on: impl FnMut(&Script) -> bool,
) -> Script {
    let mut best = script;
    loop {
        let before = best.kept.clone();
        for simplify in SIMPLER {
            loop {
                let mut simpler = best.clone();
                simplify(&mut simpler);
                if simpler == best || simpler.mix.until_calm() < SHORTEST {
                    break;
                }
                if !goes_on(&best) {
                    return best;
                }
                if !fails(&simpler) {
                    break;
                }
                best = simpler;
            }
        }
        for parts in KINDS {
            let mut size = parts(&best).len();
            while size > 0 {
                let mut at = 0;
                loop {
                    let all = parts(&best);
                    let Some(out) = all.get(at..(at + size).min(all.len())) else { break };
                    if out.is_empty() {
                        break;
                    }
                    if !goes_on(&best) {
                        return best;
                    }
                    let shorter = without(&best, out);
                    match !shorter.kept.phones.is_empty() && fails(&shorter) {
                        true => best = shorter,
                        false => at += size,
                    }
                }
                size /= 2;
            }
        }
        if best.kept == before {
            return best;
        }
    }
}

fn without(script: &Script, parts: &[Part]) -> Script {
    let mut script = script.clone();
    let kept = &mut script.kept;
    for part in parts {
        match part {
            Part::Phone(phone) => {
                kept.phones.remove(phone);
                kept.strikes.retain(|(place, _)| place.phone() != Some(*phone));
            }
            Part::Strike(place, fault) => {
                kept.strikes.remove(&(*place, *fault));
            }
            Part::Change(phone, n) => {
                kept.phones.entry(*phone).or_default().changes.remove(n);
            }
            Part::Save(phone, n) => {
                kept.phones.entry(*phone).or_default().saves.remove(n);
            }
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A script of three phones that each save, change and meet something.
    fn script() -> Script {
        let mut text = "seed 1\nphones 3\npeople 1\n".to_owned();
        for phone in 0..3 {
            text += &format!("phone {phone} saves 0 1 2 3 4\n");
            for n in 0..20 {
                text +=
                    &format!("phone {phone} change {n}\nphone {phone} request {n} answer-lost\n");
            }
        }
        text.parse().unwrap()
    }

    #[test]
    fn only_what_fails_is_left() {
        let needed = [Part::Change(1, 7), Part::Save(1, 3), Part::Save(2, 0)];
        let strike = (Place::Request(1, 9), Fault::AnswerLost);
        let fails = |script: &Script| {
            let has = |part: &Part| KINDS.iter().any(|parts| parts(script).contains(part));
            needed.iter().all(has) && script.kept.strikes.contains(&strike)
        };
        let mut runs = 0;
        let short = shrink(
            script(),
            |script| {
                runs += 1;
                fails(script)
            },
            |_| true,
        );
        let all: Vec<Part> = KINDS.iter().flat_map(|parts| parts(&short)).collect();
        assert_eq!(
            all,
            [
                Part::Phone(1),
                Part::Phone(2),
                Part::Strike(strike.0, strike.1),
                needed[0],
                needed[1],
                needed[2]
            ]
        );
        assert!(runs < 150, "{runs}");
        assert!(short.mix.until_calm().as_secs() < 6_000);
    }

    #[test]
    fn when_time_is_up_the_best_so_far_is_given() {
        let mut left = 5;
        let short = shrink(
            script(),
            |_| true,
            |_| {
                left -= 1;
                left > 0
            },
        );
        assert!(short != script());
    }
}
