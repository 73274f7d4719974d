//! A sandbox, a folder for archives, and the operations on both: every backup made here is also checked, and its
//! objects compared with the server's, text by text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use elysiactl::archive::{Archive, Codec, Content, Disk, OsDisk};
use elysiactl::event::{Event, Events, Status};
use elysiactl::model::{Clock, Selection};
use elysiactl::ops::backup::{self, Options, Outcome, Stopped};
use elysiactl::ops::{Error, Session, cat, check};
use elysiactl::weaviate::{Client, Connection, RetryPolicy};
use sandbox::{Builder, Sandbox};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) cancel: CancellationToken,
    pub(crate) key: Option<&'static str>,
}

/// Waits as short as a test can bear.
pub(crate) const QUICK: RetryPolicy = RetryPolicy {
    base: Duration::from_millis(1),
    cap: Duration::from_millis(4),
    retry_after_cap: Duration::from_millis(50),
    attempts: 8,
    first_attempts: 3,
    stalled_attempts: 2,
    count_attempts: 3,
    budget_floor: 200,
    budget_percent: 20,
    ready_wait: Duration::from_millis(400),
    ready_pause: Duration::from_millis(20),
    question_timeout: Duration::from_secs(2),
};

pub(crate) fn world(builder: Builder) -> World {
    let (folder, cancel) = (tempfile::tempdir().expect("a folder"), CancellationToken::new());
    World { sandbox: builder.start_blocking(), folder, disk: Arc::new(OsDisk), cancel, key: None }
}

impl World {
    pub(crate) fn options(&self) -> Options {
        Options {
            folder: self.folder.path().join("archives"),
            selection: Selection::default(),
            content: Content::Full,
            codec: Codec::None,
            jobs: None,
            page_objects: None,
            memory_bytes: 64 << 20,
            patience: Duration::from_secs(20),
        }
    }

    pub(crate) fn session(&self, events: Events) -> Session {
        Session { events, cancel: self.cancel.clone(), disk: Arc::clone(&self.disk), clock: Clock::system() }
    }

    pub(crate) fn client(&self, events: Events) -> Client {
        let mut connection = Connection::new(Connection::parse_url(&self.sandbox.url()).expect("a URL"));
        connection.key = self.key.map(|key| key.to_owned().into());
        connection.stall_timeout = Duration::from_secs(2);
        Client::with_policy(connection, events, 7, QUICK).expect("a client")
    }

    /// Plans and runs, and nothing else.
    pub(crate) async fn try_backup(&self, options: Options) -> (Result<Outcome, Stopped>, Vec<Event>) {
        let (events, mut receiver) = Events::channel();
        let (client, session) = (self.client(events.clone()), self.session(events));
        let done = match backup::plan(&client, &session, options).await {
            Ok(plan) => backup::run(&client, &session, plan).await,
            Err(error) => Err(Stopped { error, archive: None }),
        };
        drop((client, session));
        (done, drain(&mut receiver))
    }

    /// Backs up, checks the archive, and compares every object with the server's.
    pub(crate) async fn backup(&self, options: Options) -> Outcome {
        let content = options.content;
        let (done, _) = self.try_backup(options).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("the backup stopped: {:?}", stopped.error));
        let archive = PathBuf::from(outcome.result.archive.clone().expect("an archive"));
        let checked = self.check(&archive).await.expect("a sound archive");
        assert_eq!(checked.result.objects, outcome.result.objects);
        if content == Content::Full && outcome.result.status == Status::Ok {
            for collection in &outcome.result.collections {
                let stored = self.lines(&archive, collection.name.as_str());
                let live = self.sandbox.objects(collection.name.as_str(), None);
                assert_eq!(stored, sorted(live), "{} differs from the server", collection.name);
            }
        }
        outcome
    }

    pub(crate) async fn check(&self, archive: &Path) -> Result<check::Outcome, Error> {
        check::run(&self.session(Events::none()), check::Options { archive: archive.to_owned(), readers: 2 }).await
    }

    /// The objects of a collection in an archive, sorted by id.
    pub(crate) fn lines(&self, archive: &Path, collection: &str) -> Vec<String> {
        let mut out = Vec::new();
        cat::run(&self.disk, archive, Some(collection), &mut out).expect("a readable archive");
        sorted(String::from_utf8(out).expect("text").lines().map(str::to_owned).collect())
    }

    /// The archives in the folder, sealed or not.
    pub(crate) fn archives(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.options().folder) else { return Vec::new() };
        entries.map(|e| e.expect("an entry").path()).collect()
    }

    /// Nothing in the folder passes for a backup.
    pub(crate) fn nothing_is_sealed(&self) {
        for path in self.archives() {
            assert!(Archive::open(&self.disk, &path).is_err(), "{} is sealed", path.display());
        }
    }
}

/// By id, which is unique in a collection.
fn sorted(lines: Vec<String>) -> Vec<String> {
    let id = |line: &String| {
        let object: serde_json::Value = serde_json::from_str(line).expect("an object");
        object["id"].as_str().expect("an id").to_owned()
    };
    let count = lines.len();
    let by_id: BTreeMap<String, String> = lines.into_iter().map(|line| (id(&line), line)).collect();
    assert_eq!(by_id.len(), count, "an id comes twice");
    by_id.into_values().collect()
}

fn drain(receiver: &mut UnboundedReceiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}
