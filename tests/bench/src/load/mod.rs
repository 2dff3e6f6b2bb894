//! Load clients: one thread, one epoll, no copies where a frame or response comes in one piece.

mod burst;
mod client;
mod frame;
mod message;
mod requests;
mod response;
mod sockets;

pub(crate) use burst::{Reply, burst};
pub(crate) use client::{Answer, Client, in_parallel};
pub(crate) use message::{get, post};
pub(crate) use requests::{Answered, closed_loop, exchange};
pub(crate) use sockets::{Measured, Sockets, Stalled, first_tick};

use hdrhistogram::Histogram;
use socket2::{Domain, Socket, Type};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Source addresses used in turn: one address has too few ports for many sockets in quick succession, and a server counts
/// what one address may ask for.
const SOURCES: usize = 64;

/// For latencies in microseconds up to a minute; longer ones count as a minute.
pub(crate) fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("these bounds are valid")
}

/// The `index`th connection to `address`. `receive` bounds the kernel's buffer for what is not read.
fn connect(address: SocketAddr, index: usize, receive: Option<usize>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Some(bytes) = receive {
        socket.set_recv_buffer_size(bytes)?;
    }
    let host = u8::try_from(1 + index % SOURCES).unwrap_or(1);
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0)).into())?;
    socket.connect(&address.into())?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_is_kept_as_it_was_and_a_very_long_one_counts_as_a_minute() {
        let mut kept = latencies();
        kept.saturating_record(228_000);
        assert!(kept.max().abs_diff(228_000) < 228);
        kept.saturating_record(u64::MAX);
        assert!(kept.max() >= 60_000_000);
    }
}
