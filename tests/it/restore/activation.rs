//! The stage that activates tenants while runs of theirs are written, by itself.

use std::sync::Arc;
use std::time::Duration;

use elysiactl::event::{ActivationRefusal, Events};
use elysiactl::model::{KeyRange, TenantName};
use elysiactl::pipeline::activation::runs::{ActivateRuns, RUNS_JUDGED_WAITING, RunAhead};
use elysiactl::pipeline::activation::{self, ACTIVE_AT_ONCE, Activation, TENANTS_A_WINDOW};
use elysiactl::pipeline::budget::Budget;
use elysiactl::pipeline::{Batch, BatchOrigin, Objects, Page};
use elysiactl::weaviate::Writer;
use sandbox::{Fault, Kind, Sandbox};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::world::{World, world};

/// Runs, each of a tenant of its own, in two parts.
const RUNS: usize = 100;
/// Longer than any answer of the sandbox takes.
const LONG: Duration = Duration::from_secs(20);
/// Nothing comes any more.
const NOTHING: Duration = Duration::from_millis(700);

fn tenant(run: usize) -> TenantName {
    format!("t{run:03}").parse().expect("a name")
}

fn ahead() -> Vec<Vec<RunAhead>> {
    let part = |runs: std::ops::Range<usize>| runs.map(|run| (run, tenant(run))).collect();
    vec![part(0..RUNS / 2), part(RUNS / 2..RUNS)]
}

async fn batch(run: usize, leads: Option<oneshot::Sender<()>>) -> Batch {
    Batch {
        space: Some(tenant(run)),
        covers: KeyRange::ALL,
        objects: Objects::new(Vec::new(), Page::from_file(Budget::new(1).take(1).await)),
        bytes: 0,
        origin: leads.map_or(BatchOrigin::Archived { run }, |sent| BatchOrigin::Leading { sent }),
        known: Vec::new(),
    }
}

/// The run of a batch; `None` if it leads a tenant.
fn run_of(batch: &Batch) -> Option<usize> {
    if let BatchOrigin::Archived { run } = batch.origin { Some(run) } else { None }
}

/// The stage at work on a collection with as many inactive tenants as there are runs.
struct Stage {
    world: World,
    activation: Arc<Activation>,
    read: mpsc::Sender<Batch>,
    handed_on: mpsc::Receiver<Batch>,
    judged: mpsc::Sender<usize>,
    stop: CancellationToken,
    ends: JoinHandle<Result<(), activation::Error>>,
}

impl Stage {
    fn begin() -> Self {
        let mut builder = Sandbox::builder().collection(r#"{"class":"Mt","multiTenancyConfig":{"enabled":true}}"#);
        for run in 0..RUNS {
            builder = builder.tenant("Mt", &tenant(run).to_string(), "COLD");
        }
        let world = world(builder);
        let writer = Writer::new(world.client(Events::none()));
        let inactive = (0..RUNS).map(tenant).collect();
        let activation =
            Arc::new(Activation::new(writer, "Mt".parse().expect("a name"), Some(Arc::new(inactive)), None));
        let ((read, batches), (on, handed_on)) = (mpsc::channel(1), mpsc::channel(1));
        let (judged, over) = mpsc::channel(RUNS_JUDGED_WAITING);
        let (activate, stop) = (ActivateRuns::new(Arc::clone(&activation)), CancellationToken::new());
        let ends = tokio::spawn({
            let stop = stop.clone();
            async move { activate.run(ahead().into_iter(), batches, on, over, &stop).await }
        });
        Self { world, activation, read, handed_on, judged, stop, ends }
    }

    fn active(&self) -> usize {
        self.world.sandbox.tenants("Mt").iter().filter(|(_, state)| *state != "COLD").count()
    }

    fn is_active(&self, run: usize) -> bool {
        let name = tenant(run).to_string();
        self.world.sandbox.tenants("Mt").iter().any(|(tenant, state)| *tenant == name && *state != "COLD")
    }

    /// Everybody lets go of the stage; what it says, and how many tenants are active then and after the run.
    async fn end(self) -> (Result<(), activation::Error>, usize, usize) {
        let Self { world, activation, read, handed_on, judged, stop: _stop, ends } = self;
        drop((read, handed_on, judged));
        let ended = timeout(LONG, ends).await.expect("an end").expect("no panic");
        let active = || world.sandbox.tenants("Mt").iter().filter(|(_, state)| *state != "COLD").count();
        let left = active();
        activation.deactivate_all().await.expect("deactivated");
        (ended, left, active())
    }
}

#[tokio::test]
async fn tenants_are_active_before_their_first_batch_and_inactive_once_their_runs_are_judged() {
    let mut stage = Stage::begin();
    let reading = tokio::spawn({
        let read = stage.read.clone();
        async move {
            for run in 0..RUNS {
                for _ in 0..2 {
                    read.send(batch(run, None).await).await.expect("it is wanted");
                }
            }
        }
    });
    // Nobody judges anything: as many tenants are active as may be, and the next one waits.
    let mut runs = Vec::new();
    while let Ok(Some(batch)) = timeout(NOTHING, stage.handed_on.recv()).await {
        let run = run_of(&batch).expect("a run");
        assert!(stage.is_active(run), "{run} is not active");
        runs.push(run);
    }
    let twice = |runs: std::ops::Range<usize>| runs.flat_map(|run| [run, run]).collect::<Vec<_>>();
    assert_eq!(runs, twice(0..ACTIVE_AT_ONCE));
    assert_eq!(stage.active(), ACTIVE_AT_ONCE);
    // The last one first: none of those that are active waits for a batch that is held up.
    for run in (0..ACTIVE_AT_ONCE).rev() {
        stage.judged.send(run).await.expect("it is heard");
    }
    while runs.len() < 2 * RUNS {
        let batch = timeout(LONG, stage.handed_on.recv()).await.expect("a batch in time").expect("a batch");
        let run = run_of(&batch).expect("a run");
        assert!(stage.is_active(run), "{run} is not active");
        if runs.last() == Some(&run) {
            stage.judged.send(run).await.expect("it is heard");
        }
        runs.push(run);
    }
    reading.await.expect("all is read");
    assert_eq!(runs, twice(0..RUNS));
    assert!(stage.world.sandbox.most_activated() <= ACTIVE_AT_ONCE);
    let (ended, left, _) = stage.end().await;
    assert!(ended.is_ok() && left == 0, "{ended:?}, {left} active");
}

#[tokio::test]
async fn what_leads_a_tenant_finds_it_active_and_the_next_ones_of_its_part_with_it() {
    let mut stage = Stage::begin();
    let (leads, _waits) = oneshot::channel();
    let first = RUNS / 2 - 3;
    stage.read.send(batch(first, Some(leads)).await).await.expect("it is wanted");
    let lead = timeout(LONG, stage.handed_on.recv()).await.expect("in time").expect("a batch");
    assert!(run_of(&lead).is_none() && stage.active() == 3, "{} active", stage.active());
    // Its own objects need nobody else; the next part begins with a window of its own.
    for (run, active) in [(first, 3), (RUNS / 2, 3 + TENANTS_A_WINDOW)] {
        stage.read.send(batch(run, None).await).await.expect("it is wanted");
        let came = timeout(LONG, stage.handed_on.recv()).await.expect("in time").expect("a batch");
        assert_eq!((run_of(&came), stage.active()), (Some(run), active));
    }
    // Whatever is left is for the end of the run.
    let (ended, left, after) = stage.end().await;
    assert!(ended.is_ok() && (left, after) == (3 + TENANTS_A_WINDOW, 0), "{ended:?}, {left} and {after} active");
}

#[tokio::test]
async fn a_stop_ends_it_while_it_waits_for_others_to_be_deactivated() {
    let mut stage = Stage::begin();
    for run in 0..ACTIVE_AT_ONCE {
        stage.read.send(batch(run, None).await).await.expect("it is wanted");
        timeout(LONG, stage.handed_on.recv()).await.expect("in time").expect("a batch");
    }
    stage.read.send(batch(ACTIVE_AT_ONCE, None).await).await.expect("it is wanted");
    assert!(timeout(NOTHING, stage.handed_on.recv()).await.is_err(), "too many would be active");
    stage.stop.cancel();
    assert!(timeout(LONG, stage.handed_on.recv()).await.expect("in time").is_none(), "nothing is handed on any more");
    stage.judged.send(0).await.expect("it is heard still");
    let (ended, left, after) = stage.end().await;
    assert!(ended.is_ok() && (left, after) == (ACTIVE_AT_ONCE, 0), "{ended:?}, {left} and {after} active");
}

#[tokio::test]
async fn a_tenant_that_may_not_be_activated_ends_it_and_its_batch_goes_nowhere() {
    let mut stage = Stage::begin();
    let no = Fault::new(Kind::status(403, "no")).on("PUT", "/v1/schema/Mt/tenants");
    stage.world.sandbox.faults().add(no);
    stage.read.send(batch(0, None).await).await.expect("it is wanted");
    assert!(timeout(LONG, stage.handed_on.recv()).await.expect("in time").is_none());
    assert!(stage.read.send(batch(0, None).await).await.is_err(), "whoever reads is told");
    let (ended, left, _) = stage.end().await;
    let error = ended.expect_err("a refusal");
    assert_eq!(error.refusal(), Some(ActivationRefusal::Key));
    assert_eq!(left, 0);
}
