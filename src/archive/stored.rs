//! Reading a stored part: every byte that is used is hashed, from the same open descriptor, and a frame's decoder sees
//! only its own bytes.

use std::io::{self, BufRead, Read};

use sha2::{Digest, Sha256};

use super::codec::Codec;
use super::digest::Hash;

/// Bytes asked from the disk at once.
const READ_BYTES: usize = 256 << 10;
/// The largest zstd window a reader takes, as a power of two: 8 MiB.
const ZSTD_WINDOW_LOG: u32 = 23;

/// A file that is hashed while it is read.
pub(super) struct HashedFile {
    file: Box<dyn Read + Send>,
    hasher: Sha256,
    buffer: Vec<u8>,
    at: usize,
    read: u64,
    /// What the manifest says it has; only the size of the buffer depends on it.
    declared: u64,
    failed: Option<io::Error>,
}

impl HashedFile {
    pub(super) fn new(file: Box<dyn Read + Send>, declared: u64) -> Self {
        Self { file, hasher: Sha256::new(), buffer: Vec::new(), at: 0, read: 0, declared, failed: None }
    }

    /// Makes at least `wanted` bytes ready, if the file has them.
    fn fill(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.at < wanted {
            self.buffer.drain(..self.at);
            self.at = 0;
            let held = self.buffer.len();
            let left = usize::try_from(self.declared.saturating_sub(self.read)).unwrap_or(READ_BYTES);
            self.buffer.resize(held + left.saturating_add(1).min(READ_BYTES), 0);
            let taken = match self.file.read(&mut self.buffer[held..]) {
                Ok(taken) => taken,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {
                    self.buffer.truncate(held);
                    continue;
                }
                Err(e) => {
                    self.buffer.truncate(held);
                    let kind = e.kind();
                    self.failed = Some(e);
                    return Err(kind.into());
                }
            };
            self.buffer.truncate(held + taken);
            self.hasher.update(&self.buffer[held..]);
            self.read += taken as u64;
            if taken == 0 {
                break;
            }
        }
        Ok(&self.buffer[self.at..])
    }

    /// The disk's own error, if it was the disk that failed and not a decoder.
    pub(super) fn disk_error(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    /// Bytes read and their SHA-256.
    pub(super) fn finish(self) -> (u64, Hash) {
        (self.read, Hash(self.hasher.finalize().into()))
    }
}

impl BufRead for HashedFile {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill(1)
    }

    fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.buffer.len());
    }
}

impl Read for HashedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill(1)?;
        let taken = ready.len().min(into.len());
        into[..taken].copy_from_slice(&ready[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

/// The bytes of one frame.
pub(super) struct FrameBytes {
    file: HashedFile,
    left: u64,
    /// A decoder wanted more than the frame has.
    starved: bool,
}

impl BufRead for FrameBytes {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            self.starved = true;
            return Ok(&[]);
        }
        let ready = self.file.fill(1)?;
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(ready.len());
        Ok(&ready[..most])
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
        self.file.consume(bytes);
    }
}

impl Read for FrameBytes {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        let ready = self.fill_buf()?;
        let taken = ready.len().min(into.len());
        into[..taken].copy_from_slice(&ready[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

/// A frame being decoded.
pub(super) enum Decoder {
    None(FrameBytes),
    Zstd(Box<zstd::stream::read::Decoder<'static, FrameBytes>>),
    Gzip(Box<flate2::bufread::GzDecoder<FrameBytes>>),
    Lz4(Box<lz4_flex::frame::FrameDecoder<FrameBytes>>),
}

/// Why a frame could not be begun.
pub(super) type Begun = Result<Decoder, (Option<io::Error>, String)>;

impl Decoder {
    /// Begins the frame of the next `stored_bytes` bytes, which must start as the codec's frames do: no skippable, older
    /// or foreign ones.
    pub(super) fn begin(codec: Codec, mut file: HashedFile, stored_bytes: u64) -> Begun {
        let magic = codec.magic();
        match file.fill(magic.len()) {
            Ok(ready) if ready.starts_with(magic) => {}
            Ok(_) => return Err((None, "not a frame of this codec".to_owned())),
            Err(e) => return Err((file.disk_error(), e.to_string())),
        }
        let bytes = FrameBytes { file, left: stored_bytes, starved: false };
        Ok(match codec {
            Codec::None => Self::None(bytes),
            Codec::Zstd => Self::zstd(bytes).map_err(|e| (None, e.to_string()))?,
            Codec::Gzip => Self::Gzip(Box::new(flate2::bufread::GzDecoder::new(bytes))),
            Codec::Lz4 => Self::Lz4(Box::new(lz4_flex::frame::FrameDecoder::new(bytes))),
        })
    }

    fn zstd(bytes: FrameBytes) -> io::Result<Self> {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes)?.single_frame();
        decoder.window_log_max(ZSTD_WINDOW_LOG)?;
        Ok(Self::Zstd(Box::new(decoder)))
    }

    /// Plain bytes; 0 at the end of the frame.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::None(bytes) => bytes.read(into),
            Self::Zstd(decoder) => decoder.read(into),
            Self::Gzip(decoder) => decoder.read(into),
            Self::Lz4(decoder) => decoder.read(into),
        }
    }

    /// The disk's own error, if it was the disk that failed.
    pub(super) fn disk_error(&mut self) -> Option<io::Error> {
        let bytes = match self {
            Self::None(bytes) => bytes,
            Self::Zstd(decoder) => decoder.get_mut(),
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Lz4(decoder) => decoder.get_mut(),
        };
        bytes.file.disk_error()
    }

    /// After the end of the frame: the file, and whether the frame took exactly its bytes. An lz4 decoder takes a frame
    /// without its end mark for a whole one, but only after asking for more than there is.
    pub(super) fn end(self) -> (HashedFile, bool) {
        let (bytes, may_ask_more) = match self {
            Self::None(bytes) => (bytes, true),
            Self::Zstd(decoder) => (decoder.finish(), true),
            Self::Gzip(decoder) => (decoder.into_inner(), true),
            Self::Lz4(decoder) => (decoder.into_inner(), false),
        };
        let exact = bytes.left == 0 && (may_ask_more || !bytes.starved);
        (bytes.file, exact)
    }
}
