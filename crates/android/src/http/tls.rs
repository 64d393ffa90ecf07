//! What the phone's TLS is made of: what every server can do, and not all that ring can, which would be a twentieth of
//! the library. Whom it trusts must never live here: that is handed over by the phone.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::{cipher_suite, kx_group};
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm};
use rustls::sign::SigningKey;
use webpki::ring as sign;

/// AES and P-256, in TLS 1.3, which obliges servers to have both (RFC 8446, 9.1), and in 1.2.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        ],
        kx_groups: vec![kx_group::SECP256R1],
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            all: ALGORITHMS,
            mapping: SCHEMES,
        },
        secure_random: &System,
        key_provider: &NoKeys,
    }
}

type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

/// By which certificates are signed: all that rustls can check, but for Ed25519, by which no authority for browsers signs.
const ALGORITHMS: Algorithms = &[
    sign::ECDSA_P256_SHA256,
    sign::ECDSA_P256_SHA384,
    sign::ECDSA_P384_SHA256,
    sign::ECDSA_P384_SHA384,
    sign::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    sign::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    sign::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    sign::RSA_PKCS1_2048_8192_SHA256,
    sign::RSA_PKCS1_2048_8192_SHA384,
    sign::RSA_PKCS1_2048_8192_SHA512,
    sign::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    sign::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    sign::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
];

/// By which servers sign, the one that we like best first. In TLS 1.2 the curve of ECDSA is not a part of the name.
const SCHEMES: &[(SignatureScheme, Algorithms)] = &[
    (SignatureScheme::ECDSA_NISTP384_SHA384, &[sign::ECDSA_P384_SHA384, sign::ECDSA_P256_SHA384]),
    (SignatureScheme::ECDSA_NISTP256_SHA256, &[sign::ECDSA_P256_SHA256, sign::ECDSA_P384_SHA256]),
    (SignatureScheme::RSA_PSS_SHA512, &[sign::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
    (SignatureScheme::RSA_PSS_SHA384, &[sign::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
    (SignatureScheme::RSA_PSS_SHA256, &[sign::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
    (SignatureScheme::RSA_PKCS1_SHA512, &[sign::RSA_PKCS1_2048_8192_SHA512]),
    (SignatureScheme::RSA_PKCS1_SHA384, &[sign::RSA_PKCS1_2048_8192_SHA384]),
    (SignatureScheme::RSA_PKCS1_SHA256, &[sign::RSA_PKCS1_2048_8192_SHA256]),
];

/// The system's chance.
#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        getrandom::fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// A phone shows no certificate of its own, so nothing is signed.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("a phone has no certificate".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_that_rustls_checks_but_one() {
        let said = |of: CryptoProvider| {
            let WebPkiSupportedAlgorithms { all, mapping } = of.signature_verification_algorithms;
            let (all, mapping) = (all.iter(), mapping.iter());
            let all = all.filter(|it| it.signature_alg_id() != sign::ED25519.signature_alg_id());
            let mapping = mapping.filter(|(scheme, _)| *scheme != SignatureScheme::ED25519);
            format!("{:?} {:?}", all.collect::<Vec<_>>(), mapping.collect::<Vec<_>>())
        };
        assert_eq!(said(provider()), said(rustls::crypto::ring::default_provider()));
    }
}
