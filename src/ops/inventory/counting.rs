//! Counts many collections at once, with a bounded number of requests, between two looks at the topology.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{CountDoubt, CountState, Nodes, Objects, OneTenant};
use crate::model::{CollectionName, Schema, TenantName};
use crate::ops::Error;
use crate::ops::bounds::ASKED_AT_ONCE;
use crate::weaviate::{self, Client, Count, Rights, Tenant, Topology};

/// Plain collections in one request. Fewer than the server could take, so that they spread over the requests in flight.
const COLLECTIONS_A_REQUEST: usize = 25;
/// Tenants in one request.
const TENANTS_A_REQUEST: usize = 100;
/// Longest time for a count that is likely to fail: with a node away the server can hang for a minute.
const DOUBTFUL_PATIENCE: Duration = Duration::from_secs(5);
const NO_ANSWER: CountDoubt = CountDoubt::NoAnswer { seconds: DOUBTFUL_PATIENCE.as_secs() };

/// A number of objects, or why there is none.
type OneCount = Result<u64, CountDoubt>;

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

    let silence = || OneCounted { objects: Objects::unknown(NO_ANSWER), tenants: None };
    let mut found: Vec<OneCounted> = schemas.iter().map(|_| silence()).collect();
    for (at, count) in many?.into_iter().flatten().chain(each) {
        let objects = judge(count, &before.collections[at], blip.as_ref().unwrap_or(&after.collections[at]));
        found[at] = OneCounted { objects, tenants: None };
    }
    for (at, counted) in tenants? {
        found[at] = counted;
    }
    Ok(Counted { topology: worse(&before.server, &after.server).clone().into(), collections: found })
}

impl Counter<'_> {
    /// Counts collections in one request, and each alone if that fails.
    async fn together(&self, schemas: &[Schema], places: &[usize]) -> Result<Vec<(usize, OneCount)>, Error> {
        let names: Vec<CollectionName> = places.iter().map(|at| schemas[*at].name.clone()).collect();
        let counts = {
            let _permit = self.gate.acquire().await;
            self.client.counts(&names).await
        };
        match counts {
            Ok(counts) => Ok(places.iter().copied().zip(counts.into_iter().map(of_wire)).collect()),
            Err(error) if is_gone(&error) => Err(error.into()),
            // One shard that does not answer must not spoil the others.
            Err(_) => Ok(join_all(places.iter().map(async |at| (*at, self.alone(&schemas[*at].name).await))).await),
        }
    }

    /// Counts a collection that may not answer.
    async fn alone(&self, name: &CollectionName) -> OneCount {
        let _permit = self.gate.acquire().await;
        let counts = timeout(DOUBTFUL_PATIENCE, self.client.counts(std::slice::from_ref(name))).await;
        match counts {
            Ok(Ok(counts)) => counts.into_iter().next().map_or(Err(NO_ANSWER), of_wire),
            Ok(Err(error)) => Err(CountDoubt::NotCounted { reason: error.to_string() }),
            Err(_) => Err(NO_ANSWER),
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
                let doubt = CountDoubt::TenantsNotListed { reason: error.to_string() };
                return Ok(OneCounted { objects: Objects::unknown(doubt), tenants: None });
            }
        };
        let active = Tenant::active(&tenants);
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
    ) -> Result<Vec<OneCount>, Error> {
        let _permit = self.gate.acquire().await;
        let asked = self.client.tenant_counts(name, tenants);
        let patience = if doubtful { DOUBTFUL_PATIENCE } else { Duration::MAX };
        let doubt = match timeout(patience, asked).await {
            Ok(Ok(counts)) => return Ok(counts.into_iter().map(of_wire).collect()),
            Ok(Err(error)) if is_gone(&error) => return Err(error.into()),
            Ok(Err(error)) => CountDoubt::NotCounted { reason: error.to_string() },
            Err(_) => NO_ANSWER,
        };
        Ok(tenants.iter().map(|_| Err(doubt.clone())).collect())
    }
}

/// What is known of a collection some of whose tenants may not be listed: servers leave those out silently.
fn of_some(seen: Option<u64>) -> OneCounted {
    let objects = match seen {
        Some(seen @ 1..) => Objects::seen(seen, CountState::Unchecked, CountDoubt::TenantsHidden),
        _ => Objects::unknown(CountDoubt::TenantsHidden),
    };
    OneCounted { objects, tenants: None }
}

/// A count as the server gave it.
fn of_wire(count: Count) -> OneCount {
    match count {
        Count::Exact(count) => Ok(count),
        Count::Unknown { reason } => Err(CountDoubt::NotCounted { reason }),
    }
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
fn judge(count: OneCount, before: &Topology, after: &Topology) -> Objects {
    let count = match count {
        Ok(count) => count,
        Err(doubt) => return Objects::unknown(doubt),
    };
    let doubt = match worse(before, after) {
        Topology::Whole { .. } => return Objects::exact(count),
        Topology::Broken { reason } => CountDoubt::Away { reason: reason.clone() },
        Topology::Unchecked { reason, .. } => CountDoubt::MayBeAway { reason: reason.clone() },
    };
    Objects::seen(count, CountState::Unchecked, doubt)
}

/// Adds up what the active tenants hold.
fn sum(tenants: Vec<Tenant>, active: &[TenantName], counts: &[OneCount]) -> OneCounted {
    let (total, mut seen, mut counted) = (tenants.len(), 0, 0);
    let mut failure = None;
    // Both are sorted by name: the active ones come in the same order as among all.
    let mut answers = active.iter().zip(counts).peekable();
    let each: Vec<OneTenant> = tenants
        .into_iter()
        .map(|tenant| {
            let objects = match answers.next_if(|(name, _)| **name == tenant.name) {
                Some((_, Ok(count))) => {
                    seen += count;
                    counted += 1;
                    Some(*count)
                }
                Some((_, Err(doubt))) => {
                    failure.get_or_insert_with(|| doubt.clone());
                    None
                }
                None => None,
            };
            OneTenant { name: tenant.name, state: tenant.state, objects }
        })
        .collect();
    let objects = match failure {
        Some(doubt) if counted == 0 => Objects::unknown(doubt),
        Some(doubt) => {
            let (tenants, why) = (active.len() - counted, Box::new(doubt));
            let doubt = CountDoubt::TenantsNotCounted { tenants, active: active.len(), why };
            Objects::seen(seen, CountState::Unchecked, doubt)
        }
        None if active.len() < total => {
            let doubt = CountDoubt::TenantsNotActive { tenants: total - active.len(), total };
            Objects::seen(seen, CountState::ActiveTenants, doubt)
        }
        None => Objects::exact(seen),
    };
    OneCounted { objects, tenants: Some(each) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weaviate::TenantState;

    fn tenants(states: &[(&str, TenantState)]) -> Vec<Tenant> {
        let one =
            |(name, state): &(&str, TenantState)| Tenant { name: name.parse().expect("a name"), state: state.clone() };
        states.iter().map(one).collect()
    }

    fn summed(states: &[(&str, TenantState)], counts: &[OneCount]) -> (Option<u64>, Option<u64>, CountState) {
        let all = tenants(states);
        let active: Vec<_> = all.iter().filter(|t| t.state == TenantState::Hot).map(|t| t.name.clone()).collect();
        let objects = sum(all, &active, counts).objects;
        (objects.objects, objects.objects_seen, objects.count)
    }

    #[test]
    fn a_sum_is_exact_only_if_every_tenant_was_counted() {
        use TenantState::{Cold, Hot};
        let unknown = || Err(CountDoubt::NotCounted { reason: "away".into() });
        assert_eq!(summed(&[], &[]), (Some(0), Some(0), CountState::Exact));
        assert_eq!(summed(&[("a", Hot), ("b", Hot)], &[Ok(1), Ok(2)]), (Some(3), Some(3), CountState::Exact));
        assert_eq!(summed(&[("a", Cold), ("b", Hot)], &[Ok(2)]), (None, Some(2), CountState::ActiveTenants));
        assert_eq!(summed(&[("a", Cold)], &[]), (None, Some(0), CountState::ActiveTenants));
        assert_eq!(summed(&[("a", Hot), ("b", Hot)], &[unknown(), Ok(2)]), (None, Some(2), CountState::Unchecked));
        assert_eq!(summed(&[("a", Hot)], &[unknown()]), (None, None, CountState::Unknown));
    }

    #[test]
    fn a_count_is_exact_only_between_two_good_looks() {
        let whole = Topology::Whole { nodes: Vec::new(), shards: Vec::new() };
        let broken = Topology::Broken { reason: "away: node3".into() };
        let unchecked = Topology::Unchecked { reason: "may not ask".into(), shards: Vec::new() };
        assert_eq!(judge(Ok(7), &whole, &whole), Objects::exact(7));
        for (before, after) in [(&broken, &whole), (&whole, &broken), (&unchecked, &whole), (&whole, &unchecked)] {
            let objects = judge(Ok(7), before, after);
            assert_eq!((objects.objects, objects.objects_seen, objects.count), (None, Some(7), CountState::Unchecked));
        }
        assert_eq!(judge(Err(NO_ANSWER), &whole, &whole), Objects::unknown(NO_ANSWER));
    }
}
