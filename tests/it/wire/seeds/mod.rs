//! Mixes of faults drawn from a seed, through a life of a collection: backed up, compared, restored, compared, cleared.
//! Every run ends whole, or says honestly that it did not; and once the faults are gone, the same run ends whole
//!.
//!
//! A few seeds on every commit. One seed, as a failure prints it, or many:
//!
//! ```text
//! ELYSIACTL_TEST_SEED=17 cargo test --test it seeds
//! ELYSIACTL_TEST_SEEDS=1000 cargo test --test it seeds
//! ```

mod life;
mod mix;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::life::Tally;
use self::mix::Mix;
use crate::support::tier;

/// Seeds on every commit, by night, before a release.
const SEEDS: [u64; 3] = [40, 1_000, 20_000];
/// Lives lived side by side: most of their time is waiting.
const AT_ONCE: usize = 6;
/// Of so many runs at least one in so many must have been hit, and as many must have come through.
const HIT_AND_WHOLE: u64 = 20;

/// One life; what went wrong in it, with the command that shows it again.
fn live(seed: u64) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let lived = catch_unwind(AssertUnwindSafe(|| runtime.block_on(life::of(&Mix::of(seed)))));
    lived.map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        format!("ELYSIACTL_TEST_SEED={seed} cargo test --test it seeds\n{:?}\n{said}\n", Mix::of(seed))
    })
}

#[test]
fn mixes_of_faults_end_whole_or_honest() {
    let seeds = match tier::seed() {
        Some(seed) => seed..seed + 1,
        None => 0..tier::amount("ELYSIACTL_TEST_SEEDS", SEEDS),
    };
    let (next, wrong, all) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    match live(seed) {
                        Ok(tally) => all.lock().expect("no panic").add(tally),
                        Err(said) => wrong.lock().expect("no panic").push(said),
                    }
                }
            });
        }
    });
    let (wrong, all) = (wrong.into_inner().expect("no panic"), all.into_inner().expect("no panic"));
    let count = seeds.end - seeds.start;
    assert!(wrong.is_empty(), "{} of {count} seeds:\n{}", wrong.len(), wrong.join("\n"));
    // Otherwise nothing was tried.
    let least = all.runs / HIT_AND_WHOLE;
    assert!(count < SEEDS[0] || (all.hit > least && all.whole > least && all.stopped > 0), "{all:?}");
    tier::said(&format!("{count} seeds: {all:?}"));
}
