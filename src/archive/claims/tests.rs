//! Claims of one machine, on a disk in memory.

use super::super::testing::{Fault, SimDisk};
use super::*;
use crate::event::Op;

const LOCKS: &str = "/home/me/state/elysiactl/locks";

fn name(text: &str) -> CollectionName {
    text.parse().expect("a name")
}

fn by(pid: u32) -> Claimant {
    let started = "2026-01-02T03:04:05Z".parse().expect("a time");
    Claimant { op: Op::Restore, pid, started, server_url: "http://a:8080".into() }
}

fn take(disk: &SimDisk, server: ServerIdentity, names: &[&str]) -> Result<Claim, Error> {
    let names = names.iter().map(|text| name(text)).collect();
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Claim::take(&disk, Path::new(LOCKS), by(4711), server, names, Use::Changes)
}

/// A server at this address, with a voter that is named so.
fn at(url: &str) -> ServerIdentity {
    let voters = [format!("node1@{}", url.trim_end_matches('/').to_lowercase())].into();
    ServerIdentity { voters, ..ServerIdentity::of_url(url) }
}

fn left(disk: &SimDisk) -> Vec<PathBuf> {
    disk.files(Path::new(LOCKS)).into_iter().filter(|file| !file.ends_with(GATE)).collect()
}

#[test]
fn a_collection_of_a_server_is_held_once() {
    let disk = SimDisk::default();
    let claim = take(&disk, at("http://a:8080"), &["Article", "Author"]).expect("a claim");
    for (server, names) in [("http://A:8080/", ["ARTICLE"]), ("http://a:8080", ["author"])] {
        let refused = take(&disk, at(server), &names).expect_err("held");
        assert!(matches!(&refused, Error::Claimed(held) if held.by == by(4711)), "{refused:?}");
    }
    let said = take(&disk, at("http://a:8080"), &["Author"]).expect_err("held").to_string();
    for word in ["Author", "restore", "4711", "2026-01-02 03:04:05Z", "http://a:8080"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    take(&disk, at("http://b:8080"), &["Article"]).expect("another server");
    let others = take(&disk, at("http://a:8080"), &["Book"]).expect("another collection");
    let looked = held(&disk, Path::new(LOCKS), &at("http://a:8080"), &[name("Book"), name("Author")]);
    assert!(looked.expect("looked").is_some());
    drop((claim, others));
    assert!(left(&disk).is_empty(), "nothing stays");
    take(&disk, at("http://a:8080"), &["Article"]).expect("free again");
}

#[test]
fn what_a_run_has_made_is_known_through_any_url() {
    let disk = SimDisk::default();
    let mut claim = take(&disk, at("http://a:8080"), &["Article"]).expect("a claim");
    let by_shard = || ServerIdentity { shards: ["x1".to_owned()].into(), ..at("http://balancer") };
    take(&disk, by_shard(), &["Article"]).expect("nothing says that it is the same");
    for _ in 0..3 {
        claim.add_shards(&["x1".to_owned(), "x2".to_owned()]).expect("added");
    }
    assert!(matches!(take(&disk, by_shard(), &["Article"]), Err(Error::Claimed(_))));
    let is_claim = |file: &PathBuf| file.to_string_lossy().ends_with(CLAIM);
    let text = disk.read(&left(&disk).into_iter().find(is_claim).expect("a claim"));
    assert_eq!(text.split_inclusive(|byte| *byte == b'\n').count(), 2, "said once");
}

#[test]
fn what_killed_runs_left_is_removed() {
    let disk = SimDisk::default();
    drop(take(&disk, at("http://a:8080"), &["Other"]).expect("a claim"));
    for end in [LOCK, CLAIM] {
        disk.set(&Path::new(LOCKS).join(format!("{}{end}", Uuid::now_v7())), Some(b"torn".to_vec()));
    }
    let claim = take(&disk, at("http://a:8080"), &["Article"]).expect("a claim");
    assert_eq!(left(&disk).len(), 2, "its own");
    drop(claim);
}

#[test]
fn a_claim_that_cannot_be_written_leaves_nothing() {
    let disk = SimDisk::default();
    drop(take(&disk, at("http://a:8080"), &["Other"]).expect("a claim"));
    let failed = (0..).take_while(|step| {
        disk.fail_later(Some((*step, Fault::Error(std::io::ErrorKind::StorageFull))));
        let done = take(&disk, at("http://a:8080"), &["Article"]);
        disk.fail_later(None);
        let failed = done.is_err();
        drop(done);
        assert!(left(&disk).is_empty(), "step {step}");
        failed
    });
    assert!(failed.count() > 4);
}

#[test]
fn a_run_that_does_not_say_what_it_holds_may_hold_anything() {
    let disk = SimDisk::default();
    let claim = take(&disk, at("http://a:8080"), &["Article"]).expect("a claim");
    disk.set(&claim.files[0], Some(b"{}\n".to_vec()));
    assert!(matches!(take(&disk, at("http://b:8080"), &["Book"]), Err(Error::Locked { .. })));
}

#[test]
fn runs_that_read_keep_out_those_that_change_and_no_others() {
    let disk = SimDisk::default();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let take = |purpose| {
        let names = vec!["Article".parse().expect("a name")];
        Claim::take(&shared, Path::new(LOCKS), by(4711), at("http://a:8080"), names, purpose)
    };
    for (held, asked, refused) in [
        (Use::Reads, Use::Reads, false),
        (Use::Reads, Use::Wakes, false),
        (Use::Reads, Use::Changes, true),
        (Use::Wakes, Use::Reads, false),
        (Use::Wakes, Use::Wakes, true),
        (Use::Wakes, Use::Changes, true),
        (Use::Changes, Use::Reads, true),
        (Use::Changes, Use::Wakes, true),
        (Use::Changes, Use::Changes, true),
    ] {
        let _held = take(held).expect("free");
        let second = take(asked);
        assert_eq!(matches!(second, Err(Error::Claimed(_))), refused, "{held:?} {asked:?}: {second:?}");
    }
}
