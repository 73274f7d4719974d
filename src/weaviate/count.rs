//! How many objects collections hold: many in one GraphQL question, or one by one where GraphQL is closed.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::Error;
use super::ask::Ask;
use super::body::Shape;
use super::client::Client;
use crate::model::{CollectionName, TenantName};

/// Collections or tenants in one question.
const SUBJECTS_MAX: usize = 100;
/// Longest answer to a question about counts, decoded: a hundred numbers, or a hundred errors.
const COUNT_BYTES_MAX: u64 = 1024 * 1024;
/// Questions about tenants in flight.
const TENANT_QUESTIONS_AT_ONCE: usize = 4;
/// Longest time for one attempt: with a node away the server hangs for a minute.
const COUNT_TIMEOUT: Duration = Duration::from_secs(15);

/// The number of objects in a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// Exact at the moment of asking, as far as every shard answered: ask the topology too.
    Exact(u64),
    /// It could not be found out.
    Unknown {
        /// Why, in few words.
        reason: String,
    },
}

impl std::iter::Sum for Count {
    /// All of them together; unknown if one of them is.
    fn sum<I: Iterator<Item = Self>>(mut counts: I) -> Self {
        counts
            .try_fold(0, |all, count| count.exact().map(|objects| all + objects).ok_or(count))
            .map_or_else(|count| count, Self::Exact)
    }
}

impl Count {
    /// An answer that holds no number.
    #[must_use]
    pub fn not_given() -> Self {
        Self::Unknown { reason: "no count in the answer".to_owned() }
    }

    /// The number, if it is known.
    #[must_use]
    pub fn exact(&self) -> Option<u64> {
        match self {
            Self::Exact(objects) => Some(*objects),
            Self::Unknown { .. } => None,
        }
    }
}

/// What one GraphQL question gave.
enum Round {
    /// A count for each subject.
    Counts(Vec<Count>),
    /// The question as a whole was refused, for instance since one collection is gone.
    Refused,
    /// Nobody may ask GraphQL here.
    Closed,
}

/// What is counted: a plain collection, or one tenant of a multi-tenant one.
#[derive(Debug, Clone, Copy)]
struct Subject<'a> {
    collection: &'a CollectionName,
    tenant: Option<&'a TenantName>,
}

fn whole(collection: &CollectionName) -> Subject<'_> {
    Subject { collection, tenant: None }
}

fn query(subjects: &[Subject<'_>]) -> String {
    let mut query = String::from("{Aggregate{");
    for (n, Subject { collection, tenant }) in subjects.iter().enumerate() {
        // Names hold nothing that GraphQL would have to have escaped.
        let _ = match tenant {
            Some(tenant) => write!(query, "c{n}:{collection}(tenant:\"{tenant}\"){{meta{{count}}}}"),
            None => write!(query, "c{n}:{collection}{{meta{{count}}}}"),
        };
    }
    query.push_str("}}");
    json!({ "query": query }).to_string()
}

/// A name that GraphQL can say: not one behind a namespace.
fn can_say(name: &CollectionName) -> bool {
    !name.as_str().contains(':')
}

impl Client {
    /// Counts each collection, in the order given. What one collection lacks (gone, multi-tenant, not allowed) makes
    /// its count unknown; an error means that the server did not answer.
    pub async fn counts(&self, names: &[CollectionName]) -> Result<Vec<Count>, Error> {
        let sayable: Vec<CollectionName> = names.iter().filter(|name| can_say(name)).cloned().collect();
        let (mut found, mut open) = (HashMap::new(), true);
        for chunk in sayable.chunks(SUBJECTS_MAX) {
            if !open {
                break;
            }
            match self.aggregate(&chunk.iter().map(whole).collect::<Vec<_>>()).await? {
                Round::Counts(counts) => found.extend(chunk.iter().cloned().zip(counts)),
                Round::Refused => found.extend(self.aggregate_each(chunk).await?),
                Round::Closed => open = false,
            }
        }
        let mut counts = Vec::with_capacity(names.len());
        for name in names {
            counts.push(match found.get(name) {
                Some(count) => count.clone(),
                None => self.matches(whole(name)).await?,
            });
        }
        Ok(counts)
    }

    /// Counts tenants of one collection, in the order given, 100 in one question and a few questions at once. A tenant that
    /// is not active, or on a node that is away for good, is unknown. Where GraphQL is closed, the tenants of a question
    /// are counted one by one until the first that cannot be: whoever may not count one may count none.
    pub async fn tenant_counts(
        &self,
        collection: &CollectionName,
        tenants: &[TenantName],
    ) -> Result<Vec<Count>, Error> {
        let ask = |tenants: Vec<TenantName>| async move { self.some_tenant_counts(collection, &tenants).await };
        // Owned, since the futures outlive the closure that makes them.
        let questions: Vec<Vec<TenantName>> = tenants.chunks(SUBJECTS_MAX).map(<[TenantName]>::to_vec).collect();
        let answers = stream::iter(questions).map(ask).buffered(TENANT_QUESTIONS_AT_ONCE);
        Ok(answers.try_collect::<Vec<_>>().await?.concat())
    }

    /// Counts as many tenants as one question holds.
    async fn some_tenant_counts(
        &self,
        collection: &CollectionName,
        tenants: &[TenantName],
    ) -> Result<Vec<Count>, Error> {
        let subjects: Vec<_> = tenants.iter().map(|tenant| Subject { collection, tenant: Some(tenant) }).collect();
        let round = if can_say(collection) { self.aggregate(&subjects).await? } else { Round::Closed };
        if let Round::Counts(found) = round {
            return Ok(found);
        }
        let mut counts: Vec<Count> = Vec::with_capacity(tenants.len());
        for subject in subjects {
            counts.push(match counts.last() {
                Some(unknown @ Count::Unknown { .. }) => unknown.clone(),
                _ => self.matches(subject).await?,
            });
        }
        Ok(counts)
    }

    /// Asks about each collection alone; those that GraphQL refuses are left out.
    async fn aggregate_each(&self, names: &[CollectionName]) -> Result<Vec<(CollectionName, Count)>, Error> {
        let mut found = Vec::new();
        for name in names {
            if let Round::Counts(counts) = self.aggregate(&[whole(name)]).await? {
                found.extend(counts.into_iter().map(|count| (name.clone(), count)));
            }
        }
        Ok(found)
    }

    async fn aggregate(&self, subjects: &[Subject<'_>]) -> Result<Round, Error> {
        let ask = self.counting(Ask::with_body(Method::POST, "/v1/graphql", query(subjects)));
        let ask = Ask { shape: Shape::GraphQl, ..ask };
        let body = match self.fetch(&ask).await {
            Err(Error::Forbidden { .. } | Error::NotFound { .. } | Error::Rejected { .. } | Error::Lasting { .. }) => {
                return Ok(Round::Closed);
            }
            other => other?,
        };
        let reply: Value = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not valid JSON"))?;
        Ok(self.read_counts(&reply, subjects.len()))
    }

    fn read_counts(&self, reply: &Value, subjects: usize) -> Round {
        let found = &reply["data"]["Aggregate"];
        if !found.is_object() {
            return Round::Refused;
        }
        let count = |n: usize| {
            let alias = format!("c{n}");
            match found[alias.as_str()][0]["meta"]["count"].as_u64() {
                Some(count) => Count::Exact(count),
                None => Count::Unknown { reason: self.complaint(reply, &alias) },
            }
        };
        Round::Counts((0..subjects).map(count).collect())
    }

    /// What GraphQL says about one of the aliases.
    fn complaint(&self, reply: &Value, alias: &str) -> String {
        let errors = reply["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        let about = |e: &&Value| e["path"].as_array().is_some_and(|path| path.iter().any(|step| step == alias));
        let words = errors.iter().find(about).and_then(|e| e["message"].as_str());
        self.safe(words.unwrap_or("no count in the answer"))
    }

    /// Objects that at least one replica holds, by a dry-run delete, which deletes nothing. More than the count means that
    /// replicas differ. Unknown where the key may not delete.
    pub async fn on_any_replica(&self, name: &CollectionName) -> Result<Count, Error> {
        self.matches(whole(name)).await
    }

    /// Counts by a dry-run delete, the only other exact way: it deletes nothing, but needs the right to delete.
    async fn matches(&self, subject: Subject<'_>) -> Result<Count, Error> {
        let Subject { collection, tenant } = subject;
        let filter = json!({"path": ["id"], "operator": "Like", "valueText": "*"});
        let body = json!({"match": {"class": collection, "where": filter}, "dryRun": true, "output": "minimal"});
        let mut ask = self.counting(Ask::with_body(Method::DELETE, "/v1/batch/objects", body.to_string()));
        if let Some(tenant) = tenant {
            ask.path = format!("{}?tenant={tenant}", ask.path);
        }
        let body = match self.fetch(&ask).await {
            Err(
                Error::Forbidden { message, .. }
                | Error::NotFound { message, .. }
                | Error::Rejected { message, .. }
                | Error::Lasting { message, .. },
            ) => {
                return Ok(Count::Unknown { reason: message });
            }
            other => other?,
        };
        let reply: Value = serde_json::from_slice(&body).map_err(|_| ask.bad_answer("not valid JSON"))?;
        match (reply["dryRun"].as_bool(), reply["results"]["matches"].as_u64()) {
            (Some(true), Some(matches)) => Ok(Count::Exact(matches)),
            _ => Err(ask.bad_answer("no dry run in the answer")),
        }
    }

    fn counting(&self, ask: Ask) -> Ask {
        Ask { timeout: Some(COUNT_TIMEOUT), max_bytes: COUNT_BYTES_MAX, attempts: self.policy().count_attempts, ..ask }
    }
}
