use proptest::prelude::*;

use super::*;

/// The key of both RFCs; SHA-256 and SHA-512 take it longer (RFC 6238, errata 2866).
const KEY: &[u8; 64] = b"1234567890123456789012345678901234567890123456789012345678901234";

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

fn code(secret: &[u8], seconds: i64) -> TotpCode {
    let step = u64::try_from(seconds).unwrap() / STEP;
    TotpCode::from_text(&digits(&app(secret).build().unwrap(), step)).unwrap()
}

/// RFC 6238, appendix B.
#[test]
fn the_vectors_of_rfc_6238_hold_for_all_three_hashes() {
    let vectors = [
        (59, ["94287082", "46119246", "90693936"]),
        (1_111_111_109, ["07081804", "68084774", "25091201"]),
        (1_111_111_111, ["14050471", "67062674", "99943326"]),
        (1_234_567_890, ["89005924", "91819424", "93441116"]),
        (2_000_000_000, ["69279037", "90698825", "38618901"]),
        (20_000_000_000, ["65353130", "77737706", "47863826"]),
    ];
    let hashes = [(Algorithm::SHA1, 20), (Algorithm::SHA256, 32), (Algorithm::SHA512, 64)];
    for (seconds, codes) in vectors {
        for ((hash, length), expected) in hashes.into_iter().zip(codes) {
            let app = app(&KEY[..length]).with_algorithm(hash).with_digits(8).build().unwrap();
            assert_eq!(app.generate(seconds).to_string(), expected, "{hash} at {seconds}");
        }
    }
}

/// The same through what is used: the last six digits, SHA-1.
#[test]
fn the_codes_of_rfc_6238_are_taken_at_their_times() {
    for (seconds, shown) in [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (20_000_000_000, "353130")] {
        let code = TotpCode::from_text(shown).unwrap();
        let step = u64::try_from(seconds).unwrap() / 30;
        assert_eq!(TotpAuthenticators.matching_step(&KEY[..20], code, at(seconds)), Some(step), "{seconds}");
    }
}

/// RFC 4226, appendix D: a step is a counter.
#[test]
fn the_vectors_of_rfc_4226_hold() {
    let codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    let app = app(&KEY[..20]).build().unwrap();
    for (counter, expected) in (0..).zip(codes) {
        assert_eq!(digits(&app, counter), expected, "{counter}");
    }
}

/// RFC 6238, 5.2: one step before and after, and no more. 31 seconds are two steps from the ends of one.
#[test]
fn clocks_may_differ_by_one_step_and_no_more() {
    for second in 0..30 {
        let now = 999_999_990 + second;
        let code = code(&KEY[..20], now);
        let good = |off: i64| TotpAuthenticators.matching_step(&KEY[..20], code, at(now + off)).is_some();
        assert!(good(29) && good(-29), "{second}");
        assert_eq!((good(31), good(-31)), (second != 29, second != 0), "{second}");
        assert!(!good(61) && !good(-61), "{second}");
    }
}

#[test]
fn what_an_app_is_given_says_the_same_three_times() {
    let email = Email::try_new("ada+coins@example.org").unwrap();
    let given = TotpAuthenticators.enrol(&KEY[..20], &email).unwrap();
    // RFC 4648 of the key of RFC 6238.
    assert_eq!(given.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    let expected = format!("otpauth://totp/CoinLink:ada%2Bcoins%40example.org?secret={}&issuer=CoinLink", given.secret);
    assert_eq!(given.uri.to_lowercase(), expected.to_lowercase());
    let read = Totp::from_url(&given.uri).unwrap();
    assert_eq!((read.account_name(), read.issuer()), (email.as_str(), Some(ISSUER)));
    let reader = png::Decoder::new(std::io::Cursor::new(&given.qr_png)).read_info().unwrap();
    assert!(reader.info().width == reader.info().height && reader.info().width > 200);
    assert!(!format!("{given:?}").contains("GEZD"));
}

/// Read back module by module: what is drawn is what was coded, with light around it.
#[test]
fn the_picture_shows_the_code() {
    let text = "otpauth://totp/CoinLink:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=CoinLink";
    let file = picture::qr_png(text).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let modules = usize::try_from(frame.width).unwrap() / 8;
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).unwrap();
    assert_eq!(modules, code.width() + 8);
    for y in 0..modules {
        for x in 0..modules {
            let inside = |at: usize| at >= 4 && at < modules - 4;
            let dark = inside(x) && inside(y) && code[(x - 4, y - 4)] == qrcode::Color::Dark;
            for row in 0..8 {
                assert_eq!(pixels[(y * 8 + row) * frame.line_size + x], if dark { 0 } else { 0xff }, "{x} {y}");
            }
        }
    }
}

#[test]
fn the_longest_address_fits_into_a_picture() {
    let email = format!("{}@{}.{}.{}.org", "+".repeat(64), "b".repeat(60), "c".repeat(60), "d".repeat(60));
    let email = Email::try_new(&email).unwrap();
    assert!(TotpAuthenticators.enrol(&[7; 20], &email).is_ok());
}

#[test]
fn a_secret_that_is_too_short_matches_nothing_and_is_given_to_nobody() {
    let email = Email::try_new("ada@example.org").unwrap();
    assert_eq!(TotpAuthenticators.matching_step(&[1; 8], TotpCode::new(0).unwrap(), at(59)), None);
    assert!(TotpAuthenticators.enrol(&[1; 8], &email).is_err());
}

proptest! {
    #[test]
    fn a_code_is_good_for_its_own_secret_and_time_and_panics_never(
        secret in any::<[u8; 20]>(), seconds in -10_i64..10_000_000_000, number in 0_u32..1_000_000,
    ) {
        let now = at(seconds);
        let present = u64::try_from(seconds).unwrap_or_default() / 30;
        let own = code(&secret, seconds.max(0));
        prop_assert!(TotpAuthenticators.matching_step(&secret, own, now).is_some_and(|step| step.abs_diff(present) <= 1));
        let app = app(&secret).build().unwrap();
        let any = TotpCode::new(number).unwrap();
        let expected = (present.saturating_sub(1)..=present + 1).rev().find(|step| digits(&app, *step) == format!("{number:06}"));
        prop_assert_eq!(TotpAuthenticators.matching_step(&secret, any, now), expected);
    }
}
