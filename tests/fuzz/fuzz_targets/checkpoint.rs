//! The journal: the first byte says whether each line gets a right checksum.
#![no_main]

use std::path::Path;

use elysiactl::archive::Checkpoint;
use libfuzzer_sys::fuzz_target;

fn checked(record: &[u8]) -> Vec<u8> {
    let digits = &blake3::hash(record).to_hex()[..16];
    [format!("{{\"check\":\"{digits}\",\"record\":").as_bytes(), record, b"}\n"].concat()
}

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    let journal: Vec<u8> =
        if which % 2 == 0 { data.to_vec() } else { data.split(|b| *b == b'\n').flat_map(checked).collect() };
    let Ok(read) = Checkpoint::read(journal.as_slice(), Path::new("journal")) else { return };
    let torn = [&journal[..], b"{\"check\":\"torn"].concat();
    if journal.ends_with(b"\n") && !read.torn {
        let again = Checkpoint::read(torn.as_slice(), Path::new("journal")).expect("a torn tail is no damage");
        assert_eq!((again.parts(), again.objects(), again.torn), (read.parts(), read.objects(), true));
    }
});
