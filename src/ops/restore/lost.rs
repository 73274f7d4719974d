//! Collections that somebody removed while they were restored: what stands under their names by now.

use std::fmt;
use std::time::Duration;

use tokio::time::timeout;

use crate::event::Class;
use crate::model::{CollectionName, Schema, counted};
use crate::ops::Error;
use crate::ops::schema::is_by_auto_schema;
use crate::weaviate::{Client, Error as WireError};

/// How long one collection is looked at: the run has failed, and is to say so soon.
const LOOK: Duration = Duration::from_secs(3);

/// A collection that was removed while it was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its name on the server.
    pub collection: CollectionName,
    /// Objects that the server said it had stored under that name, before the removal and after it.
    pub written: u64,
    /// What stands under the name now; `None`: nothing.
    pub there: Option<Instead>,
}

/// A collection that stands where another one was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instead {
    /// Its objects; `None` if they cannot be counted.
    pub objects: Option<u64>,
    /// Created by auto-schema, from objects that came for the one that was removed.
    pub by_auto_schema: bool,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collection, written, there } = self;
        write!(f, "{collection} was removed while it was restored")?;
        let Some(Instead { objects, by_auto_schema }) = there else {
            return write!(f, ", with what was written to it ({}); it is not there now", counted(*written, "object"));
        };
        let whose = if *by_auto_schema {
            "was created by auto-schema from objects that came after that, without the archive's schema"
        } else {
            "is another one, which this run did not create"
        };
        let objects = objects.map_or_else(|| "an unknown number of objects".to_owned(), |n| counted(n, "object"));
        let written = counted(*written, "object");
        write!(f, "; the {collection} that is there now {whose}: it has {objects}, and {written} were written in all")
    }
}

/// A collection that this run has created, or added tenants to, and is at work on.
pub(super) struct Underway<'a> {
    pub(super) name: &'a CollectionName,
    /// As it was when the objects were begun.
    pub(super) schema: &'a Schema,
    /// The names of its shards then; none of a multi-tenant one.
    pub(super) shards: &'a [String],
    pub(super) written: u64,
}

impl Underway<'_> {
    /// What became of it, if it is not there any more.
    async fn lost(&self, client: &Client) -> Result<Option<Lost>, WireError> {
        let lost = |there| Lost { collection: self.name.clone(), written: self.written, there };
        let Some(now) = client.schema(self.name).await?.filter(|now| now.name == *self.name) else {
            return Ok(Some(lost(None)));
        };
        if !is_other(self.schema, &now) {
            let shards = if now.multi_tenant { Vec::new() } else { client.shard_states(self.name).await? };
            let known = shards.iter().any(|shard| self.shards.contains(&shard.name));
            if known || shards.is_empty() || self.shards.is_empty() {
                return Ok(None);
            }
        }
        let by_auto_schema = is_by_auto_schema(&now);
        // Auto-schema creates no collection with tenants, and of others only all tenants together would tell.
        let counted = if now.multi_tenant { None } else { client.counts(std::slice::from_ref(self.name)).await?.pop() };
        let objects = counted.and_then(|count| count.exact());
        Ok(Some(lost(Some(Instead { objects, by_auto_schema }))))
    }
}

/// Whether a collection cannot be the one of that name that was there before, by its schema.
pub(super) fn is_other(before: &Schema, now: &Schema) -> bool {
    before.multi_tenant != now.multi_tenant || (is_by_auto_schema(now) && !is_by_auto_schema(before))
}

/// Which of the collections that a failed run was at work on are not there any more. What does not answer is not asked for
/// long.
pub(super) async fn lost(client: &Client, underway: Vec<Underway<'_>>) -> Vec<Lost> {
    let mut lost = Vec::new();
    for one in underway {
        match timeout(LOOK, one.lost(client)).await {
            Ok(Ok(found)) => lost.extend(found),
            Ok(Err(error)) => tracing::debug!(collection = %one.name, %error, "it cannot be looked at again"),
            Err(_) => break,
        }
    }
    lost
}

/// The error of a run that failed while collections were removed. What it met is kept: it may have another cause.
pub(super) fn named(error: Error, lost: &[Lost]) -> Error {
    match error.class() {
        Class::Server | Class::Refused if !lost.is_empty() => {
            Error::Lost { lost: lost.to_vec(), source: Box::new(error) }
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(there: Option<Instead>) -> String {
        Lost { collection: "R".parse().expect("a name"), written: 500, there }.to_string()
    }

    #[test]
    fn what_is_there_instead_is_told_with_its_own_count() {
        assert_eq!(
            lost(None),
            "R was removed while it was restored, with what was written to it (500 objects); it is not there now"
        );
        assert_eq!(
            lost(Some(Instead { objects: Some(490), by_auto_schema: true })),
            "R was removed while it was restored; the R that is there now was created by auto-schema from objects that came after that, without the archive's schema: it has 490 objects, and 500 objects were written in all"
        );
        assert_eq!(
            lost(Some(Instead { objects: None, by_auto_schema: false })),
            "R was removed while it was restored; the R that is there now is another one, which this run did not create: it has an unknown number of objects, and 500 objects were written in all"
        );
    }

    #[test]
    fn only_what_auto_schema_creates_or_another_kind_is_another_collection_by_its_schema() {
        let schema = |text: &str| Schema::parse(text.to_owned().into()).expect("a schema");
        let made = "This property was generated by Weaviate's auto-schema feature on Sun";
        let made = schema(&format!(r#"{{"class":"R","description":"{made}"}}"#));
        let (own, tenants) =
            (schema(r#"{"class":"R"}"#), schema(r#"{"class":"R","multiTenancyConfig":{"enabled":true}}"#));
        assert!(is_other(&own, &made) && is_other(&own, &tenants));
        assert!(!is_other(&own, &own) && !is_other(&made, &made) && !is_other(&made, &own));
    }
}
