//! `pipeline::split::page` against serde_json.
#![no_main]

use bytes::Bytes;
use elysiactl::model::CollectionName;
use elysiactl::pipeline::split::{self, Expected};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const LIMIT: u32 = 1_000;

fuzz_target!(|data: &[u8]| {
    let collection: CollectionName = "A".parse().expect("a name");
    let body = Bytes::copy_from_slice(data);
    let Ok(objects) = split::page(&body, Expected { collection: &collection, after: None, limit: LIMIT }) else {
        return;
    };
    assert!(objects.is_sorted_by(|a, b| a.id < b.id) && objects.len() <= LIMIT as usize);
    objects.iter().for_each(elysiactl_fuzz::same);
    if let Ok(parsed) = serde_json::from_slice::<Value>(data)
        && !data.contains(&b'\\')
    {
        let empty = Vec::new();
        let listed = parsed["objects"].as_array().unwrap_or(&empty);
        assert_eq!(listed.len(), objects.len());
        for (theirs, ours) in listed.iter().zip(&objects) {
            assert_eq!(*theirs, serde_json::from_slice::<Value>(&ours.text).expect("an object"));
        }
    }
});
