//! A server that says when it may be asked again is not asked sooner, by anybody of the run, by the server's own clock;
//! and a wrong clock here changes nothing.

use std::time::{Duration, Instant};

use elysiactl::event::{Event, Status};
use elysiactl::model::Clock;
use elysiactl::ops::backup::BackupOptions;
use elysiactl::weaviate::RetryPolicy;
use jiff::{SignedDuration, Timestamp};
use sandbox::{Fault, Kind, Sandbox, Seen};

use crate::support::world::{QUICK, World, world};

const TOLD: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_millis(400);
const JOBS: usize = 4;

/// 429 with these headers.
fn too_many(headers: &[(&str, &str)]) -> Kind {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Kind::Status { status: 429, headers, body: String::new() }
}

fn patient() -> RetryPolicy {
    RetryPolicy { retry_after_cap: Duration::from_secs(30), ..QUICK }
}

fn articles(policy: RetryPolicy) -> World {
    World { policy, stall: Duration::from_secs(30), ..world(Sandbox::builder().seeded("Article", 2_400, 3, 4)) }
}

fn pages(world: &World, jobs: usize) -> BackupOptions {
    BackupOptions { jobs: Some(jobs), page_objects: Some(10), ..world.options() }
}

/// Whether something was asked again, and after no longer than `QUICK` waits by itself.
fn no_wait_beyond_the_policy(events: &[Event]) -> bool {
    let mut waits =
        events.iter().filter_map(|e| if let Event::Retrying { wait_ms, .. } = e { Some(*wait_ms) } else { None });
    let first = waits.next();
    first.into_iter().chain(waits).all(|wait| u128::from(wait) <= QUICK.cap.as_millis()) && first.is_some()
}

/// Backs up with one page that is refused so; the time from that refusal to each later request.
async fn refused_once(world: &World, kind: Kind, jobs: usize) -> Vec<(Duration, Seen)> {
    world.sandbox.faults().add(Fault::new(kind).on("GET", "/v1/objects").query("include=vector").nth(9));
    world.sandbox.clear_requests();
    let (done, _) = world.try_backup(pages(world, jobs)).await;
    assert_eq!(done.expect("a backup").result.status, Status::Ok);
    let seen = world.sandbox.requests();
    let refused = seen.iter().find(|seen| seen.status == 429).expect("a refusal").at;
    let later = seen.into_iter().filter(|seen| seen.at > refused && seen.status != 429);
    later.map(|seen| (seen.at.duration_since(refused), seen)).collect()
}

#[tokio::test]
async fn nothing_is_asked_sooner_than_told_in_seconds_or_by_a_date_of_the_servers_clock() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:36 GMT");
    for kind in [too_many(&[("retry-after", "1")]), too_many(&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")])]
    {
        let world = articles(patient());
        let later = refused_once(&world, kind.clone(), 1).await;
        // Questions about the topology may have been on their way; pages go one after the other.
        let page = later.iter().filter(|(_, seen)| seen.path == "/v1/objects").map(|(after, _)| *after).min();
        assert!(page.expect("a page") >= TOLD, "{kind:?}: {page:?}");
    }
}

#[tokio::test]
async fn what_one_request_was_told_holds_for_all_of_the_run() {
    let world = articles(patient());
    let later = refused_once(&world, too_many(&[("retry-after", "1")]), JOBS).await;
    let (sooner, all) = (later.iter().filter(|(after, _)| *after < TOLD).count(), later.len());
    // Those that were on their way already: one of each worker, and the questions about the topology.
    assert!(sooner <= JOBS + 4 && all > 100, "{sooner} of {all} requests came sooner than told");
}

#[tokio::test]
async fn a_day_is_cut_to_the_cap_and_rubbish_asks_for_nothing() {
    let world = articles(RetryPolicy { retry_after_cap: CAP, ..QUICK });
    let (begun, later) = (Instant::now(), refused_once(&world, too_many(&[("retry-after", "86400")]), 1).await);
    let page = later.iter().filter(|(_, seen)| seen.path == "/v1/objects").map(|(after, _)| *after).min();
    assert!(page.expect("a page") >= CAP && begun.elapsed() < Duration::from_secs(86_400), "{page:?}");
    for rubbish in ["soon", "", "-5", "1e3", "Sun, 99 Nov 1994 08:49:37 GMT"] {
        let world = articles(patient());
        let faults = world.sandbox.faults();
        faults.add(Fault::new(too_many(&[("retry-after", rubbish)])).on("GET", "/v1/objects").nth(9));
        let (done, events) = world.try_backup(pages(&world, 1)).await;
        assert_eq!(done.expect("a backup").result.status, Status::Ok, "{rubbish:?}");
        assert!(no_wait_beyond_the_policy(&events), "{rubbish:?}: {events:?}");
    }
}

#[tokio::test]
async fn a_date_without_the_servers_clock_asks_for_nothing() {
    // Hyper writes a `Date` of its own unless there is one; this one cannot be read.
    let headers = [("date", "never"), ("retry-after", "Sun, 06 Nov 2094 08:49:37 GMT")];
    let world = articles(patient());
    world.sandbox.faults().add(Fault::new(too_many(&headers)).on("GET", "/v1/objects").nth(9));
    let (done, events) = world.try_backup(pages(&world, 1)).await;
    assert_eq!(done.expect("a backup").result.status, Status::Ok);
    assert!(no_wait_beyond_the_policy(&events), "{events:?}");
}

#[tokio::test]
async fn a_server_that_refuses_everything_gets_a_fifth_more_requests_at_most() {
    let policy = RetryPolicy { budget_floor: 10, ..QUICK };
    let world = articles(policy);
    // Every third answer fails, which is more than may be asked again.
    world.sandbox.faults().add(Fault::new(Kind::status(503, "")).on("GET", "/v1/objects").chance(330));
    world.sandbox.clear_requests();
    let (done, events) = world.try_backup(pages(&world, 1)).await;
    done.expect_err("more retries than the run has");
    let retries = events.iter().filter(|e| matches!(e, Event::Retrying { .. })).count();
    let requests = world.sandbox.requests().len();
    assert!(retries >= 10 && retries <= 10 + requests / 5, "{retries} of {requests} requests");
    world.nothing_is_sealed();
}

#[tokio::test]
async fn a_clock_that_is_a_day_off_changes_nothing() {
    let clean = articles(QUICK).backup(pages(&articles(QUICK), 2)).await.result.collections[0].digest.clone();
    for hours in [-24, 24] {
        let off = Timestamp::now() + SignedDuration::from_hours(hours);
        let world = World { clock: Clock::fixed(off), ..articles(QUICK) };
        // The same second twice, as after a clock was put back: the names differ all the same.
        let outcomes = [world.backup(pages(&world, 2)).await, world.backup(pages(&world, 2)).await];
        for outcome in &outcomes {
            let found = &outcome.result.collections[0];
            assert_eq!(
                (outcome.result.status, &found.digest, found.changed_seen),
                (Status::Ok, &clean, Some(0)),
                "{hours}"
            );
        }
        assert_ne!(outcomes[0].result.archive, outcomes[1].result.archive);
    }
}
