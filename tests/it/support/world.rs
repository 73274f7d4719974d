//! A sandbox, a folder for archives, and the operations on both: every backup made here is also checked, verified, and
//! its objects compared with the server's, text by text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use elysiactl::archive::claims::Claim;
use elysiactl::archive::runfiles::FirstObject;
use elysiactl::archive::{Archive, Claimant, Codec, Content, Disk, OsDisk, RunAbout, RunFiles, RunRecord, Use};
use elysiactl::event::{Event, EventReceiver, Events, Op, RunResult, Status};
use elysiactl::model::{Clock, CollectionName, Renames, Selection, ServerIdentity, Subset, TenantMap, TenantName};
use elysiactl::ops::backup::{self, BackupOptions, BackupOutcome, BackupStopped};
use elysiactl::ops::{Error, Session, cat, check, verify};
use elysiactl::ops::{StateFolders, restore};
use elysiactl::weaviate::{Client, Connection, RetryPolicy, Writer};
use sandbox::{Builder, Sandbox};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) cancel: CancellationToken,
    pub(crate) key: Option<&'static str>,
    /// How long a server may say nothing.
    pub(crate) stall: Duration,
    /// What this machine takes for the time.
    pub(crate) clock: Clock,
    /// The bounds of asking again.
    pub(crate) policy: RetryPolicy,
    /// The way to the sandbox, if not straight: an address, and a certificate to trust.
    pub(crate) by_way_of: Option<(String, Option<Vec<u8>>)>,
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
    question_attempts: 3,
    stalled_questions: 1,
    turn_wait: Duration::from_secs(5),
    slowest_pace: 100_000,
};

pub(crate) fn world(builder: Builder) -> World {
    let (folder, cancel) = (tempfile::tempdir().expect("a folder"), CancellationToken::new());
    World {
        sandbox: builder.start_blocking(),
        folder,
        disk: Arc::new(OsDisk),
        cancel,
        key: None,
        stall: Duration::from_secs(2),
        clock: Clock::system(),
        policy: QUICK,
        by_way_of: None,
    }
}

impl World {
    pub(crate) fn options(&self) -> BackupOptions {
        BackupOptions {
            folder: self.folder.path().join("archives"),
            selection: Selection::default(),
            subset: Subset::default(),
            content: Content::Full,
            codec: Codec::None,
            jobs: None,
            page_objects: None,
            memory_bytes: 64 << 20,
            part_age: BackupOptions::PART_AGE,
            patience: Duration::from_secs(20),
            tenants: Vec::new(),
            state: Some(self.state()),
            allow_missing_nodes: false,
            resume: None,
        }
    }

    /// Where files about runs lie.
    pub(crate) fn state(&self) -> StateFolders {
        let state = self.folder.path().join("state");
        StateFolders { runs: state.join("runs"), locks: state.join("locks") }
    }

    pub(crate) fn session(&self, events: Events) -> Session {
        let (archives, local) = (Arc::clone(&self.disk), Arc::clone(&self.disk));
        Session { events, cancel: self.cancel.clone(), archives, local, clock: self.clock.clone() }
    }

    pub(crate) fn client(&self, events: Events) -> Client {
        let (url, ca_cert_pem) = self.by_way_of.clone().unwrap_or_else(|| (self.sandbox.url(), None));
        let mut connection = Connection::new(Connection::parse_url(&url).expect("a URL"));
        connection.ca_cert_pem = ca_cert_pem;
        connection.key = self.key.map(|key| key.to_owned().into());
        connection.stall_timeout = self.stall;
        Client::with_policy(connection, events, 7, self.policy).expect("a client")
    }

    /// Goes to the sandbox by another name of this machine from now on.
    pub(crate) fn respell(&mut self) {
        self.by_way_of = Some((self.sandbox.url().replace("127.0.0.1", "LOCALHOST") + "/", None));
    }

    /// Another run, process 4711, that is at work on a collection of this server.
    pub(crate) fn held_by_another_run(&self, collection: &str) -> Claim {
        let url = self.client(Events::none()).url().to_owned();
        let started = "2026-01-02T03:04:05Z".parse().expect("a time");
        let by = Claimant { op: Op::Restore, pid: 4711, started, server_url: url.clone() };
        let (server, names) = (ServerIdentity::of_url(&url), vec![collection.parse().expect("a name")]);
        Claim::take(&self.disk, &self.state().locks, by, server, names, Use::Changes).expect("a claim")
    }

    /// A run on this server that wrote this into its journal, with the first object of every tenant that it woke, and was
    /// killed.
    pub(crate) fn killed_run(&self, op: Op, records: &[RunRecord]) {
        let seen = |record: &RunRecord| match record.clone() {
            RunRecord::Activating { target, tenants, .. } => {
                let first = |tenant: &TenantName| Some((tenant.clone(), self.first_object(&target, tenant)?));
                let firsts = tenants.iter().filter_map(first).collect();
                RunRecord::Activating { target, tenants, firsts }
            }
            other => other,
        };
        self.killed_before_it_looked(op, &records.iter().map(seen).collect::<Vec<_>>());
    }

    fn first_object(&self, collection: &CollectionName, tenant: &TenantName) -> Option<FirstObject> {
        let object = self.sandbox.objects(collection.as_str(), Some(tenant.as_str())).into_iter().next()?;
        let object: serde_json::Value = serde_json::from_str(&object).expect("an object");
        let id = object["id"].as_str().expect("an id").parse().expect("an id");
        Some(FirstObject { id, updated_ms: object["lastUpdateTimeUnix"].as_i64().expect("a time") })
    }

    /// A run on this server that wrote this into its journal and was killed.
    pub(crate) fn killed_before_it_looked(&self, op: Op, records: &[RunRecord]) {
        let about = RunAbout {
            op,
            tool: RunAbout::this_tool(),
            run_id: uuid::Uuid::now_v7(),
            started: jiff::Timestamp::now(),
            server_url: self.client(Events::none()).url().to_owned(),
            server_version: String::new(),
            archive: String::new(),
            archive_run_id: String::new(),
            options: serde_json::Map::new(),
        };
        let mut files = RunFiles::create(Arc::clone(&self.disk), &self.state().runs, about).expect("files");
        for record in records {
            files.record(record).expect("a record");
        }
        files.sync().expect("synced");
    }

    /// Plans and runs, and nothing else.
    pub(crate) async fn try_backup(
        &self,
        options: BackupOptions,
    ) -> (Result<BackupOutcome, BackupStopped>, Vec<Event>) {
        let (events, mut receiver) = Events::channel();
        let (client, session) = (self.client(events.clone()), self.session(events));
        let done = match backup::plan(&client, &session, options).await {
            Ok(plan) => Box::pin(backup::run(&Writer::new(client.clone()), &session, plan)).await,
            Err(error) => Err(BackupStopped { error, archive: None }),
        };
        drop((client, session));
        (done, drain(&mut receiver))
    }

    pub(crate) async fn try_verify(
        &self,
        options: verify::VerifyOptions,
    ) -> (Result<verify::VerifyOutcome, Error>, Vec<Event>) {
        let (events, mut receiver) = Events::channel();
        let (client, session) = (self.client(events.clone()), self.session(events));
        let done = Box::pin(verify::run(&Writer::new(client.clone()), &session, options)).await;
        drop((client, session));
        (done, drain(&mut receiver))
    }

    /// Compares an archive with the server, and holds that its events say the same as its result.
    pub(crate) async fn verify(&self, options: verify::VerifyOptions) -> verify::VerifyOutcome {
        let (done, events) = self.try_verify(options).await;
        let outcome = done.unwrap_or_else(|error| panic!("the comparison stopped: {error:?}"));
        let told = events.iter().filter(|e| matches!(e, Event::ObjectDiffers { .. })).count();
        assert_eq!(told, outcome.differences.len());
        let pages = events.iter().map(|event| match event {
            Event::PageScanned { objects, .. } => i64::try_from(*objects).expect("few"),
            Event::PagesDropped { objects, .. } => -i64::try_from(*objects).expect("few"),
            _ => 0,
        });
        assert_eq!(pages.sum::<i64>(), i64::try_from(outcome.result.objects).expect("few"), "what the bars show");
        outcome
    }

    /// Backs up, checks and verifies the archive, and compares every object with the server's.
    pub(crate) async fn backup(&self, options: BackupOptions) -> BackupOutcome {
        let content = options.content;
        let (done, _) = Box::pin(self.try_backup(options)).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("the backup stopped: {:?}", stopped.error));
        self.proves(&outcome, content).await;
        outcome
    }

    /// Checks and verifies the archive of a backup, and compares every object with the server's.
    pub(crate) async fn proves(&self, outcome: &BackupOutcome, content: Content) {
        let archive = PathBuf::from(outcome.result.archive.clone().expect("an archive"));
        let checked = self.check(&archive).await.expect("a sound archive");
        assert_eq!(checked.result.objects, outcome.result.objects);
        if outcome.result.status == Status::Ok {
            let verified = self.verify(verify_options(&archive)).await;
            assert_eq!(verified.result.status, Status::Ok, "{:?} {:?}", verified.differences, verified.remarks);
            let digests = |r: &RunResult| r.collections.iter().map(|c| c.digest.clone()).collect::<Vec<_>>();
            assert_eq!(digests(&verified.result), digests(&outcome.result));
        }
        if content == Content::Full && outcome.result.status == Status::Ok && !outcome.manifest.is_selection() {
            for collection in &outcome.result.collections {
                let stored = self.lines(&archive, collection.name.as_str());
                let live = self.sandbox.objects(collection.name.as_str(), None);
                assert_eq!(stored, sorted(live), "{} differs from the server", collection.name);
            }
        }
    }

    pub(crate) async fn check(&self, archive: &Path) -> Result<check::CheckOutcome, Error> {
        check::run(
            &self.session(Events::none()),
            check::CheckOptions { archive: archive.to_owned(), readers: 2, memory_bytes: 128 << 20 },
        )
        .await
    }

    /// The lines of a collection in an archive, in its order.
    pub(crate) fn lines_in_order(&self, archive: &Path, collection: &str) -> Vec<String> {
        let mut out = Vec::new();
        cat::run(&self.disk, archive, Some(collection), 128 << 20, &mut out).expect("a readable archive");
        String::from_utf8(out).expect("text").lines().map(str::to_owned).collect()
    }

    /// The objects of a collection in an archive, sorted by id.
    pub(crate) fn lines(&self, archive: &Path, collection: &str) -> Vec<String> {
        sorted(self.lines_in_order(archive, collection))
    }

    /// Waits until faults have struck so often.
    pub(crate) async fn struck(&self, times: u64) {
        while self.sandbox.faults().struck() < times {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
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

impl World {
    pub(crate) fn restore_options(&self, archive: &Path) -> restore::RestoreOptions {
        restore::RestoreOptions {
            memory_bytes: 64 << 20,
            patience: Duration::from_secs(10),
            differences_listed: 100,
            ..restore::RestoreOptions::new(archive, self.state())
        }
    }

    pub(crate) async fn restore_plan(
        &self,
        options: restore::RestoreOptions,
    ) -> Result<restore::PreparedRestore, Error> {
        let events = Events::none();
        Box::pin(restore::plan(&self.client(events.clone()), &self.session(events), options)).await
    }

    /// Plans, and gives the refusal.
    pub(crate) async fn refused(&self, options: restore::RestoreOptions) -> Error {
        match self.restore_plan(options).await {
            Ok(prepared) => prepared.plan.refused().expect("a refusal"),
            Err(error) => error,
        }
    }

    pub(crate) async fn run_plan(
        &self,
        plan: restore::PreparedRestore,
    ) -> (Result<restore::RestoreOutcome, restore::RestoreStopped>, Vec<Event>) {
        let (events, mut receiver) = Events::channel();
        let (client, session) = (self.client(events.clone()), self.session(events));
        let done = Box::pin(restore::run(&Writer::new(client.clone()), &session, plan)).await;
        drop((client, session));
        (done, drain(&mut receiver))
    }

    /// Plans and runs, and nothing else.
    pub(crate) async fn try_restore(
        &self,
        options: restore::RestoreOptions,
    ) -> (Result<restore::RestoreOutcome, restore::RestoreStopped>, Vec<Event>) {
        let plan = Box::pin(self.restore_plan(options)).await.unwrap_or_else(|e| panic!("no plan: {e:?}"));
        self.run_plan(plan).await
    }

    /// Restores, and compares every object with the archive's, vectors bit by bit, with no code of the comparison.
    pub(crate) async fn restore(&self, options: restore::RestoreOptions) -> restore::RestoreOutcome {
        let (archive, renames) = (options.archive.clone(), options.renames.clone());
        let name = options.name.clone();
        let (done, _) = self.try_restore(options).await;
        let outcome = done.unwrap_or_else(|stopped| panic!("the restore stopped: {:?}", stopped.error));
        for collection in &outcome.result.collections {
            let former = renames.pairs().find(|(_, new)| **new == collection.name).map(|(old, _)| old.to_string());
            let only = || self.archived(&archive).into_iter().next().expect("a collection");
            let old = former.unwrap_or_else(|| if name.is_some() { only() } else { collection.name.to_string() });
            self.equals(&archive, &old, collection.name.as_str());
        }
        outcome
    }

    /// The collections of an archive.
    pub(crate) fn archived(&self, archive: &Path) -> Vec<String> {
        let archive = Archive::open(&self.disk, archive).expect("an archive");
        archive.collections().iter().map(|c| c.name.clone()).collect()
    }

    /// What an archive holds of `old` is what the server holds of `new`: properties by text but for the names in
    /// beacons, vectors by text.
    pub(crate) fn equals(&self, archive: &Path, old: &str, new: &str) {
        let plain = |line: &String| {
            let mut object: serde_json::Value = serde_json::from_str(line).expect("an object");
            for member in ["class", "creationTimeUnix", "lastUpdateTimeUnix"] {
                object.as_object_mut().expect("an object").remove(member);
            }
            without_collections(&object.to_string())
        };
        let stored: Vec<String> = self.lines(archive, old).iter().map(plain).collect();
        let live: Vec<String> = sorted(self.sandbox.objects(new, None)).iter().map(plain).collect();
        assert_eq!(stored.len(), live.len(), "{new}: not as many objects as in the archive");
        for (stored, live) in stored.iter().zip(&live) {
            assert_eq!(stored, live, "{new} differs from the archive");
        }
    }

    /// Every file in this world's folder with its bytes.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn below(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    below(&path, found);
                } else {
                    found.insert(path.clone(), std::fs::read(&path).expect("a file"));
                }
            }
        }
        let mut found = BTreeMap::new();
        below(self.folder.path(), &mut found);
        found
    }
}

/// The text with the collection taken out of every beacon and link.
fn without_collections(text: &str) -> String {
    let mut out = text.to_owned();
    for before in ["weaviate://localhost/", "/v1/objects/"] {
        let mut parts = out.split(before).map(str::to_owned).collect::<Vec<_>>().into_iter();
        let first = parts.next().unwrap_or_default();
        out = parts.fold(first, |known, rest| {
            let rest = rest.split_once('/').map_or(rest.as_str(), |(_, id)| id);
            format!("{known}{before}{rest}")
        });
    }
    out
}

/// All of an archive against the collections of the same names.
pub(crate) fn verify_options(archive: &Path) -> verify::VerifyOptions {
    verify::VerifyOptions {
        archive: archive.to_owned(),
        selection: Selection::default(),
        name: None,
        renames: Renames::default(),
        tenants: TenantMap::Same,
        filter: None,
        state: None,
        sample: None,
        limit: verify::VerifyOptions::LIMIT,
        jobs: None,
        memory_bytes: 64 << 20,
        patience: Duration::from_secs(20),
        seed: 7,
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

pub(crate) fn drain(receiver: &mut EventReceiver) -> Vec<Event> {
    std::iter::from_fn(|| receiver.try_recv()).collect()
}
