//! How much of the long tests is run: a part on every commit, all of it by night (`ELYSIACTL_TEST_TIER=night`), and ten
//! times as much and more before a release (`ELYSIACTL_TEST_TIER=release`). `tests/long` runs all that a tier has.

use std::str::FromStr;

/// In the order of what they take: minutes, an hour or two, a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Commit,
    Night,
    Release,
}

/// What a variable of the environment says. Panics over what cannot be read: a long run of the wrong thing is a pity.
fn read<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} says nothing")))
}

fn asked() -> Tier {
    match read::<String>("ELYSIACTL_TEST_TIER").as_deref() {
        None | Some("commit") => Tier::Commit,
        Some("night") => Tier::Night,
        Some("release") => Tier::Release,
        Some(other) => panic!("ELYSIACTL_TEST_TIER={other}: there are commit, night and release"),
    }
}

/// Whether all of a table, or of the places in a file, is gone through, and not only a part of it.
pub(crate) fn is_all() -> bool {
    asked() >= Tier::Night
}

/// How many: on every commit, by night, before a release. `variable` overrides all three.
pub(crate) fn amount(variable: &str, of: [u64; 3]) -> u64 {
    read(variable).unwrap_or(of[asked() as usize])
}

/// So many steps at a time on every commit, one by one otherwise.
pub(crate) fn step(usual: usize) -> usize {
    if is_all() { 1 } else { usual }
}

/// The one seed that `ELYSIACTL_TEST_SEED` names.
pub(crate) fn seed() -> Option<u64> {
    read("ELYSIACTL_TEST_SEED")
}

/// Tells whoever runs a long test with `--show-output` how much it did.
#[expect(clippy::print_stderr, reason = "for a person")]
pub(crate) fn said(text: &str) {
    eprintln!("{text}");
}
