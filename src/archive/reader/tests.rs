//! Damage of every kind is found, and hostile archives are refused without harm.

use std::fmt::Debug;

use super::super::testing::{CODECS, SimDisk, backup, objects, range, read_all, schema, writer};
use super::super::{Codec, Content};
use super::*;

fn whole(codec: Codec) -> (SimDisk, Arc<dyn Disk>, PathBuf) {
    let sim = SimDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let path = backup(Arc::clone(&disk), codec).expect("sealed").path;
    (sim, disk, path)
}

fn damage<T: Debug>(result: Result<T, Error>) -> (PathBuf, Damage) {
    match result {
        Err(Error::Damaged { path, what, .. }) => (path, what),
        other => panic!("not found: {other:?}"),
    }
}

/// Flips bits of a codec's archive, one at a time.
fn flip(codec: Codec, step: usize, wanted: impl Fn(&Path) -> bool) {
    let (sim, disk, path) = whole(codec);
    for file in sim.files(&path).iter().filter(|file| wanted(file)) {
        for at in (0..sim.read(file).len() * 8).step_by(step) {
            sim.edit(file, |bytes| bytes[at / 8] ^= 1 << (at % 8));
            assert!(read_all(&disk, &path).is_err(), "{codec:?} {} bit {at}", file.display());
            sim.edit(file, |bytes| bytes[at / 8] ^= 1 << (at % 8));
        }
    }
    assert!(read_all(&disk, &path).is_ok(), "{codec:?}");
}

/// Cuts a codec's archive, and takes out and doubles bytes, one at a time.
fn cut(codec: Codec, step: usize, wanted: impl Fn(&Path) -> bool) {
    let (sim, disk, path) = whole(codec);
    for file in sim.files(&path).iter().filter(|file| wanted(file)) {
        let bytes = sim.read(file);
        let refused = |changed: Vec<u8>, what: &str| {
            sim.set(file, Some(changed));
            assert!(read_all(&disk, &path).is_err(), "{codec:?} {} {what}", file.display());
        };
        for at in (0..bytes.len()).step_by(step) {
            refused(bytes[..at].to_vec(), &format!("cut at {at}"));
            refused([&bytes[..at], &bytes[at + 1..]].concat(), &format!("without {at}"));
            refused([&bytes[..=at], &bytes[at..]].concat(), &format!("with {at} twice"));
        }
        refused([&bytes[..], b"\n"].concat(), "longer");
        sim.set(file, Some(bytes));
    }
}

fn is_part(file: &Path) -> bool {
    file.to_string_lossy().contains("objects-")
}

/// T11, the sample for every commit: 17 and 8 have no common factor, so every bit of a byte is met.
#[test]
fn flipped_bits_are_found() {
    flip(Codec::None, 17, |_| true);
    for codec in [Codec::Zstd, Codec::Gzip, Codec::Lz4] {
        flip(codec, 9, is_part);
    }
}

/// T12, the sample for every commit.
#[test]
fn cuts_and_bytes_more_or_less_are_found() {
    cut(Codec::None, 7, |_| true);
    for codec in [Codec::Zstd, Codec::Gzip, Codec::Lz4] {
        cut(codec, 3, is_part);
    }
}

/// T11 and T12: every bit, length and byte of every file, about 200,000 cases.
#[test]
#[ignore = "minutes; for the nightly run: cargo test --release -- --ignored"]
fn every_flipped_bit_cut_and_byte_more_or_less_is_found() {
    for codec in CODECS {
        flip(codec, 1, |_| true);
        cut(codec, 1, |_| true);
    }
}

#[test]
fn missing_unknown_and_swapped_files_are_named() {
    let (sim, disk, path) = whole(Codec::None);
    let at = |file: &str| path.join(file);
    let (one, three) = (at("collections/Article/objects-000000.jsonl"), at("collections/Article/objects-000002.jsonl"));
    let index = at("collections/Article/index.jsonl");
    for file in sim.files(&path).iter().filter(|f| !f.ends_with("manifest.json")) {
        let bytes = sim.read(file);
        sim.set(file, None);
        assert_eq!(damage(read_all(&disk, &path)), (file.clone(), Damage::Missing));
        sim.set(file, Some(bytes));
    }
    for note in ["x", "SHA256SUMS.tmp"] {
        sim.set(&at(note), Some(b"x".to_vec()));
        read_all(&disk, &path).expect("a file beside the manifest is no damage");
        sim.set(&at(note), None);
    }
    for extra in ["collections/x", "collections/Article/objects-000009.jsonl", "collections/Article/x"] {
        sim.set(&at(extra), Some(b"x".to_vec()));
        assert_eq!(damage(read_all(&disk, &path)), (at(extra), Damage::Unknown));
        sim.set(&at(extra), None);
    }
    let (first, third) = (sim.read(&one), sim.read(&three));
    sim.set(&one, Some(third));
    sim.set(&three, Some(first));
    assert!(matches!(damage(read_all(&disk, &path)), (at, Damage::Size { .. }) if at == one));
    forge(&sim, &path, |_| {});
    assert_eq!(damage(read_all(&disk, &path)), (index, Damage::Sums("runs and parts")), "even with right hashes");
}

#[test]
fn what_is_no_archive_is_told_apart() {
    let (sim, disk, path) = whole(Codec::None);
    let open = |path: &Path| Archive::open(&disk, path).map(|_| ());
    assert!(matches!(open(Path::new("/nowhere")), Err(Error::NotFound { .. })));
    assert!(matches!(open(&path.join("manifest.json")), Err(Error::NotAnArchive { .. })));
    assert!(matches!(open(&path.join("collections")), Err(Error::NotAnArchive { .. })));
    sim.set(&path.join("manifest.json"), None);
    assert!(matches!(open(&path), Err(Error::NotAnArchive { .. })));

    let mut archive = writer(Arc::clone(&disk), Codec::None).expect("an archive");
    let mut collection = archive.collection(&schema("Article", false), Content::Full).expect("begun");
    collection.append(0, None, range(None, Some(5)), &objects([1, 2]), 0).expect("kept");
    collection.seal_parts().expect("sealed");
    assert!(matches!(open(archive.path()), Err(Error::Unsealed { parts: 1, objects: 2, .. })));
}

/// Changes the manifest (and `SHA256SUMS`) as someone would who can compute hashes.
fn forge(sim: &SimDisk, path: &Path, forge: impl FnOnce(&mut Manifest)) {
    let mut manifest = format::from_bytes(&sim.read(&path.join("manifest.json"))).expect("a manifest");
    for file in &mut manifest.files {
        let bytes = sim.read(&path.join(&file.path));
        file.bytes = bytes.len() as u64;
        file.sha256 = Hash(Sha256::digest(&bytes).into());
    }
    forge(&mut manifest);
    let sums = manifest::sums(manifest.files.iter().filter(|f| f.path != "SHA256SUMS"));
    if let Some(file) = manifest.files.iter_mut().find(|f| f.path == "SHA256SUMS") {
        file.bytes = sums.len() as u64;
        file.sha256 = Hash(Sha256::digest(&sums).into());
        sim.set(&path.join("SHA256SUMS"), Some(sums.into_bytes()));
    }
    sim.set(&path.join("manifest.json"), Some(format::to_bytes(&manifest).expect("bytes")));
}

/// Replaces a part by a single frame, and makes index and manifest agree with its new size.
fn forge_part(codec: Codec, frame: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<(), Error> {
    let sim = SimDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(sim.clone());
    let mut archive = writer(Arc::clone(&disk), codec).expect("an archive");
    let mut collection = archive.collection(&schema("Article", false), Content::Full).expect("begun");
    collection.append(0, None, range(None, None), &objects(0..20), 0).expect("kept");
    let part = collection.seal_parts().expect("sealed").remove(0);
    let closed = collection.close(None).expect("closed");
    let path = archive.seal(vec![closed], super::super::testing::facts()).expect("sealed").path;
    let folder = path.join("collections/Article");
    let bytes = frame(sim.read(&folder.join(&*part.part)));
    let index = String::from_utf8(sim.read(&folder.join("index.jsonl"))).expect("text");
    let stored = |n: usize| format!("\"stored_bytes\":{n}");
    let old = stored(usize::try_from(part.stored_bytes).expect("small"));
    assert!(index.contains(&old));
    sim.set(&folder.join("index.jsonl"), Some(index.replace(&old, &stored(bytes.len())).into_bytes()));
    sim.set(&folder.join(&*part.part), Some(bytes));
    forge(&sim, &path, |_| {});
    read_all(&disk, &path).map(|_| ())
}

#[test]
fn a_forger_is_not_helped_by_right_hashes() {
    for codec in CODECS {
        forge_part(codec, |bytes| bytes).expect("unchanged is whole");
        let cut = damage(forge_part(codec, |bytes| bytes[..bytes.len() - 1].to_vec())).1;
        assert!(matches!(cut, Damage::Frame(_) | Damage::FrameSize { .. } | Damage::Trailing), "{codec:?} {cut:?}");
        let more = damage(forge_part(codec, |bytes| [&bytes[..], b"x"].concat())).1;
        assert!(matches!(more, Damage::Trailing | Damage::FrameSize { .. }), "{codec:?} {more:?}");
        let twice = damage(forge_part(codec, |bytes| bytes.repeat(2))).1;
        assert!(matches!(twice, Damage::Trailing | Damage::FrameSize { .. }), "{codec:?} {twice:?}");
    }
}

#[test]
fn lz4_without_its_end_mark_is_refused() {
    let cut = |at: usize| damage(forge_part(Codec::Lz4, |bytes| bytes[..bytes.len() - at].to_vec())).1;
    assert_eq!(cut(8), Damage::Trailing, "end mark and checksum gone");
    assert!(matches!(cut(4), Damage::Frame(_)), "checksum gone");
}

#[test]
fn skippable_foreign_and_oversized_frames_are_refused() {
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"skip"].concat();
    for codec in [Codec::Zstd, Codec::Lz4, Codec::Gzip] {
        let before = damage(forge_part(codec, |bytes| [skippable.clone(), bytes].concat())).1;
        assert!(matches!(before, Damage::Frame(_)), "{codec:?} {before:?}");
        let after = damage(forge_part(codec, |bytes| [bytes, skippable.clone()].concat())).1;
        assert_eq!(after, Damage::Trailing, "{codec:?}");
    }
    let mut window = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    window.window_log(27).expect("128 MiB");
    let window = window.finish().expect("a frame");
    assert!(matches!(damage(forge_part(Codec::Zstd, |_| window)).1, Damage::Frame(_) | Damage::FrameSize { .. }));
    // A header that asks for 2 GiB, then an empty last block.
    let huge = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    assert!(matches!(damage(forge_part(Codec::Zstd, |_| huge)).1, Damage::Frame(_)));
}

#[test]
fn a_bomb_is_left_after_its_declared_size() {
    let bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 1).expect("a bomb");
    assert!(bomb.len() < 64 << 10);
    assert!(matches!(damage(forge_part(Codec::Zstd, |_| bomb)).1, Damage::FrameSize { .. }));
}

#[test]
fn names_in_a_manifest_are_not_trusted() {
    type Forgery = fn(&mut Manifest);
    let forgeries: [(Forgery, Damage); 15] = [
        (|m| m.files[0].path = "../x".into(), Damage::Name("../x".into())),
        (|m| m.files[0].path = "/etc/passwd".into(), Damage::Name("/etc/passwd".into())),
        (|m| m.files[0].path = "collections/Article/\0".into(), Damage::NamedTwice("aliases.json".into())),
        (|m| m.files.insert(0, m.files[0].clone()), Damage::NamedTwice("SHA256SUMS".into())),
        (|m| m.collections[0].folder = "../../etc".into(), Damage::Name("../../etc".into())),
        (|m| m.collections[0].folder = String::new(), Damage::Name(String::new())),
        (
            |m| m.collections[0].parts[0].file = "../objects-000000.jsonl".into(),
            Damage::Name("../objects-000000.jsonl".into()),
        ),
        (|m| m.codec = Codec::Zstd, Damage::Name("objects-000000.jsonl".into())),
        (|m| m.collections[0].name = "../Article".into(), Damage::Name("../Article".into())),
        (
            |m| {
                let mut other = m.collections[0].clone();
                (other.name, other.folder) = ("ARTICLE".into(), "ARTICLE".into());
                m.collections.push(other);
            },
            Damage::NamedTwice("ARTICLE".into()),
        ),
        (|m| m.collections[0].objects += 1, Damage::Sums("tenants")),
        (|m| m.collections[0].tenants[0].tenant = Some("t".into()), Damage::Sums("tenants")),
        (|m| m.collections[0].digest = None, Damage::Digest),
        (|m| m.collections[0].tenants[0].digest = Hash([7; 32]), Damage::Digest),
        (|m| m.files.retain(|f| !f.path.ends_with("objects-000000.jsonl")), Damage::Sums("collections and files")),
    ];
    for (forgery, wanted) in forgeries {
        let (sim, disk, path) = whole(Codec::None);
        forge(&sim, &path, forgery);
        assert_eq!(damage(read_all(&disk, &path)), (path.join("manifest.json"), wanted));
    }
}

#[test]
fn a_million_parts_or_numbers_beyond_all_bounds_are_refused() {
    let (sim, disk, path) = whole(Codec::None);
    forge(&sim, &path, |m| {
        m.collections[0].tenants[0].objects = u64::MAX;
        m.collections[0].parts.iter_mut().for_each(|p| p.objects = u64::MAX);
    });
    assert!(matches!(damage(read_all(&disk, &path)).1, Damage::Sums(_)));
    let (sim, disk, path) = whole(Codec::None);
    let index = path.join("collections/Article/index.jsonl");
    let text = String::from_utf8(sim.read(&index)).expect("text");
    sim.set(
        &index,
        Some(text.replacen("{\"tenant\"", &format!("{{\"x\":\"{}\",\"tenant\"", "x".repeat(5000)), 1).into()),
    );
    forge(&sim, &path, |_| {});
    assert_eq!(damage(read_all(&disk, &path)), (index.clone(), Damage::Limit { limit: INDEX_LINE_BYTES as u64 }));
    sim.set(&index, Some(text.replace("\"bytes\":", "\"bytes\":1").into()));
    forge(&sim, &path, |_| {});
    assert_eq!(damage(read_all(&disk, &path)).0, index);
    sim.set(&index, Some(text.replacen('{', "[", 1).into()));
    forge(&sim, &path, |_| {});
    let told = damage(read_all(&disk, &path));
    assert!(told.0 == index && matches!(told.1, Damage::Json(_)), "{told:?}");
    sim.set(&index, Some(text.lines().rev().fold(String::new(), |all, line| all + line + "\n").into()));
    forge(&sim, &path, |_| {});
    assert_eq!(damage(read_all(&disk, &path)), (index, Damage::Coverage));
}

#[test]
fn a_newer_format_is_named_with_the_version_that_wrote_it() {
    let (sim, disk, path) = whole(Codec::None);
    forge(&sim, &path, |m| {
        m.format.major = 2;
        m.tool.version = "9.0.0".into();
    });
    let opened = Archive::open(&disk, &path).map(|_| ());
    assert!(matches!(&opened, Err(Error::NewerFormat { major: 2, tool_version, .. }) if tool_version == "9.0.0"));
    let (sim, disk, path) = whole(Codec::None);
    forge(&sim, &path, |m| m.format.minor = 9);
    assert!(read_all(&disk, &path).is_ok(), "a newer minor version only added something");
}

#[test]
fn a_read_error_is_not_called_damage() {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0 {
                0 => Err(std::io::ErrorKind::PermissionDenied.into()),
                left => {
                    let taken = left.min(into.len());
                    into[..taken].fill(b'x');
                    self.0 -= taken;
                    Ok(taken)
                }
            }
        }
    }
    let (_, disk, path) = whole(Codec::Lz4);
    let archive = Archive::open(&disk, &path).expect("open");
    let collection = &archive.collections()[0];
    let runs = archive.runs(collection).expect("runs");
    for good in [0, 100] {
        let (file, codec) = (archive.manifest().files[0].clone(), Codec::None);
        let run = Run { bytes: 1000, stored_bytes: 1000, ..runs[0].clone() };
        let mut reader = PartReader::new(path.clone(), codec, file, vec![run], Box::new(Failing(good)));
        assert!(matches!(reader.next_line(), Err(Error::PermissionDenied { .. })));
        assert!(matches!(reader.next_line(), Err(Error::Broken { .. })), "never a false end");
    }
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_not_followed() {
    use super::super::OsDisk;
    use super::super::testing::{facts, header};
    use std::os::unix::fs::symlink;
    let temp = tempfile::tempdir().expect("a directory");
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let make = || {
        let mut archive =
            super::super::ArchiveWriter::create(Arc::clone(&disk), temp.path(), "x", Codec::None, header())
                .expect("an archive");
        let collection = archive.collection(&schema("Article", false), Content::SchemaOnly).expect("begun");
        archive.seal(vec![collection.close(None).expect("closed")], facts()).expect("sealed").path
    };
    for file in ["manifest.json", "SHA256SUMS", "collections/Article/schema.json", "collections/Article", "collections"]
    {
        let path = make();
        let (at, away) = (path.join(file), temp.path().join(format!("away{}", file.len())));
        std::fs::rename(&at, &away).expect("moved");
        symlink(&away, &at).expect("linked");
        assert_eq!(damage(read_all(&disk, &path)), (at, Damage::NotRegular), "{file}");
    }
    let path = make();
    let pipe = path.join("manifest.json");
    std::fs::remove_file(&pipe).expect("removed");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).expect("a pipe");
    assert_eq!(damage(read_all(&disk, &path)), (pipe, Damage::NotRegular));
    let path = make();
    let (link, slash) = (temp.path().join("link"), temp.path().join("link/"));
    symlink(&path, &link).expect("linked");
    for link in [link, slash] {
        assert!(matches!(Archive::open(&disk, &link), Err(Error::IsLink { .. })));
    }
    assert!(read_all(&disk, &path).is_ok());
}
