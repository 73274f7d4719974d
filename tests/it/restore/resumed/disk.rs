//! The disk that holds a run's files dies at every call in turn, and the run is resumed once there is another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use elysiactl::archive::{Error as ArchiveError, OsDisk};
use elysiactl::event::{Class, Status};
use elysiactl::ops::Error;
use elysiactl::ops::restore::{PreparedRestore, RestoreOptions};
use sandbox::{Fault, Sandbox};

use super::{articles, held, resume_collection, small, stopped, written_down};
use crate::support::disk_of::GoneAfter;
use crate::support::world::{World, world};

const OBJECTS: u64 = 90;

/// A plan. A run that could not take its claim back leaves it, and another test that starts a program has its lock, too,
/// until that program runs: then once more.
async fn planned(target: &World, options: &RestoreOptions, how: &str) -> PreparedRestore {
    let started = Instant::now();
    loop {
        match target.restore_plan(options.clone()).await {
            Ok(plan) => return plan,
            Err(Error::Archive(ArchiveError::Claimed(held))) if held.by.pid == std::process::id() => {
                assert!(started.elapsed() < Duration::from_secs(20), "{how}: {held:?}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("{how}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn whatever_call_of_the_disk_is_the_last_one_the_restore_is_carried_on_and_equal() {
    let (source, archive) = articles(OBJECTS).await;
    let expected = held(&source, "Article", None, &[]);
    let (mut broken, mut with_something, mut calls) = (0, 0, 0);
    loop {
        let mut target = world(Sandbox::builder());
        target.disk = Arc::new(GoneAfter::changes(calls));
        let how = format!("after {calls} calls");
        // One in ten is refused by the server, in both runs.
        let refused = sandbox::Kind::FailIds(10, "invalid text property".into());
        target.sandbox.faults().add(Fault::new(refused).on("POST", "/v1/batch/objects"));
        let options = small(&target, &archive);
        let (done, _) = target.try_restore(options.clone()).await;
        target.disk = Arc::new(OsDisk);
        let Err(first) = done else { break };
        assert_eq!(first.error.class(), Class::Disk, "{how}: {:?}", first.error);
        broken += 1;
        with_something += u32::from(written_down(&target, &options).unwrap_or(0) > 0);
        // The next one dies too, a few calls on.
        target.disk = Arc::new(GoneAfter::changes(4 + calls % 7));
        let plan = planned(&target, &super::resumed(&options), &how).await;
        let over = plan.plan.resumes.as_ref().is_some_and(|carried| carried.complete);
        let again = target.run_plan(plan).await.0;
        target.disk = Arc::new(OsDisk);
        let outcome = match again {
            Ok(outcome) => outcome,
            Err(second) => {
                assert_eq!(second.error.class(), Class::Disk, "{how}: {:?}", second.error);
                planned(&target, &super::resumed(&options), &how).await;
                resume_collection(&target, &options, &how).await.0
            }
        };
        let collection = &outcome.result.collections[0];
        assert_eq!(outcome.result.status, Status::Incomplete, "{how}: {:?}", outcome.remarks);
        if !over {
            assert_eq!(collection.only_left, Some(collection.rejected), "{how}: all else is there");
            assert_eq!((collection.only_right, collection.different), (Some(0), Some(0)), "{how}");
        }
        let there = held(&target, "Article", None, &[]);
        assert_eq!(there.len() as u64 + collection.rejected, OBJECTS, "{how}");
        assert!(there.iter().all(|(id, object)| expected[id] == *object), "{how}");
        let listed = std::fs::read_to_string(outcome.rejected.expect("a list")).expect("text");
        let mut ids: Vec<String> = listed
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line")["id"].to_string())
            .collect();
        assert_eq!(ids.len() as u64, collection.rejected, "{how}: none is lost");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len() as u64, collection.rejected, "{how}: none comes twice");
        assert_eq!(written_down(&target, &options), None, "{how}: nothing is left to carry on");
        calls += 1;
    }
    assert!(broken > 30 && with_something > 8, "{broken} {with_something}");
    eprintln!("{broken} disks died, {with_something} with objects written down");
    let target = world(Sandbox::builder());
    assert!(stopped(target.try_restore(small(&target, &archive)).await.0, "sound").is_none());
}
