//! Refresh tokens: opaque, stored as a hash, living 60 days, and the rule by which one follows
//! another. Where they are stored and how a device is ended must never live here.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use callbook_base::Timestamp;
use sha2::{Digest, Sha256};

use crate::{Secret, TokenError};

/// How long a refresh token lives from its issue (section 7).
pub const REFRESH_TTL: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// Says of a leaked text what it is, so that scanners of logs and of repositories find it.
const PREFIX: &str = "cbr_";

/// `cbr_` and 32 bytes of chance in base64url: 47 characters. It prints as `[refresh token]`.
#[derive(Clone)]
pub struct RefreshToken([u8; 32]);

impl RefreshToken {
    /// A new token of 32 bytes of chance.
    pub fn new(chance: [u8; 32]) -> Self {
        Self(chance)
    }

    /// The token as sent.
    pub fn to_secret(&self) -> Secret {
        format!("{PREFIX}{}", BASE64.encode(self.0)).into()
    }

    /// What is stored of it.
    pub fn hash(&self) -> RefreshHash {
        RefreshHash(Sha256::digest(self.to_secret().expose()).into())
    }
}

impl FromStr for RefreshToken {
    type Err = TokenError;

    /// Anything that cannot be one of ours is [`TokenError::Invalid`].
    fn from_str(text: &str) -> Result<Self, TokenError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(TokenError::Invalid)?;
        let bytes = BASE64.decode(encoded).map_err(|_| TokenError::Invalid)?;
        bytes.try_into().map(Self).map_err(|_| TokenError::Invalid)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[refresh token]")
    }
}

/// The SHA-256 of a refresh token's text; 64 lower-case hex digits in storage. Of 32 bytes of chance
/// a plain hash tells nothing, so it needs no salt and is no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefreshHash([u8; 32]);

impl fmt::Display for RefreshHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RefreshHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not 64 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a refresh token's hash is 64 lower-case hex digits")]
pub struct InvalidRefreshHash;

impl FromStr for RefreshHash {
    type Err = InvalidRefreshHash;

    fn from_str(text: &str) -> Result<Self, InvalidRefreshHash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidRefreshHash),
        };
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| InvalidRefreshHash)?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(hash))
    }
}

/// What is stored of the token that was sent, and of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRefresh {
    /// The token's own hash.
    pub hash: RefreshHash,
    /// The token that was sent to get this one; `None` for the one that came with the login.
    pub parent: Option<RefreshHash>,
    /// Its issue and [`REFRESH_TTL`].
    pub expires_at: Timestamp,
    /// The device's current token: the last that was sent to `/token`, or the login's while none was.
    pub device_current: RefreshHash,
}

/// What a token that was sent to `/token` gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Nobody here has made it: [`TokenError::Invalid`].
    Unknown,
    /// Too old: [`TokenError::Expired`]. The device stays.
    Expired,
    /// An older one seen again, so there are two of this phone: its device ends, and the answer is
    /// [`TokenError::Reused`].
    Reused,
    /// A new pair.
    Rotate {
        /// The parent of the new token, and the device's current one from now on: the token sent.
        current: RefreshHash,
    },
}

/// The rule of section 7: until a successor has been sent, the last token may be sent again and gives
/// another pair, since its answer was lost; all its successors live until one is used, and the others
/// are then older ones. `sent` is `None` when its hash is not stored.
///
/// `device_current` tells all of it: the successors that live are those whose parent it is, and using
/// one makes that the current, which is no other's parent yet.
pub fn rotate(sent: Option<&StoredRefresh>, now: Timestamp) -> Rotation {
    let Some(sent) = sent else { return Rotation::Unknown };
    let again = sent.hash == sent.device_current;
    let successor = sent.parent == Some(sent.device_current);
    if sent.expires_at <= now {
        Rotation::Expired
    } else if again || successor {
        Rotation::Rotate { current: sent.hash }
    } else {
        Rotation::Reused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hash(n: u64) -> RefreshHash {
        let mut chance = [0; 32];
        chance[..8].copy_from_slice(&n.to_le_bytes());
        RefreshToken::new(chance).hash()
    }

    #[test]
    fn tokens_and_hashes_read_back() {
        let token = RefreshToken::new([0xfb; 32]);
        let sent = token.to_secret();
        assert_eq!(sent.expose(), "cbr_-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
        let read: RefreshToken = sent.expose().parse().unwrap();
        assert_eq!(read.hash(), token.hash());
        assert_eq!(token.hash().to_string().parse(), Ok(token.hash()));
        assert_eq!(format!("{token:?}"), "[refresh token]");
        assert_eq!(format!("{:?}", token.hash()), token.hash().to_string());
    }

    #[test]
    fn what_is_no_token_or_hash_is_refused() {
        let sent = RefreshToken::new([7; 32]).to_secret();
        let body = sent.expose().strip_prefix(PREFIX).unwrap();
        let upper = format!("CBR_{body}");
        for text in
            ["", "cbr_", body, &upper, &format!("{PREFIX}{body}="), &format!("cbr_{body}AA")]
        {
            assert_eq!(text.parse::<RefreshToken>().err(), Some(TokenError::Invalid), "{text}");
        }
        let hash = hash(1).to_string();
        for text in
            ["", "0", &hash[1..], &format!("{hash}0"), &format!("{}G", &hash[1..]), &"é".repeat(32)]
        {
            assert_eq!(text.parse::<RefreshHash>(), Err(InvalidRefreshHash), "{text}");
        }
    }

    /// A device's tokens as stored: each a line `(token, parent)`, 0 for no parent.
    const TREE: [(u64, u64); 6] = [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 4)];

    #[test]
    fn the_current_token_and_its_successors_rotate() {
        #[track_caller]
        fn check(current: u64, sent: u64, rotation: Rotation) {
            let now = Timestamp::from_millis(1_000);
            let found = TREE.iter().find(|(token, _)| *token == sent).map(|(token, parent)| {
                StoredRefresh {
                    hash: hash(*token),
                    parent: (*parent != 0).then(|| hash(*parent)),
                    expires_at: now.plus_millis(1),
                    device_current: hash(current),
                }
            });
            assert_eq!(rotate(found.as_ref(), now), rotation);
        }
        let rotate_to = |token| Rotation::Rotate { current: hash(token) };
        // The login's token is current: it and its two successors rotate.
        check(1, 1, rotate_to(1));
        check(1, 2, rotate_to(2));
        check(1, 3, rotate_to(3));
        check(1, 9, Rotation::Unknown);
        // Its first successor has been used: its sibling and the login's are older ones.
        check(2, 1, Rotation::Reused);
        check(2, 2, rotate_to(2));
        check(2, 3, Rotation::Reused);
        check(2, 4, rotate_to(4));
        check(2, 5, rotate_to(5));
        // And so on.
        check(4, 2, Rotation::Reused);
        check(4, 5, Rotation::Reused);
        check(4, 6, rotate_to(6));
        check(4, 1, Rotation::Reused);
    }

    #[test]
    fn a_token_expires_after_sixty_days() {
        #[track_caller]
        fn check(millis: i64, current: u64, rotation: Rotation) {
            let issued = Timestamp::from_millis(1_000);
            let (hash, parent, device_current) = (hash(2), Some(hash(1)), hash(current));
            let expires_at = issued.after(REFRESH_TTL);
            let sent = StoredRefresh { hash, parent, expires_at, device_current };
            assert_eq!(rotate(Some(&sent), issued.plus_millis(millis)), rotation);
        }
        let sixty_days = 60 * 86_400_000;
        check(sixty_days - 1, 1, Rotation::Rotate { current: hash(2) });
        check(sixty_days, 1, Rotation::Expired);
        check(sixty_days - 1, 9, Rotation::Reused);
        check(sixty_days, 9, Rotation::Expired);
    }

    /// The protocol's words taken literally, over the whole tree of a device's tokens: one may be sent
    /// while neither a successor of it nor another successor of its parent has been.
    struct WholeTree(Vec<Node>);

    struct Node {
        parent: Option<usize>,
        issued: Timestamp,
        used: bool,
    }

    impl WholeTree {
        fn answer(&self, sent: usize, now: Timestamp) -> Rotation {
            let Some(token) = self.0.get(sent) else { return Rotation::Unknown };
            let used = |of: &dyn Fn(usize, &Node) -> bool| {
                self.0.iter().enumerate().any(|(at, node)| node.used && of(at, node))
            };
            let successor_used = used(&|_, node| node.parent == Some(sent));
            let sibling_used = used(&|at, node| {
                at != sent && node.parent.is_some() && node.parent == token.parent
            });
            if now.millis_since(token.issued) >= 60 * 86_400_000 {
                Rotation::Expired
            } else if successor_used || sibling_used {
                Rotation::Reused
            } else {
                Rotation::Rotate { current: hash(sent as u64) }
            }
        }
    }

    proptest! {
        /// Any tokens sent in any order, a lost answer now and then, over months.
        #[test]
        fn the_rule_is_that_of_the_whole_tree(
            sends in prop::collection::vec((0_usize..6, 0_i64..20), 1..60),
        ) {
            let mut now = Timestamp::from_millis(0);
            let mut tree = WholeTree(vec![Node { parent: None, issued: now, used: false }]);
            let mut current = hash(0);
            for (back, days) in sends {
                now = now.plus_millis(days * 86_400_000);
                // Mostly a recent token, and now and then one that was never made.
                let sent = (tree.0.len() + 1).saturating_sub(1 + back);
                let stored = tree.0.get(sent).map(|node| StoredRefresh {
                    hash: hash(sent as u64),
                    parent: node.parent.map(|parent| hash(parent as u64)),
                    expires_at: node.issued.after(REFRESH_TTL),
                    device_current: current,
                });
                let rotation = rotate(stored.as_ref(), now);
                prop_assert_eq!(rotation, tree.answer(sent, now));
                if let Rotation::Rotate { current: next } = rotation {
                    current = next;
                    tree.0[sent].used = true;
                    tree.0.push(Node { parent: Some(sent), issued: now, used: false });
                }
            }
        }
    }
}
