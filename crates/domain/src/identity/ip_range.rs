//! Networks, as an account names those that its keys may be used from.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The addresses that share their first bits: `192.0.2.0/24`, `2001:db8::/32`. An IPv4 network written as IPv6 is the IPv4 one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpRange {
    /// With zeros after the prefix.
    first: IpAddr,
    prefix: u8,
}

/// The text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a network looks like 192.0.2.0/24 or 2001:db8::/32; a single address stands for itself")]
pub struct IpRangeError;

impl IpRange {
    /// Reads `address/prefix`, or one address. What the address says after the prefix is dropped.
    pub fn try_new(raw: &str) -> Result<Self, IpRangeError> {
        let (address, prefix) = raw.split_once('/').map_or((raw, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| IpRangeError)?;
        let prefix = prefix.map_or(Ok(bits(address)), read_prefix)?;
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), folded @ IpAddr::V4(_)) if prefix >= 96 => Self::of(folded, prefix - 96),
            _ => Self::of(address, prefix),
        }
    }

    fn of(address: IpAddr, prefix: u8) -> Result<Self, IpRangeError> {
        if prefix > bits(address) {
            return Err(IpRangeError);
        }
        Ok(Self { first: first(address, prefix), prefix })
    }

    /// Whether the address is one of them; an IPv4 address written as IPv6 is the IPv4 one.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && first(address, self.prefix) == self.first
    }
}

/// One or more digits without a sign and without zeros in front, so that each network has one text.
fn read_prefix(text: &str) -> Result<u8, IpRangeError> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    if canonical { text.parse().map_err(|_| IpRangeError) } else { Err(IpRangeError) }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn first(address: IpAddr, prefix: u8) -> IpAddr {
    // A shift by all bits leaves none: the network of every address.
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix.into())).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix.into())).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(text: &str) -> IpRange {
        IpRange::try_new(text).unwrap()
    }

    fn has(text: &str, address: &str) -> bool {
        range(text).contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_has_the_addresses_that_share_its_first_bits() {
        assert!(has("192.0.2.0/24", "192.0.2.255") && !has("192.0.2.0/24", "192.0.3.0"));
        assert!(has("192.0.2.7", "192.0.2.7") && !has("192.0.2.7", "192.0.2.6"));
        assert!(has("0.0.0.0/0", "255.255.255.255") && !has("0.0.0.0/0", "::1"));
        assert!(has("2001:db8::/33", "2001:db8:7fff::1") && !has("2001:db8::/33", "2001:db8:8000::"));
        assert!(has("::/0", "2001:db8::1") && !has("::/0", "192.0.2.1"));
        assert!(has("2001:db8::1/128", "2001:db8::1") && !has("2001:db8::1/128", "2001:db8::2"));
    }

    #[test]
    fn ipv4_in_ipv6_is_ipv4() {
        assert_eq!(range("::ffff:192.0.2.0/120"), range("192.0.2.0/24"));
        assert!(has("192.0.2.0/24", "::ffff:192.0.2.9"));
    }

    #[test]
    fn a_network_is_written_with_zeros_after_its_prefix() {
        for (text, shown) in [
            ("192.0.2.99/24", "192.0.2.0/24"),
            ("192.0.2.99", "192.0.2.99/32"),
            ("2001:DB8:0:0::9/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("10.1.2.3/0", "0.0.0.0/0"),
        ] {
            assert_eq!(range(text).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "/", "192.0.2.0/", "192.0.2.0/33", "::/129", "192.0.2/24", "192.0.2.0/024", "1.2.3.4/+8", "a", " ::1", "::/-1"]
        {
            assert_eq!(IpRange::try_new(text), Err(IpRangeError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_shown_is_read_as_the_same(text in prop_oneof![".{0,50}", "[0-9a-f:.]{1,40}/[0-9]{1,3}", "[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}"]) {
            if let Ok(range) = IpRange::try_new(&text) {
                prop_assert_eq!(IpRange::try_new(&range.to_string()), Ok(range));
            }
        }

        #[test]
        fn an_address_is_in_every_network_made_of_it(bits: u128, few: u32, v4: bool, prefix in 0_u8..=128) {
            let address: IpAddr = if v4 { Ipv4Addr::from_bits(few).into() } else { Ipv6Addr::from_bits(bits).into() };
            let range = IpRange::try_new(&format!("{address}/{}", prefix.min(super::bits(address)))).unwrap();
            prop_assert!(range.contains(address) || address.to_canonical() != address);
        }
    }
}
