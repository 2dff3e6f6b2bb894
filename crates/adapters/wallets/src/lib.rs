//! Bitcoin addresses, and signatures on messages in the two forms wallets give out: [BIP-137], 65 bytes from which the key is
//! recovered, and [BIP-322] "simple", the witness of a transaction that nobody can send.
//!
//! [BIP-137]: https://github.com/bitcoin/bips/blob/master/bip-0137.mediawiki
//! [BIP-322]: https://github.com/bitcoin/bips/blob/master/bip-0322.mediawiki

mod address;
mod bip137;
mod bip322;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use coinlink_domain::identity::{Network, WalletAddress};
use coinlink_ports::identity::{AddressError, BadSignature, MAX_SIGNATURE_LEN, SignatureFit, WalletSignatures};

/// What newer wallets put before a BIP-322 signature of the simple form.
const SIMPLE: &str = "smp";

/// Whether a BIP-137 header must name the kind of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Headers {
    /// It must.
    #[default]
    Exact,
    /// That of any kind of address with a compressed key does: many wallets write that of P2PKH whatever the address is.
    Lenient,
}

/// Verifies signatures on messages.
pub struct BitcoinSignatures {
    secp: Secp256k1<VerifyOnly>,
    headers: Headers,
}

impl BitcoinSignatures {
    /// With these demands on headers.
    #[must_use]
    pub fn new(headers: Headers) -> Self {
        Self { secp: Secp256k1::verification_only(), headers }
    }
}

impl WalletSignatures for BitcoinSignatures {
    fn parse(&self, network: Network, text: &str) -> Result<WalletAddress, AddressError> {
        let (address, kind) = address::parse(network, text)?;
        Ok(WalletAddress::checked(address.to_string(), network, kind))
    }

    fn verify(&self, address: &WalletAddress, message: &str, signature: &str) -> Result<SignatureFit, BadSignature> {
        if signature.len() > MAX_SIGNATURE_LEN {
            return Err(BadSignature);
        }
        let (address, kind) = address::parse(address.network(), address.as_str()).map_err(|_| BadSignature)?;
        let simple = signature.strip_prefix(SIMPLE);
        let bytes = STANDARD.decode(simple.unwrap_or(signature)).map_err(|_| BadSignature)?;
        // No witness that is taken is as short as 65 bytes.
        match <&[u8; bip137::LENGTH]>::try_from(bytes.as_slice()) {
            Ok(compact) if simple.is_none() => {
                bip137::verify(&self.secp, self.headers, (&address, kind), message, compact).ok_or(BadSignature)
            }
            _ if bip322::verify(&self.secp, (&address, kind), message, &bytes).is_some() => Ok(SignatureFit::Exact),
            _ => Err(BadSignature),
        }
    }
}
