use bitcoin::{Address, AddressType, address::NetworkUnchecked};
use coinlink_domain::identity::{AddressKind, Network, WalletAddress};
use coinlink_ports::identity::AddressError;

fn chain(network: Network) -> bitcoin::Network {
    match network {
        Network::Mainnet => bitcoin::Network::Bitcoin,
        Network::Testnet => bitcoin::Network::Testnet,
        Network::Signet => bitcoin::Network::Signet,
        Network::Regtest => bitcoin::Network::Regtest,
    }
}

/// An address of a kind that is taken, and its kind.
pub(crate) fn parse(network: Network, text: &str) -> Result<(Address, AddressKind), AddressError> {
    if text.len() > WalletAddress::MAX_LEN {
        return Err(AddressError::NotAnAddress);
    }
    let address: Address<NetworkUnchecked> = text.parse().map_err(|_| AddressError::NotAnAddress)?;
    let address = address.require_network(chain(network)).map_err(|_| AddressError::OtherNetwork)?;
    let kind = match address.address_type() {
        Some(AddressType::P2pkh) => AddressKind::P2pkh,
        Some(AddressType::P2sh) => AddressKind::P2shP2wpkh,
        Some(AddressType::P2wpkh) => AddressKind::P2wpkh,
        Some(AddressType::P2tr) => AddressKind::P2tr,
        _ => return Err(AddressError::Unsupported),
    };
    Ok((address, kind))
}
