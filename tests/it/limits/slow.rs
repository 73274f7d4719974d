//! Servers and disks that are slow: an answer that keeps coming is waited for however long it takes, and what comes
//! faster than it can be stored does not pile up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use elysiactl::event::Status;
use elysiactl::ops::backup::BackupOptions;
use sandbox::{Fault, Kind, Sandbox};

use crate::support::disk_of::written_by;
use crate::support::world::{World, world};

#[tokio::test]
async fn an_answer_that_keeps_coming_is_not_given_up_however_long_it_takes() {
    let stall = Duration::from_secs(2);
    let world = World { stall, ..world(Sandbox::builder().seeded("Article", 300, 3, 4)) };
    let drips = Kind::Drip(2_048, Duration::from_millis(100));
    world.sandbox.faults().add(Fault::new(drips).on("GET", "/v1/objects").query("include=vector"));
    let begun = Instant::now();
    let (done, _) = world.try_backup(BackupOptions { page_objects: Some(200), jobs: Some(1), ..world.options() }).await;
    let outcome = done.expect("a backup");
    assert_eq!((outcome.result.status, outcome.result.objects, outcome.result.retries), (Status::Ok, 300, 0));
    assert!(begun.elapsed() > stall, "longer than nothing would be waited for");
}

/// Time that the slow disk takes for each KiB.
const A_KIB: Duration = Duration::from_micros(250);

#[tokio::test]
async fn what_comes_faster_than_it_can_be_stored_does_not_pile_up() {
    let mut world = world(Sandbox::builder().seeded("Article", 12_000, 128, 4));
    let written = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&written);
    world.disk = Arc::new(written_by(move |file, bytes| {
        std::thread::sleep(A_KIB * u32::try_from(bytes.len() / 1_024).unwrap_or(u32::MAX));
        let written = file.write(bytes)?;
        counted.fetch_add(written as u64, Ordering::SeqCst);
        Ok(written)
    }));
    // So little that pages get the least they can do with, 4 MiB: a fifth of what there is.
    let options = BackupOptions { jobs: Some(4), memory_bytes: 1 << 20, ..world.options() };
    let (over, most) = (tokio_util::sync::CancellationToken::new(), AtomicU64::new(0));
    let ((done, _), ()) = tokio::join!(
        async {
            let done = world.try_backup(options).await;
            over.cancel();
            done
        },
        async {
            while !over.is_cancelled() {
                let pages = world.sandbox.requests().into_iter().filter(|seen| seen.query.contains("include=vector"));
                let sent: u64 = pages.map(|seen| seen.reply_bytes).sum();
                most.fetch_max(sent.saturating_sub(written.load(Ordering::SeqCst)), Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    );
    let outcome = done.expect("a backup");
    let (all, most) = (outcome.result.bytes, most.into_inner());
    assert_eq!((outcome.result.status, outcome.result.objects), (Status::Ok, 12_000));
    assert!(most < all / 2, "{most} of {all} bytes were sent and not stored");
}
