//! What a seed means: which faults, how often, and how the runs are done.

use std::time::Duration;

use sandbox::{Fault, Kind, PageFault, Sandbox};

/// Rates of all faults together, in thousandths of the requests.
const RATE: [u64; 2] = [10, 200];
/// How rare a fault is that ends a run at once, in thousandths of the requests.
const FINAL_RATE: u64 = 4;

/// Numbers from a seed (splitmix64).
pub(super) struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// One of the numbers from `least` to `most`.
    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    fn small(&mut self, least: u32, most: u32) -> u32 {
        u32::try_from(self.between(least.into(), most.into())).expect("small")
    }

    fn takes<T>(&mut self, from: &mut Vec<T>) -> T {
        let at = self.between(0, from.len() as u64 - 1);
        from.swap_remove(usize::try_from(at).expect("small"))
    }
}

/// A kind of fault, in so many thousandths of the requests.
type Rated = (Kind, u64);

#[derive(Debug)]
pub(super) struct Mix {
    pub(super) seed: u64,
    pub(super) objects: u64,
    pub(super) jobs: usize,
    /// Objects of a page or a batch; `None`: as the pacer likes.
    pub(super) at_once: Option<u32>,
    pub(super) version: &'static str,
    /// Whether a clear drops the collection.
    pub(super) drops: bool,
    pub(super) faults: Vec<Rated>,
}

impl Mix {
    pub(super) fn of(seed: u64) -> Self {
        let mut draws = Draws(seed);
        let (objects, jobs) = (draws.between(30, 400), draws.small(1, 8) as usize);
        let at_once = (draws.between(0, 3) > 0).then(|| draws.small(5, 80));
        let version = draws.takes(&mut vec!["1.24", "1.32", "1.40"]);
        let drops = draws.between(0, 1) == 0;
        let rate = draws.between(RATE[0], RATE[1]);
        let (mut known, mut faults) = (passing(&mut draws), Vec::new());
        let kinds = draws.between(1, 6);
        for _ in 0..kinds {
            faults.push((draws.takes(&mut known), rate.div_ceil(kinds)));
        }
        if draws.between(0, 3) == 0 {
            faults.push((draws.takes(&mut lasting()), FINAL_RATE));
        }
        Self { seed, objects, jobs, at_once, version, drops, faults }
    }

    /// Switches the faults on; `stage` has other requests be hit at each run.
    pub(super) fn switch_on(&self, sandbox: &Sandbox, stage: u64) {
        let faults = sandbox.faults();
        faults.seed(self.seed.wrapping_mul(31).wrapping_add(stage));
        for (kind, per_mille) in &self.faults {
            faults.add(Fault::new(kind.clone()).chance(*per_mille));
        }
    }
}

/// What may pass.
fn passing(draws: &mut Draws) -> Vec<Kind> {
    let mut cut = || usize::try_from(draws.between(0, 600)).expect("small");
    let mut kinds = vec![
        Kind::Cut(cut()),
        Kind::CutCloseDelimited(cut()),
        Kind::Stall(cut(), Duration::from_secs(20)),
        Kind::too_many("0"),
        Kind::too_many("1"),
        Kind::status(500, "oops"),
        Kind::bad_gateway(),
        Kind::status(503, ""),
        Kind::status(504, ""),
        Kind::AppliedThen { status: 504, body: String::new() },
        Kind::AppliedThen { status: 500, body: "oops".into() },
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::LandsLate(Duration::from_millis(3)),
        Kind::Delay(Duration::from_millis(15)),
        Kind::Drip(64, Duration::from_millis(1)),
        Kind::EmptyBody,
        Kind::Garbage("}}".into()),
        Kind::ErrorIn200("busy".into()),
        Kind::GzipBomb(12),
        Kind::KeepResults(0),
        Kind::KeepResults(3),
        Kind::FailObjects(1, "store is read-only".into()),
        Kind::FailObjects(7, "oops".into()),
    ];
    let pages = [
        PageFault::Repeat,
        PageFault::Backwards,
        PageFault::Skip,
        PageFault::WrongClass,
        PageFault::Duplicate,
        PageFault::TooMany,
        PageFault::Empty,
    ];
    kinds.extend(pages.map(Kind::Page));
    kinds
}

/// What ends a run at once.
fn lasting() -> Vec<Kind> {
    vec![
        Kind::status(401, r#"{"code":401,"message":"expired"}"#),
        Kind::status(403, r#"{"error":[{"message":"forbidden"}]}"#),
        Kind::status(413, "<html>too large</html>"),
        Kind::status(422, r#"{"error":[{"message":"no"}]}"#),
        Kind::redirect("http://elsewhere.invalid/"),
    ]
}
