//! Has the server train the compression of a filled collection. An index with a trained quantizer that is on from the
//! start stays uncompressed until its settings are sent again, unchanged (Weaviate 1.40, `hnsw.UpdateUserConfig`); and then
//! says nothing of a training that failed.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::Collection;
use super::{RestoreGathered, RestoreRun};
use crate::event::{RestoreRemark, Untrained};
use crate::ops::schema::{self, place};
use crate::ops::{Error, SchemaDrift};
use crate::pipeline::bookkeeping::Filled;
use crate::weaviate::{CompressedShards, Error as WireError};

/// How long compression is waited for while no further shard becomes compressed.
const TRAINING_WAIT: Duration = Duration::from_secs(60);
/// Between two questions.
const TRAINING_PAUSE: Duration = Duration::from_millis(500);
/// Centroids of a product quantizer that says nothing of them.
const CENTROIDS: u64 = 256;

impl RestoreRun<'_> {
    /// Has trained compressions trained, and says what came of it. The class document stays as it is.
    pub(super) async fn train(
        &self,
        collection: &Collection,
        filled: Filled,
        gathered: &mut RestoreGathered,
    ) -> Result<(), Error> {
        let kinds = schema::trained(&collection.asked);
        if kinds.is_empty() || !collection.mode.is_created() || collection.before.over || filled.there() == 0 {
            return Ok(());
        }
        let name = &collection.planned.target;
        let entry = &self.prepared.archive.collections()[collection.at];
        let largest = entry.tenants.iter().map(|tenant| tenant.objects).max().unwrap_or(0);
        let needed = centroids(&collection.asked);
        // Shards of inactive tenants are not open, and nobody tells of them.
        let unseen = collection.tenants.inactive().len() as u64;
        let remark = match self.trained(collection).await {
            Err(error @ (Error::Interrupted | Error::Vanished { .. })) => return Err(error),
            Err(error) => {
                gathered.incomplete |= matches!(error, Error::SchemaChanged { .. });
                RestoreRemark::TrainingUnknown { kinds, error: error.to_string() }
            }
            Ok(Err(refused)) if refused.is_auth() => RestoreRemark::TrainingForbidden { kinds },
            Ok(Err(error)) => RestoreRemark::TrainingUnstarted { kinds, error: error.to_string() },
            Ok(Ok(CompressedShards { all: 0, .. })) => RestoreRemark::NoShardOpen { kinds },
            Ok(Ok(shards)) if shards.compressed == shards.all => RestoreRemark::Trained { kinds, unseen },
            Ok(Ok(CompressedShards { all, compressed, .. })) => {
                let why = match needed {
                    Some(needed) if largest < needed => Untrained::TooFewObjects { needed, largest },
                    _ => Untrained::NotOver { seconds: TRAINING_WAIT.as_secs() },
                };
                let (shards, of) = (all - compressed, all);
                RestoreRemark::Untrained { kinds, shards, of, why, unseen }
            }
        };
        gathered.remarks.push((name.clone(), remark.into()));
        Ok(())
    }

    /// Sends the settings again unless everything is compressed, and waits. The inner error is the answer to sending them.
    async fn trained(&self, collection: &Collection) -> Result<Result<CompressedShards, WireError>, Error> {
        let (access, name) = (self.access, &collection.planned.target);
        let mut shards = access.ask(access.client.compressed(name)).await?;
        if shards.compressed == shards.all {
            return Ok(Ok(shards));
        }
        let Some(before) = access.ask(access.client.schema(name)).await? else {
            return Err(Error::Vanished { collection: name.clone() });
        };
        let text = String::from_utf8_lossy(&before.text).into_owned();
        if let Err(error) = access.writer.update_collection(name, &text).await {
            // Refused since it is gone, or for another reason.
            let there = access.ask(access.client.schema(name)).await?;
            return there.map(|_| Err(error)).ok_or_else(|| Error::Vanished { collection: name.clone() });
        }
        let after = access.ask(access.client.schema(name)).await?;
        if after.is_none_or(|after| after.text != before.text) {
            let what = SchemaDrift::SettingsNotKept;
            return Err(Error::SchemaChanged { collection: name.clone(), what });
        }
        let mut moved = Instant::now();
        while shards.compressed < shards.all && moved.elapsed() < self.training_wait(collection) {
            let pause = async {
                tokio::time::sleep(TRAINING_PAUSE).await;
                Ok::<(), Error>(())
            };
            access.ask(pause).await?;
            let now = access.ask(access.client.compressed(name)).await?;
            if now.compressed > shards.compressed {
                moved = Instant::now();
            }
            shards = now;
        }
        Ok(Ok(shards))
    }

    /// No longer than it is worth: a product quantizer without enough objects is never trained.
    fn training_wait(&self, collection: &Collection) -> Duration {
        let entry = &self.prepared.archive.collections()[collection.at];
        let largest = entry.tenants.iter().map(|tenant| tenant.objects).max().unwrap_or(0);
        let hopeless = centroids(&collection.asked).is_some_and(|needed| largest < needed);
        if hopeless { TRAINING_PAUSE * 4 } else { TRAINING_WAIT }
    }
}

/// Objects that a shard needs before its product quantizers can be trained; `None` if it has none that is on.
fn centroids(schema: &crate::model::Schema) -> Option<u64> {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let of = |settings: &Value| {
        let pq = &settings["pq"];
        (pq["enabled"] == Value::Bool(true)).then(|| pq["centroids"].as_u64().filter(|n| *n > 0).unwrap_or(CENTROIDS))
    };
    let all = place::vectors(&document).into_iter().flat_map(|(_, holder)| {
        let settings = &holder["vectorIndexConfig"];
        [of(settings), of(&settings["hnsw"])]
    });
    all.flatten().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Schema;

    #[test]
    fn a_product_quantizer_needs_as_many_objects_as_it_has_centroids() {
        let of = |text: &str| centroids(&Schema::parse(text.to_owned().into()).expect("a schema"));
        assert_eq!(of(r#"{"class":"A","vectorIndexConfig":{"sq":{"enabled":true},"pq":{"enabled":false}}}"#), None);
        assert_eq!(of(r#"{"class":"A","vectorIndexConfig":{"pq":{"enabled":true,"centroids":8}}}"#), Some(8));
        let named = r#"{"class":"A","vectorConfig":{"v":{"vectorIndexConfig":{"hnsw":{"pq":{"enabled":true}}}}}}"#;
        assert_eq!(of(named), Some(CENTROIDS));
    }
}
