//! Server-sent events, as far as an answer needs them: the `data` of each event.

/// The longest line that is kept, in bytes; a piece of an answer has some hundred.
const LONGEST_LINE: usize = 256 * 1024;
/// Events of one answer.
const MOST_EVENTS: usize = 20_000;

/// The bytes are no stream of events that could be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

/// Reads events from pieces, however they are cut.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    /// The event has a `data` line.
    has_data: bool,
    /// The last byte was a carriage return: a line feed after it ends no further line.
    after_return: bool,
    /// Events so far.
    count: usize,
}

impl Events {
    /// The data of the events that end within `bytes`.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, TooMuch> {
        let mut found = Vec::new();
        for &byte in bytes {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => found.extend(self.end_of_line()?),
                _ if self.line.len() >= LONGEST_LINE => return Err(TooMuch),
                _ => self.line.push(byte),
            }
        }
        Ok(found)
    }

    fn end_of_line(&mut self) -> Result<Option<Vec<u8>>, TooMuch> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            if !std::mem::take(&mut self.has_data) {
                return Ok(None);
            }
            self.count += 1;
            return if self.count > MOST_EVENTS { Err(TooMuch) } else { Ok(Some(std::mem::take(&mut self.data))) };
        }
        let Some(data) = line.strip_prefix(b"data").filter(|rest| matches!(rest.first(), None | Some(b':'))) else {
            return Ok(None);
        };
        let data = data.strip_prefix(b":").unwrap_or(data);
        let data = data.strip_prefix(b" ").unwrap_or(data);
        if self.data.len() + data.len() > LONGEST_LINE {
            return Err(TooMuch);
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(data);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        let found = Events::default().take(bytes).unwrap();
        found.into_iter().map(|data| String::from_utf8_lossy(&data).into_owned()).collect()
    }

    #[test]
    fn events_are_told_apart_whatever_ends_their_lines() {
        assert_eq!(read(b"data: a\n\ndata:b\n\n"), ["a", "b"]);
        assert_eq!(read(b"data: a\r\n\r\ndata: b\r\rdata: c\n\n"), ["a", "b", "c"]);
        assert_eq!(read(b"data: a\ndata: b\n\n"), ["a\nb"]);
        assert_eq!(read(b": a comment\nevent: x\nid: 1\nretry: 5\n\n\n\ndatabase: x\n\ndata: y"), Vec::<String>::new());
    }

    #[test]
    fn what_never_ends_is_given_up() {
        assert_eq!(Events::default().take(&vec![b'a'; LONGEST_LINE + 1]), Err(TooMuch));
        let mut events = Events::default();
        let lines = b"data: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(10_000);
        assert_eq!(events.take(&lines), Err(TooMuch));
        assert_eq!(Events::default().take(&b"data:\n\n".repeat(MOST_EVENTS + 1)), Err(TooMuch));
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_events_are_the_same(bytes in "(data|:| |\r|\n|a|\r\n|data: x\n\n){0,60}", cuts in proptest::collection::vec(0_usize..80, 0..8)) {
            let bytes = bytes.as_bytes();
            let whole = Events::default().take(bytes).unwrap();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.insert(0, 0);
            cuts.push(bytes.len());
            let mut events = Events::default();
            let mut found = Vec::new();
            for pair in cuts.windows(2) {
                found.extend(events.take(&bytes[pair[0]..pair[1]]).unwrap());
            }
            prop_assert_eq!(found, whole);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Events::default().take(&bytes);
        }
    }
}
