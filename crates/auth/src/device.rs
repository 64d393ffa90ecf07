//! What a phone says of itself at login. Which devices there are must never live here.

use callbook_base::{InvalidText, short, text_type};

text_type! {
    /// What a phone calls itself, such as `Pixel 9`: at most 200 characters, without NUL; it may be
    /// empty.
    DeviceName, InvalidText, |text| short(text, 200)
}
text_type! {
    /// What a phone runs, such as `android 16`: at most 100 characters, without NUL; it may be empty.
    Platform, InvalidText, |text| short(text, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short_and_without_nul() {
        #[track_caller]
        fn check(text: &str, name: bool, platform: bool) {
            assert_eq!(text.parse::<DeviceName>().is_ok(), name, "{text}");
            assert_eq!(text.parse::<Platform>().is_ok(), platform, "{text}");
        }
        check("Pixel 9", true, true);
        check("", true, true);
        check(&"é".repeat(100), true, true);
        check(&"é".repeat(101), true, false);
        check(&"é".repeat(200), true, false);
        check(&"é".repeat(201), false, false);
        check("a\0b", false, false);
    }
}
