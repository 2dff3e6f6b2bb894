//! As much of the Redis protocol as a test server needs to be asked: one command, one answer.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpStream},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(5);

/// Sends `words` to the server at `port` and gives its answer: a simple string, a number or a bulk string.
pub(super) fn ask(port: u16, words: &[&str]) -> io::Result<String> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut command = vec![format!("*{}", words.len())];
    for word in words {
        command.extend([format!("${}", word.len()), (*word).to_owned()]);
    }
    (&stream).write_all((command.join("\r\n") + "\r\n").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("+" | ":", answer)) => Ok(answer.to_owned()),
        Some(("$", length)) => {
            let mut answer = vec![0; length.parse().map_err(io::Error::other)?];
            reader.read_exact(&mut answer)?;
            String::from_utf8(answer).map_err(io::Error::other)
        }
        _ => Err(io::Error::other(line.to_owned())),
    }
}
