//! A connection that can be reset by the request it carries, and bodies that arrive badly.

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bodies above this many bytes are chunked, as Go does without a `content-length`.
const CHUNKED_ABOVE: usize = 2048;
/// Bytes of one chunk.
const CHUNK: usize = 64 * 1024;

/// Set to have the connection reset instead of closed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut(Arc<AtomicBool>);

impl Cut {
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A TCP stream that ends with a reset once its `Cut` is set.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    pub(crate) cut: Cut,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.cut.is_set() {
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.is_set() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A body that arrives well: chunked when it is large.
pub(crate) fn whole(bytes: Bytes) -> Body {
    if bytes.len() <= CHUNKED_ABOVE {
        Body::from(bytes)
    } else {
        Body::from_stream(stream::iter(pieces(&bytes, CHUNK)))
    }
}

fn pieces(bytes: &Bytes, size: usize) -> Vec<io::Result<Bytes>> {
    let size = size.max(1);
    (0..bytes.len()).step_by(size).map(|at| Ok(bytes.slice(at..bytes.len().min(at + size)))).collect()
}

/// The first bytes, then a broken connection.
pub(crate) fn broken(bytes: &Bytes, keep: usize) -> Body {
    let mut all = pieces(&bytes.slice(..keep.min(bytes.len())), CHUNK);
    all.push(Err(io::ErrorKind::ConnectionAborted.into()));
    // The pause lets the bytes before the break be sent.
    let paced = stream::iter(all).then(|piece| async {
        if piece.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        piece
    });
    Body::from_stream(paced)
}

/// The first bytes and an orderly end.
pub(crate) fn short(bytes: &Bytes, keep: usize) -> Body {
    Body::from_stream(stream::iter(pieces(&bytes.slice(..keep.min(bytes.len())), CHUNK)))
}

/// The first bytes, a pause, the rest.
pub(crate) fn stalled(bytes: &Bytes, keep: usize, pause: Duration) -> Body {
    let keep = keep.min(bytes.len());
    let rest = bytes.slice(keep..);
    let later = stream::once(async move {
        tokio::time::sleep(pause).await;
        Ok::<_, io::Error>(rest)
    });
    Body::from_stream(stream::iter(pieces(&bytes.slice(..keep), CHUNK)).chain(later))
}

/// Small pieces with pauses between them.
pub(crate) fn dripping(bytes: &Bytes, size: usize, every: Duration) -> Body {
    let paced = stream::iter(pieces(bytes, size)).then(move |piece| async move {
        tokio::time::sleep(every).await;
        piece
    });
    Body::from_stream(paced)
}

/// So many MiB of zeros, compressed: one piece, as often as it takes, since pieces of gzip may follow one another.
pub(crate) fn gzip_bomb(mebibytes: usize) -> Bytes {
    let mut piece = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let written = piece.write_all(&vec![0; 1 << 20]).and_then(|()| piece.finish());
    written.unwrap_or_default().repeat(mebibytes).into()
}
