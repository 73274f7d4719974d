//! Aliases against the server's reader: those that are taken say to it what they say to us.
#![no_main]

use elysiactl::model::fold;
use elysiactl_fuzz::go::{self, Kind};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 4] = ["aliases", "alias", "class", "A"];

fuzz_target!(|data: &[u8]| {
    let text = elysiactl_fuzz::document(data, &NAMES);
    if fold::check(&text, &fold::ALIASES, 1_000).is_err() {
        return;
    }
    if let Some(seen) = go::read(Kind::Aliases, &text) {
        seen.is(&text);
    }
});
