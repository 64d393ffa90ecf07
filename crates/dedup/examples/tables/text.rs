//! How a text must be written to hold a phone number, as libphonenumber's C++ sources say it in
//! expressions over Unicode: automata over classes of characters.

use std::collections::{BTreeMap, BTreeSet};

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::automaton::{Ask, Automaton, Says, numbered};

/// C++ reads character properties from ICU. This is the Unicode of ICU 72, with which the tables
/// were compared; a younger one adds digits of scripts that no phone writes yet.
const AGE: &str = r"\p{Age=15.0}";

/// Spaces, dashes, brackets, slashes, dots, tildes and `x`, in all the widths.
const PUNCTUATION: &str = concat!(
    r"\-x\u{2010}-\u{2015}\u{2212}\u{30FC}\u{FF0D}-\u{FF0F} \u{A0}\u{AD}\u{200B}\u{2060}\u{3000}",
    r"()\u{FF08}\u{FF09}\u{FF3B}\u{FF3D}.\[\]/~\u{2053}\u{223C}",
);

/// Everything that `src/number/script.rs` says.
pub(crate) struct Script {
    /// Ranges of characters with their class; every other character is of class 0.
    pub(crate) classes: Vec<(char, char, u8)>,
    /// Accepts what could be a phone number.
    pub(crate) viable: Automaton,
    /// Accepts, read from the end, what could be an extension.
    pub(crate) extension: Automaton,
    /// Letters and numbers beyond ASCII.
    pub(crate) kept: Vec<(char, char)>,
}

pub(crate) fn make() -> Script {
    let digit = format!(r"[\p{{Nd}}&&{AGE}]");
    let extension = extension(&digit);
    let viable = format!(
        r"(?i){digit}{{2}}|[+\u{{FF0B}}]*(?:[{PUNCTUATION}*]*{digit}){{3,}}[{PUNCTUATION}*a-z{digit}]*(?:{extension})?"
    );
    let (viable, extension) = (parse(&viable), parse(&format!("(?i){extension}")));
    let (classes, alphabet) = classes(&[&viable, &extension]);
    let automaton = |hir, reversed| {
        let mut automaton = Automaton::new(alphabet.len());
        let start = automaton.add(hir, Ask::Whole, reversed, &alphabet);
        assert_eq!(automaton.minimise(&[start]), [1]);
        automaton
    };
    let (viable, extension) = (automaton(&viable, false), automaton(&extension, true));
    let (classes, viable, extension) = merged(classes, viable, extension);
    // So that a digit's value is told from where its range starts.
    assert!(ranges(&digit).iter().all(|(first, last)| (*first..=*last).count() % 10 == 0));
    Script {
        classes,
        viable,
        extension,
        kept: ranges(&format!(r"[[\p{{L}}\p{{N}}]&&{AGE}&&[^\x00-\x7F]]")),
    }
}

/// All ways to write an extension. How many digits it may have depends on how plainly it is said to
/// be one.
fn extension(digit: &str) -> String {
    let before = r"[ \u{A0}\t,]*";
    let before_comma = r"[ \u{A0}\t]*";
    let after = r"[:.\u{FF0E}]?[ \u{A0}\t,\-]*";
    let plain = concat!(
        r"(?:e?xt(?:ensi(?:o\u{301}?|\u{F3}))?n?|\u{FF45}?\u{FF58}\u{FF54}\u{FF4E}?",
        r"|\u{434}\u{43E}\u{431}|anexo)",
    );
    let ambiguous = r"(?:[x\u{FF58}#\u{FF03}~\u{FF5E}]|int|\u{FF49}\u{FF4E}\u{FF54})";
    [
        format!(r";ext={digit}{{1,20}}"),
        format!(r"{before}{plain}{after}{digit}{{1,20}}#?"),
        format!(r"{before}{ambiguous}{after}{digit}{{1,9}}#?"),
        format!(r"[\- ]+{digit}{{1,6}}#"),
        format!(r"{before_comma}(?:,,|;){after}{digit}{{1,15}}#?"),
        format!(r"{before_comma},+{after}{digit}{{1,9}}#?"),
    ]
    .join("|")
}

fn parse(pattern: &str) -> Hir {
    regex_syntax::parse(pattern).expect("the expressions above are well formed")
}

/// The characters of a class, as ranges.
fn ranges(class: &str) -> Vec<(char, char)> {
    match parse(class).into_kind() {
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().map(|range| (range.start(), range.end())).collect()
        }
        other => unreachable!("a class of characters, not {other:?}"),
    }
}

/// Divides all characters into classes whose members no expression tells apart, and names one
/// member of each. Class 0 are the characters that no expression has.
fn classes(expressions: &[&Hir]) -> (Vec<(char, char, u8)>, Vec<char>) {
    let mut sets = BTreeSet::new();
    expressions.iter().for_each(|hir| collect(hir, &mut sets));
    let mut bounds: BTreeSet<char> = BTreeSet::from(['\0']);
    for (low, high) in sets.iter().flatten() {
        bounds.insert(*low);
        bounds.extend((*high..=char::MAX).nth(1));
    }
    let bounds: Vec<char> = bounds.into_iter().collect();
    let members = |char: &char| -> Vec<bool> {
        let has =
            |set: &Vec<(char, char)>| set.iter().any(|(low, high)| (low..=high).contains(&char));
        sets.iter().map(has).collect()
    };
    let class = numbered(bounds.iter().map(members));
    let count = class.iter().max().expect("at least one") + 1;
    let alphabet = (0..count).map(|wanted| {
        bounds[class.iter().position(|class| *class == wanted).expect("numbered from 0")]
    });
    let last = |index: usize| match bounds.get(index + 1) {
        Some(next) => ('\0'..*next).next_back().expect("not the first"),
        None => char::MAX,
    };
    let named = (0..bounds.len())
        .map(|index| (bounds[index], last(index), u8::try_from(class[index]).expect("few")));
    (named.filter(|range| range.2 != 0).collect(), alphabet.collect())
}

fn collect(hir: &Hir, sets: &mut BTreeSet<Vec<(char, char)>>) {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).expect("expressions are text");
            sets.extend(text.chars().map(|char| vec![(char, char)]));
        }
        HirKind::Class(Class::Unicode(class)) => {
            sets.insert(class.iter().map(|range| (range.start(), range.end())).collect());
        }
        HirKind::Repetition(repetition) => collect(&repetition.sub, sets),
        HirKind::Capture(capture) => collect(&capture.sub, sets),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect(part, sets));
        }
        _ => {}
    }
}

/// Merges the classes that neither automaton tells apart.
fn merged(
    classes: Vec<(char, char, u8)>,
    viable: Automaton,
    extension: Automaton,
) -> (Vec<(char, char, u8)>, Automaton, Automaton) {
    let symbols = viable.states[0].next.len();
    let columns = numbered((0..symbols).map(|symbol| {
        let states = viable.states.iter().chain(&extension.states);
        states.map(|state| state.next[symbol]).collect::<Vec<_>>()
    }));
    let first: BTreeMap<usize, usize> =
        columns.iter().enumerate().rev().map(|(symbol, column)| (*column, symbol)).collect();
    let narrowed = |mut automaton: Automaton| {
        for state in &mut automaton.states {
            state.next = first.values().map(|symbol| state.next[*symbol]).collect();
            assert!(matches!(state.end, Says::Nothing | Says::Match));
        }
        automaton
    };
    let mut joined: Vec<(char, char, u8)> = Vec::new();
    for (low, high, class) in classes {
        let class = u8::try_from(columns[usize::from(class)]).expect("few");
        match joined.last_mut() {
            Some(last) if last.2 == class && (last.1..=low).nth(1) == Some(low) => last.1 = high,
            _ => joined.push((low, high, class)),
        }
    }
    (joined, narrowed(viable), narrowed(extension))
}
