//! From the metadata to the numbers of the tables: automata over the ten digits, and one row a plan.

use regex_syntax::hir::Hir;

use crate::automaton::{Ask, Automaton, DEAD, Says};
use crate::metadata::Metadata;

/// Everything that `src/number/{plans,states}.rs` say.
pub(crate) struct Plans {
    pub(crate) rows: Vec<Row>,
    pub(crate) states: Automaton,
    /// Where the groups stand that an automaton found, by what it says minus two.
    pub(crate) spans: Vec<(u8, u8)>,
}

/// A plan with the starts of its automata.
pub(crate) struct Row {
    pub(crate) metadata: Metadata,
    pub(crate) international_prefix: usize,
    pub(crate) national_prefix: usize,
    pub(crate) general: usize,
    /// The digits that stand before a group of the national prefix.
    pub(crate) before: String,
}

pub(crate) fn make(all: Vec<Metadata>) -> Plans {
    let digits: Vec<char> = ('0'..='9').collect();
    let mut states = Automaton::new(digits.len());
    let mut starts = Vec::new();
    let mut befores = Vec::new();
    for plan in &all {
        let prefix = parse(&plan.national_prefix);
        let groups = prefix.properties().explicit_captures_len();
        let (ask, before) = match plan.transform.as_deref().filter(|_| groups > 0) {
            None => (Ask::Start, String::new()),
            Some(rule) => {
                // The library replaces the prefix when its second group, or its only one, is not
                // empty. All rules so far put digits before that very group.
                let group = groups.min(2);
                let before = rule.strip_suffix(&format!("${group}")).unwrap_or_else(|| {
                    panic!("{}: a transform rule of another shape: {rule}", plan.id)
                });
                assert!(before.len() <= 4 && before.bytes().all(|byte| byte.is_ascii_digit()));
                (Ask::Group(u32::try_from(group).expect("two at most")), before.to_owned())
            }
        };
        befores.push(before);
        // What is not there matches nothing. (Every region has an international prefix.)
        let mut add = |pattern: &str, ask| match pattern {
            "" => DEAD,
            pattern => states.add(&parse(pattern), ask, false, &digits),
        };
        assert!(plan.id == "001" || !plan.international_prefix.is_empty());
        starts.push(add(&plan.international_prefix, Ask::Start));
        starts.push(add(&plan.national_prefix, ask));
        starts.push(add(&plan.general, Ask::Whole));
    }
    let starts = states.minimise(&starts);
    let mut spans: Vec<(u8, u8)> = states
        .states
        .iter()
        .flat_map(|state| [state.on, state.end])
        .filter_map(
            |says| if let Says::Group(start, end) = says { Some((start, end)) } else { None },
        )
        .collect();
    spans.sort_unstable();
    spans.dedup();
    let row = |((metadata, starts), before): ((Metadata, &[usize]), String)| Row {
        metadata,
        international_prefix: starts[0],
        national_prefix: starts[1],
        general: starts[2],
        before,
    };
    let rows = all.into_iter().zip(starts.chunks(3)).zip(befores).map(row).collect();
    Plans { rows, states, spans }
}

fn parse(pattern: &str) -> Hir {
    regex_syntax::parse(pattern).expect("the metadata's expressions are well formed")
}
