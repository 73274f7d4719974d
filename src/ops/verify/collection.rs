//! One collection of an archive against a live one: rounds of comparing until every unit is done, the server was whole
//! all the time, and the count agrees or writers explain why it does not.

mod counting;
mod facing;
mod remarks;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use self::counting::{CountAfter, CountBefore};
use self::facing::{Facing, face};
use self::remarks::Miscount;
use super::{Differs, Pair, left_unread};
use crate::event::{CollectionResult, ComparisonRemark, Event, Events, Warning};
use crate::model::coverage::Units;
use crate::model::{CLOCK_STEP_MS, CollectionName, Filter, Schema};
use crate::ops::activation::ActivationBooks;
use crate::ops::bounds;
use crate::ops::proof::{self, Evidence, Verdict};
use crate::ops::rounds::Rounds;
use crate::ops::schema::expiry;
use crate::ops::{Error, ReadAccess, SchemaDrift};
use crate::pipeline::budget::Budget;
use crate::pipeline::compare::{self, Comparer, Comparison, Found, Replaces, Shares, Sieves};
use crate::pipeline::guard::Guard;
use crate::pipeline::long_lines::LongLines;
use crate::pipeline::pacer::Limits;
use crate::pipeline::replicas::ReplicaCheck;
use crate::pipeline::{self, scan};
use crate::weaviate::{Client, Writer};

/// How to compare, and within which bounds.
#[derive(Debug, Clone)]
pub(in crate::ops) struct CompareOptions {
    /// Decides what is the same.
    pub(in crate::ops) comparer: Comparer,
    /// Whether vectors are compared, where the archive has them.
    pub(in crate::ops) vectors: bool,
    /// What is compared; `None`: what the archive was made of, as far as the filter is true of it.
    pub(in crate::ops) sieves: Option<Sieves>,
    /// Only objects of which this is true on either side are compared.
    pub(in crate::ops) filter: Option<Filter>,
    /// The share of the objects to compare; `None`: all.
    pub(in crate::ops) sample: Option<f64>,
    /// Differences kept and told of at most.
    pub(in crate::ops) limit: usize,
    /// Requests in flight at most; `None`: the pacer decides.
    pub(in crate::ops) jobs: Option<usize>,
    /// Bytes that pages and buffers may take.
    pub(in crate::ops) memory_bytes: u64,
    /// How long a server with a node away is waited for.
    pub(in crate::ops) patience: Duration,
    /// Drives which objects a sample takes.
    pub(in crate::ops) seed: u64,
    /// Where it is written down which tenants were activated.
    pub(in crate::ops) books: ActivationBooks,
    /// Whether it is said that tenants are in another state than they were.
    pub(in crate::ops) states: bool,
    /// What is marked for a merge; `None`: nothing is.
    pub(in crate::ops) marking: Option<Replaces>,
}

impl CompareOptions {
    /// All objects with their vectors; no difference is told of.
    pub(in crate::ops) fn new(comparer: Comparer, memory: u64, patience: Duration, books: ActivationBooks) -> Self {
        Self {
            comparer,
            vectors: true,
            sieves: None,
            filter: None,
            sample: None,
            limit: 0,
            jobs: None,
            memory_bytes: memory,
            patience,
            seed: 0,
            books,
            states: false,
            marking: None,
        }
    }
}

/// A comparison that came to its end, whatever it found.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Compared {
    /// What was found, but for the differing objects.
    pub(in crate::ops) found: Found,
    /// The first objects that differ, by id.
    pub(in crate::ops) differences: Vec<Differs>,
    /// The archive's digest, if all of it was compared and nothing differs.
    pub(in crate::ops) digest: Option<String>,
    /// What the server's counts say against what was found, if anything.
    pub(in crate::ops) miscount: Option<Miscount>,
    /// What was not compared, and what else is to be known, each as a clause.
    pub(in crate::ops) remarks: Vec<ComparisonRemark>,
    /// Why it is not known whether the server was whole, if so.
    pub(in crate::ops) unchecked: Option<String>,
    /// Tenants of the archive that were compared.
    pub(in crate::ops) tenants: u64,
    /// The server has other tenants than the archive, or some could not be read.
    pub(in crate::ops) tenants_differ: bool,
    /// Tenants that were activated to be compared are not inactive again.
    pub(in crate::ops) left_active: u64,
    /// The replicas of some objects hold different versions.
    pub(in crate::ops) replicas_differ: bool,
    /// Whether the server's own count was held against the objects.
    pub(in crate::ops) counted: bool,
}

impl Compared {
    /// Whether everything compared has the same content, and nothing was overlooked, and all is left as it was.
    pub(in crate::ops) fn agrees(&self) -> bool {
        self.is_same() && self.left_active == 0
    }

    fn is_same(&self) -> bool {
        self.found.agrees() && self.miscount.is_none() && !self.tenants_differ && !self.replicas_differ
    }

    /// Tells of the differences, and whether there are any.
    pub(in crate::ops) fn tell(&self, events: &Events, collection: &CollectionName) {
        for Differs { collection, tenant, id, kind, fields } in self.differences.clone() {
            events.emit(Event::ObjectDiffers { collection, tenant, id, kind, fields });
        }
        let (collection, objects, ok) = (collection.clone(), self.found.objects, self.is_same());
        events.emit(Event::Verified { collection, objects, ok });
    }

    /// Whether objects that expired may be what differs.
    pub(in crate::ops) fn may_have_expired(&self, schema: &Schema) -> Option<ComparisonRemark> {
        expiry::may_be_why(schema).filter(|_| self.found.only_left > 0 || self.miscount.is_some())
    }

    /// Puts what was found into a result.
    pub(in crate::ops) fn fill(&self, result: &mut CollectionResult) {
        result.digest.clone_from(&self.digest);
        result.counts_verified = Some(self.counted);
        result.only_left = Some(self.found.only_left);
        result.only_right = Some(self.found.only_right);
        result.different = Some(self.found.different);
    }
}

/// Compares the objects of one collection that the archive holds with the live ones. Differences are told as events once
/// they are certain. Sends reading requests only, but for those that activate tenants and deactivate them: without a
/// `writer`, that there are inactive ones is an error.
pub(in crate::ops) async fn compare_collection(
    access: ReadAccess<'_>,
    writer: Option<&Writer>,
    pair: Pair,
    options: &CompareOptions,
) -> Result<Compared, Error> {
    if !pair.holds_objects() {
        // Every object on the right would look extra.
        return Err(Error::Stage { what: format!("{} cannot be compared", pair.target) });
    }
    let live = access.ask(access.client.schema(&pair.target)).await?;
    let alias_of = live.as_ref().map(|live| live.name.clone()).filter(|name| *name != pair.target);
    let Some(live) = live.filter(|_| alias_of.is_none()) else {
        return Err(Error::UnknownCollection { name: pair.target.to_string(), alias_of, similar: Vec::new() });
    };
    let mut facing = if live.multi_tenant { face(access, writer, &pair, options).await? } else { Facing::default() };
    let replicas = live.replicas;
    let guard = access.guard(live, options.patience);
    let changed_since_ms = access.ask(access.client.meta()).await?.server_time_ms.map(|at| at + CLOCK_STEP_MS);
    let tenants = std::mem::take(&mut facing.tenants);
    let uncounted = OnceLock::new();
    let target = pair.target.clone();
    let sieves = pair.sieves(options)?;
    let mut comparing = Comparing { access, options, sieves, guard, pair, target, facing, replicas, uncounted };
    let compared = Box::pin(comparing.compare(tenants, changed_since_ms)).await;
    let left_active = match &comparing.facing.activating {
        Some(activating) => activating.deactivate(access.session).await,
        None => 0,
    };
    compared.map(|compared| Compared { left_active, ..compared })
}

/// The comparison of one collection, its share of memory decided.
fn comparison(
    comparing: &Comparing<'_>,
    tenants: compare::Tenants,
    counted: bool,
    changed_since_ms: Option<i64>,
) -> Comparison {
    let Comparing { options, pair, .. } = comparing;
    let jobs = bounds::jobs(options.jobs);
    let shares = Shares::of(options.memory_bytes, jobs, pair.bytes().checked_div(pair.objects()).unwrap_or(0));
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let object_bytes = (pair.objects() > 0).then(|| pair.bytes() as f64 / pair.objects() as f64);
    let lines = LongLines::with_own(options.memory_bytes, shares.own_line_bytes);
    Comparison {
        client: Client::clone(comparing.access.client),
        left: Arc::new(pair.left(options.sample.map(|share| (share, options.seed)), lines)),
        target: pair.target.clone(),
        comparer: options.comparer.clone(),
        sieves: comparing.sieves.clone(),
        vectors: options.vectors && pair.holds_vectors(),
        without_vectors: pair.without_vectors(),
        counted,
        tenants,
        object_bytes,
        limits: Limits { fixed_page_objects: None, most_in_flight: shares.workers, page_bytes: shares.page_bytes },
        budget: Budget::new(shares.budget_bytes),
        mark: comparing.guard.mark(),
        changed_since_ms,
        marking: options.marking,
        limit: options.limit,
        events: comparing.access.events.clone(),
        replicas: (comparing.replicas > 1).then(|| ReplicaCheck::new(changed_since_ms)),
        // A listing reads one replica, and so does a count.
        ask_each: AtomicBool::new(comparing.replicas > 1),
        asked: AtomicU64::new(0),
        told: [AtomicU64::new(0), AtomicU64::new(0)],
    }
}

/// One comparison under way.
struct Comparing<'a> {
    access: ReadAccess<'a>,
    options: &'a CompareOptions,
    sieves: Sieves,
    guard: Guard,
    pair: Pair,
    target: CollectionName,
    facing: Facing,
    /// Replicas of each shard.
    replicas: u32,
    /// Why the server's count could not be asked, if so.
    uncounted: OnceLock<String>,
}

impl Comparing<'_> {
    async fn compare(&mut self, tenants: compare::Tenants, changed_since_ms: Option<i64>) -> Result<Compared, Error> {
        let before = self.count_before().await?;
        let same = self.pair.tenants.is_same();
        let comparison = Arc::new(comparison(self, tenants, before.counted, changed_since_ms));
        let limit = self.options.limit;
        let mut done = Units::new(comparison.left.units(), move |all: &mut Found, more| all.add(more, limit));
        let miscount = self.until_proven(&comparison, &mut done, before).await?;
        if self.facing.active.is_some() {
            let listed = self.access.ask(self.access.client.tenants(&self.target)).await?;
            self.facing.see(listed, same);
        }
        self.finish(&comparison, done.total(), miscount)
    }

    /// Compares until everything is proven; what the counts say against it, if anything.
    async fn until_proven(
        &mut self,
        comparison: &Arc<Comparison>,
        done: &mut Units<Found>,
        mut before: CountBefore,
    ) -> Result<Option<Miscount>, Error> {
        let (mut again, mut listed_again, mut rounds) = (true, false, Rounds::new());
        while rounds.another(done.total().objects) {
            let todo = done.todo();
            self.round(comparison, done, &todo).await?;
            self.access.go_on()?;
            if self.guard.trouble().is_none() && done.todo().is_empty() {
                match self.count_after(before.counted).await {
                    Ok(after) => {
                        // What is left of a count says nothing.
                        let objects = after.objects.filter(|_| after.unknown.is_empty());
                        let miscount = judge(before.objects, objects, &done.total());
                        if self.guard.ask().await {
                            if !is_proven_missing(comparison, before.objects, &after, &done.total()) {
                                // Whoever deletes meanwhile may be done: then the next count proves what is not there.
                                let moved = before.objects.is_some() && before.objects != after.objects;
                                if !moved || std::mem::replace(&mut listed_again, true) {
                                    comparison.ask_for_each();
                                }
                                before.objects = before.objects.and(after.objects);
                                done.drop_all();
                                retell(comparison, done);
                                continue;
                            }
                            let proven = miscount.is_none() && after.unknown.is_empty();
                            if proven || !std::mem::take(&mut again) {
                                self.warn_of(&after);
                                return Ok(miscount);
                            }
                            tracing::warn!(collection = %self.target, ?miscount, "counts disagree, comparing once more");
                            // What was counted after this round was counted before the next one.
                            before.objects = before.objects.or(after.objects);
                            self.leave_uncounted(comparison, after.unknown);
                            done.drop_all();
                            retell(comparison, done);
                            continue;
                        }
                    }
                    Err(Error::Wire(e)) if self.guard.explains(&e).await => {}
                    Err(e) => return Err(e),
                }
            }
            done.drop_since(self.guard.doubtful_from());
            retell(comparison, done);
            self.guard.until_whole().await?;
        }
        Err(self.guard.not_whole().into())
    }

    /// One round over the units to do, the guard beside it; it ends early when the server breaks.
    async fn round(
        &mut self,
        comparison: &Arc<Comparison>,
        units: &mut Units<Found>,
        todo: &[usize],
    ) -> Result<(), Error> {
        let proven = self.guard.proven();
        let take = |unit, found: Found| units.take(unit, found.mark, found, proven.below());
        let done = self.guard.beside(async |reading| comparison.run(todo, &reading, take).await).await?;
        if let Some(activating) = &self.facing.activating {
            activating.deactivate_between(self.access.session).await;
        }
        match done {
            Ok(()) => Ok(()),
            // The next round asks again, as long as there is trouble to explain it.
            Err(
                compare::Error::Right(scan::Error::Wire(e))
                | compare::Error::Activation(pipeline::activation::Error::Wire(e)),
            ) if self.guard.explains(&e).await => Ok(()),
            Err(error) => Err(stopped(&self.target, error)),
        }
    }

    /// Everything is proven: tells what was found.
    fn finish(&self, comparison: &Comparison, mut found: Found, miscount: Option<Miscount>) -> Result<Compared, Error> {
        let (events, collection) = (&self.access.events, &self.target);
        if self.guard.is_remade() {
            let what = SchemaDrift::Remade;
            return Err(Error::SchemaChanged { collection: collection.clone(), what });
        }
        if let Some(Miscount::Unexplained { counted }) = miscount {
            let listed = found.listed();
            events.warn(Warning::CountMismatch { collection: collection.clone(), listed, counted });
        }
        if found.unasked > 0 && comparison.asks_each() {
            events.warn(Warning::MissingUnasked { collection: collection.clone(), objects: found.unasked });
        }
        let pair = &self.pair;
        let mut remarks = remarks::remarks(pair, comparison, &found, self.options, miscount);
        remarks.extend(self.facing.remarks.iter().cloned());
        remarks.extend(self.uncounted.get().cloned().map(|reason| ComparisonRemark::CountsUnverified { reason }));
        let replicas = comparison.replicas.as_ref().map(ReplicaCheck::findings).unwrap_or_default();
        remarks.extend(remarks::replicas(&replicas));
        let replicas_differ = replicas.differing > 0;
        let tenants_differ = self.facing.differ || !found.out_of_reach.is_empty();
        // Clamped integers agree with what was asked, not with what the archive holds.
        let exact = self.options.sample.is_none() && self.options.filter.is_none() && comparison.sieves.taken.is_none();
        let exact = exact && !self.options.comparer.clamps() && pair.tenants.is_same();
        let whole = exact && found.without_vectors + found.made_vectors == 0;
        let whole = whole && (comparison.vectors || !pair.holds_vectors());
        let differs =
            |((tenant, id), (kind, fields))| Differs { collection: collection.clone(), tenant, id, kind, fields };
        let compared = Compared {
            replicas_differ,
            counted: self.uncounted.get().is_none(),
            digest: None,
            differences: std::mem::take(&mut found.differing).into_iter().map(differs).collect(),
            miscount,
            remarks,
            unchecked: self.guard.unchecked().map(str::to_owned),
            tenants: (self.facing.compared.len() as u64).saturating_sub(found.out_of_reach.len() as u64),
            tenants_differ,
            left_active: 0,
            found,
        };
        let digest = pair.digest().filter(|_| compared.is_same() && whole);
        Ok(Compared { digest, ..compared })
    }
}

/// Why the comparison of a collection stops.
fn stopped(target: &CollectionName, error: compare::Error) -> Error {
    match error {
        compare::Error::Right(source) => Error::Scan { collection: target.clone(), source },
        compare::Error::Left(error) => left_unread(*error),
        compare::Error::Activation(e) => e.into(),
        compare::Error::Thread => Error::Stage { what: "compare".into() },
    }
}

/// Whether it is certain of the missing objects that they are not there: each was asked for, or is missing in a listing of
/// which the counts before and after say that it showed every object there is.
fn is_proven_missing(comparison: &Comparison, before: Option<u64>, after: &CountAfter, found: &Found) -> bool {
    let listed = found.listed().saturating_sub(found.uncounted);
    let counted = after.objects.filter(|_| after.unknown.is_empty()).map(|objects| objects + found.counted_inactive);
    let is_steady = before.is_none_or(|before| Some(before) == after.objects);
    found.unasked == 0 || comparison.asks_each() || (counted == Some(listed) && is_steady)
}

/// What the counts say against what was found. That writers explain a difference is a backup's excuse: a comparison that
/// found nothing but the archive's objects, and a count that is not theirs, has overlooked something.
fn judge(before: Option<u64>, after: Option<u64>, found: &Found) -> Option<Miscount> {
    let listed = found.listed().saturating_sub(found.uncounted);
    // Inactive tenants are counted while they are active for us.
    let [before, after] = [before, after].map(|count| count.map(|count| count + found.counted_inactive));
    let evidence = Evidence { before, after, listed, changed: found.changed };
    match (proof::judge(evidence), after) {
        (Verdict::Disagrees { counted }, _) => Some(Miscount::Unexplained { counted }),
        (Verdict::Agrees | Verdict::Live, Some(after)) if found.agrees() && after != listed => {
            Some(Miscount::Unseen { before, after })
        }
        (Verdict::Agrees | Verdict::Live, _) => None,
    }
}

/// Takes back what was told of units that are read again, and what was asked for them.
fn retell(comparison: &Comparison, done: &Units<Found>) {
    let kept = done.total();
    let dropped = |place: usize, kept: u64| comparison.told[place].swap(kept, Ordering::SeqCst).saturating_sub(kept);
    let (objects, bytes) = (dropped(0, kept.objects), dropped(1, kept.bytes));
    comparison.asked.store(kept.asked, Ordering::SeqCst);
    if objects > 0 {
        comparison.events.emit(Event::PagesDropped { collection: comparison.target.clone(), objects, bytes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{self, Damage};
    use crate::event::Class;
    use crate::ops::Hint;
    use crate::pipeline::compare::LeftError;
    use crate::pipeline::split::SplitError;
    use crate::pipeline::{activation, load};
    use crate::weaviate;

    #[test]
    fn what_stops_a_comparison_keeps_its_exit_code_and_its_advice() {
        let (target, path) = ("A".parse().expect("a name"), std::path::PathBuf::from("/a/objects-000000.jsonl"));
        let damaged = || archive::Error::Damaged { path: path.clone(), line: None, what: Damage::Hash };
        let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let full = archive::Error::NoSpace { path: path.clone(), needed: 1, source };
        let in_part =
            |source: load::Error| compare::Error::Left(Box::new(LeftError::Archive { path: path.clone(), source }));
        let line = load::Error::Line { line: 7, source: SplitError::Structure { at: 1 } };
        let lost = || weaviate::Error::Lost { route: "GET /v1/objects".into(), reason: "reset".into() };
        for (error, class, hints) in [
            (compare::Error::Right(scan::Error::Wire(lost())), Class::Server, &[Hint::RunAgain][..]),
            (compare::Error::Right(scan::Error::SinkGone), Class::Bug, &[Hint::Report]),
            (in_part(load::Error::Archive(damaged())), Class::Archive, &[Hint::ArchiveDamaged]),
            (in_part(line), Class::Archive, &[Hint::ArchiveDamaged]),
            (in_part(load::Error::Stopped), Class::Interrupted, &[]),
            (compare::Error::Activation(activation::Error::Wire(lost())), Class::Server, &[Hint::RunAgain]),
            (compare::Error::Activation(activation::Error::Journal(full.into())), Class::Disk, &[Hint::MakeRoom]),
            (compare::Error::Thread, Class::Bug, &[Hint::Report]),
        ] {
            let words = format!("{error:?}");
            let stopped = stopped(&target, error);
            assert_eq!((stopped.class(), stopped.hints().as_slice()), (class, hints), "{words}");
        }
    }
}
