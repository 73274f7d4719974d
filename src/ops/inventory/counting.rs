//! Counts many collections at once, with a bounded number of requests, between two looks at the topology.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{CountState, Nodes, Objects, OneTenant};
use crate::model::{CollectionName, Schema, TenantName};
use crate::ops::Error;
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::weaviate::{self, Client, Count, Rights, Tenant, TenantState, Topology};

/// Plain collections in one request. Fewer than the server could take, so that they spread over the requests in flight.
const COLLECTIONS_A_REQUEST: usize = 25;
/// Tenants in one request.
const TENANTS_A_REQUEST: usize = 100;
/// Longest time for a count that is likely to fail: with a node away the server can hang for a minute.
const DOUBTFUL_PATIENCE: Duration = Duration::from_secs(5);

/// What was counted.
pub(super) struct Counted {
    /// Whether the nodes were there.
    pub(super) topology: Nodes,
    /// Each collection, in the order given.
    pub(super) collections: Vec<OneCounted>,
}

/// One collection that was counted.
pub(super) struct OneCounted {
    pub(super) objects: Objects,
    /// Its tenants by name; `None` if it has none by its nature, or they may not be listed.
    pub(super) tenants: Option<Vec<OneTenant>>,
}

struct Counter<'a> {
    client: &'a Client,
    rights: Option<&'a Rights>,
    gate: Semaphore,
}

/// Counts each collection. An error means that the server cannot be reached; everything else is said of the collection
/// it is about. Counts are taken between two looks at the topology, and are exact only if both were good, and, of a
/// multi-tenant collection, if `rights`, those of the key, show all its tenants.
pub(super) async fn count(client: &Client, schemas: &[Schema], rights: Option<&Rights>) -> Result<Counted, Error> {
    let counter = Counter { client, rights, gate: Semaphore::new(ASKED_AT_ONCE) };
    let before = client.topologies(schemas).await;
    let broken = |at: usize| matches!(before.collections[at], Topology::Broken { .. });
    let (mut sound, mut alone) = (Vec::new(), Vec::new());
    for (at, schema) in schemas.iter().enumerate() {
        match (schema.multi_tenant, broken(at)) {
            (true, _) => {}
            (false, true) => alone.push(at),
            (false, false) => sound.push(at),
        }
    }
    let many = sound.chunks(COLLECTIONS_A_REQUEST).map(|places| counter.together(schemas, places));
    let each = alone.iter().map(async |at| (*at, counter.alone(&schemas[*at].name).await));
    let tenants = (0..schemas.len()).filter(|at| schemas[*at].multi_tenant);
    let tenants = tenants.map(async |at| Ok::<_, Error>((at, counter.tenants(&schemas[at].name, broken(at)).await?)));
    let (many, each, tenants) = tokio::join!(try_join_all(many), join_all(each), try_join_all(tenants));
    let after = client.topologies(schemas).await;
    // Good answers that came only when they were asked for again say nothing about the time of the counts.
    let blip = after.blip.clone().map(|reason| Topology::Broken { reason });

    let mut found: Vec<Option<OneCounted>> = schemas.iter().map(|_| None).collect();
    for (at, count) in many?.into_iter().flatten().chain(each) {
        let objects = judge(count, &before.collections[at], blip.as_ref().unwrap_or(&after.collections[at]));
        found[at] = Some(OneCounted { objects, tenants: None });
    }
    for (at, counted) in tenants? {
        found[at] = Some(counted);
    }
    let nothing = || OneCounted { objects: Objects::unknown("it was not asked".into()), tenants: None };
    let collections = found.into_iter().map(|one| one.unwrap_or_else(nothing)).collect();
    Ok(Counted { topology: worse(&before.server, &after.server).clone().into(), collections })
}

impl Counter<'_> {
    /// Counts collections in one request, and each alone if that fails.
    async fn together(&self, schemas: &[Schema], places: &[usize]) -> Result<Vec<(usize, Count)>, Error> {
        let names: Vec<CollectionName> = places.iter().map(|at| schemas[*at].name.clone()).collect();
        let counts = {
            let _permit = self.gate.acquire().await;
            self.client.counts(&names).await
        };
        match counts {
            Ok(counts) => Ok(places.iter().copied().zip(counts).collect()),
            Err(error) if is_gone(&error) => Err(error.into()),
            // One shard that does not answer must not spoil the others.
            Err(_) => Ok(join_all(places.iter().map(async |at| (*at, self.alone(&schemas[*at].name).await))).await),
        }
    }

    /// Counts a collection that may not answer.
    async fn alone(&self, name: &CollectionName) -> Count {
        let _permit = self.gate.acquire().await;
        let counts = timeout(DOUBTFUL_PATIENCE, self.client.counts(std::slice::from_ref(name))).await;
        let unknown = |reason: String| Count::Unknown { reason };
        match counts {
            Ok(Ok(counts)) => counts.into_iter().next().unwrap_or_else(|| unknown("no answer".into())),
            Ok(Err(error)) => unknown(error.to_string()),
            Err(_) => unknown(no_answer()),
        }
    }

    /// The tenants of a collection, and the objects of those that are active. A tenant is one shard, which answers or
    /// fails, so a count of it needs no look at the topology.
    async fn tenants(&self, name: &CollectionName, doubtful: bool) -> Result<OneCounted, Error> {
        let listed = {
            let _permit = self.gate.acquire().await;
            self.client.tenants(name).await
        };
        let tenants = match listed {
            Ok(tenants) => tenants,
            Err(error) if is_gone(&error) => return Err(error.into()),
            Err(error) => {
                let reason = format!("its tenants are not listed: {error}");
                return Ok(OneCounted { objects: Objects::unknown(reason), tenants: None });
            }
        };
        let active: Vec<TenantName> =
            tenants.iter().filter(|t| t.state == TenantState::Hot).map(|t| t.name.clone()).collect();
        let chunks = active.chunks(TENANTS_A_REQUEST).map(|chunk| self.some_tenants(name, chunk, doubtful));
        let counts = try_join_all(chunks).await?.concat();
        let counted = sum(tenants, &active, &counts);
        let all_listed = self.rights.is_none_or(|rights| rights.show_tenants(name));
        Ok(if all_listed { counted } else { of_some(counted.objects.objects_seen) })
    }

    async fn some_tenants(
        &self,
        name: &CollectionName,
        tenants: &[TenantName],
        doubtful: bool,
    ) -> Result<Vec<Count>, Error> {
        let _permit = self.gate.acquire().await;
        let asked = self.client.tenant_counts(name, tenants);
        let patience = if doubtful { DOUBTFUL_PATIENCE } else { Duration::MAX };
        let reason = match timeout(patience, asked).await {
            Ok(Ok(counts)) => return Ok(counts),
            Ok(Err(error)) if is_gone(&error) => return Err(error.into()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => no_answer(),
        };
        Ok(tenants.iter().map(|_| Count::Unknown { reason: reason.clone() }).collect())
    }
}

/// What is known of a collection some of whose tenants may not be listed: servers leave those out without a word.
fn of_some(seen: Option<u64>) -> OneCounted {
    let reason = "the key's roles show it only some of the tenants, or none (read_tenants)".to_owned();
    let objects = match seen {
        Some(seen @ 1..) => Objects::seen(seen, CountState::Unchecked, reason),
        _ => Objects::unknown(reason),
    };
    OneCounted { objects, tenants: None }
}

fn no_answer() -> String {
    format!("no answer in {} s", DOUBTFUL_PATIENCE.as_secs())
}

/// Whether the server itself is away, or will answer nothing: then there is nothing to list.
fn is_gone(error: &weaviate::Error) -> bool {
    use weaviate::Error as E;
    matches!(error.root(), E::Unreachable { .. } | E::Tls { .. } | E::Unauthorized { .. })
}

/// The one of two looks that says less good.
fn worse<'a>(before: &'a Topology, after: &'a Topology) -> &'a Topology {
    match (before, after) {
        (Topology::Broken { .. }, _) => before,
        (_, Topology::Broken { .. }) => after,
        (Topology::Unchecked { .. }, _) => before,
        _ => after,
    }
}

/// What a count of a plain collection is worth.
fn judge(count: Count, before: &Topology, after: &Topology) -> Objects {
    let count = match count {
        Count::Exact(count) => count,
        Count::Unknown { reason } => return Objects::unknown(reason),
    };
    match worse(before, after) {
        Topology::Whole { .. } => Objects::exact(count),
        Topology::Broken { reason } => {
            Objects::seen(count, CountState::Unchecked, format!("part of the server is away: {reason}"))
        }
        Topology::Unchecked { reason, .. } => {
            let reason = format!("it is not known whether every node was there: {reason}");
            Objects::seen(count, CountState::Unchecked, reason)
        }
    }
}

/// Adds up what the active tenants hold.
fn sum(tenants: Vec<Tenant>, active: &[TenantName], counts: &[Count]) -> OneCounted {
    let (total, mut seen, mut counted) = (tenants.len(), 0, 0);
    let mut failure = None;
    // Both are sorted by name: the active ones come in the same order as among all.
    let mut answers = active.iter().zip(counts).peekable();
    let each: Vec<OneTenant> = tenants
        .into_iter()
        .map(|tenant| {
            let objects = match answers.next_if(|(name, _)| **name == tenant.name) {
                Some((_, Count::Exact(count))) => {
                    seen += count;
                    counted += 1;
                    Some(*count)
                }
                Some((_, Count::Unknown { reason })) => {
                    failure.get_or_insert_with(|| reason.clone());
                    None
                }
                None => None,
            };
            OneTenant { name: tenant.name, state: tenant.state, objects }
        })
        .collect();
    let objects = match failure {
        Some(reason) if counted == 0 => Objects::unknown(reason),
        Some(reason) => {
            let missing = active.len() - counted;
            let reason = format!("{missing} of {} active tenants were not counted: {reason}", active.len());
            Objects::seen(seen, CountState::Unchecked, reason)
        }
        None if active.len() < total => {
            let reason = format!("{} of {total} tenants are not active", total - active.len());
            Objects::seen(seen, CountState::ActiveTenants, reason)
        }
        None => Objects::exact(seen),
    };
    OneCounted { objects, tenants: Some(each) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants(states: &[(&str, TenantState)]) -> Vec<Tenant> {
        let one =
            |(name, state): &(&str, TenantState)| Tenant { name: name.parse().expect("a name"), state: state.clone() };
        states.iter().map(one).collect()
    }

    fn summed(states: &[(&str, TenantState)], counts: &[Count]) -> (Option<u64>, Option<u64>, CountState) {
        let all = tenants(states);
        let active: Vec<_> = all.iter().filter(|t| t.state == TenantState::Hot).map(|t| t.name.clone()).collect();
        let objects = sum(all, &active, counts).objects;
        (objects.objects, objects.objects_seen, objects.count)
    }

    #[test]
    fn a_sum_is_exact_only_if_every_tenant_was_counted() {
        use TenantState::{Cold, Hot};
        let unknown = || Count::Unknown { reason: "away".into() };
        assert_eq!(summed(&[], &[]), (Some(0), Some(0), CountState::Exact));
        assert_eq!(
            summed(&[("a", Hot), ("b", Hot)], &[Count::Exact(1), Count::Exact(2)]),
            (Some(3), Some(3), CountState::Exact)
        );
        assert_eq!(summed(&[("a", Cold), ("b", Hot)], &[Count::Exact(2)]), (None, Some(2), CountState::ActiveTenants));
        assert_eq!(summed(&[("a", Cold)], &[]), (None, Some(0), CountState::ActiveTenants));
        assert_eq!(
            summed(&[("a", Hot), ("b", Hot)], &[unknown(), Count::Exact(2)]),
            (None, Some(2), CountState::Unchecked)
        );
        assert_eq!(summed(&[("a", Hot)], &[unknown()]), (None, None, CountState::Unknown));
    }

    #[test]
    fn a_count_is_exact_only_between_two_good_looks() {
        let whole = Topology::Whole { nodes: Vec::new(), shards: Vec::new() };
        let broken = Topology::Broken { reason: "away: node3".into() };
        let unchecked = Topology::Unchecked { reason: "may not ask".into(), shards: Vec::new() };
        assert_eq!(judge(Count::Exact(7), &whole, &whole), Objects::exact(7));
        for (before, after) in [(&broken, &whole), (&whole, &broken), (&unchecked, &whole), (&whole, &unchecked)] {
            let objects = judge(Count::Exact(7), before, after);
            assert_eq!((objects.objects, objects.objects_seen, objects.count), (None, Some(7), CountState::Unchecked));
        }
        assert_eq!(
            judge(Count::Unknown { reason: "closed".into() }, &whole, &whole),
            Objects::unknown("closed".into())
        );
    }
}
