use std::{
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener},
};

/// Below the ports that Linux (32768..) and macOS (49152..) hand out to clients: a client that keeps trying the port of a
/// stopped server must not be given that very port and reach itself, nor may another client sit on it at the restart.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port on 127.0.0.1 that nobody listens on, and that stays free for a server that is stopped and started again.
#[must_use]
pub fn free_port() -> u16 {
    let span = u64::from(PORTS.end - PORTS.start);
    for attempt in 0..1_000_u32 {
        let roll = RandomState::new().hash_one((std::process::id(), attempt)) % span;
        let port = PORTS.start + u16::try_from(roll).unwrap_or_default();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on 127.0.0.1 in {PORTS:?}");
}
