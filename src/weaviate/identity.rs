//! Which server it is: the same answer through any node, any name of it, and any proxy.

use std::collections::BTreeSet;

use super::ask::Ask;
use super::client::Client;
use super::topology::{Shard, Statistics};
use super::{Error, said};
use crate::model::{CollectionName, ServerIdentity};

impl Client {
    /// What tells this server from others; `shards`: names of shards of its collections that are known, `lasting` the
    /// collections whose shards are asked for as well, which the run in question is not about.
    pub async fn identity(&self, shards: &[String], lasting: &[CollectionName]) -> Result<ServerIdentity, Error> {
        let mut identity = ServerIdentity {
            voters: self.voters().await?,
            shards: shards.iter().cloned().collect(),
            ..ServerIdentity::of_url(self.url())
        };
        for collection in lasting {
            let names = self.shard_names(collection).await?;
            identity.lasting_shards += names.len();
            identity.shards.extend(names);
        }
        Ok(identity)
    }

    /// The voters of the cluster, each as `id@address`; none where the key may not ask, or the version cannot be asked.
    async fn voters(&self) -> Result<BTreeSet<String>, Error> {
        let ask = Ask::get("/v1/cluster/statistics");
        let Some(body) = self.open_question(&ask).await? else { return Ok(BTreeSet::new()) };
        let answer: Statistics =
            serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not the statistics of a cluster"))?;
        let rafts = answer.statistics.iter().flatten().filter_map(|one| one.raft.as_ref());
        let voters = rafts.flat_map(|raft| raft.latest_configuration.iter().flatten());
        let named = voters.map(|voter| format!("{}@{}", voter.id, voter.address.as_deref().unwrap_or_default()));
        Ok(named.map(|voter| said::harmless(&voter)).collect())
    }

    /// The names of the shards of a plain collection; none where that cannot be asked, or it is gone.
    async fn shard_names(&self, collection: &CollectionName) -> Result<BTreeSet<String>, Error> {
        let ask = Ask::get(format!("/v1/schema/{collection}/shards"));
        let Some(body) = self.open_question(&ask).await? else { return Ok(BTreeSet::new()) };
        let shards: Vec<Shard> = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not a list of shards"))?;
        Ok(shards.into_iter().map(|shard| said::harmless(&shard.name)).collect())
    }

    /// The answer to a question that not every key may ask, and not every version has an answer to.
    async fn open_question(&self, ask: &Ask) -> Result<Option<bytes::Bytes>, Error> {
        match self.fetch(ask).await {
            Ok(body) => Ok(Some(body)),
            Err(error) if error.is_auth() || error.is_missing_route() => Ok(None),
            Err(error) if matches!(error.status(), Some(404 | 405 | 501)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
