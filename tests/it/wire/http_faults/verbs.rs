//! The verbs, the requests of each that matter, and one run of each with one fault.

use std::path::PathBuf;
use std::time::Duration;

use elysiactl::event::{Class, Events, Status};
use elysiactl::model::Selection;
use elysiactl::ops::clear::{self, Wish};
use elysiactl::ops::{Error, backup, restore, verify};
use elysiactl::weaviate::{RetryPolicy, Writer};
use sandbox::{Builder, Fault, Proxy, Sandbox, Strike, Trouble};

use super::certificates::certificates;
use super::proof;
use super::table::{Blow, End, Place, Row, elsewhere};
use crate::support::world::{QUICK, World, verify_options, world};

const OBJECTS: u64 = 420;
/// Objects of a page, a batch or a deletion at most, so that there are several of each.
const AT_ONCE: u32 = 60;
/// How long silence is waited for, where it is what is tried, and where it is not.
const SILENCE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];
/// How long a server that is not as it should be is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Waits that a port is open again after, and attempts that a slow machine may take.
const PATIENT: RetryPolicy = RetryPolicy {
    base: Duration::from_millis(20),
    cap: Duration::from_millis(80),
    attempts: 12,
    first_attempts: 12,
    stalled_attempts: 4,
    count_attempts: 12,
    question_timeout: Duration::from_secs(10),
    ..QUICK
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Backup,
    Restore,
    Verify,
    Delete,
    /// The one request of a clear that drops a collection.
    Drop,
    /// The one request of a restore that creates a collection.
    Make,
}

/// How a run ended, in the words of the table.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) end: End,
    /// What it said, for whoever reads a failure of the test.
    pub(super) said: String,
}

/// A verb, the archive it needs, and how many requests of it matter.
pub(super) struct Setting {
    verb: Verb,
    requests: u64,
    archive: PathBuf,
    /// Holds the archive.
    _source: World,
}

/// The collection that is worked on, and one that is not.
fn articles() -> Builder {
    Sandbox::builder().seeded("Article", OBJECTS, 3, 4).seeded("Bystander", 7, 2, 5)
}

/// The same without what is to be restored.
fn bystander() -> Builder {
    Sandbox::builder().auto_schema(false).seeded("Bystander", 7, 2, 5)
}

impl Verb {
    fn world(self) -> World {
        let builder = if self.restores() { bystander() } else { articles() };
        // A comparison decides itself how much it asks for.
        let builder = if self == Self::Verify { builder } else { builder.query_maximum_results(AT_ONCE.into()) };
        let world = world(builder);
        World { policy: PATIENT, stall: SILENCE[1], ..world }
    }

    fn restores(self) -> bool {
        matches!(self, Self::Restore | Self::Make)
    }

    /// Whether there is only one request that matters.
    pub(super) fn is_single(self) -> bool {
        matches!(self, Self::Drop | Self::Make)
    }

    /// The requests that matter: method, path, whether they write.
    fn requests(self) -> (&'static str, &'static str, bool) {
        match self {
            Self::Backup | Self::Verify => ("GET", "/v1/objects", false),
            Self::Restore => ("POST", "/v1/batch/objects", true),
            Self::Delete => ("DELETE", "/v1/batch/objects", true),
            Self::Drop => ("DELETE", "/v1/schema/Article", true),
            Self::Make => ("POST", "/v1/schema", true),
        }
    }

    fn fault(self, kind: sandbox::Kind, nth: u64) -> Fault {
        let (method, path, writing) = self.requests();
        Fault::new(kind).on(method, path).writing(writing).nth(nth)
    }
}

fn articles_only() -> Selection {
    Selection { take: vec!["Article".into()], exclude: Vec::new() }
}

/// One request after the other: which one is struck must not depend on the machine.
fn backup_options(world: &World) -> backup::BackupOptions {
    backup::BackupOptions { selection: articles_only(), page_objects: Some(AT_ONCE), jobs: Some(1), ..world.options() }
}

fn restore_options(world: &World, archive: &std::path::Path) -> restore::RestoreOptions {
    restore::RestoreOptions {
        batch_objects: Some(AT_ONCE),
        jobs: Some(1),
        patience: PATIENCE,
        ..world.restore_options(archive)
    }
}

fn compare_options(archive: &std::path::Path) -> verify::VerifyOptions {
    verify::VerifyOptions { jobs: Some(1), ..verify_options(archive) }
}

fn clear_options(world: &World, wish: Wish) -> clear::ClearOptions {
    clear::ClearOptions {
        selection: articles_only(),
        tenants: Vec::new(),
        wish,
        allow_protected: false,
        folder: world.options().folder,
        state: world.state(),
        memory_bytes: 16 << 20,
        patience: PATIENCE,
        rehearse: true,
        resumes: false,
    }
}

impl Setting {
    pub(super) async fn of(verb: Verb) -> Self {
        let source = world(articles());
        let outcome = source.backup(backup_options(&source)).await;
        let archive: PathBuf = outcome.result.archive.expect("an archive").into();
        let mut setting = Self { verb, requests: 0, archive, _source: source };
        let world = verb.world();
        let before = proof::Model::of(&world);
        let ended = setting.run(&world).await;
        assert_eq!(ended.end, End::Whole, "without a fault: {}", ended.said);
        setting.prove(&world, &before, &ended).expect("without a fault");
        let (method, path, writing) = verb.requests();
        let matters =
            |seen: &&sandbox::Seen| seen.method == method && seen.path.starts_with(path) && seen.writing == writing;
        setting.requests = world.sandbox.requests().iter().filter(matters).count() as u64;
        assert!(
            if verb.is_single() { setting.requests == 1 } else { setting.requests >= 5 },
            "{} requests",
            setting.requests
        );
        setting
    }

    /// One fault at one place: how the run ends is what the table says, and what it leaves is what it should be.
    pub(super) async fn case(&self, row: &Row, place: Place) -> Result<(), String> {
        let nth = place.of(self.requests);
        let about = format!("{:?} {} {} at {place:?} ({nth} of {})", self.verb, row.number, row.name, self.requests);
        let wrong = |what: String| format!("{about}: {what}");
        let mut world = self.verb.world();
        if row.is_silence() {
            world.stall = SILENCE[0];
        }
        let proxy = self.strike(&mut world, row, nth);
        let before = proof::Model::of(&world);
        let ended = self.run(&world).await;
        let struck = world.sandbox.faults().struck() + proxy.as_ref().map_or(0, Proxy::struck);
        if struck != 1 && !matches!(row.blow, Blow::NoName) {
            return Err(wrong(format!("struck {struck} times; {}", ended.said)));
        }
        let expected = row.ends[self.verb as usize];
        if ended.end != expected {
            return Err(wrong(format!("{:?}, expected {expected:?}: {}", ended.end, ended.said)));
        }
        self.prove(&world, &before, &ended).map_err(wrong)?;
        if elsewhere().requests().is_empty() { Ok(()) } else { Err(wrong("something was sent elsewhere".into())) }
    }

    /// Has the fault wait for its request.
    fn strike(&self, world: &mut World, row: &Row, nth: u64) -> Option<Proxy> {
        match &row.blow {
            Blow::Http(kind) => {
                world.sandbox.faults().add(self.verb.fault(kind.clone(), nth));
                None
            }
            Blow::NoName => {
                world.by_way_of = Some(("http://weaviate.invalid:8080".into(), None));
                None
            }
            Blow::Wire(trouble) => {
                let is_tls = *trouble == Trouble::OtherCertificate;
                let (certificates, trusted) = if is_tls { Some(certificates()).unzip() } else { (None, None) };
                let proxy = Proxy::start(world.sandbox.port(), certificates);
                let scheme = if is_tls { "https" } else { "http" };
                world.by_way_of = Some((format!("{scheme}://localhost:{}", proxy.port()), trusted));
                let (method, path, writing) = self.verb.requests();
                // Where the method says it all, the body need not be looked at.
                let writing = (self.verb == Verb::Delete).then_some(writing);
                proxy.strike(Strike { method, path: path.into(), writing, nth, trouble: *trouble });
                Some(proxy)
            }
        }
    }

    async fn run(&self, world: &World) -> Ended {
        match self.verb {
            Verb::Backup => ended(world.try_backup(backup_options(world)).await.0, |done| done.result.status),
            Verb::Verify => ended(world.try_verify(compare_options(&self.archive)).await.0, |done| done.result.status),
            Verb::Restore | Verb::Make => match world.restore_plan(restore_options(world, &self.archive)).await {
                Ok(plan) => ended(world.run_plan(plan).await.0, |done| done.result.status),
                Err(error) => stopped(&error, &error),
            },
            Verb::Delete => clear(world, Wish::Delete).await,
            Verb::Drop => clear(world, Wish::Recreate).await,
        }
    }

    fn prove(&self, world: &World, before: &proof::Model, ended: &Ended) -> Result<(), String> {
        match self.verb {
            Verb::Backup => proof::backup(world, before, ended.end),
            Verb::Verify => proof::untouched(world, before),
            Verb::Restore | Verb::Make => proof::restore(world, before, ended.end, &self.archive),
            Verb::Delete | Verb::Drop => proof::clear(world, before, ended),
        }
    }
}

async fn clear(world: &World, wish: Wish) -> Ended {
    let (client, session) = (world.client(Events::none()), world.session(Events::none()));
    match clear::plan(&client, &session, clear_options(world, wish)).await {
        Ok(plan) => ended(clear::run(&Writer::new(client), &session, plan).await, |done| done.result.status),
        Err(error) => stopped(&error, &error),
    }
}

/// What stopped a run.
trait Stop: std::fmt::Debug {
    fn error(&self) -> &Error;
}

impl Stop for Error {
    fn error(&self) -> &Error {
        self
    }
}

impl Stop for backup::BackupStopped {
    fn error(&self) -> &Error {
        &self.error
    }
}

impl Stop for restore::RestoreStopped {
    fn error(&self) -> &Error {
        &self.error
    }
}

impl Stop for clear::ClearStopped {
    fn error(&self) -> &Error {
        &self.error
    }
}

fn ended<T: std::fmt::Debug, S: Stop>(done: Result<T, S>, status: impl Fn(&T) -> Status) -> Ended {
    match done {
        Err(stop) => stopped(stop.error(), &stop),
        Ok(done) if status(&done) == Status::Ok => Ended { end: End::Whole, said: String::new() },
        Ok(done) => Ended { end: End::Incomplete, said: format!("{done:?}") },
    }
}

fn stopped(error: &Error, all: &dyn std::fmt::Debug) -> Ended {
    let class: Class = error.class();
    Ended { end: End::Stops(class), said: format!("{all:?}") }
}
