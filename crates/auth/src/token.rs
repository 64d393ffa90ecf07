//! Access tokens: JWTs (RFC 7519) signed with HMAC-SHA-256, living 15 minutes. Whether a device has
//! ended or a user is disabled must never live here: the service asks its database each time.

use std::fmt;
use std::time::Duration;

use callbook_base::{DeviceId, Timestamp, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Role, Secret, hs256};

/// How long an access token lives (section 7).
pub const ACCESS_TTL: Duration = Duration::from_secs(15 * 60);

/// How far ahead of ours the clock of the Worker that issued a token may be.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The fewest bytes of a secret: as many as the hash has (RFC 7518, section 3.2).
const SECRET_LEN: usize = 32;

/// Why a token does not, or no longer, let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// None was sent.
    #[error("this needs an access token: Authorization: Bearer …")]
    Missing,
    /// Not ours, or changed on the way.
    #[error("the token is not valid")]
    Invalid,
    /// Ours, and over: for an access token, `POST /token`; for a refresh token, sign in again.
    #[error("the token has expired")]
    Expired,
    /// An older refresh token seen again, or any token of a device that one has ended: sign in again.
    #[error("the token was used before, on a copy of this phone perhaps: its device has ended")]
    Reused,
}

impl TokenError {
    /// The stable `code` on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Invalid => "token_invalid",
            Self::Expired => "token_expired",
            Self::Reused => "token_reused",
        }
    }
}

/// What an access token says. The role is the one at issue, for clients to show: a changed role
/// takes effect on the next request, so the service goes by its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Who signed in (`sub`).
    pub user: UserId,
    /// On which phone.
    pub device: DeviceId,
    /// What they might do then.
    pub role: Role,
}

/// A signing secret that could be guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret has at least 32 bytes")]
pub struct SecretTooShort;

/// The secret that signs, and the one before it, which still verifies: so a secret is replaced
/// without signing anyone out. Made once, then shared: it holds the keys ready.
#[derive(Clone)]
pub struct SigningKeys {
    header: Header,
    encoding: EncodingKey,
    verifying: Vec<VerifyingKey>,
    validation: Validation,
}

#[derive(Clone)]
struct VerifyingKey {
    kid: String,
    decoding: DecodingKey,
}

/// The claims as they stand in the token; times in seconds since the epoch, as JWT has them.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    device: DeviceId,
    role: Role,
    iat: i64,
    exp: i64,
}

impl SigningKeys {
    /// Each secret is 32 bytes or more.
    pub fn new(current: &str, previous: Option<&str>) -> Result<Self, SecretTooShort> {
        let secrets: Vec<&str> = [current].into_iter().chain(previous).collect();
        if secrets.iter().any(|secret| secret.len() < SECRET_LEN) {
            return Err(SecretTooShort);
        }
        hs256::install();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid(current));
        // jsonwebtoken would read the wall clock: `verify` checks the times against its argument.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.required_spec_claims.clear();
        let verifying = secrets.iter().map(|secret| VerifyingKey {
            kid: kid(secret),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
        });
        Ok(Self {
            header,
            encoding: EncodingKey::from_secret(current.as_bytes()),
            verifying: verifying.collect(),
            validation,
        })
    }

    /// A token that lives for [`ACCESS_TTL`] from `now`, cut to the second.
    pub fn issue(&self, access: &Access, now: Timestamp) -> Secret {
        let Access { user: sub, device, role } = *access;
        let seconds = |time: Timestamp| time.as_millis().div_euclid(1_000);
        let (iat, exp) = (seconds(now), seconds(now.after(ACCESS_TTL)));
        jsonwebtoken::encode(&self.header, &Claims { sub, device, role, iat, exp }, &self.encoding)
            .expect("claims are plain text and numbers, and the key is of HS256's kind")
            .into()
    }

    /// Reads a token signed with one of the keys.
    ///
    /// Fails with [`TokenError::Expired`] from its `exp` on, and [`TokenError::Invalid`] when it is no
    /// token of ours: another algorithm (`none` too), an unknown `kid`, a signature that does not fit,
    /// or issued more than a minute after `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Access, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        let kid = header.kid.ok_or(TokenError::Invalid)?;
        let key = self.verifying.iter().find(|key| key.kid == kid).ok_or(TokenError::Invalid)?;
        let Claims { sub, device, role, iat, exp } =
            jsonwebtoken::decode(token, &key.decoding, &self.validation)
                .map_err(|_| TokenError::Invalid)?
                .claims;
        let time = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1_000));
        if time(iat) > now.after(CLOCK_SKEW) {
            return Err(TokenError::Invalid);
        }
        if time(exp) <= now {
            return Err(TokenError::Expired);
        }
        Ok(Access { user: sub, device, role })
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<&str> = self.verifying.iter().map(|key| key.kid.as_str()).collect();
        f.debug_struct("SigningKeys").field("kids", &kids).finish_non_exhaustive()
    }
}

/// The name of a secret in a token's header: the first 8 hex digits of its SHA-256, which tell
/// nothing of 32 bytes that cannot be guessed.
fn kid(secret: &str) -> String {
    Sha256::digest(secret)[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::{Sha384, Sha512};

    const OLD: &str = "an old secret of more than thirty-two bytes";
    const NEW: &str = "a new secret of more than thirty-two bytes";

    fn access() -> Access {
        Access {
            user: UserId::new(Timestamp::from_millis(1), [1; 10]),
            device: DeviceId::new(Timestamp::from_millis(2), [2; 10]),
            role: Role::Member,
        }
    }

    fn keys(current: &str, previous: Option<&str>) -> SigningKeys {
        SigningKeys::new(current, previous).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-22T10:00:00.999Z".parse().unwrap()
    }

    /// A token of these parts, signed with `secret` under an algorithm of the HMAC family.
    fn forge<M: Mac + KeyInit>(header: &str, claims: &str, secret: &str) -> String {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let mac = M::new_from_slice(secret.as_bytes()).unwrap();
        let signature = BASE64.encode(mac.chain_update(&message).finalize().into_bytes());
        format!("{message}.{signature}")
    }

    fn claims(iat: i64, exp: i64) -> String {
        let Access { user, device, .. } = access();
        format!(r#"{{"sub":"{user}","device":"{device}","role":"member","iat":{iat},"exp":{exp}}}"#)
    }

    #[test]
    fn a_token_lives_for_fifteen_minutes() {
        #[track_caller]
        fn check(millis_later: i64, verdict: Result<Access, TokenError>) {
            let keys = keys(NEW, Some(OLD));
            let token = keys.issue(&access(), now());
            assert_eq!(keys.verify(token.expose(), now().plus_millis(millis_later)), verdict);
        }
        check(0, Ok(access()));
        check(899_000, Ok(access()));
        check(899_001, Err(TokenError::Expired));
        check(900_000, Err(TokenError::Expired));
        check(1 << 50, Err(TokenError::Expired));
        check(-60_999, Ok(access()));
        check(-61_000, Err(TokenError::Invalid));
        assert_eq!(ACCESS_TTL.as_secs(), 900);
    }

    #[test]
    fn times_far_from_ours_do_no_harm() {
        let keys = keys(NEW, None);
        for now in [Timestamp::MIN, Timestamp::MAX] {
            let token = keys.issue(&access(), now);
            let verdict = keys.verify(token.expose(), now);
            assert!(verdict == Ok(access()) || verdict == Err(TokenError::Expired));
        }
    }

    #[test]
    fn secrets_are_replaced_in_two_steps() {
        #[track_caller]
        fn check(issuer: SigningKeys, verifier: SigningKeys, verdict: Result<Access, TokenError>) {
            let token = issuer.issue(&access(), now());
            assert_eq!(verifier.verify(token.expose(), now()), verdict);
        }
        check(keys(OLD, None), keys(OLD, None), Ok(access()));
        check(keys(OLD, None), keys(NEW, Some(OLD)), Ok(access()));
        check(keys(NEW, Some(OLD)), keys(NEW, Some(OLD)), Ok(access()));
        check(keys(OLD, None), keys(NEW, None), Err(TokenError::Invalid));
        check(keys(NEW, Some(OLD)), keys(OLD, None), Err(TokenError::Invalid));
        check(keys(NEW, Some(NEW)), keys(NEW, None), Ok(access()));
    }

    #[test]
    fn what_we_did_not_sign_is_refused() {
        #[track_caller]
        fn check(token: &str, ok: bool) {
            let verdict = keys(NEW, Some(OLD)).verify(token, now());
            assert_eq!(
                verdict,
                if ok { Ok(access()) } else { Err(TokenError::Invalid) },
                "{token}"
            );
        }
        let (new, old) = (kid(NEW), kid(OLD));
        let header =
            |alg: &str, kid: &str| format!(r#"{{"typ":"JWT","alg":"{alg}","kid":"{kid}"}}"#);
        let iat = now().as_millis() / 1_000;
        let good = claims(iat, iat + 900);
        let hs = |header: &str, claims: &str| forge::<Hmac<Sha256>>(header, claims, NEW);

        check(&hs(&header("HS256", &new), &good), true);
        check(&forge::<Hmac<Sha256>>(&header("HS256", &old), &good, OLD), true);
        // Another secret under our kid, and our secret under another.
        check(&forge::<Hmac<Sha256>>(&header("HS256", &new), &good, OLD), false);
        check(&hs(&header("HS256", &old), &good), false);
        check(&hs(&header("HS256", "deadbeef"), &good), false);
        check(&hs(r#"{"typ":"JWT","alg":"HS256"}"#, &good), false);
        // Other algorithms, rightly signed or not.
        check(&forge::<Hmac<Sha512>>(&header("HS512", &new), &good, NEW), false);
        check(&forge::<Hmac<Sha384>>(&header("HS384", &new), &good, NEW), false);
        check(&hs(&header("RS256", &new), &good), false);
        let none = format!("{}.{}.", BASE64.encode(header("none", &new)), BASE64.encode(&good));
        check(&none, false);
        // Claims that are missing or of another form.
        check(&hs(&header("HS256", &new), "{}"), false);
        check(&hs(&header("HS256", &new), &good.replace("exp", "xep")), false);
        check(&hs(&header("HS256", &new), &good.replace("member", "owner")), false);
        check(&hs(&header("HS256", &new), &good.replace(r#""iat":"#, r#""iat":"x"#)), false);
        // A changed claim under the signature of another, a cut signature, and no token at all.
        let token = hs(&header("HS256", &new), &good);
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (head, _) = message.split_once('.').unwrap();
        let admin = BASE64.encode(good.replace("member", "admin"));
        check(&format!("{head}.{admin}.{signature}"), false);
        check(&format!("{message}."), false);
        check(&format!("{message}.{}", &signature[..42]), false);
        check(&format!(" {token}"), false);
        for text in ["", ".", "..", "...", "a.b.c", "é.é.é", "cbr_x"] {
            check(text, false);
        }
    }

    #[test]
    fn short_secrets_are_refused_and_none_is_printed() {
        #[track_caller]
        fn check(current: &str, previous: Option<&str>, ok: bool) {
            assert_eq!(SigningKeys::new(current, previous).is_ok(), ok);
        }
        check(&"x".repeat(32), None, true);
        check(&"x".repeat(31), None, false);
        check("", None, false);
        check(NEW, Some("short"), false);
        let printed = format!("{:?}", keys(NEW, Some(OLD)));
        assert_eq!(
            printed,
            format!(r#"SigningKeys {{ kids: ["{}", "{}"], .. }}"#, kid(NEW), kid(OLD))
        );
    }
}
