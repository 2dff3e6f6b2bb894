//! A socket after its handshake, to send any bytes over.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);
const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// One connection of plain bytes.
pub struct RawSocket {
    stream: TcpStream,
    /// What was read and not yet looked at.
    rest: Vec<u8>,
}

/// A frame as it came: its opcode and payload.
pub type RawFrame = (u8, Vec<u8>);

impl RawSocket {
    /// Connects and shakes hands.
    #[must_use]
    pub fn open(address: SocketAddr) -> Self {
        Self::open_with(address, &[])
    }

    /// The same with these bytes right behind the handshake, in one write.
    #[must_use]
    pub fn open_with(address: SocketAddr, early: &[u8]) -> Self {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        stream.write_all(&[HANDSHAKE.as_bytes(), early].concat()).expect("it is sent");
        let mut socket = Self { stream, rest: Vec::new() };
        let head = loop {
            if let Some(end) = socket.rest.windows(4).position(|window| window == b"\r\n\r\n") {
                break socket.rest.drain(..end + 4).collect::<Vec<_>>();
            }
            assert!(socket.fill().expect("an answer") > 0, "closed in the handshake");
        };
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        socket
    }

    /// Sends bytes; an error says that the server hung up.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next frame; `None` at the end of the connection.
    pub fn frame(&mut self) -> Option<RawFrame> {
        loop {
            if let Some((opcode, start, length)) = header(&self.rest)
                && self.rest.len() >= start + length
            {
                let frame: Vec<u8> = self.rest.drain(..start + length).collect();
                return Some((opcode, frame[start..].to_vec()));
            }
            if self.fill().unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Reads up to the close frame, and gives its code; `None` when the connection ends without one, 1005 when it has no code.
    pub fn close_code(&mut self) -> Option<u16> {
        loop {
            let (opcode, payload) = self.frame()?;
            if opcode == 0x8 {
                return Some(payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]])));
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk)?;
        self.rest.extend_from_slice(&chunk[..count]);
        Ok(count)
    }
}

/// Opcode, where the payload starts, and its length, of a server's frame (RFC 6455, section 5.2).
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let opcode = bytes.first()? & 0x0F;
    Some(match bytes.get(1)? {
        126 => (opcode, 4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into()),
        127 => (opcode, 10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (opcode, 2, (*short).into()),
    })
}

/// A client's frame, masked with zeros: FIN and opcode in `first`.
#[must_use]
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u16::try_from(payload.len()).expect("small frames") {
        short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap_or_default()),
        long => {
            frame.push(0xFE);
            frame.extend_from_slice(&long.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}
