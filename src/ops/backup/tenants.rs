//! One multi-tenant collection from server to parts: passes over its tenants until each is covered and its count agrees.

mod passes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::collect::{Collect, Collected};
use super::resume::{FIRST_OBJECTS, First};
use crate::archive::CollectionWriter;
use crate::archive::manifest::TenantsChanged;
use crate::event::{NotKeptReason, Op, SkipReason, Warning};
use crate::model::{CollectionName, TenantName};
use crate::ops::activation::{Activating, ActivationBooks, LeftActive};
use crate::ops::rounds::Rounds;
use crate::ops::{Error, blocking};
use crate::pipeline::guard::Guard;
use crate::pipeline::scan::Scanned;
use crate::pipeline::store::Store;
use crate::weaviate::{ObjectTimes, Tenant, TenantState};
use passes::{Books, Pass};

pub(super) use passes::wants;

/// Pause before tenants that did not answer as they should are asked again.
const PAUSE: Duration = Duration::from_millis(300);

/// Tenants of which the first objects are asked for at once.
const TENANTS_LOOKED_AT: usize = 8;

/// Reads one multi-tenant collection.
pub(super) struct TenantsBackup<'a> {
    pub(super) collect: Collect<'a>,
    archive: &'a Path,
    books: &'a ActivationBooks,
    activating: OnceCell<Activating>,
}

impl<'a> TenantsBackup<'a> {
    pub(super) fn new(collect: Collect<'a>, archive: &'a Path, books: &'a ActivationBooks) -> Self {
        Self { collect, archive, books, activating: OnceCell::new() }
    }

    pub(super) fn name(&self) -> &CollectionName {
        &self.collect.planned.schema.name
    }

    /// Reads everything into `writer` and closes it. However it ends, tenants that were activated are deactivated.
    pub(super) async fn run(&self, writer: CollectionWriter) -> Result<Collected, Error> {
        let read = Box::pin(self.read(writer)).await;
        let left_active = self.deactivate().await;
        read.map(|collected| Collected { left_active, ..collected })
    }

    async fn read(&self, writer: CollectionWriter) -> Result<Collected, Error> {
        let (schema, session) = (&self.collect.planned.schema, self.collect.access.session);
        let mut guard = self.collect.guard();
        let mut store = self.collect.store(writer);
        self.collect.until_whole(&mut guard).await?;
        let mut books = self.books().await?;
        let kept = store.writer.tenants();
        let mut gone = books.take_over(kept.clone());
        let (others, first) = self.others(&books, kept).await?;
        if let Some(first) = first {
            let reason = NotKeptReason::TenantsChanged { tenants: others.len(), first };
            session.events.warn(Warning::NotKept { file: store.writer.folder(), reason });
            gone.extend(others);
        }
        if !gone.is_empty() {
            store = self.drop_tenants(store, gone).await?;
        }
        let (mut store, mut seen) = self.collect.take_over(store, &guard, books.countable).await?;
        let mut rounds = Rounds::new();
        while rounds.another(store.writer.noted_objects()) {
            store = Pass { tenants: self, mark: guard.mark(), proof: books.proof() }
                .run(store, &mut guard, &mut books, &mut seen)
                .await?;
            if guard.trouble().is_some() {
                store = self.collect.mend(store, &mut guard).await?;
                continue;
            }
            let mut disagreeing = books.take_disagreeing();
            if let Some(first) = disagreeing.first().cloned().filter(|_| self.collect.options.subset.limit.is_some()) {
                // What comes behind it in the order may be too much then.
                disagreeing.extend(store.writer.tenants().into_iter().filter(|tenant| *tenant > first));
            }
            if !disagreeing.is_empty() {
                tracing::warn!(collection = %schema.name, tenants = disagreeing.len(), "counts disagree, reading again");
                store = self.drop_tenants(store, disagreeing).await?;
                continue;
            }
            let listed;
            let list = self.collect.access.ask(self.collect.access.client.tenants(&schema.name));
            (store, listed) = self.collect.or_keep_proven(store, &mut guard, list).await?;
            books.list(listed, &self.collect.options.tenants);
            let cut_short = books.cut_short(&store.writer);
            if !cut_short.is_empty() {
                store = self.drop_tenants(store, cut_short).await?;
            }
            if !books.todo(&store.writer).is_empty() && !store.is_full() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            if !guard.ask().await {
                store = self.collect.mend(store, &mut guard).await?;
                continue;
            }
            store = self.collect.note_proven(store).await?;
            return self.finish(store, &guard, books, seen).await;
        }
        Err(guard.not_whole().into())
    }

    /// Tenants of which an interrupted run kept something and that are not the ones it read, and the first of them. Tenants
    /// have no other identity than their objects: one of which none of the first ones is as it was, is read again. If no
    /// active one is as it was, the collection itself was recreated, and none of it is kept.
    async fn others(
        &self,
        books: &Books,
        kept: BTreeSet<TenantName>,
    ) -> Result<(BTreeSet<TenantName>, Option<TenantName>), Error> {
        let (access, name) = (self.collect.access, self.name());
        let looks = self.collect.kept.firsts.iter().filter(|(tenant, _)| books.is_active(tenant));
        let looks = looks.map(|(tenant, First { from, objects })| async move {
            let limit = u32::try_from(FIRST_OBJECTS).unwrap_or(1);
            let live = access.ask(access.client.times_behind(name, Some(tenant), *from, limit)).await;
            let live = match live {
                // It was deactivated, or removed, since it was listed.
                Err(Error::Wire(error)) if error.tenant_trouble().is_some() => return Ok((tenant, true)),
                live => live?,
            };
            let same = |times: &ObjectTimes| objects.contains(&(times.id, Some(times.updated_ms)));
            // Where nothing is, nothing was recreated: what is kept may be the last there is.
            Ok::<_, Error>((tenant, live.is_empty() || live.iter().any(same)))
        });
        let looked: Vec<(&TenantName, bool)> = stream::iter(looks).buffered(TENANTS_LOOKED_AT).try_collect().await?;
        let others: BTreeSet<TenantName> =
            looked.iter().filter(|(_, same)| !same).map(|(tenant, _)| (*tenant).clone()).collect();
        let first = others.first().cloned();
        if first.is_some() && others.len() == looked.len() {
            return Ok((kept, first));
        }
        Ok((others, first))
    }

    /// The tenants as they are before anything is read. Those that a killed run left active are deactivated first.
    async fn books(&self) -> Result<Books, Error> {
        let (collect, name) = (&self.collect, self.name());
        let (session, options) = (collect.access.session, collect.options);
        let mut listed = collect.access.ask(collect.access.client.tenants(name)).await?;
        let left = LeftActive::find(collect.access.reading, self.books, name, &mut listed).await?;
        if !left.is_empty() {
            left.put_right(session, self.activating().await?).await?;
        }
        let mut books = Books::new(listed, &options.tenants);
        if let Some(probe) = books.first_active() {
            let counts = collect.access.ask(collect.access.client.tenant_counts(name, &[probe])).await?;
            books.countable = counts.first().is_some_and(|count| count.exact().is_some());
            if let Some(crate::weaviate::Count::Unknown { reason }) = counts.into_iter().next() {
                session.events.warn(Warning::CountUnchecked { collection: name.clone(), reason });
            }
        }
        Ok(books)
    }

    /// What activates tenants, with its lock and journal: made when the first one is to be activated.
    pub(super) async fn activating(&self) -> Result<&Activating, Error> {
        let about = (Op::Backup, self.archive, "");
        let make = async || self.books.activating(self.collect.access, about, self.name(), None).await;
        self.activating.get_or_try_init(make).await
    }

    /// Deactivates whoever is still active because of this run; how many could not be.
    async fn deactivate(&self) -> u64 {
        let Some(activating) = self.activating.get() else { return 0 };
        activating.deactivate(self.collect.access.session).await
    }

    async fn drop_tenants(&self, mut store: Store, tenants: BTreeSet<TenantName>) -> Result<Store, Error> {
        blocking("drop tenants", move || store.drop_tenants(&tenants).map(|()| store)).await
    }

    /// Everything was read: keeps the list of tenants, reads the schema again and closes the collection.
    async fn finish(&self, mut store: Store, guard: &Guard, books: Books, seen: Scanned) -> Result<Collected, Error> {
        if store.is_full() {
            let spaces = books.readable();
            let cover = move || store.cover_rest(spaces.iter().map(Some)).map(|()| store);
            store = blocking("cover the rest", cover).await?;
        }
        let is_full = store.is_full();
        let (schema, events) = (&self.collect.planned.schema, &self.collect.access.events);
        let mismatch = books.mismatch();
        if let Some((listed, counted)) = mismatch {
            events.warn(Warning::CountMismatch { collection: schema.name.clone(), listed, counted });
        }
        self.tell(&books);
        let tenants = serde_json::to_vec(&books.listed()).unwrap_or_default();
        let closed = self.collect.close(store, guard, seen, Some(tenants)).await?;
        Ok(Collected {
            // What was not read to its end was not counted.
            counts: (None, books.counted().filter(|_| !is_full)),
            mismatch: mismatch.map(|(_, counted)| counted),
            tenants_changed: TenantsChanged {
                added: books.added.iter().map(ToString::to_string).collect(),
                deleted: books.deleted.iter().map(ToString::to_string).collect(),
            },
            skipped: books.skipped.into_iter().collect(),
            ..closed
        })
    }

    /// Says which tenants were left out, and which came and went.
    fn tell(&self, books: &Books) {
        let (events, name) = (&self.collect.access.events, self.name());
        let mut reasons: BTreeMap<&SkipReason, Vec<&TenantName>> = BTreeMap::new();
        for (tenant, reason) in &books.skipped {
            reasons.entry(reason).or_default().push(tenant);
        }
        for (reason, tenants) in reasons {
            let (collection, reason) = (name.clone(), reason.clone());
            let (first, tenants) = (tenants[0].clone(), tenants.len() as u64);
            events.warn(Warning::TenantsSkipped { collection, tenants, first, reason });
        }
        if let Some(first) = books.added.union(&books.deleted).next().cloned() {
            let (added, deleted) = (books.added.len() as u64, books.deleted.len() as u64);
            events.warn(Warning::TenantsChanged { collection: name.clone(), added, deleted, first });
        }
    }
}

/// Why a tenant in this state cannot be read, if it cannot.
pub(super) fn out_of_reach(tenant: &Tenant) -> Option<SkipReason> {
    match &tenant.state {
        TenantState::Hot | TenantState::Cold => None,
        TenantState::Frozen => Some(SkipReason::Offloaded),
        TenantState::Other(word) => Some(SkipReason::NotActive { state: word.as_str().into() }),
    }
}
