//! Reading a part: line by line, run by run, in bounded memory, and at the end the proof that these were the bytes that
//! were sealed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::codec::Codec;
use super::disk::Folder;
use super::error::{Broken, Damage, DiskOp, Error};
use super::index::Run;
use super::lines::OBJECT_BYTES;
use super::manifest::FileEntry;
use super::stored::{Decoder, HashedFile};
use crate::model::{LARGE_BYTES, room_for};

/// Plain bytes decoded at once.
const CHUNK_BYTES: usize = 256 << 10;

/// One line of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its run's place in `PartReader::runs`.
    pub run: usize,
    /// Its number in the part, from 1.
    pub number: u64,
    /// Its text without the line end. Below `LARGE_BYTES` a slice of a larger buffer, which it keeps alive.
    pub text: Bytes,
}

/// Room for a line that is longer than those of most objects. Without it a reader takes lines up to the longest that a
/// writer writes.
pub trait LineRoom: Send {
    /// A line has `held` bytes and goes on: how many it may have now; no more than `held` if this is all.
    fn grow(&mut self, held: usize) -> usize;
    /// The next line begins, and the reader holds nothing of the one before.
    fn end(&mut self);
}

/// Reads a part. Its content is proven only once `finish` has said so.
pub struct PartReader {
    path: PathBuf,
    codec: Codec,
    file: FileEntry,
    runs: Vec<Run>,
    state: State,
    /// Runs begun.
    begun: usize,
    /// Decoded and not handed out, unless it is all in `long`.
    buffer: BytesMut,
    /// The beginning of a line that is too long for a buffer shared with others: this becomes the line.
    long: Vec<u8>,
    /// Bytes of the buffer known to hold no line end.
    searched: usize,
    /// Plain bytes decoded of this run.
    decoded: u64,
    /// Lines handed out of this run.
    lines: u64,
    /// Lines handed out of the part.
    number: u64,
    /// Where it can be opened once more.
    folder: Option<Arc<dyn Folder>>,
    room: Option<Box<dyn LineRoom>>,
    /// What the line that is being read may have without asking for more.
    granted: usize,
}

enum State {
    Between(HashedFile),
    Inside(Decoder),
    Failed,
}

impl PartReader {
    /// `runs` in the order of the file, their frames one after the other.
    pub(super) fn new(
        path: PathBuf,
        codec: Codec,
        file: FileEntry,
        runs: Vec<Run>,
        open: Box<dyn Read + Send>,
    ) -> Self {
        Self {
            path,
            codec,
            state: State::Between(HashedFile::new(open, file.bytes)),
            file,
            runs,
            begun: 0,
            buffer: BytesMut::new(),
            long: Vec::new(),
            searched: 0,
            decoded: 0,
            lines: 0,
            number: 0,
            folder: None,
            room: None,
            granted: LARGE_BYTES,
        }
    }

    /// The same, with lines as long as there is room for them.
    #[must_use]
    pub fn within(self, room: Box<dyn LineRoom>) -> Self {
        Self { room: Some(room), ..self }
    }

    /// The same, and it can be opened once more.
    pub(super) fn kept_in(self, folder: Arc<dyn Folder>) -> Self {
        Self { folder: Some(folder), ..self }
    }

    /// The same part from its beginning, to tell one that is damaged from one that was read wrongly; `None` if it cannot be
    /// opened once more.
    #[must_use]
    pub fn again(self) -> Option<Self> {
        let opened = self.folder?.open(&self.file.path).ok()?;
        let again = Self::new(self.path, self.codec, self.file, self.runs, opened.content);
        let mut room = self.room;
        if let Some(room) = &mut room {
            // The line that it failed in may be a long one, whose room would be waited for.
            room.end();
        }
        Some(Self { room, ..again })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The runs of this part, in the order of the file.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The error for something wrong with a line of this part.
    #[must_use]
    pub fn damaged(&self, line: u64, what: Damage) -> Error {
        Error::damaged_line(&self.path, line, what)
    }

    /// The next line; `None` after the last one of the last run. After an error every call fails.
    pub fn next_line(&mut self) -> Result<Option<Line>, Error> {
        if self.granted > LARGE_BYTES {
            self.granted = LARGE_BYTES;
            self.room.iter_mut().for_each(|room| room.end());
        }
        loop {
            if let Some(text) = self.take_line()? {
                self.number += 1;
                self.lines += 1;
                return Ok(Some(Line { run: self.begun - 1, number: self.number, text }));
            }
            if !self.decode_more()? {
                return Ok(None);
            }
        }
    }

    /// Reads what is left, and proves that size and SHA-256 are the manifest's and nothing follows the last run.
    pub fn finish(&mut self) -> Result<(), Error> {
        while self.next_line()?.is_some() {}
        let State::Between(mut file) = std::mem::replace(&mut self.state, State::Failed) else {
            return Err(Error::broken(&self.path, Broken::AfterFailure));
        };
        let after = file.read(&mut [0]);
        if let Some(source) = file.disk_error() {
            return Err(Error::disk(DiskOp::Read, &self.path, 0, source));
        }
        if !matches!(after, Ok(0)) {
            return Err(Error::damaged(&self.path, Damage::Trailing));
        }
        let (bytes, sha256) = file.finish();
        if bytes != self.file.bytes {
            return Err(Error::damaged(&self.path, Damage::Size { declared: self.file.bytes, found: bytes }));
        }
        if sha256 != self.file.sha256 {
            return Err(Error::damaged(&self.path, Damage::Hash));
        }
        Ok(())
    }

    fn take_line(&mut self) -> Result<Option<Bytes>, Error> {
        let held = if self.long.is_empty() { &self.buffer[..] } else { &self.long };
        let Some(at) = memchr::memchr(b'\n', &held[self.searched..]) else {
            self.searched = held.len();
            if self.searched > OBJECT_BYTES {
                return Err(self.fail(Damage::Limit { limit: OBJECT_BYTES as u64 }));
            }
            if self.searched >= self.granted {
                self.grow()?;
            }
            if self.long.is_empty() && self.searched >= LARGE_BYTES {
                self.long.reserve_exact(room_for(self.searched));
                self.long.extend_from_slice(&self.buffer);
                self.buffer = BytesMut::new();
            }
            return Ok(None);
        };
        if !self.long.is_empty() {
            let end = self.searched + at;
            self.buffer.extend_from_slice(&self.long[end + 1..]);
            self.searched = 0;
            let mut line = std::mem::take(&mut self.long);
            line.truncate(end);
            return Ok(Some(line.into()));
        }
        let mut line = self.buffer.split_to(self.searched + at + 1).freeze();
        self.searched = 0;
        line.truncate(line.len() - 1);
        Ok(Some(line))
    }

    /// Asks for room for more of a line.
    fn grow(&mut self) -> Result<(), Error> {
        let held = self.searched;
        self.granted = self.room.as_mut().map_or(usize::MAX, |room| room.grow(held));
        if self.granted > held {
            return Ok(());
        }
        // Nobody reads on, so nothing is held.
        self.fail(Damage::Trailing);
        Err(Error::LineTooLong { path: self.path.clone(), line: self.number + 1, longest: held as u64 })
    }

    /// The file cannot be read on; `what` is wrong near the line after the last one handed out.
    fn fail(&mut self, what: Damage) -> Error {
        self.state = State::Failed;
        self.buffer.clear();
        self.long = Vec::new();
        self.searched = 0;
        Error::damaged_line(&self.path, self.number + 1, what)
    }

    /// Decodes a chunk, or begins or ends a run; `false` after the last run.
    fn decode_more(&mut self) -> Result<bool, Error> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::Failed => Err(Error::broken(&self.path, Broken::AfterFailure)),
            State::Between(file) if self.begun == self.runs.len() => {
                self.state = State::Between(file);
                Ok(false)
            }
            State::Between(file) => {
                let stored_bytes = self.runs[self.begun].stored_bytes;
                let decoder = Decoder::begin(self.codec, file, stored_bytes).map_err(|(disk, text)| match disk {
                    Some(source) => Error::disk(DiskOp::Read, &self.path, 0, source),
                    None => self.fail(Damage::Frame(text)),
                })?;
                self.state = State::Inside(decoder);
                self.begun += 1;
                self.decoded = 0;
                self.lines = 0;
                Ok(true)
            }
            State::Inside(decoder) => self.decode(decoder),
        }
    }

    fn decode(&mut self, mut decoder: Decoder) -> Result<bool, Error> {
        let declared = self.runs[self.begun - 1].bytes;
        // One byte more than declared, so that too long a frame shows.
        let left = usize::try_from(declared - self.decoded).unwrap_or(usize::MAX).saturating_add(1);
        let most = left.min(CHUNK_BYTES);
        let read = if self.long.is_empty() {
            let held = self.buffer.len();
            self.buffer.resize(held + most, 0);
            let read = decoder.read(&mut self.buffer[held..]);
            self.buffer.truncate(held + read.as_ref().map_or(0, |n| *n));
            read
        } else {
            let held = self.long.len();
            self.long.resize(held + most, 0);
            let read = decoder.read(&mut self.long[held..]);
            self.long.truncate(held + read.as_ref().map_or(0, |n| *n));
            read
        };
        match read {
            Ok(0) => self.end_run(decoder),
            Ok(taken) => {
                self.decoded += taken as u64;
                if self.decoded > declared {
                    return Err(self.fail(Damage::FrameSize { declared }));
                }
                self.state = State::Inside(decoder);
                Ok(true)
            }
            Err(error) => Err(match decoder.disk_error() {
                Some(source) => Error::disk(DiskOp::Read, &self.path, 0, source),
                None => self.fail(Damage::Frame(error.to_string())),
            }),
        }
    }

    fn end_run(&mut self, decoder: Decoder) -> Result<bool, Error> {
        let (declared, objects) = (self.runs[self.begun - 1].bytes, self.runs[self.begun - 1].objects);
        let (file, exact) = decoder.end();
        if self.decoded != declared {
            return Err(self.fail(Damage::FrameSize { declared }));
        }
        if !exact {
            return Err(self.fail(Damage::Trailing));
        }
        if !self.buffer.is_empty() || !self.long.is_empty() || self.lines != objects {
            return Err(self.fail(Damage::Lines { declared: objects }));
        }
        self.state = State::Between(file);
        Ok(true)
    }
}
