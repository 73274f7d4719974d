//! `pipeline::split::line` against serde_json.
#![no_main]

use bytes::Bytes;
use elysiactl::model::CollectionName;
use elysiactl::pipeline::split;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let collection: CollectionName = "A".parse().expect("a name");
    let Ok(object) = split::line(&Bytes::copy_from_slice(data), &collection) else { return };
    assert_eq!(&object.text[..], data);
    assert!(!data.contains(&b'\n'));
    elysiactl_fuzz::same(&object);
});
