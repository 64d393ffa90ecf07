//! The form of vCards: cards in a stream, folded lines, properties with their parameters, escaped texts.
//! What a property means must never live here.

/// The most bytes of one card: one with a photo that no phone keeps smaller.
const LARGEST_CARD: usize = 4 << 20;

/// A card of more than 4 MiB: what follows cannot be told from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a card has at most 4 MiB: is this a file of vCards?")]
pub struct CardTooLarge;

/// Cuts a stream of bytes into cards, however it arrives. What stands between cards is passed over.
#[derive(Default)]
pub struct Cards {
    bytes: Vec<u8>,
    /// Up to where lines have been looked at.
    seen: usize,
    /// Where the card began whose end has not been seen.
    begun: Option<usize>,
    /// How many cards are open within each other: 2.1 knows cards within cards.
    depth: usize,
}

impl Cards {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The end of the stream: its last line may lack an end, and its last card may.
    pub fn end(&mut self) {
        self.feed(b"\r\n");
    }

    /// The next card that is there whole, from its BEGIN to its END.
    ///
    /// # Errors
    /// A card does not end.
    pub fn next_card(&mut self) -> Result<Option<Vec<u8>>, CardTooLarge> {
        while let Some(length) = self.bytes[self.seen..].iter().position(|byte| *byte == b'\n') {
            let start = self.seen;
            self.seen += length + 1;
            let line = self.bytes[start..self.seen].trim_ascii();
            let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
            if line.eq_ignore_ascii_case(b"BEGIN:VCARD") {
                self.begun.get_or_insert(start);
                self.depth += 1;
            } else if line.eq_ignore_ascii_case(b"END:VCARD") {
                self.depth = self.depth.saturating_sub(1);
                if let (0, Some(begun)) = (self.depth, self.begun.take_if(|_| self.depth == 0)) {
                    let card = self.bytes[begun..self.seen].to_vec();
                    self.bytes.drain(..self.seen);
                    self.seen = 0;
                    return Ok(Some(card));
                }
            } else if self.begun.is_none() {
                self.bytes.drain(..self.seen);
                self.seen = 0;
            }
        }
        if self.bytes.len() > LARGEST_CARD { Err(CardTooLarge) } else { Ok(None) }
    }

    /// Whether a card has begun that has not ended.
    pub fn is_within_a_card(&self) -> bool {
        self.begun.is_some()
    }
}

/// One property, decoded.
pub(super) struct Property {
    /// What ties properties together, as in `item1.TEL`.
    pub(super) group: Option<String>,
    /// In capitals.
    pub(super) name: String,
    params: Vec<(String, String)>,
    /// Still escaped.
    pub(super) value: String,
}

impl Property {
    /// The values of a parameter, by its name in capitals.
    pub(super) fn params(&self, name: &str) -> impl Iterator<Item = &str> {
        self.params.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Its types, in small letters, one by one.
    pub(super) fn types(&self) -> Vec<String> {
        let types = self.params("TYPE").flat_map(|types| types.split(','));
        types.map(|kind| kind.trim().to_ascii_lowercase()).collect()
    }

    /// The whole value as one text.
    pub(super) fn text(&self) -> String {
        unescape(&self.value)
    }

    /// The parts that semicolons separate, each a text.
    pub(super) fn parts(&self) -> Vec<String> {
        split(&self.value, ';').into_iter().map(unescape).collect()
    }

    /// The texts that commas separate.
    pub(super) fn list(&self) -> Vec<String> {
        split(&self.value, ',').into_iter().map(unescape).collect()
    }
}

/// The properties of a card, in order; what is no property is passed over.
pub(super) fn properties(card: &[u8]) -> Vec<Property> {
    logical_lines(card).iter().filter_map(|line| property(line)).collect()
}

/// Lines without their folds. A fold may be in the middle of a character, so that they are bytes.
fn logical_lines(card: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for line in card.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match lines.last_mut() {
            Some(last) if is_quoted_printable(last) && last.ends_with(b"=") => {
                last.pop();
                last.extend_from_slice(line);
            }
            Some(last) if line.starts_with(b" ") || line.starts_with(b"\t") => {
                last.extend_from_slice(&line[1..]);
            }
            _ => lines.push(line.to_vec()),
        }
    }
    lines
}

/// Whether a line of 2.1 says that its value is quoted-printable.
fn is_quoted_printable(line: &[u8]) -> bool {
    let head = line.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_uppercase();
    head.windows(16).any(|part| part == b"QUOTED-PRINTABLE")
}

fn property(line: &[u8]) -> Option<Property> {
    let text = decoded(line);
    let colon = end_of_head(&text)?;
    let (head, value) = (&text[..colon], &text[colon + 1..]);
    let mut parts = split_unquoted(head, ';').into_iter();
    let name = parts.next()?.trim();
    let (group, name) = match name.rsplit_once('.') {
        Some((group, name)) => (Some(group.to_ascii_lowercase()), name),
        None => (None, name),
    };
    if name.is_empty() {
        return None;
    }
    let params: Vec<(String, String)> = parts.flat_map(param).collect();
    let quoted = params
        .iter()
        .any(|(name, value)| name == "ENCODING" && value.eq_ignore_ascii_case("QUOTED-PRINTABLE"));
    let value = if quoted { unquote_printable(value) } else { value.to_owned() };
    Some(Property { group, name: name.to_ascii_uppercase(), params, value })
}

/// `TYPE=home,cell`, or of 2.1 a type or an encoding by itself.
fn param(text: &str) -> Vec<(String, String)> {
    let Some((name, values)) = text.split_once('=') else {
        let bare = text.trim();
        let encodings = ["QUOTED-PRINTABLE", "BASE64", "B", "7BIT", "8BIT"];
        let is_encoding = encodings.iter().any(|encoding| bare.eq_ignore_ascii_case(encoding));
        let name = if is_encoding { "ENCODING" } else { "TYPE" };
        return vec![(name.to_owned(), bare.to_owned())];
    };
    let name = name.trim().to_ascii_uppercase();
    let values = split_unquoted(values, ',').into_iter();
    let plain = |value: &str| uncaret(value.trim().trim_matches('"'));
    values.map(|value| (name.clone(), plain(value))).collect()
}

/// Where the value begins: the first colon that is not within quotes.
fn end_of_head(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, char)| {
        quoted ^= char == '"';
        (char == ':' && !quoted).then_some(at)
    })
}

fn split_unquoted(text: &str, at: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(|char| {
        quoted ^= char == '"';
        char == at && !quoted
    })
    .collect()
}

/// Parts between separators that no backslash precedes.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut escaped = false;
    text.split(|char| {
        let here = char == at && !escaped;
        escaped = char == '\\' && !escaped;
        here
    })
    .collect()
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                other => plain.push(other.unwrap_or('\\')),
            },
            '\0' => {}
            char => plain.push(char),
        }
    }
    plain
}

/// RFC 6868: a caret escapes what a quoted parameter cannot hold.
fn uncaret(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('^') {
        plain.push_str(&rest[..at]);
        let (char, length) = match rest.as_bytes().get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b'\'') => ('"', 2),
            Some(b'^') => ('^', 2),
            _ => ('^', 1),
        };
        plain.push(char);
        rest = &rest[at + length..];
    }
    plain + rest
}

fn unquote_printable(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'=') {
            Some(quoted) => {
                bytes.push(quoted);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    decoded(&bytes)
}

/// UTF-8; what is not, is taken for Latin-1, as old programs wrote it.
fn decoded(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}
