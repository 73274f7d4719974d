//! Archives that are read wrongly: once, which is the fault of a disk, and is told as such; or always, which is damage
//! (reliability.md T13). In neither case is anything written to a server.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use elysiactl::archive::{Codec, Disk, Entry, Error as ArchiveError, Folder, Kind, Lock, Opened, OsDisk, WriteFile};
use elysiactl::event::{Class, Events, Status};
use elysiactl::ops::backup::Options;
use elysiactl::ops::{Error, Hint, restore};
use sandbox::Sandbox;

use crate::world::{World, verify_options, world};

/// The disk of the machine, which garbles one file the first times it is opened.
struct Garbling {
    file: String,
    opened: Arc<AtomicU64>,
    times: u64,
}

/// A directory on it.
struct GarblingFolder(Box<dyn Folder>, String, Arc<AtomicU64>, u64);

/// A file of which one bit, somewhere in the middle, is the other one.
struct Garbled {
    file: Box<dyn Read + Send>,
    at: u64,
    flips: u64,
}

impl Read for Garbled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.file.read(buffer)?;
        let end = self.at + taken as u64;
        if (self.at..end).contains(&self.flips) {
            buffer[usize::try_from(self.flips - self.at).expect("small")] ^= 0x10;
        }
        self.at = end;
        Ok(taken)
    }
}

impl Folder for GarblingFolder {
    fn list(&self, below: &str, at_most: usize) -> io::Result<Vec<Entry>> {
        self.0.list(below, at_most)
    }

    fn open(&self, file: &str) -> io::Result<Opened> {
        let opened = self.0.open(file)?;
        let Self(_, garbled, count, times) = self;
        if !file.ends_with(garbled.as_str()) || count.fetch_add(1, Ordering::SeqCst) >= *times {
            return Ok(opened);
        }
        let garbled = Garbled { file: opened.content, at: 0, flips: opened.bytes / 2 };
        Ok(Opened { content: Box::new(garbled), ..opened })
    }
}

impl Disk for Garbling {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        OsDisk.create_dir(path)
    }
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn WriteFile>> {
        OsDisk.create_file(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_dir(path)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove_file(path)
    }
    fn look(&self, path: &Path) -> io::Result<Option<(Kind, u64)>> {
        OsDisk.look(path)
    }
    fn free_space(&self, path: &Path) -> io::Result<u64> {
        OsDisk.free_space(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        OsDisk.lock(path)
    }
    fn open_folder(&self, path: &Path) -> io::Result<Box<dyn Folder>> {
        let folder = OsDisk.open_folder(path)?;
        Ok(Box::new(GarblingFolder(folder, self.file.clone(), Arc::clone(&self.opened), self.times)))
    }
}

/// Has a file of every archive read wrongly, so many times.
fn garble(world: &mut World, file: &str, times: u64) {
    world.disk = Arc::new(Garbling { file: file.into(), opened: Arc::default(), times });
}

async fn archive(codec: Codec) -> (World, PathBuf) {
    let source = world(Sandbox::builder().seeded("Article", 300, 3, 4));
    let outcome = source.backup(Options { codec, ..source.options() }).await;
    (source, outcome.result.archive.expect("an archive").into())
}

/// The files with something in them that is proven, by the ends of their paths.
fn files(codec: Codec) -> [&'static str; 5] {
    let part = match codec {
        Codec::Zstd => "objects-000000.jsonl.zst",
        _ => "objects-000000.jsonl",
    };
    ["manifest.json", "SHA256SUMS", "schema.json", "index.jsonl", part]
}

fn is_misread(error: &Error, file: &str) {
    let told = matches!(error, Error::Archive(ArchiveError::Unsteady { path, .. }) if path.ends_with(file));
    assert!(told, "{file}: {error:?}");
    assert_eq!((error.class(), error.hints()), (Class::Disk, vec![Hint::OtherMachine]), "{file}");
}

#[tokio::test]
async fn a_file_that_is_read_wrongly_once_is_told_apart_from_one_that_is_damaged() {
    for codec in [Codec::None, Codec::Zstd] {
        let (mut source, archive) = archive(codec).await;
        for file in files(codec) {
            garble(&mut source, file, 1);
            is_misread(&source.check(&archive).await.expect_err("read wrongly"), file);
            // The fault has gone: so has the complaint.
            source.check(&archive).await.expect("sound");
            garble(&mut source, file, u64::MAX);
            let error = source.check(&archive).await.expect_err("damaged");
            assert!(
                matches!(error, Error::Archive(ArchiveError::Damaged { .. }) | Error::Line { .. }),
                "{file}: {error:?}"
            );
            assert_eq!(error.class(), Class::Archive, "{file}");
        }
    }
}

#[tokio::test]
async fn a_restore_from_an_archive_that_is_read_wrongly_sends_nothing_that_writes() {
    let (_source, archive) = archive(Codec::None).await;
    for file in files(Codec::None) {
        let mut target = world(Sandbox::builder());
        garble(&mut target, file, 1);
        is_misread(&target.refused(target.restore_options(&archive)).await, file);
        assert_eq!(target.sandbox.writing_requests(), 0, "{file}");
        let events = Events::none();
        let (client, session) = (target.client(events.clone()), target.session(events));
        restore::plan(&client, &session, target.restore_options(&archive)).await.expect("the fault has gone");
    }
}

#[tokio::test]
async fn a_comparison_with_an_archive_that_is_read_wrongly_names_no_difference() {
    let (mut source, archive) = archive(Codec::None).await;
    for file in files(Codec::None).into_iter().filter(|file| *file != "SHA256SUMS") {
        garble(&mut source, file, 1);
        let (done, events) = source.try_verify(verify_options(&archive)).await;
        is_misread(&done.expect_err("read wrongly"), file);
        let named = events.iter().any(|event| matches!(event, elysiactl::event::Event::ObjectDiffers { .. }));
        assert!(!named, "{file}");
        assert_eq!(source.verify(verify_options(&archive)).await.result.status, Status::Ok);
    }
}
