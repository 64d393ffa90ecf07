//! Two releases of the numbering tables: today's, and one that might have been before it.

use callbook_dedup::{Tables, number_key};

/// Knew no extensions, and no numbers of Brazil: today some of its numbers are several, and some that
/// were nobody's have an owner.
pub(crate) const OLDER: Tables = Tables {
    version: "older",
    key: |text, region| older(&number_key(text, region)?.to_string())?.parse().ok(),
};

/// What the older tables made of a text that has this key today.
pub(crate) fn older(key: &str) -> Option<String> {
    let number = key.split(';').next()?;
    (!number.starts_with("+55")).then(|| number.to_owned())
}
