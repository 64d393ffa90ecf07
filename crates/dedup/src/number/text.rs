//! From a text to its digits: what counts as a digit, where the number starts and ends, what is its
//! extension. What the digits mean must never live here.
//!
//! Most texts are ASCII digits, a plus and a few separators: [`plain`] reads them in one pass without
//! a branch a character. All others go the long way in [`written`], step by step as libphonenumber
//! does, over the automata in [`tables`](super::tables).

use std::ops::Deref;

use super::LONGEST;
use super::tables::{ASCII, CLASSES, EXTENSION, KEPT, PAGES, VIABLE};

/// No number that is read has more digits: 17 at most, a calling code of 3, and prefixes of 8, 6 and
/// again 6 before and behind it.
const MOST: usize = 40;

/// Room for the digits that a plan puts before a number: it may do so twice, the second time behind a
/// calling code that is gone.
const ROOM: usize = 7;

/// The most digits that a plan puts before a number.
const BEFORE: usize = 4;

/// Room for all, and to read [`LONGEST`] bytes from the start of any digits.
const BYTES: usize = 64;
const _: () = assert!(ROOM + MOST + LONGEST <= BYTES);

/// What a text says that its digits do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// It starts with a plus.
    International,
    AsDialled,
}

impl Form {
    fn of(plus: bool) -> Self {
        if plus { Self::International } else { Self::AsDialled }
    }
}

/// At most [`MOST`] ASCII digits, of which the first can be taken away and replaced.
#[derive(Clone, Copy)]
pub(super) struct Digits {
    bytes: [u8; BYTES],
    start: usize,
    end: usize,
}

impl Digits {
    pub(super) const NONE: Self = Self { bytes: [0; BYTES], start: ROOM, end: ROOM };

    /// Adds a digit, if there is room.
    fn push(&mut self, digit: u8) -> Option<()> {
        *self.bytes[..ROOM + MOST].get_mut(self.end)? = digit;
        self.end += 1;
        Some(())
    }

    /// Takes the first `count` digits off.
    pub(super) fn skip(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Puts in the stead of the digits before `rest` those of `before` (up to its first 0), then
    /// those of a group. The group ends at or before `rest`.
    pub(super) fn replace(&mut self, before: &[u8; BEFORE], group: (usize, usize), rest: usize) {
        let start = self.start;
        let place = start + rest - (group.1 - group.0);
        self.bytes.copy_within(start + group.0..start + group.1, place);
        let before = before.split(|byte| *byte == 0).next().unwrap_or_default();
        let first = place - before.len();
        self.bytes[first..place].copy_from_slice(before);
        self.start = first;
    }

    /// The first [`LONGEST`] digits, and anything after them when there are fewer.
    pub(super) fn padded(&self) -> &[u8; LONGEST] {
        self.bytes[self.start..].first_chunk().expect("there is room behind the last")
    }
}

/// What digits were before some of them were taken away.
pub(super) enum Undo {
    Start(usize),
    All(Digits),
}

impl Undo {
    /// For [`Digits::skip`].
    pub(super) fn start(digits: &Digits) -> Self {
        Self::Start(digits.start)
    }

    /// For [`Digits::replace`].
    pub(super) fn all(digits: &Digits) -> Self {
        Self::All(*digits)
    }

    pub(super) fn on(self, digits: &mut Digits) {
        match self {
            Self::Start(start) => digits.start = start,
            Self::All(all) => *digits = all,
        }
    }
}

impl Deref for Digits {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }
}

/// The digits of an extension, as ASCII: none, or at most 20.
#[derive(Clone, Copy)]
pub(crate) struct Extension {
    digits: [u8; Self::MOST],
    length: u8,
}

impl Extension {
    const MOST: usize = 20;
    pub(super) const NONE: Self = Self { digits: [0; Self::MOST], length: 0 };

    /// Reads the digits at the end of a text that ends in an extension, backwards.
    fn read(&mut self, text: impl Iterator<Item = char>) {
        let digits = text.skip_while(|char| *char == '#').map_while(digit);
        for (place, digit) in self.digits.iter_mut().rev().zip(digits) {
            *place = digit;
            self.length += 1;
        }
        self.digits.rotate_left(Self::MOST - usize::from(self.length));
    }
}

impl Deref for Extension {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }
}

/// Reads a text into `digits` and `extension`, both empty. `None` when it cannot be a phone number.
#[inline]
pub(super) fn read(text: &str, digits: &mut Digits, extension: &mut Extension) -> Option<Form> {
    plain(text.as_bytes(), digits).or_else(|| written(text, digits, extension))
}

/// What a byte is to [`plain`] and [`written`]; any other is nothing to them.
mod kind {
    pub(super) const DIGIT: u8 = 1;
    pub(super) const PLUS: u8 = 2;
    pub(super) const SEPARATOR: u8 = 4;
    pub(super) const SEMICOLON: u8 = 8;
    pub(super) const SLASH: u8 = 16;
    /// A control, or no ASCII.
    pub(super) const STRANGE: u8 = 32;
}

/// The kinds of all bytes.
static KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut index = 0;
    while index < kinds.len() {
        kinds[index] = match index as u8 {
            b'0'..=b'9' => kind::DIGIT,
            b'+' => kind::PLUS,
            b' ' | b'-' | b'.' | b'(' | b')' | b'[' | b']' => kind::SEPARATOR,
            b'/' => kind::SEPARATOR | kind::SLASH,
            b'\\' => kind::SLASH,
            b';' => kind::SEMICOLON,
            0..=0x1F | 0x7F.. => kind::STRANGE,
            _ => 0,
        };
        index += 1;
    }
    kinds
};

/// What a byte adds to the place of the next digit in [`plain`]: 1 for a digit, nothing for a separator,
/// and for any other more than there are places.
static STEPS: [u32; 256] = {
    let mut steps = [0; 256];
    let mut index = 0;
    while index < steps.len() {
        let kind = KINDS[index];
        steps[index] = if kind & kind::DIGIT != 0 {
            1
        } else if kind & kind::SEPARATOR != 0 {
            0
        } else {
            1 << 16
        };
        index += 1;
    }
    steps
};

/// Reads a text of ASCII digits and plain separators, with a plus before them or not, and any words
/// before that. `None` when there is anything else in it, also when it is too short or too long to be
/// plain.
#[inline]
fn plain(text: &[u8], digits: &mut Digits) -> Option<Form> {
    const START: u8 = kind::DIGIT | kind::PLUS | kind::SEMICOLON | kind::STRANGE;
    let start = text.iter().position(|byte| KINDS[usize::from(*byte)] & START != 0)?;
    let plus = text[start] == b'+';
    let text = &text[start + usize::from(plus)..];
    if text.len() > MOST {
        return None;
    }
    // The place of the next digit, and above it how many bytes are neither a digit nor a separator.
    let mut end = ROOM as u32;
    for byte in text {
        digits.bytes[end as usize % BYTES] = *byte; // always within: without a check
        end += STEPS[usize::from(*byte)];
    }
    let end = end as usize;
    let plain = (ROOM + 3..=ROOM + MOST).contains(&end);
    plain.then(|| {
        digits.end = end;
        Form::of(plus)
    })
}

/// What [`plain`] reads, in the digits, separators and pluses of any script.
fn plain_in_any_script(text: &str, digits: &mut Digits) -> Option<Form> {
    let (mut read, mut form) = (*digits, None);
    for char in text.chars() {
        match (digit(char), form) {
            (Some(digit), _) => {
                form.get_or_insert(Form::AsDialled);
                read.push(digit)?;
            }
            (None, None) if is_plus(char) => form = Some(Form::International),
            (None, None) if is_interchangeable(char) => {}
            // A space that does not break is one of the separators, and of a class of its own for what
            // stands before an extension's label only.
            (None, Some(_)) if char == '\u{a0}' || SEPARATORS >> class(char) & 1 == 1 => {}
            _ => return None,
        }
    }
    (read.len() >= 3).then(|| *digits = read).and(form)
}

/// A bit for each class of a character that [`plain`] passes over.
const SEPARATORS: u64 = {
    let (mut bits, mut index) = (0, 0);
    while index < ASCII.len() {
        if KINDS[index] & kind::SEPARATOR != 0 {
            bits |= 1 << ASCII[index];
        }
        index += 1;
    }
    bits
};

/// Reads any text.
#[inline(never)]
fn written(text: &str, digits: &mut Digits, extension: &mut Extension) -> Option<Form> {
    let kinds = text.bytes().fold(0, |kinds, byte| kinds | KINDS[usize::from(byte)]);
    if kinds & (kind::STRANGE | kind::SEMICOLON) == kind::STRANGE
        && let Some(form) = plain_in_any_script(text, digits)
    {
        return Some(form);
    }
    let whole = Pieces::of(text, kinds)?;
    let number = whole.without_extension();
    // Without what stood around it, or behind it, the number may be plain.
    if let Some(form) = number.unwrap_or(whole).plain(digits) {
        number.inspect(|_| extension.read(whole.backwards()));
        return Some(form);
    }
    whole.is_viable().then_some(())?;
    let number = number.filter(|number| number.is_viable());
    number.inspect(|_| extension.read(whole.backwards()));
    let number = number.unwrap_or(whole);
    let value = if number.chars().filter(|char| is_letter(*char)).nth(2).is_some() {
        keypad
    } else {
        digit
    };
    number.chars().filter_map(value).try_for_each(|digit| digits.push(digit))?;
    Some(Form::of(number.chars().next().is_some_and(is_plus)))
}

/// The part of a text that may be a number: of RFC 3966, the context and what stands before it; of
/// any other text, one piece and an empty one.
#[derive(Clone, Copy)]
struct Pieces<'t> {
    context: &'t str,
    number: &'t str,
}

impl<'t> Pieces<'t> {
    /// `kinds`: the kinds of all bytes of the text.
    fn of(text: &'t str, kinds: u8) -> Option<Self> {
        if kinds & kind::SEMICOLON == 0 {
            return Some(Self { context: "", number: possible(text, kinds)? });
        }
        let (context, number) = match split_at_parameter(text, ";phone-context=") {
            Some((before, after)) => {
                let context = after.split(';').next().unwrap_or_default();
                if !is_global_number(context) && !is_domain(context) {
                    return None;
                }
                // As libphonenumber: what stands after the first "tel:", even one behind the context.
                let number = match text.find("tel:").map(|start| start + "tel:".len()) {
                    Some(start) if start <= before.len() => &before[start..],
                    Some(start) => &text[start..],
                    None => before,
                };
                (if context.starts_with('+') { context } else { "" }, number)
            }
            None => ("", possible(text, kinds)?),
        };
        let number = split_at_parameter(number, ";isub=").map_or(number, |(before, _)| before);
        Some(Self { context, number })
    }

    fn chars(self) -> impl Iterator<Item = char> {
        self.context.chars().chain(self.number.chars())
    }

    fn backwards(self) -> impl Iterator<Item = char> {
        self.number.chars().rev().chain(self.context.chars().rev())
    }

    /// Whether it is written as a phone number may be.
    fn is_viable(self) -> bool {
        let mut state = 1;
        self.chars().for_each(|char| state = usize::from(VIABLE[state][class(char)]));
        VIABLE[state].ends_with(&[1])
    }

    /// What stands before the longest end that could be an extension, if there is one.
    fn without_extension(self) -> Option<Self> {
        let (mut state, mut read, mut longest) = (1, 0, 0);
        for char in self.backwards() {
            state = usize::from(EXTENSION[state][class(char)]);
            if state == 0 {
                break;
            }
            read += char.len_utf8();
            if EXTENSION[state].ends_with(&[1]) {
                longest = read;
            }
        }
        (longest > 0).then(|| self.without_last(longest))
    }

    /// Reads it as [`plain`] does, when it is in one piece and nothing stands before it.
    fn plain(self, digits: &mut Digits) -> Option<Form> {
        let number = self.number.as_bytes();
        let starts = number
            .first()
            .is_some_and(|byte| KINDS[usize::from(*byte)] & (kind::DIGIT | kind::PLUS) != 0);
        if self.context.is_empty() && starts { plain(number, digits) } else { None }
    }

    fn without_last(self, bytes: usize) -> Self {
        match self.number.len().checked_sub(bytes) {
            Some(end) => Self { number: &self.number[..end], ..self },
            None => {
                let end = self.context.len() + self.number.len() - bytes;
                Self { context: &self.context[..end], number: "" }
            }
        }
    }
}

/// The part of a text from the first character that can start a number to the last that can end it,
/// and before a second number's extension ("… x302/x2303").
fn possible(text: &str, kinds: u8) -> Option<&str> {
    if kinds & kind::STRANGE != 0 && !text.chars().all(is_interchangeable) {
        return None;
    }
    let text = &text[text.find(|char| is_plus(char) || digit(char).is_some())?..];
    let text = text.trim_end_matches(|char| char != '#' && !is_letter_or_number(char));
    if kinds & kind::SLASH == 0 {
        return Some(text);
    }
    Some(text.split(is_line_end).find_map(before_second_extension).unwrap_or(text))
}

/// What stands before the last slash that spaces and an `x` follow.
fn before_second_extension(line: &str) -> Option<&str> {
    let starts_extension =
        |(at, _): &(usize, &str)| line[at + 1..].trim_start_matches(' ').starts_with('x');
    line.rmatch_indices(['/', '\\']).find(starts_extension).map(|(at, _)| &line[..at])
}

/// What stands before a parameter of RFC 3966 and what behind its name, which starts with a semicolon.
fn split_at_parameter<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    text.match_indices(';').find_map(|(at, _)| Some((&text[..at], text[at..].strip_prefix(name)?)))
}

/// RFC 3966's global-number-digits: a plus, visual separators, at least one digit.
fn is_global_number(context: &str) -> bool {
    context.strip_prefix('+').is_some_and(|number| {
        let separates = |char: char| matches!(char, '-' | '.' | '(' | ')');
        number.chars().all(|char| separates(char) || digit(char).is_some())
            && number.chars().any(|char| digit(char).is_some())
    })
}

/// RFC 3966's domainname: labels of letters, digits and inner hyphens; the last starts with a letter.
fn is_domain(context: &str) -> bool {
    let inner = |char: char| char.is_ascii_alphabetic() || digit(char).is_some();
    let is_label = |label: &str| {
        label.starts_with(inner)
            && label.ends_with(inner)
            && label.chars().all(|char| char == '-' || inner(char))
    };
    let context = context.strip_suffix('.').unwrap_or(context);
    context.split('.').all(is_label)
        && context
            .rsplit('.')
            .next()
            .is_some_and(|top| top.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// The value of a decimal digit of any script, as ASCII.
pub(crate) fn digit(char: char) -> Option<u8> {
    if char.is_ascii() {
        return char.is_ascii_digit().then_some(char as u8);
    }
    // Each script's digits are ten in a row.
    let (first, _, class) = class_beyond_ascii(char)?;
    (*class == ASCII[usize::from(b'0')])
        .then(|| b'0' + ((u32::from(char) - u32::from(*first)) % 10) as u8)
}

/// The digit of a letter on a keypad, or an ASCII digit itself.
fn keypad(char: char) -> Option<u8> {
    const KEYS: &[u8; 26] = b"22233344455566677778889999";
    match char {
        '0'..='9' => Some(char as u8),
        'A'..='Z' => Some(KEYS[usize::from(char as u8 - b'A')]),
        'a'..='z' => Some(KEYS[usize::from(char as u8 - b'a')]),
        _ => None,
    }
}

/// `[a-z]` without regard to case, as expressions have it: the long s and the sign of the kelvin too.
fn is_letter(char: char) -> bool {
    char.is_ascii_alphabetic() || matches!(char, '\u{17F}' | '\u{212A}')
}

fn is_plus(char: char) -> bool {
    matches!(char, '+' | '\u{FF0B}')
}

fn is_letter_or_number(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric();
    }
    let found = KEPT[..KEPT.partition_point(|(first, _)| *first <= char)].last();
    found.is_some_and(|(_, last)| char <= *last)
}

/// Where a dot in an expression stops.
fn is_line_end(char: char) -> bool {
    matches!(char, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// No control (but for tab, line feed, form feed, carriage return) and no noncharacter: with one of
/// them libphonenumber takes the whole text for unreadable.
fn is_interchangeable(char: char) -> bool {
    !matches!(char, '\0'..='\u{8}' | '\u{B}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{FDD0}'..='\u{FDEF}')
        && u32::from(char) & 0xFFFE != 0xFFFE
}

/// The class of a character in [`VIABLE`] and [`EXTENSION`].
fn class(char: char) -> usize {
    match ASCII.get(char as usize) {
        Some(class) => usize::from(*class),
        None => class_beyond_ascii(char).map_or(0, |(_, _, class)| usize::from(*class)),
    }
}

/// The range of [`CLASSES`] that has the character. There are few on a page of 256.
fn class_beyond_ascii(char: char) -> Option<&'static (char, char, u8)> {
    let page = (u32::from(char) >> 8) as usize;
    let first = PAGES[page.min(PAGES.len() - 1)];
    let found = CLASSES[usize::from(first)..].iter().find(|(_, last, _)| char <= *last)?;
    (found.0 <= char).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A way to read a text, all of it or none.
    type Way = fn(&str, &mut Digits) -> Option<Form>;

    #[track_caller]
    fn check(way: Way, text: &str, expected: Option<(Form, &str)>) {
        let mut digits = Digits::NONE;
        let form = way(text, &mut digits);
        let read = form.map(|form| (form, String::from_utf8(digits.to_vec()).unwrap()));
        assert_eq!(read.as_ref().map(|(form, read)| (*form, read.as_str())), expected, "{text:?}");
    }

    const DIALLED: Form = Form::AsDialled;
    const ABROAD: Form = Form::International;

    fn ascii(text: &str, digits: &mut Digits) -> Option<Form> {
        plain(text.as_bytes(), digits)
    }

    /// That the long way says the same is asked of all texts, in `tests/e164.rs`.
    #[test]
    fn a_plain_text_goes_the_short_way() {
        let number = "4155552671";
        check(ascii, number, Some((DIALLED, number)));
        check(ascii, "+14155552671", Some((ABROAD, "14155552671")));
        check(ascii, "call me at 415 555-2671", Some((DIALLED, number)));
        check(ascii, "mobile: +(415) 555-2671", Some((ABROAD, number)));
        for separator in [" ", "-", ".", "(", ")", "[", "]", "/"] {
            let text = format!("415{separator}5552671");
            check(ascii, &text, Some((DIALLED, number)));
        }
        check(ascii, "112", Some((DIALLED, "112")));
        check(ascii, &number.repeat(4), Some((DIALLED, &number.repeat(4))));
    }

    #[test]
    fn any_other_text_does_not() {
        let number = "4155552671";
        check(ascii, "", None);
        check(ascii, "home", None);
        check(ascii, "12", None);
        check(ascii, &format!("{}1", number.repeat(4)), None);
        for strange in ["x", "+", ";", "#", ",", "\\", "\0", "\u{7F}", "é", "٤"] {
            check(ascii, &format!("415{strange}5552671"), None);
            check(ascii, &format!("{number}{strange}"), None);
        }
        for first in [";", "\u{1F}", "é", "٤"] {
            check(ascii, &format!("{first}{number}"), None);
        }
    }

    #[test]
    fn a_plain_text_of_another_script_goes_a_short_way_too() {
        let (text, number) = ("٤١٥٥٥٥٢٦٧١", "4155552671");
        check(plain_in_any_script, text, Some((DIALLED, number)));
        check(plain_in_any_script, &format!("＋{text}"), Some((ABROAD, number)));
        check(plain_in_any_script, &format!("+{text}"), Some((ABROAD, number)));
        check(plain_in_any_script, &format!("هاتف {text}"), Some((DIALLED, number)));
        check(plain_in_any_script, "４１５", Some((DIALLED, "415")));
        check(plain_in_any_script, "４１", None);
        for separator in [" ", "-", ".", "(", ")", "[", "]", "/", "\u{a0}", "－", "（"] {
            check(plain_in_any_script, &format!("٤١٥{separator}٥٥٥٢٦٧١"), Some((DIALLED, number)));
        }
        for strange in ["x", "+", "＋", ";", "#", "é"] {
            check(plain_in_any_script, &format!("٤١٥{strange}٥٥٥٢٦٧١"), None);
        }
        check(plain_in_any_script, &format!("\u{FFFE}{text}"), None);
        check(plain_in_any_script, "+", None);
        check(plain_in_any_script, &text.repeat(5), None);
    }

    /// What an extension or what stood around it was taken from, and RFC 3966's context.
    #[test]
    fn what_is_left_of_a_text_may_be_plain() {
        let left: Way = |text, digits| Pieces { context: "", number: text }.plain(digits);
        check(left, "415 555-2671", Some((DIALLED, "4155552671")));
        check(left, "+14155552671", Some((ABROAD, "14155552671")));
        check(left, "", None);
        check(left, "call 4155552671", None);
        let behind: Way = |text, digits| Pieces { context: "+1", number: text }.plain(digits);
        check(behind, "4155552671", None);
    }
}
