//! Kraken's names for pairs against the US dollar.

/// The asset, in the name everybody else uses, that a pair such as `XXBTZUSD` prices in US dollars.
///
/// The oldest assets have codes of four letters, `X` before a coin's name, and meet the dollar as `ZUSD`; newer ones stand
/// plain before `USD`. Tezos shows why the length counts: `XTZUSD` is `XTZ` in dollars, not `XT` in `ZUSD`.
pub(crate) fn usd_asset(pair: &str) -> Option<&str> {
    let legacy = pair.strip_suffix("ZUSD").filter(|code| code.len() == 4);
    let code = match legacy {
        Some("USDT") => "USDT",
        Some(code) if code.starts_with('X') => &code[1..],
        _ => pair.strip_suffix("USD")?,
    };
    // Currencies (`ZEURZUSD`) and tokenised shares (`AAPLxUSD`) are no crypto assets of that name.
    let plain = code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let currency = legacy.is_some_and(|code| code.starts_with('Z'));
    (plain && !currency && !code.is_empty()).then_some(match code {
        "XBT" => "BTC",
        "XDG" => "DOGE",
        // The chain of 2022 goes by LUNA elsewhere, the one before it by LUNC.
        "LUNA" => "LUNC",
        "LUNA2" => "LUNA",
        code => code,
    })
}

/// A name of the pair that prices an asset in US dollars, as Kraken takes it in questions.
pub(crate) fn usd_pair(asset: &str) -> String {
    let code = match asset {
        "BTC" => "XBT",
        "DOGE" => "XDG",
        "LUNC" => "LUNA",
        "LUNA" => "LUNA2",
        asset => asset,
    };
    format!("{code}USD")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_name_is_known() {
        for (pair, asset) in [
            ("XXBTZUSD", Some("BTC")),
            ("XETHZUSD", Some("ETH")),
            ("XXRPZUSD", Some("XRP")),
            ("XDGUSD", Some("DOGE")),
            ("XTZUSD", Some("XTZ")),
            ("USDTZUSD", Some("USDT")),
            ("USDCUSD", Some("USDC")),
            ("SOLUSD", Some("SOL")),
            ("BLZUSD", Some("BLZ")),
            ("1INCHUSD", Some("1INCH")),
            ("LUNA2USD", Some("LUNA")),
            ("LUNAUSD", Some("LUNC")),
            ("ZEURZUSD", None),
            ("AAPLxUSD", None),
            ("XETHZUSD.d", None),
            ("XXBTZEUR", None),
            ("SOLUSDT", None),
            ("USD", None),
            ("", None),
        ] {
            assert_eq!(usd_asset(pair), asset, "{pair}");
        }
    }

    #[test]
    fn what_is_asked_for_is_what_is_answered() {
        for asset in ["BTC", "DOGE", "LUNA", "LUNC", "SOL", "XTZ", "1INCH"] {
            assert_eq!(usd_asset(&usd_pair(asset)), Some(asset));
        }
    }

    proptest! {
        #[test]
        fn no_name_panics(pair in "\\PC{0,12}(Z?USD)?") {
            let _ = usd_asset(&pair);
        }
    }
}
