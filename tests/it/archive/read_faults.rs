//! Archives that are read wrongly: once, which is the fault of a disk, and is told as such; or always, which is damage
//!. In neither case is anything written to a server.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use elysiactl::archive::{Codec, Error as ArchiveError};
use elysiactl::event::{Class, Events, Status};
use elysiactl::ops::backup::BackupOptions;
use elysiactl::ops::{Error, Hint, restore};
use sandbox::Sandbox;

use crate::support::disk_of::ReadsOf;
use crate::support::world::{World, verify_options, world};

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

/// Has a file of every archive read wrongly, the first times it is opened.
fn garble(world: &mut World, file: &str, times: u64) {
    let (garbled, opened) = (file.to_owned(), AtomicU64::new(0));
    world.disk = Arc::new(ReadsOf(Arc::new(move |name: &str, file: Box<dyn Read + Send>, bytes: u64| {
        if !name.ends_with(&garbled) || opened.fetch_add(1, Ordering::SeqCst) >= times {
            return file;
        }
        Box::new(Garbled { file, at: 0, flips: bytes / 2 })
    })));
}

async fn archive(codec: Codec) -> (World, PathBuf) {
    let source = world(Sandbox::builder().seeded("Article", 300, 3, 4));
    let outcome = source.backup(BackupOptions { codec, ..source.options() }).await;
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
