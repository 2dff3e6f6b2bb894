//! Bodies and requests that were damaged at random, against the real binary: nothing is our fault, nothing panics, nothing is left
//! open. `FUZZ_SECONDS` makes it longer and `FUZZ_SEED` another run of it: `just fuzz http 600` (docs/fuzzing.md).

use std::{
    env,
    time::{Duration, Instant},
};

use coinlink_end_to_end_tests::{Api, Node, UNLIMITED, somebody};
use reqwest::Method;
use serde_json::Value;

use super::wire::{exchange, statuses};

/// What means something to one parser or another.
const WORDS: [&str; 24] = [
    "null",
    "true",
    "-0",
    "1e999",
    "0.1",
    "[",
    "{",
    "}",
    "]",
    "\"",
    "\\u0000",
    "\\ud800",
    "\u{202e}",
    "\u{0}",
    "9999999999999999999",
    "-1",
    "%00",
    "../",
    "\r\n",
    "'",
    "{}",
    "[[[[[[[[",
    "2026-13-45T99:99:99Z",
    "¤",
];

/// A sequence that is the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % sides.max(1)
    }

    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.roll(3) {
            let at = self.roll(bytes.len() + 1);
            match self.roll(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.roll(8),
                1 => bytes.truncate(at),
                2 => {
                    let piece = bytes[at..(at + self.roll(16)).min(bytes.len())].to_vec();
                    (0..=self.roll(40)).for_each(|_| drop(bytes.splice(at..at, piece.iter().copied())));
                }
                3 if at < bytes.len() => drop(bytes.drain(at..(at + 1 + self.roll(8)).min(bytes.len()))),
                _ => drop(bytes.splice(at..at, WORDS[self.roll(WORDS.len())].bytes())),
            }
        }
        bytes
    }
}

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[tokio::test]
async fn damaged_bodies_and_requests_are_nobodys_fault_but_their_senders() {
    let node = Node::dev_with(&["--feed", "simulated"], &UNLIMITED).await;
    let api = Api::at(node.url(""));
    let held = api.sign_up(&somebody()).await;
    let document = node.json("/openapi.json").await;
    let mut seeds = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") else { continue };
            let named =
                schema["$ref"].as_str().or_else(|| schema["oneOf"].as_array()?.iter().find_map(|one| one["$ref"].as_str()));
            let example = &document.pointer(named.unwrap().trim_start_matches('#')).unwrap()["example"];
            let ends = ["logout", "logout-all", "signup", "login", "forgot"].iter().any(|end| path.ends_with(end));
            if example.is_object() && !ends {
                let path = path.replace("{id}", "018f3e9a-5b7c-7def-8123-456789abcdef");
                seeds.push((method.to_uppercase().parse::<Method>().unwrap(), path, Value::to_string(example)));
            }
        }
    }
    assert!(seeds.len() > 20, "{}", seeds.len());
    let requests = [
        "POST /api/bitcoin/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 18\r\n\r\n{\"text\":\"BTC up!\"}",
        "POST /api/bitcoin/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n{\"text\":\"BTC up!\"}\r\n0\r\n\r\n",
        "GET /api/v2/market/btc/candles?interval=1h&from=2026-01-01T00:00:00Z&limit=5 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br;q=0.5, gzip\r\nIf-None-Match: \"a\"\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n",
        "GET /api/v2/user/profile HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\nCookie: __Host-access=a; b=c\r\nX-Forwarded-For: 1.2.3.4, ::1\r\nForwarded: for=\"[::1]:80\"\r\nX-Api-Key: clk_a\r\n\r\n",
    ];
    let mut dice = Dice(setting("FUZZ_SEED", 0x5EED) | 1);
    let (until, mut sent) = (Instant::now() + Duration::from_secs(setting("FUZZ_SECONDS", 8)), 0);
    while Instant::now() < until {
        let (method, path, body) = &seeds[dice.roll(seeds.len())];
        let damaged = dice.damage(body.as_bytes());
        let request = api.request(method.clone(), path).header("content-type", "application/json").bearer_auth(&held.access);
        let answer = api.send(request.body(damaged.clone())).await;
        let said = String::from_utf8_lossy(&damaged);
        assert!(answer.status < 500, "{method} {path} {said:?}: {} {}", answer.status, answer.text);
        assert!(answer.status < 400 || answer.json["error"]["code"].is_string(), "{method} {path} {said:?}: {}", answer.text);

        let chosen = dice.roll(requests.len());
        let damaged = dice.damage(requests[chosen].as_bytes());
        let said = exchange(node.address, &damaged);
        let bad = statuses(&said).into_iter().find(|status| *status >= 500);
        assert_eq!(bad, None, "{:?}: {said}", String::from_utf8_lossy(&damaged));
        sent += 2;
    }
    assert!(sent > 100, "{sent}");
    assert!(!node.process.log().contains("panicked"), "{}", node.process.log());
    assert_eq!(node.get("/livez").await.0, 200);
}
