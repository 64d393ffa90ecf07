//! From the tables to Rust sources that a review can read: one line a plan with the expressions it
//! came from, one line a state.

use std::fmt::Write;

use crate::automaton::{Automaton, Says};
use crate::plans::{Plans, Row};
use crate::text::Script;

const HEAD: &str = "// Made by `cargo run -p callbook-dedup --example tables`. Do not edit.\n";

/// Counts the changes of the code that reads a text by the tables, when they give other keys.
const RULES: u32 = 1;

/// How many numbers one state has: its ten digits and what it says.
const STATE: usize = 12;

/// `plans.rs`.
pub(crate) fn plans(plans: &Plans, release: &str) -> String {
    let mut out = format!(
        "//! The numbering plans of rlibphonenumber {release}.\n\n{HEAD}\nuse super::{{Plan, plan}};\n\n\
         /// The metadata and the rules that make the keys.\n\
         pub(crate) const VERSION: &str = \"rlibphonenumber-{release}/{RULES}\";\n\n\
         /// Every plan: its calling code, where its automata start (international prefix, national\n\
         /// prefix, numbers), what stands before a group of the national prefix, and its numbers'\n\
         /// possible lengths. The first is no plan.\n\
         #[rustfmt::skip]\npub(super) static PLANS: [Plan; {}] = [\n    plan(0, [0, 0, 0], \"\", &[]),\n",
        plans.rows.len() + 1
    );
    for row in &plans.rows {
        let metadata = &row.metadata;
        write!(
            out,
            "    // {} international {}",
            metadata.id,
            shown(&metadata.international_prefix)
        )
        .unwrap();
        write!(out, ", national {}", shown(&metadata.national_prefix)).unwrap();
        if let Some(rule) = &metadata.transform {
            write!(out, " as {rule}").unwrap();
        }
        writeln!(out, ", numbers {}", shown(&metadata.general)).unwrap();
        writeln!(
            out,
            "    plan({}, {:?}, {:?}, &{:?}),",
            metadata.calling_code,
            [row.international_prefix, row.national_prefix, row.general].map(|s| s * STATE),
            row.before,
            lengths(&metadata.possible),
        )
        .unwrap();
    }
    out.push_str("];\n\n/// The plan of a region, by the letters of its code.\n#[rustfmt::skip]\n");
    out.push_str("pub(super) static REGIONS: [[u8; 26]; 26] = [\n");
    let index =
        |found: &dyn Fn(&Row) -> bool| plans.rows.iter().position(found).map_or(0, |i| i + 1);
    for first in 'A'..='Z' {
        let row = ('A'..='Z').map(|second| {
            let id = format!("{first}{second}");
            index(&|row| row.metadata.id == id)
        });
        writeln!(out, "    {:?}, // {first}", row.collect::<Vec<_>>()).unwrap();
    }
    out.push_str(
        "];\n\n/// The plan that reads the numbers of a calling code.\n#[rustfmt::skip]\n",
    );
    out.push_str("pub(super) static CALLING_CODES: [u8; 1000] = [\n");
    for tens in 0..100 {
        let row = (tens * 10..tens * 10 + 10)
            .map(|code| index(&|row| row.metadata.main && row.metadata.calling_code == code));
        let row: Vec<String> = row.map(|index| index.to_string()).collect();
        writeln!(out, "    {}, // {tens}x", row.join(", ")).unwrap();
    }
    out.push_str("];\n");
    out
}

fn shown(pattern: &str) -> &str {
    if pattern.is_empty() { "none" } else { pattern }
}

/// Lengths as the table has them; -1 is the metadata's word for none.
fn lengths(lengths: &[i32]) -> Vec<i32> {
    assert!(lengths.iter().all(|length| *length < 32));
    lengths.iter().copied().filter(|length| *length >= 0).collect()
}

/// `states.rs`.
pub(crate) fn states(plans: &Plans) -> String {
    let says = |says: Says| match says {
        Says::Nothing => 0,
        Says::Match => 1,
        Says::Group(start, end) => {
            plans.spans.binary_search(&(start, end)).expect("all spans are there") + 2
        }
    };
    let states = &plans.states.states;
    let mut out = format!(
        "//! The automata of all numbering plans.\n\n{HEAD}\n\
         /// Where groups of national prefixes stand: start and end.\n#[rustfmt::skip]\n\
         pub(super) static SPANS: [(u8, u8); {}] = {:?};\n\n\
         /// {} states: where the digits 0 to 9 lead, what is said on the way, what at the end. The\n\
         /// first leads nowhere.\n#[rustfmt::skip]\npub(super) static STATES: [u16; {}] = [\n",
        plans.spans.len(),
        plans.spans,
        states.len(),
        states.len() * STATE,
    );
    assert!(states.len() * STATE <= usize::from(u16::MAX));
    for state in states {
        let next: Vec<String> = state.next.iter().map(|next| (next * STATE).to_string()).collect();
        writeln!(out, "    {}, {}, {},", next.join(", "), says(state.on), says(state.end)).unwrap();
    }
    out.push_str("];\n");
    out
}

/// `script.rs`.
pub(crate) fn script(script: &Script) -> String {
    let class = |char: char| {
        let range = script.classes.iter().find(|(low, high, _)| (*low..=*high).contains(&char));
        range.map_or(0, |range| range.2)
    };
    let ascii: Vec<u8> = ('\0'..='\x7f').map(class).collect();
    let beyond: Vec<String> = script
        .classes
        .iter()
        .filter(|range| !range.0.is_ascii())
        .map(|(low, high, class)| format!("({}, {}, {class})", escaped(*low), escaped(*high)))
        .collect();
    assert!(script.classes.iter().all(|range| range.0.is_ascii() == range.1.is_ascii()));
    let kept: Vec<String> = script
        .kept
        .iter()
        .map(|(low, high)| format!("({}, {})", escaped(*low), escaped(*high)))
        .collect();
    let lasts: Vec<char> =
        script.classes.iter().filter(|range| !range.0.is_ascii()).map(|range| range.1).collect();
    let pages: Vec<u8> = (0..512u32)
        .map(|page| lasts.partition_point(|last| u32::from(*last) < page << 8).try_into().unwrap())
        .collect();
    let mut out = format!("//! How numbers are written.\n\n{HEAD}\n");
    table(&mut out, "The classes of ASCII's characters.", "ASCII", "u8", &strings(&ascii));
    table(
        &mut out,
        "The classes beyond ASCII: first, last, class. All else is of class 0.",
        "CLASSES",
        "(char, char, u8)",
        &beyond,
    );
    table(
        &mut out,
        "The first range of [`CLASSES`] that ends on each page of 256 characters or behind it.",
        "PAGES",
        "u8",
        &strings(&pages),
    );
    table(
        &mut out,
        "Letters and numbers beyond ASCII: first, last.",
        "KEPT",
        "(char, char)",
        &kept,
    );
    machine(&mut out, "Takes what could be a phone number.", "VIABLE", &script.viable);
    machine(
        &mut out,
        "Takes, backwards from the end of a text, what could be an extension.",
        "EXTENSION",
        &script.extension,
    );
    out.truncate(out.trim_end().len() + 1);
    out
}

fn escaped(char: char) -> String {
    format!("'\\u{{{:x}}}'", u32::from(char))
}

fn strings(numbers: &[u8]) -> Vec<String> {
    numbers.iter().map(u8::to_string).collect()
}

fn table(out: &mut String, says: &str, name: &str, of: &str, items: &[String]) {
    writeln!(out, "/// {says}\n#[rustfmt::skip]").unwrap();
    writeln!(out, "pub(in crate::number) static {name}: [{of}; {}] = [", items.len()).unwrap();
    for line in items.chunks(if of == "u8" { 16 } else { 4 }) {
        writeln!(out, "    {},", line.join(", ")).unwrap();
    }
    out.push_str("];\n\n");
}

/// One row a state: where each class leads, then 1 if what was read is taken. Row 0 leads nowhere,
/// row 1 is the start.
fn machine(out: &mut String, says: &str, name: &str, automaton: &Automaton) {
    assert!(automaton.states.len() <= 256);
    let classes = automaton.states[0].next.len();
    writeln!(out, "/// {says} A row a state, in it where each class leads, then 1 if the\n/// characters read so far are taken. Row 0 leads nowhere, row 1 is the start.\n#[rustfmt::skip]").unwrap();
    writeln!(
        out,
        "pub(in crate::number) static {name}: [[u8; {}]; {}] = [",
        classes + 1,
        automaton.states.len()
    )
    .unwrap();
    for state in &automaton.states {
        let mut row: Vec<String> = state.next.iter().map(usize::to_string).collect();
        row.push(u8::from(state.end == Says::Match).to_string());
        writeln!(out, "    [{}],", row.join(", ")).unwrap();
    }
    out.push_str("];\n\n");
}
