//! A page of objects, for what only objects tell: how large they are, and how many dimensions their vectors have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use crate::model::{RawObject, Schema, TenantName, dimensions};
use crate::pipeline::split::{self, Expected};
use crate::weaviate::{Client, PageReply, PageRequest};

/// Objects of a sample; fewer where so many are too large, or one of them cannot be printed.
const OBJECTS: [u32; 3] = [100, 10, 1];
/// Longest time for a sample, and for one of a server with a part away, where it is likely to fail.
const PATIENCE: Duration = Duration::from_secs(20);
const DOUBTFUL_PATIENCE: Duration = Duration::from_secs(5);
/// The largest sample that is looked at, in bytes.
const SAMPLE_BYTES: u64 = 16 << 20;

/// How much room the objects of a collection take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Objects looked at: those with the smallest ids.
    pub sampled_objects: u64,
    /// The tenant they are of, in a multi-tenant collection.
    pub tenant: Option<TenantName>,
    /// Their mean size as the server prints them, vectors included, in bytes.
    pub mean_bytes: u64,
    /// The mean times the objects counted: about what a backup takes, uncompressed. `None` if nothing was counted.
    pub estimated_bytes: Option<u64>,
}

/// Dimensions of a vector in a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dimensions {
    /// Every number of dimensions seen, smallest first; more than one only without an index.
    pub seen: BTreeSet<u64>,
    /// Objects of the sample that have the vector.
    pub objects: u64,
}

/// What a sample tells.
#[derive(Debug, Default)]
pub(super) struct Sample {
    objects: u64,
    bytes: u64,
    /// Dimensions by the vector's name.
    dimensions: BTreeMap<String, Dimensions>,
}

impl Sample {
    pub(super) fn size(&self, tenant: Option<TenantName>, counted: Option<u64>) -> Option<Size> {
        let mean = self.bytes.checked_div(self.objects)?;
        let estimate = |objects: u64| u128::from(self.bytes) * u128::from(objects) / u128::from(self.objects.max(1));
        let estimated_bytes = counted.map(|objects| u64::try_from(estimate(objects)).unwrap_or(u64::MAX));
        Some(Size { sampled_objects: self.objects, tenant, mean_bytes: mean, estimated_bytes })
    }

    /// What was seen of a vector; `None` if nothing was looked at.
    pub(super) fn of_vector(&self, name: &str) -> Option<Dimensions> {
        (self.objects > 0).then(|| self.dimensions.get(name).cloned().unwrap_or_default())
    }

    fn see(&mut self, object: &RawObject) {
        self.objects += 1;
        // A line of an archive ends with one byte more.
        self.bytes += object.text.len() as u64 + 1;
        for (name, text) in object.vectors() {
            let known = self.dimensions.entry(String::from_utf8_lossy(name).into_owned()).or_default();
            known.seen.insert(dimensions(text));
            known.objects += 1;
        }
    }
}

/// Reads the first objects of a collection, or of one of its tenants. A page that cannot be had, or not in time, gives an
/// empty sample: an estimate is not worth an error.
pub(super) async fn sample(client: &Client, schema: &Schema, tenant: Option<&TenantName>, doubtful: bool) -> Sample {
    let patience = if doubtful { DOUBTFUL_PATIENCE } else { PATIENCE };
    timeout(patience, first_page(client, schema, tenant)).await.unwrap_or_default()
}

async fn first_page(client: &Client, schema: &Schema, tenant: Option<&TenantName>) -> Sample {
    for limit in OBJECTS {
        let ask = PageRequest {
            collection: &schema.name,
            tenant,
            after: None,
            limit,
            vectors: true,
            max_bytes: SAMPLE_BYTES,
        };
        let body = match client.page(&ask).await {
            Ok(PageReply::Body(body)) => body,
            Ok(PageReply::Empty | PageReply::TooLarge | PageReply::LimitTooHigh) => continue,
            Err(error) => {
                tracing::debug!(collection = %schema.name, %error, "no sample");
                return Sample::default();
            }
        };
        let expected = Expected { collection: &schema.name, after: None, limit };
        let mut sample = Sample::default();
        split::page(&body, expected).unwrap_or_default().iter().for_each(|object| sample.see(object));
        return sample;
    }
    Sample::default()
}
