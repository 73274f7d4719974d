//! The manifest's bytes: canonical, self-checked, and read back as they were.

use proptest::prelude::*;
use serde_json::Value;

use super::super::super::Codec;
use super::super::super::manifest::{
    Consistency, Counts, Incomplete, Limit, LimitKind, ReadMode, TopologyRecord, TopologyState,
};
use super::super::super::testing::{SimDisk, backup};
use super::*;

fn manifest() -> Manifest {
    backup(std::sync::Arc::new(SimDisk::default()), Codec::None).expect("sealed").manifest
}

#[test]
fn the_last_member_is_the_checksum_of_everything_before_it() {
    use sha2::{Digest, Sha256};
    let bytes = to_bytes(&manifest()).expect("bytes");
    let text = std::str::from_utf8(&bytes).expect("text");
    let key = text.rfind("\"self_sha256\"").expect("the key");
    let hash = Hash(Sha256::digest(&bytes[..key]).into());
    assert_eq!(&text[key..], format!("\"self_sha256\":\"{hash}\"}}\n"));
    let upper = text.replace(&hash.to_string(), &hash.to_string().to_uppercase());
    assert_eq!(from_bytes(upper.as_bytes()), Err(Refused::Damaged(Damage::ManifestEnd)));
    for bad in [&text[..text.len() - 1], &format!("{text}\n"), "", "{}\n"] {
        assert_eq!(from_bytes(bad.as_bytes()), Err(Refused::Damaged(Damage::ManifestEnd)));
    }
    let changed = text.replacen("1.32.0", "1.33.0", 1);
    assert_eq!(from_bytes(changed.as_bytes()), Err(Refused::Damaged(Damage::ManifestHash)));
}

#[test]
fn a_manifest_looks_as_documented() {
    let mut value: Value = serde_json::from_slice(&to_bytes(&manifest()).expect("bytes")).expect("json");
    let keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(
        keys.join(" "),
        "format tool run_id source started sealed options codec collections limits skipped incomplete files self_sha256"
    );
    let collection = value["collections"][0].take();
    let keys: Vec<_> = collection.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(
        keys.join(" "),
        "name folder multi_tenant replicas content objects bytes digest tenants vectors parts counts consistency \
         schema_changed"
    );
    assert_eq!(
        (value["started"].as_str(), collection["content"].as_str()),
        (Some("2026-11-23T04:12:00Z"), Some("full"))
    );
}

proptest! {
    #[test]
    fn what_is_sealed_is_read_back(
        url in ".{0,40}", reason in proptest::option::of(".{0,40}"), nodes in proptest::collection::vec(".{0,9}", 0..4),
        options in proptest::collection::btree_map(".{0,9}", ".{0,9}", 0..4), count in any::<Option<u64>>(),
        id in ".{0,9}", inserted in any::<Option<u64>>(), mismatch in any::<bool>(),
    ) {
        let mut manifest = manifest();
        manifest.source.url = url;
        manifest.source.topology = TopologyRecord { state: TopologyState::Unchecked, reason: reason.clone(), missing: nodes.clone(), nodes };
        manifest.options = options.into_iter().map(|(k, v)| (k, Value::from(v))).collect();
        manifest.collections[0].counts = Counts { before: count, after: inserted };
        manifest.collections[0].consistency =
            Consistency { mode: ReadMode::Frozen, inserted, count_mismatch: mismatch, ..Consistency::default() };
        let first_ids = vec![id.clone()];
        manifest.limits =
            vec![Limit { kind: LimitKind::Integers, collection: reason, properties: vec![], objects: count, first_ids }];
        manifest.incomplete = vec![Incomplete { collection: id.clone(), tenant: None, id }];
        prop_assert_eq!(from_bytes(&to_bytes(&manifest).expect("bytes")), Ok(manifest));
    }

    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(from_bytes(&bytes).is_err());
    }
}
