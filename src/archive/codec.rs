//! How parts are compressed: one frame per run, so that a reader can begin at any run.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

/// The compression of an archive's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// Plain JSON lines.
    #[default]
    None,
    /// zstd level 1 with the frame checksum.
    Zstd,
    /// gzip, one member per run.
    Gzip,
    /// lz4 frames with block and content checksums.
    Lz4,
}

/// Measured faster and smaller than 3 on float text.
const ZSTD_LEVEL: i32 = 1;

impl Codec {
    /// What follows `.jsonl` in a part's name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
            Self::Lz4 => ".lz4",
        }
    }

    /// The bytes every frame begins with.
    pub(super) fn magic(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            Self::Gzip => &[0x1f, 0x8b, 0x08],
            Self::Lz4 => &[0x04, 0x22, 0x4d, 0x18],
        }
    }
}

/// A frame being written into a buffer that its owner empties now and then.
pub(super) enum Frame {
    None(Vec<u8>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
    Lz4(Box<FrameEncoder<Vec<u8>>>),
}

impl Frame {
    /// Begins a frame that puts its bytes into `sink`.
    pub(super) fn begin(codec: Codec, sink: Vec<u8>) -> io::Result<Self> {
        Ok(match codec {
            Codec::None => Self::None(sink),
            Codec::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(sink, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
            Codec::Gzip => Self::Gzip(GzEncoder::new(sink, Compression::fast())),
            Codec::Lz4 => {
                let how = FrameInfo::new()
                    .block_mode(BlockMode::Independent)
                    .block_size(BlockSize::Max1MB)
                    .block_checksums(true)
                    .content_checksum(true);
                Self::Lz4(Box::new(FrameEncoder::with_frame_info(how, sink)))
            }
        })
    }

    pub(super) fn write(&mut self, plain: &[u8]) -> io::Result<()> {
        match self {
            Self::None(sink) => sink.write_all(plain),
            Self::Zstd(encoder) => encoder.write_all(plain),
            Self::Gzip(encoder) => encoder.write_all(plain),
            Self::Lz4(encoder) => encoder.write_all(plain),
        }
    }

    /// What has come out so far; the owner may empty it.
    pub(super) fn sink(&mut self) -> &mut Vec<u8> {
        match self {
            Self::None(sink) => sink,
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Lz4(encoder) => encoder.get_mut(),
        }
    }

    /// Ends the frame; the rest of it is in the sink that is handed back.
    pub(super) fn end(self) -> io::Result<Vec<u8>> {
        match self {
            Self::None(sink) => Ok(sink),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::from),
        }
    }
}
