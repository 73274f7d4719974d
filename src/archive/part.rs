//! An open part: lines in, compressed frames out, one per run.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::codec::{Codec, Frame};
use super::disk::Disk;
use super::durable::{DurableFile, Stored};
use super::error::{DiskOp, Error};
use super::names;
use crate::model::coverage::StretchKey;

/// Lines are gathered into blocks of this many bytes before they are compressed and written.
const BLOCK_BYTES: usize = 256 << 10;

/// Which run: its tenant and where it begins.
pub(super) type RunKey = StretchKey;

/// A part being written.
pub(super) struct OpenPart {
    pub(super) number: u32,
    /// When its file was made.
    pub(super) opened: Instant,
    /// Lines written.
    pub(super) objects: u64,
    /// Their plain bytes.
    pub(super) bytes: u64,
    /// The runs begun in it.
    pub(super) runs: Vec<RunKey>,
    codec: Codec,
    file: DurableFile,
    frame: Option<Frame>,
    frame_offset: u64,
    frame_bytes: u64,
    block: Vec<u8>,
    sink: Vec<u8>,
}

/// Where a run's frame lies in the stored part, and its plain bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) stored_bytes: u64,
}

impl OpenPart {
    pub(super) fn create(disk: &Arc<dyn Disk>, dir: &Path, number: u32, codec: Codec) -> Result<Self, Error> {
        Ok(Self {
            number,
            opened: Instant::now(),
            objects: 0,
            bytes: 0,
            runs: Vec::new(),
            codec,
            file: DurableFile::create(disk, dir.join(names::part(number, codec)))?,
            frame: None,
            frame_offset: 0,
            frame_bytes: 0,
            block: Vec::with_capacity(BLOCK_BYTES),
            sink: Vec::new(),
        })
    }

    /// Adds a line to the frame, which begins with its first line.
    pub(super) fn line(&mut self, text: &[u8]) -> Result<(), Error> {
        if self.block.len() + text.len() >= BLOCK_BYTES {
            self.flush()?;
        }
        if text.len() >= BLOCK_BYTES {
            // Not copied, and what comes out of it never waits in one piece.
            text.chunks(BLOCK_BYTES).try_for_each(|some| self.put(some))?;
        } else {
            self.block.extend_from_slice(text);
        }
        self.block.push(b'\n');
        let bytes = text.len() as u64 + 1;
        self.objects += 1;
        self.bytes += bytes;
        self.frame_bytes += bytes;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let mut block = std::mem::take(&mut self.block);
        self.put(&block)?;
        block.clear();
        self.block = block;
        Ok(())
    }

    fn put(&mut self, plain: &[u8]) -> Result<(), Error> {
        if self.codec == Codec::None {
            return self.file.write(plain);
        }
        let mut frame = match self.frame.take() {
            Some(frame) => frame,
            None => Frame::begin(self.codec, std::mem::take(&mut self.sink)).map_err(memory)?,
        };
        frame.write(plain).map_err(memory)?;
        let sink = frame.sink();
        if sink.len() >= BLOCK_BYTES {
            self.file.write(sink)?;
            sink.clear();
        }
        self.frame = Some(frame);
        Ok(())
    }

    /// Ends the frame.
    pub(super) fn end_frame(&mut self) -> Result<Span, Error> {
        self.flush()?;
        if let Some(frame) = self.frame.take() {
            self.sink = frame.end().map_err(memory)?;
            self.file.write(&self.sink)?;
            self.sink.clear();
        }
        let end = self.file.bytes();
        let span = Span { offset: self.frame_offset, bytes: self.frame_bytes, stored_bytes: end - self.frame_offset };
        self.frame_offset = end;
        self.frame_bytes = 0;
        Ok(span)
    }

    /// Makes the part durable.
    pub(super) fn finish(self) -> Result<Stored, Error> {
        self.file.finish()
    }

    /// Throws the part away.
    pub(super) fn discard(self) -> Result<(), Error> {
        self.file.discard()
    }
}

/// An encoder writes into memory, so it can only fail for want of it.
fn memory(source: std::io::Error) -> Error {
    Error::disk(DiskOp::Write, Path::new("compression buffer"), 0, source)
}
