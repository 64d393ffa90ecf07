//! Numbering tables that might have been those of a release before today's: the simulator begins with them, and
//! the Worker's `replay` build does what it did. A service must never have them.

use callbook_dedup::{Tables, number_key};

/// Knew no numbers of Brazil, no extensions, and of India's and North America's numbers no more than
/// the start: today some of its numbers are many, and some that were nobody's have an owner.
pub const OLDER: Tables = Tables {
    version: "older",
    key: |text, region| older(&number_key(text, region)?.to_string())?.parse().ok(),
};

/// What the older tables made of a text that has this key today.
pub fn older(key: &str) -> Option<String> {
    let number = key.split(';').next()?;
    let known = match () {
        () if number.starts_with("+55") => return None,
        () if number.starts_with("+91") || number.starts_with("+1") => {
            &number[..number.len().min(5)]
        }
        () => number,
    };
    Some(known.to_owned())
}
