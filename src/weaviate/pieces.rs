//! A request's body in pieces: what is long is sent from where it lies, and never copied.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::model::room_for;

/// Shorter texts are copied: a piece of its own would cost more.
pub(super) const SHARED_BYTES: usize = 64 << 10;

/// A body that is being put together, or is whole. Cloning is cheap once nothing more is added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pieces {
    done: Vec<Bytes>,
    /// The piece that is being filled, behind the others.
    open: Vec<u8>,
}

impl Pieces {
    /// Room for so many bytes that will be copied.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { done: Vec::new(), open: Vec::with_capacity(room_for(bytes)) }
    }

    /// Appends a copy of a text.
    pub(super) fn push(&mut self, text: &[u8]) {
        self.open.extend_from_slice(text);
    }

    /// Appends a text, which is kept instead of copied if it is long.
    pub(super) fn share(&mut self, text: Bytes) {
        if text.len() < SHARED_BYTES {
            return self.push(&text);
        }
        self.close();
        self.done.push(text);
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.done.push(std::mem::take(&mut self.open).into());
        }
    }

    /// The whole body: nothing is added any more.
    pub(super) fn finish(mut self) -> Self {
        self.close();
        self
    }

    /// Its length in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.done.iter().map(|piece| piece.len() as u64).sum::<u64>() + self.open.len() as u64
    }

    /// All of it in one.
    pub(super) fn concat(&self) -> Vec<u8> {
        let mut text = self.done.concat();
        text.extend_from_slice(&self.open);
        text
    }

    /// Whether these words stand in it, across pieces too.
    pub(super) fn holds(&self, words: &[u8]) -> bool {
        let overlap = words.len().saturating_sub(1);
        let mut carried: Vec<u8> = Vec::new();
        self.done.iter().map(|piece| &piece[..]).chain([&self.open[..]]).any(|piece| {
            carried.extend_from_slice(&piece[..piece.len().min(overlap)]);
            let found = [&carried[..], piece].iter().any(|text| memchr::memmem::find(text, words).is_some());
            if piece.len() > overlap {
                carried = piece[piece.len() - overlap..].to_vec();
            } else {
                carried.drain(..carried.len().saturating_sub(overlap));
            }
            found
        })
    }

    /// What is sent. It says how long it is.
    pub(super) fn to_body(&self) -> reqwest::Body {
        let whole = self.clone().finish();
        match &whole.done[..] {
            [] => reqwest::Body::from(Bytes::new()),
            [only] => reqwest::Body::from(only.clone()),
            _ => reqwest::Body::wrap(Sending { left: whole.bytes(), pieces: whole.done.into_iter() }),
        }
    }
}

impl From<Bytes> for Pieces {
    fn from(body: Bytes) -> Self {
        Self { done: vec![body], open: Vec::new() }
    }
}

/// A body on its way.
struct Sending {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl Body for Sending {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let sending = self.get_mut();
        let next = sending.pieces.next();
        sending.left -= next.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(next.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_not_copied_and_the_order_stays() {
        let long = Bytes::from(vec![b'x'; SHARED_BYTES]);
        let mut body = Pieces::with_room(10);
        body.push(b"[");
        body.share(Bytes::from_static(b"short"));
        body.share(long.clone());
        body.push(b"]");
        let body = body.finish();
        assert_eq!(body.concat(), [&b"[short"[..], &long[..], b"]"].concat());
        assert_eq!(body.bytes(), SHARED_BYTES as u64 + 7);
        assert_eq!(body.done[1].as_ptr(), long.as_ptr());
    }

    #[test]
    fn words_are_found_wherever_pieces_end() {
        let body = b"the words stand here";
        for first in 0..body.len() {
            for second in first..body.len() {
                let cut = [&body[..first], &body[first..second], &body[second..]];
                let pieces = Pieces { done: cut.map(Bytes::copy_from_slice).to_vec(), open: b"!".to_vec() };
                assert!(pieces.holds(b"words stand"), "{first} {second}");
                assert!(pieces.holds(b"here!") && pieces.holds(b"t"), "{first} {second}");
                assert!(!pieces.holds(b"words  stand"), "{first} {second}");
            }
        }
    }
}
