//! The text of a phone number, and the region in which it was written → E.164.
//!
//! [`e164`] gives the answer of Google's C++ libphonenumber (`Parse`, then `Format` as E.164) without
//! its means: no expressions, no allocation, nothing made at run time. [`text`] finds the digits in
//! the text, this file reads them by a numbering plan, [`tables`] are the plans. Its order of steps is
//! libphonenumber's, and matters: what one step strips, the next one does not see.

mod tables;
mod text;

use std::fmt;
use std::ops::Deref;

use tables::Length;
pub(crate) use tables::{Code, Plan, VERSION};
pub(crate) use text::digit;
use text::{Digits, Extension, Form, Undo};

/// The shortest and the longest national significant number.
const SHORTEST: usize = 2;
pub(crate) const LONGEST: usize = 17;

/// A phone number in E.164: `+`, the calling code, the national significant number. At most 21
/// characters of ASCII. `Debug` does not print it.
#[derive(Clone, Copy)]
pub struct E164 {
    text: [u8; 1 + 3 + LONGEST],
    length: u8,
}

impl Deref for E164 {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.length)]).expect("ASCII")
    }
}

impl PartialEq for E164 {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for E164 {}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E164({} characters)", self.length)
    }
}

/// The E.164 form of `text` as written in `region`, or `None` when it is no phone number.
///
/// `region` is ISO 3166, two capitals, such as `US`; any other text stands for no region, in which
/// only numbers with their calling code (`+…`) can be read. The answer is that of Google's C++
/// libphonenumber, whether such a number can be dialled or not: see [`number_key`](crate::number_key)
/// for that. The work grows with the length of the text and with nothing else.
///
/// ```
/// use callbook_dedup::e164;
/// assert_eq!(e164("(415) 555-2671", "US").as_deref(), Some("+14155552671"));
/// assert_eq!(e164("011 15-2345-6789", "AR").as_deref(), Some("+5491123456789"));
/// assert_eq!(e164("tel:555-FLOWERS;phone-context=+1-800", "").as_deref(), Some("+18005553569377"));
/// assert_eq!(e164("0", "US").as_deref(), None);
/// ```
pub fn e164(text: &str, region: &str) -> Option<E164> {
    let mut number = Number::NONE;
    let home = region.as_bytes().try_into().ok().and_then(Plan::of_region);
    let plan = number.read(text, home)?;
    Some(number.e164(plan.code))
}

/// A number in the making. It is filled in place and never moved: its digits are written one by one,
/// and a processor that then reads several as one word has to wait for them.
pub(crate) struct Number {
    digits: Digits,
    pub(crate) extension: Extension,
}

impl Number {
    pub(crate) const NONE: Self = Self { digits: Digits::NONE, extension: Extension::NONE };

    /// Whether libphonenumber's reason is `IS_POSSIBLE`: a number of this length can be dialled from
    /// abroad.
    pub(crate) fn is_possible(&self, code: Code) -> bool {
        // Of a code with several regions, the main one's plan has the lengths of all.
        Plan::of_code(code).is_some_and(|plan| plan.length(self.digits.len()) == Length::Possible)
    }

    /// The national significant number: its ASCII digits, and how many they are. What stands behind
    /// them means nothing.
    pub(crate) fn national(&self) -> (&[u8; LONGEST], usize) {
        (self.digits.padded(), self.digits.len())
    }

    fn e164(&self, code: Code) -> E164 {
        let mut text = [0; 1 + 3 + LONGEST];
        text[0] = b'+';
        text[1..4].copy_from_slice(code.padded());
        let start = 1 + code.digits().len();
        // Copies of a known length take an instruction or two; what is too much is not shown.
        text[start..start + LONGEST].copy_from_slice(self.digits.padded());
        E164 { text, length: (start + self.digits.len()) as u8 }
    }

    /// Reads a text as written in the region of a plan. The plan by which it was read, or `None` when
    /// libphonenumber's `Parse` fails.
    #[inline]
    pub(crate) fn read(
        &mut self,
        text: &str,
        home: Option<&'static Plan>,
    ) -> Option<&'static Plan> {
        let plan = match text::read(text, &mut self.digits, &mut self.extension)? {
            Form::International => self.take_code_after_plus(home)?,
            Form::AsDialled => self.take_code_dialled_at(home?)?.or(home)?,
        };
        if self.digits.len() < SHORTEST {
            return None;
        }
        if let Some(undo) = self.strip_national_prefix(plan)
            && !matches!(plan.length(self.digits.len()), Length::Possible | Length::TooLong)
        {
            undo.on(&mut self.digits);
        }
        (SHORTEST..=LONGEST).contains(&self.digits.len()).then_some(plan)
    }

    /// Takes off the calling code that has to follow a plus.
    #[inline(always)]
    fn take_code_after_plus(&mut self, home: Option<&'static Plan>) -> Option<&'static Plan> {
        if self.digits.len() <= SHORTEST {
            return None;
        }
        // A plus before a number as dialled at home ("+00 49 …") is passed over.
        self.take_code().or_else(|| self.take_code_dialled_after_plus(home))
    }

    /// The same for such a number.
    #[cold]
    fn take_code_dialled_after_plus(
        &mut self,
        home: Option<&'static Plan>,
    ) -> Option<&'static Plan> {
        self.take_code_dialled_at(home?)?
    }

    /// Takes off the calling code of a number as dialled in the region of a plan. `Some(None)` when it
    /// has none, `None` when it has a prefix that a code must follow, and none follows.
    #[inline(always)]
    fn take_code_dialled_at(&mut self, home: &'static Plan) -> Option<Option<&'static Plan>> {
        match home.international_prefix.find(&self.digits) {
            Some(prefix) if self.digits.get(prefix.end) != Some(&b'0') => {
                self.digits.skip(prefix.end);
                (self.digits.len() > SHORTEST).then_some(())?;
                self.take_code().map(Some)
            }
            _ if home.code.starts(&self.digits) => Some(self.take_own_code(home)),
            _ => Some(None),
        }
    }

    /// Takes off the calling code at the start.
    fn take_code(&mut self) -> Option<&'static Plan> {
        let plan = Plan::of_code_at(&self.digits)?;
        self.digits.skip(plan.code.digits().len());
        Some(plan)
    }

    /// Takes off the calling code of the region itself, written without a prefix, if that makes a
    /// number of what was none. The plan is the one that reads the code.
    #[inline(never)]
    fn take_own_code(&mut self, home: &'static Plan) -> Option<&'static Plan> {
        let too_long = home.length(self.digits.len()) == Length::TooLong;
        if !too_long && home.general.takes(&self.digits) {
            return None;
        }
        let whole = Undo::start(&self.digits);
        self.digits.skip(home.code.digits().len());
        let undo = self.strip_national_prefix(home);
        if too_long || home.general.takes(&self.digits) {
            return Plan::of_code(home.code);
        }
        undo.into_iter().chain([whole]).for_each(|undo| undo.on(&mut self.digits));
        None
    }

    /// Takes off the national prefix and carrier code, or puts in their stead what the plan says.
    /// `None`: there is none, or that would make a number of the plan into none.
    #[inline(always)]
    fn strip_national_prefix(&mut self, plan: &Plan) -> Option<Undo> {
        let prefix = plan.national_prefix.find(&self.digits)?;
        let was_number = plan.general.takes(&self.digits);
        let undo = match prefix.group {
            None => {
                let undo = Undo::start(&self.digits);
                self.digits.skip(prefix.end);
                undo
            }
            Some(group) => {
                let undo = Undo::all(&self.digits);
                self.digits.replace(&plan.before, group, prefix.end);
                undo
            }
        };
        if was_number && !plan.general.takes(&self.digits) {
            undo.on(&mut self.digits);
            return None;
        }
        Some(undo)
    }
}
