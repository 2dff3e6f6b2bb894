use coinlink_domain::identity::{AddressKind, Network, WalletAddress};
use coinlink_ports::identity::{AddressError, BadSignature, SignatureFit, WalletSignatures};

/// Wallets whose signatures anyone can read and make. An address is `<network>:<name>`, of a kind that is not taken where the
/// name is `script`.
#[derive(Debug, Default, Clone, Copy)]
pub struct PlainWalletSignatures;

impl PlainWalletSignatures {
    /// The signature of `address` on `message`.
    pub fn signed(address: &str, message: &str) -> String {
        format!("signed:{address}:{message}")
    }

    /// The same, with a header of another kind of address.
    pub fn signed_otherwise(address: &str, message: &str) -> String {
        format!("otherwise:{address}:{message}")
    }
}

impl WalletSignatures for PlainWalletSignatures {
    fn parse(&self, network: Network, text: &str) -> Result<WalletAddress, AddressError> {
        let (chain, name) = text.split_once(':').ok_or(AddressError::NotAnAddress)?;
        let chain = Network::from_name(chain).ok_or(AddressError::NotAnAddress)?;
        match name {
            _ if chain != network => Err(AddressError::OtherNetwork),
            "script" => Err(AddressError::Unsupported),
            _ => Ok(WalletAddress::checked(text.to_owned(), network, AddressKind::P2wpkh)),
        }
    }

    fn verify(&self, address: &WalletAddress, message: &str, signature: &str) -> Result<SignatureFit, BadSignature> {
        if signature == Self::signed(address.as_str(), message) {
            Ok(SignatureFit::Exact)
        } else if signature == Self::signed_otherwise(address.as_str(), message) {
            Ok(SignatureFit::OtherHeader)
        } else {
            Err(BadSignature)
        }
    }
}
