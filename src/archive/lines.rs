//! Reading lines of bounded length.

use std::io::{self, BufRead};

/// The longest line of a part, in bytes: what a reader takes, and so what a writer writes.
pub(super) const OBJECT_BYTES: usize = 256 << 20;

/// Reads a line with its end (the last one may lack it) into `line`, whose content is replaced; `false` at the end. A
/// line of more than `at_most` bytes is `ErrorKind::InvalidData`.
pub(super) fn read_line(from: &mut impl BufRead, line: &mut Vec<u8>, at_most: usize) -> io::Result<bool> {
    line.clear();
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let taken = memchr::memchr(b'\n', buffer).map_or(buffer.len(), |at| at + 1);
        let ended = buffer[taken - 1] == b'\n';
        if line.len() + taken > at_most {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        line.extend_from_slice(&buffer[..taken]);
        from.consume(taken);
        if ended {
            return Ok(true);
        }
    }
}
