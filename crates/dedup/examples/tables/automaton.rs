//! From a regular expression to a deterministic automaton over a small alphabet: Thompson's
//! construction, threads in order of priority as a backtracking matcher tries them, subsets, and
//! partition refinement. What an expression means for phone numbers must never live here.

use std::collections::BTreeMap;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Which question an automaton answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Is the whole input in the language?
    Whole,
    /// How long is the match at the start of the input that a backtracking matcher finds first?
    Start,
    /// The same, and where the group with this number stands in it.
    Group(u32),
}

/// Start and end of a group, both `None` until the group has matched.
type Span = (Option<u8>, Option<u8>);

/// What a thread carries: where it is in the program, and where the group was.
type Thread = (usize, Span);

#[derive(Debug)]
enum Step {
    Symbols(Vec<(char, char)>, usize),
    Fork(Vec<usize>),
    Mark { end: bool, next: usize },
    AtEnd(usize),
    Match,
}

/// An expression as a program of steps, entered at the last one.
struct Program {
    steps: Vec<Step>,
    group: Option<u32>,
    /// Backwards, for the language of the reversed texts.
    reversed: bool,
}

impl Program {
    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Adds the steps of `hir` before `next` and returns their entry.
    fn add(&mut self, hir: &Hir, next: usize) -> usize {
        match hir.kind() {
            HirKind::Empty => next,
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).expect("expressions are text");
                let symbol = |this: &mut Self, next, char| {
                    this.push(Step::Symbols(vec![(char, char)], next))
                };
                if self.reversed {
                    text.chars().fold(next, |next, char| symbol(self, next, char))
                } else {
                    text.chars().rev().fold(next, |next, char| symbol(self, next, char))
                }
            }
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.iter().map(|range| (range.start(), range.end())).collect();
                self.push(Step::Symbols(ranges, next))
            }
            HirKind::Class(Class::Bytes(_)) => unreachable!("expressions are of characters"),
            HirKind::Look(Look::End) => self.push(Step::AtEnd(next)),
            HirKind::Look(look) => panic!("{look:?} in the metadata: nothing here knows it"),
            HirKind::Repetition(repetition) => self.repeat(repetition, next),
            HirKind::Capture(capture) if self.group == Some(capture.index) => {
                let end = self.push(Step::Mark { end: true, next });
                let inside = self.add(&capture.sub, end);
                self.push(Step::Mark { end: false, next: inside })
            }
            HirKind::Capture(capture) => self.add(&capture.sub, next),
            HirKind::Concat(parts) if self.reversed => {
                parts.iter().fold(next, |next, part| self.add(part, next))
            }
            HirKind::Concat(parts) => {
                parts.iter().rev().fold(next, |next, part| self.add(part, next))
            }
            HirKind::Alternation(parts) => {
                let entries = parts.iter().map(|part| self.add(part, next)).collect();
                self.push(Step::Fork(entries))
            }
        }
    }

    fn repeat(&mut self, repetition: &regex_syntax::hir::Repetition, next: usize) -> usize {
        let fork = |inside, next, greedy| match greedy {
            true => Step::Fork(vec![inside, next]),
            false => Step::Fork(vec![next, inside]),
        };
        let mut entry = match repetition.max {
            None => {
                let again = self.push(Step::Fork(Vec::new()));
                let inside = self.add(&repetition.sub, again);
                self.steps[again] = fork(inside, next, repetition.greedy);
                again
            }
            Some(max) => (repetition.min..max).fold(next, |entry, _| {
                let inside = self.add(&repetition.sub, entry);
                self.push(fork(inside, next, repetition.greedy))
            }),
        };
        for _ in 0..repetition.min {
            entry = self.add(&repetition.sub, entry);
        }
        entry
    }

    /// Follows every step that takes no symbol from `threads`, at position `at`. What waits for a
    /// symbol and what has matched comes out, in the order of priority.
    fn follow(&self, threads: &[Thread], at: u8, input_ended: bool) -> Vec<Thread> {
        let mut seen = vec![false; self.steps.len()];
        let mut out = Vec::new();
        let mut stack: Vec<Thread> = threads.iter().rev().copied().collect();
        while let Some((step, span)) = stack.pop() {
            if std::mem::replace(&mut seen[step], true) {
                continue;
            }
            match &self.steps[step] {
                Step::Symbols(..) | Step::Match => out.push((step, span)),
                Step::Fork(nexts) => stack.extend(nexts.iter().rev().map(|next| (*next, span))),
                Step::Mark { end: false, next } => stack.push((*next, (Some(at), None))),
                Step::Mark { end: true, next } => stack.push((*next, (span.0, Some(at)))),
                Step::AtEnd(next) if input_ended => stack.push((*next, span)),
                Step::AtEnd(_) => {}
            }
        }
        out
    }
}

/// What an automaton says in one of its states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum Says {
    /// No match here.
    #[default]
    Nothing,
    /// A match ends here, without the group.
    Match,
    /// A match ends here, with the group at this start and end.
    Group(u8, u8),
}

/// One state: where each symbol leads, and what is said when a match may go on from here (`on`) and
/// when the input ends here (`end`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) next: Vec<usize>,
    pub(crate) on: Says,
    pub(crate) end: Says,
}

/// A deterministic automaton. State 0 is dead: it leads to itself and says nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Automaton {
    pub(crate) states: Vec<State>,
}

/// The state that leads nowhere.
pub(crate) const DEAD: usize = 0;

impl Automaton {
    /// An automaton of the dead state alone, over `symbols` symbols.
    pub(crate) fn new(symbols: usize) -> Self {
        let dead = State { next: vec![DEAD; symbols], on: Says::Nothing, end: Says::Nothing };
        Self { states: vec![dead] }
    }

    /// Adds an expression and returns its start. `alphabet` has one character of every symbol.
    pub(crate) fn add(&mut self, hir: &Hir, ask: Ask, reversed: bool, alphabet: &[char]) -> usize {
        let group = if let Ask::Group(group) = ask { Some(group) } else { None };
        let mut program = Program { steps: vec![Step::Match], group, reversed };
        let entry = program.add(hir, 0);
        let mut known: BTreeMap<(Vec<Thread>, u8), usize> = BTreeMap::new();
        let mut queue = vec![(vec![(entry, (None, None))], 0)];
        let start = self.states.len();
        known.insert(queue[0].clone(), start);
        self.states.push(self.states[DEAD].clone());
        while let Some((kernel, at)) = queue.pop() {
            let state = known[&(kernel.clone(), at)];
            let mut waiting = program.follow(&kernel, at, false);
            let matched = |threads: &[Thread]| {
                threads.iter().position(|(step, _)| matches!(program.steps[*step], Step::Match))
            };
            let says = |found: Option<Span>| match found {
                None => Says::Nothing,
                Some((Some(start), Some(end))) if start < end => Says::Group(start, end),
                Some(_) => Says::Match,
            };
            let ended = program.follow(&kernel, at, true);
            self.states[state].end = says(matched(&ended).map(|place| ended[place].1));
            if ask != Ask::Whole
                && let Some(place) = matched(&waiting)
            {
                self.states[state].on = says(Some(waiting[place].1));
                waiting.truncate(place); // a backtracking matcher would not try what is left
            }
            for (symbol, char) in alphabet.iter().enumerate() {
                let takes = |(step, span): &Thread| match &program.steps[*step] {
                    Step::Symbols(ranges, next)
                        if ranges.iter().any(|(low, high)| (low..=high).contains(&char)) =>
                    {
                        Some((*next, *span))
                    }
                    _ => None,
                };
                let mut kernel: Vec<Thread> = waiting.iter().filter_map(takes).collect();
                if kernel.is_empty() {
                    continue;
                }
                if ask == Ask::Whole {
                    kernel.sort_unstable();
                    kernel.dedup();
                }
                // Positions matter only where a group is asked for.
                let key = (kernel, if group.is_some() { at + 1 } else { 0 });
                let next = *known.entry(key.clone()).or_insert_with(|| {
                    self.states.push(self.states[DEAD].clone());
                    queue.push(key);
                    self.states.len() - 1
                });
                self.states[state].next[symbol] = next;
            }
        }
        start
    }

    /// Merges all states that no input tells apart, and numbers the rest in the order in which the
    /// starts reach them. Returns the starts' new numbers.
    pub(crate) fn minimise(&mut self, starts: &[usize]) -> Vec<usize> {
        let mut block: Vec<usize> = numbered(self.states.iter().map(|state| (state.on, state.end)));
        loop {
            let blocks = block.iter().max();
            let refined: Vec<usize> =
                numbered(self.states.iter().enumerate().map(|(index, state)| {
                    (block[index], state.next.iter().map(|next| block[*next]).collect::<Vec<_>>())
                }));
            let done = refined.iter().max() == blocks;
            block = refined;
            if done {
                break;
            }
        }
        let mut number: BTreeMap<usize, usize> = BTreeMap::from([(block[DEAD], DEAD)]);
        let mut kept = vec![DEAD];
        for start in starts {
            let mut stack = vec![*start];
            while let Some(state) = stack.pop() {
                if number.contains_key(&block[state]) {
                    continue;
                }
                number.insert(block[state], kept.len());
                kept.push(state);
                stack.extend(self.states[state].next.iter().rev());
            }
        }
        let renumbered = |state: usize| number[&block[state]];
        self.states = kept
            .iter()
            .map(|state| State {
                next: self.states[*state].next.iter().map(|next| renumbered(*next)).collect(),
                ..self.states[*state].clone()
            })
            .collect();
        starts.iter().map(|start| renumbered(*start)).collect()
    }
}

/// The same number for equal items, from 0, in the order of their first appearance.
pub(crate) fn numbered<T: Ord>(items: impl Iterator<Item = T>) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    items
        .map(|item| {
            let fresh = numbers.len();
            *numbers.entry(item).or_insert(fresh)
        })
        .collect()
}
