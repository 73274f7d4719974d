//! Small sealed archives in memory, and their manifests with a right checksum whatever they say.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use elysiactl::archive::digest::Hash;
use elysiactl::archive::manifest::{TopologyRecord, TopologyState};
use elysiactl::archive::{Archive, ArchiveWriter, Codec, Content, Disk, Manifest, RunHeader, SealFacts};
use elysiactl::model::{KeyRange, ObjectId, Schema};
use elysiactl::pipeline::split;
use sha2::{Digest, Sha256};

use crate::Memory;

/// Every codec.
pub const CODECS: [Codec; 4] = [Codec::None, Codec::Zstd, Codec::Gzip, Codec::Lz4];

/// A sealed archive of one collection with two runs in one part.
#[derive(Clone)]
pub struct Sealed {
    /// The disk it lies on.
    pub memory: Memory,
    /// Its directory.
    pub path: PathBuf,
    /// Its manifest as it was sealed.
    pub manifest: Manifest,
}

/// Makes one.
#[must_use]
pub fn sealed(codec: Codec) -> Sealed {
    let memory = Memory::default();
    memory.create_dir(Path::new("/m")).expect("a folder");
    let disk: Arc<dyn Disk> = Arc::new(memory.clone());
    let schema = Schema::parse(Bytes::from_static(br#"{"class":"Article","properties":[]}"#)).expect("a schema");
    let header = RunHeader {
        run_id: uuid::Uuid::nil(),
        started: jiff::Timestamp::UNIX_EPOCH,
        source_url: "http://localhost".into(),
        server_version: "1.40.0".into(),
        collections: vec![schema.name.clone()],
        options: serde_json::Map::new(),
        server_time_ms: None,
    };
    let mut writer = ArchiveWriter::create(disk, Path::new("/m"), "Article", codec, header).expect("an archive");
    let mut collection = writer.collection(&schema, Content::Full).expect("a collection");
    for (lane, (from, to), ids) in [(0, (None, Some(9)), 1..10u128), (1, (Some(9), None), 10..15)] {
        let covers = KeyRange { from: from.map(ObjectId), to: to.map(ObjectId) };
        let object = |n: u128| {
            let id = ObjectId(n);
            let text = format!(r#"{{"class":"Article","id":"{id}","properties":{{"n":{n}}},"vector":[0.5,{n}]}}"#);
            split::line(&Bytes::from(text), &schema.name).expect("an object")
        };
        collection.append(lane, None, covers, &ids.map(object).collect::<Vec<_>>(), 0).expect("kept");
    }
    collection.seal_parts().expect("sealed");
    let topology = TopologyRecord { state: TopologyState::Whole, reason: None, nodes: Vec::new(), missing: Vec::new() };
    let facts = SealFacts {
        sealed: jiff::Timestamp::UNIX_EPOCH,
        topology,
        limits: Vec::new(),
        skipped: Vec::new(),
        incomplete: Vec::new(),
    };
    let sealed = writer.seal(vec![collection.close(None).expect("closed")], facts).expect("sealed");
    Sealed { memory, path: sealed.path, manifest: sealed.manifest }
}

impl Sealed {
    /// A copy to tamper with.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { memory: self.memory.copy(), ..self.clone() }
    }

    /// Puts a file, and makes the manifest agree with its size and hash.
    pub fn put(&mut self, file: &str, bytes: Vec<u8>) {
        if let Some(entry) = self.manifest.files.iter_mut().find(|entry| entry.path == file) {
            entry.bytes = bytes.len() as u64;
            entry.sha256 = Hash(Sha256::digest(&bytes).into());
        }
        self.memory.set(&self.path.join(file), bytes);
    }

    /// Writes the manifest as it is now.
    pub fn seal(&self) {
        let mut body = serde_json::to_vec(&self.manifest).expect("JSON");
        body.pop();
        body.push(b',');
        self.seal_as(body);
    }

    /// Writes these bytes, which should end in a comma, as the manifest, with a right checksum behind them.
    pub fn seal_as(&self, mut body: Vec<u8>) {
        let hash = Hash(Sha256::digest(&body).into());
        body.extend_from_slice(format!("\"self_sha256\":\"{hash}\"}}\n").as_bytes());
        self.memory.set(&self.path.join("manifest.json"), body);
    }

    /// Opens it.
    pub fn open(&self) -> Result<Archive, elysiactl::archive::Error> {
        let disk: Arc<dyn Disk> = Arc::new(self.memory.clone());
        Archive::open(&disk, &self.path)
    }
}
