//! One life of a collection under a mix of faults, and what holds at every stage of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use elysiactl::event::{Class, Events, Op, RunResult, Status};
use elysiactl::model::{CollectionName, Selection};
use elysiactl::ops::clear::{self, Wish};
use elysiactl::ops::{Error, backup, restore, verify};
use elysiactl::weaviate::Writer;
use sandbox::{Change, Sandbox};

use super::mix::Mix;
use crate::support::world::{QUICK, World, verify_options, world};
use crate::wire::http_faults::proof::{Model, content};

/// How long a server that is not whole is waited for.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long silence is waited for with faults, and without: then a slow machine must not look like one.
const SILENCE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];
/// What lands late has landed.
const LANDED: Duration = Duration::from_millis(60);
const COPY: &str = "Copy";

/// What became of the runs under faults.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) runs: u64,
    /// Runs that at least one fault struck.
    pub(super) hit: u64,
    pub(super) whole: u64,
    pub(super) incomplete: u64,
    pub(super) stopped: u64,
    pub(super) retries: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.hit += other.hit;
        self.whole += other.whole;
        self.incomplete += other.incomplete;
        self.stopped += other.stopped;
        self.retries += other.retries;
    }

    fn book(&mut self, ended: Result<Status, Class>, hit: bool) {
        self.runs += 1;
        self.hit += u64::from(hit);
        match ended {
            Ok(Status::Ok) => self.whole += 1,
            Ok(Status::Incomplete) => self.incomplete += 1,
            Err(_) => self.stopped += 1,
            Ok(other) => panic!("a run that ended as {other:?}"),
        }
    }
}

struct Life<'a> {
    mix: &'a Mix,
    world: World,
    /// What Article holds, from the first moment to the last.
    model: Model,
    stage: u64,
    tally: Tally,
}

pub(super) async fn of(mix: &Mix) -> Tally {
    let builder = Sandbox::builder().version(mix.version).seeded("Article", mix.objects, 3, mix.seed);
    let world = World { stall: SILENCE[1], ..world(builder) };
    let model = Model::of(&world);
    let mut life = Life { mix, world, model, stage: 0, tally: Tally::default() };
    let archive = life.backs_up().await;
    life.compares(&archive, "Article").await;
    life.restores(&archive).await;
    life.compares(&archive, COPY).await;
    life.clears().await;
    assert_eq!(life.world.sandbox.objects("Article", None), life.model.objects("Article"), "what nobody wrote to");
    life.tally
}

impl Life<'_> {
    /// Switches the faults on for one run, and gives what they struck before.
    fn on(&mut self) -> u64 {
        self.stage += 1;
        self.world.policy.question_timeout = QUICK.question_timeout;
        self.world.stall = SILENCE[0];
        self.world.sandbox.clear_requests();
        self.mix.switch_on(&self.world.sandbox, self.stage);
        self.world.sandbox.faults().struck()
    }

    async fn off(&mut self, struck: u64, ended: Result<Status, Class>) {
        let hit = self.world.sandbox.faults().struck() > struck;
        self.world.sandbox.faults().clear();
        self.world.stall = SILENCE[1];
        self.world.policy.question_timeout = SILENCE[1];
        tokio::time::sleep(LANDED).await;
        self.tally.book(ended, hit);
        if let Err(class) = ended {
            assert!(matches!(class, Class::Server | Class::Refused), "{class:?}");
        }
    }

    fn nothing_was_written(&self) {
        assert_eq!(self.world.sandbox.writing_requests(), 0, "a run that only reads");
    }

    async fn backs_up(&mut self) -> PathBuf {
        let options = || backup::BackupOptions {
            jobs: Some(self.mix.jobs),
            page_objects: self.mix.at_once,
            patience: PATIENCE,
            ..self.world.options()
        };
        let (hit, again) = (options(), options());
        let struck = self.on();
        let (done, _) = self.world.try_backup(hit).await;
        self.off(struck, done.as_ref().map(|d| d.result.status).map_err(|s| s.error.class())).await;
        self.nothing_was_written();
        match done {
            Err(_) => self.world.nothing_is_sealed(),
            Ok(outcome) => {
                self.tally.retries += outcome.result.retries;
                let archive = PathBuf::from(outcome.result.archive.expect("an archive"));
                self.world.check(&archive).await.expect("a sound archive");
                let stored = self.world.lines(&archive, "Article");
                match outcome.result.status {
                    Status::Ok => assert_eq!(stored, self.model.objects("Article"), "exit 0"),
                    _ => self.is_part_of_the_model(&stored),
                }
            }
        }
        let outcome = self.world.backup(again).await;
        assert_eq!(outcome.result.status, Status::Ok, "without faults");
        outcome.result.archive.expect("an archive").into()
    }

    /// Objects as they are, or without the vector that the server seemed unable to print.
    fn is_part_of_the_model(&self, stored: &[String]) {
        let plain = |text: &str| {
            let mut object: serde_json::Value = serde_json::from_str(text).expect("an object");
            for member in ["vector", "vectors"] {
                object.as_object_mut().expect("an object").remove(member);
            }
            object.to_string()
        };
        let live: Vec<&String> = self.model.objects("Article").iter().collect();
        let without: Vec<String> = live.iter().map(|text| plain(text)).collect();
        for text in stored {
            assert!(live.contains(&text) || without.contains(&plain(text)), "{text} was never there");
        }
    }

    async fn compares(&mut self, archive: &Path, with: &str) {
        let options = || verify::VerifyOptions {
            selection: Selection { take: vec!["Article".into()], exclude: Vec::new() },
            name: (with != "Article").then(|| with.parse().expect("a name")),
            jobs: Some(self.mix.jobs),
            patience: PATIENCE,
            ..verify_options(archive)
        };
        let (hit, again) = (options(), options());
        let struck = self.on();
        let (done, _) = self.world.try_verify(hit).await;
        self.off(struck, done.as_ref().map(|d| d.result.status).map_err(Error::class)).await;
        self.nothing_was_written();
        if let Ok(outcome) = done {
            self.tally.retries += outcome.result.retries;
            assert!(outcome.differences.is_empty(), "nothing differs: {:?}", outcome.differences);
        }
        let outcome = self.world.verify(again).await;
        assert_eq!(outcome.result.status, Status::Ok, "without faults: {:?}", outcome.remarks);
    }

    async fn restores(&mut self, archive: &Path) {
        let options = || restore::RestoreOptions {
            name: Some(COPY.parse().expect("a name")),
            jobs: Some(self.mix.jobs),
            batch_objects: self.mix.at_once,
            patience: PATIENCE,
            ..self.world.restore_options(archive)
        };
        let (hit, again) = (options(), options());
        let struck = self.on();
        let done = match self.world.restore_plan(hit).await {
            Ok(plan) => self.world.run_plan(plan).await.0,
            Err(error) => Err(restore::RestoreStopped {
                error,
                run_dir: None,
                lost: vec![],
                undone: vec![],
                created: vec![],
                joined: vec![],
                kept: None,
                partial: None,
            }),
        };
        self.off(struck, done.as_ref().map(|d| d.result.status).map_err(|s| s.error.class())).await;
        let is_there = self.world.sandbox.collections().iter().any(|name| name == COPY);
        self.is_part_of(archive);
        match done {
            Ok(outcome) if outcome.result.status == Status::Ok => {
                self.tally.retries += outcome.result.retries;
                self.world.equals(archive, "Article", COPY);
                return;
            }
            Ok(outcome) => {
                let rejected = outcome.result.collections[0].rejected;
                let live = self.world.sandbox.count(COPY, None);
                let is_said = rejected > 0 || !outcome.remarks.is_empty();
                assert!(is_said && live + rejected >= self.mix.objects, "{live} and {rejected}: {:?}", outcome.remarks);
            }
            Err(stopped) => {
                let named = stopped.created.iter().any(|(name, _)| name.as_str() == COPY);
                assert!(named || !is_there, "made, and not named: {:?}", stopped.error);
            }
        }
        self.world.sandbox.faults().now(&Change::Drop(COPY.into()));
        let outcome = self.world.restore(again).await;
        assert_eq!(outcome.result.status, Status::Ok, "without faults: {:?}", outcome.remarks);
    }

    /// Whatever is in the copy is what the archive holds.
    fn is_part_of(&self, archive: &Path) {
        let plain = |text: &String| content(&text.replace(COPY, "Article"));
        let archived: BTreeMap<String, String> = self.world.lines(archive, "Article").iter().map(plain).collect();
        for (id, text) in self.world.sandbox.objects(COPY, None).iter().map(plain) {
            assert_eq!(archived.get(&id), Some(&text), "{id} is not what the archive holds");
        }
    }

    async fn clears(&mut self) {
        let struck = self.on();
        let before: Vec<String> = self.world.sandbox.objects(COPY, None);
        let done = self.clear().await;
        self.off(struck, done.as_ref().map(|d| d.result.status).map_err(|s| s.error.class())).await;
        let left = self.world.sandbox.objects(COPY, None);
        let is_there = self.world.sandbox.collections().iter().any(|name| name == COPY);
        match &done {
            Ok(outcome) if outcome.result.status == Status::Ok => assert!(is_there && left.is_empty(), "exit 0"),
            Ok(_) => assert!(is_there),
            Err(stopped) => {
                let name = |name: &CollectionName| name.as_str() == COPY;
                let begun = stopped.partly.as_ref().is_some_and(name)
                    || stopped.dropped.as_ref().is_some_and(|(dropped, _)| name(dropped));
                assert!(begun || left.len() == before.len(), "begun, and not named: {:?}", stopped.error);
            }
        }
        assert!(left.iter().all(|text| before.contains(text)), "what is left was changed");
        let again = self.clear().await.unwrap_or_else(|stopped| panic!("without faults: {:?}", stopped.error));
        assert_eq!((again.result.status, self.world.sandbox.count(COPY, None)), (Status::Ok, 0), "without faults");
        assert!(self.world.sandbox.collections().iter().any(|name| name == COPY));
    }

    async fn clear(&self) -> Result<clear::ClearOutcome, clear::ClearStopped> {
        let world = &self.world;
        let options = clear::ClearOptions {
            selection: Selection { take: vec![COPY.into()], exclude: Vec::new() },
            tenants: Vec::new(),
            wish: if self.mix.drops { Wish::Recreate } else { Wish::Delete },
            allow_protected: false,
            folder: world.options().folder,
            state: world.state(),
            memory_bytes: 16 << 20,
            patience: PATIENCE,
            rehearse: true,
            resumes: false,
        };
        let (client, session) = (world.client(Events::none()), world.session(Events::none()));
        let plan = clear::plan(&client, &session, options).await.map_err(not_begun)?;
        clear::run(&Writer::new(client), &session, plan).await
    }
}

/// A clear that was not even planned.
fn not_begun(error: Error) -> clear::ClearStopped {
    let partial = Box::new(RunResult::of(Op::Clear, Status::Failed, None, Vec::new()));
    clear::ClearStopped {
        error,
        run_dir: None,
        done: vec![],
        dropped: None,
        partly: None,
        untouched: vec![],
        safe_in: None,
        partial,
    }
}
