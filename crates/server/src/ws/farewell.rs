//! The end of a socket: the close frame as far as the client listens, and a bounded wait for its answer.

use std::{io, time::Duration as StdDuration};

use socket2::SockRef;
use tokio::{net::TcpStream, time::timeout};

use super::{Close, frame, outbox::Outbox};

/// How long a closed socket may take to hear of it.
const FAREWELL: StdDuration = StdDuration::from_secs(1);

/// Why a socket ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// The other side is gone, or the socket is broken.
    Gone,
    /// The client said goodbye with this code.
    Goodbye(Option<u16>),
    /// We close.
    Closed(Close),
}

/// The code that answers a client's: its own, or that of a normal end where it sent none or one that must not be sent.
const fn echo(code: Option<u16>) -> u16 {
    match code {
        Some(code @ (1000..=1003 | 1007..=1011 | 3000..=4999)) => code,
        _ => 1000,
    }
}

/// Tells the client as far as it listens, and lets go within [`FAREWELL`].
pub(super) async fn farewell(stream: &TcpStream, mut outbox: Outbox, end: End) {
    let frame = match end {
        End::Gone => return,
        End::Goodbye(code) => frame::close(echo(code), ""),
        End::Closed(close) => close.frame(),
    };
    let told = outbox.answer(frame) && outbox.flush(stream).unwrap_or(false);
    let socket = SockRef::from(stream);
    if !told {
        // It does not read: drop what waits in the kernel too, at once.
        let _ = socket.set_linger(Some(StdDuration::ZERO));
        return;
    }
    let _ = socket.shutdown(std::net::Shutdown::Write);
    // Closing with unread input would reset the connection and take the close frame with it.
    let _ = timeout(FAREWELL, async {
        let mut rest = [0; 1024];
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut rest) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
    })
    .await;
}
