//! HMAC-SHA-256 for jsonwebtoken. Its own choices of cryptography bring RSA and elliptic curves, a quarter of
//! the Worker, of which no token of ours makes use. What a token says must never live here.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use sha2::Sha256;

/// No other algorithm has a signer or a verifier.
static ONLY: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        let key = (key.family() == AlgorithmFamily::Hmac).then(|| key.as_bytes());
        Ok(Box::new(Hs256::new(*algorithm, key)?))
    },
    verifier_factory: |algorithm, key| {
        Ok(Box::new(Hs256::new(*algorithm, key.try_get_as_bytes().ok())?))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

/// From now on the whole process signs with this.
pub(crate) fn install() {
    // Whoever did so before has installed the same.
    let _ = ONLY.install_default();
}

struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, key: Option<&[u8]>) -> Result<Self> {
        if algorithm != Algorithm::HS256 {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        let mac = key.and_then(|key| Hmac::new_from_slice(key).ok());
        mac.map(Self).ok_or_else(|| ErrorKind::InvalidKeyFormat.into())
    }

    fn over(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(message);
        mac
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(self.over(message).finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// In a time that does not tell how much of the signature fits.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.over(message).verify_slice(signature).map_err(|_| Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
