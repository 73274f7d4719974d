//! What a restore has to know about the objects of an archive before it writes any: found while every byte is proven.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::RestoreOptions;
use crate::archive::{Archive, Run};
use crate::event::{RestoreRemark, Warning};
use crate::model::{MixedLengths, MixedSpaces, RawObject, Schema, Sieve, TenantName, VectorLengths, VectorNames};
use crate::ops::prove;
use crate::ops::schema::expiry::Expiry;
use crate::ops::{Error, Session};
use crate::pipeline::limits;
use crate::pipeline::marks::Marks;
use crate::pipeline::parts::{Indexed, Reading};

/// Threads that read an archive.
pub(super) const READERS: usize = 4;
/// Characters of an unknown member's name that are shown.
const NAME_CHARS: usize = 60;

/// Lengths of a vector named at most.
const LENGTHS_NAMED: usize = 4;
/// Makes vectors of those of the objects referred to: nothing is called for it, and nothing paid.
pub(super) const CENTROID: &str = "ref2vec-centroid";

/// What was found in the objects of one collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Survey {
    /// Objects that lack a vector which the server would make.
    pub(super) to_vectorise: u64,
    /// Objects with an integer that the server refuses.
    pub(super) refused_integers: u64,
    /// Objects that the server would remove at once, as they have expired.
    pub(super) expired: u64,
    /// When the first of the others expires, in s since 1970.
    pub(super) next_expiry: Option<i64>,
    /// Tenants, by their names on the server, whose objects have vectors in several lengths.
    pub(super) mixed: Arc<MixedSpaces>,
    /// Objects that are wanted of each run, by its part and its place there, and their plain bytes; counted only where not
    /// all are.
    pub(super) wanted: BTreeMap<PlaceOfRun, [u64; 2]>,
}

impl Survey {
    /// What has to be known before anything is written.
    pub(super) fn remarks(&self) -> Vec<RestoreRemark> {
        let mut remarks = Vec::new();
        if self.expired > 0 {
            remarks.push(RestoreRemark::ExpiredAlready { objects: self.expired });
        }
        let first = self.mixed.iter().next().and_then(|(tenant, mixed)| Some((tenant, mixed.first()?)));
        if let Some((tenant, mixed)) = first {
            remarks.push(RestoreRemark::VectorLengths {
                vector: mixed.vector.clone(),
                lengths: mixed.lengths.iter().take(LENGTHS_NAMED).copied().collect(),
                more_lengths: mixed.lengths.len().saturating_sub(LENGTHS_NAMED) as u64,
                tenant: tenant.cloned(),
                more: self.mixed.iter().map(|(_, mixed)| mixed.len() as u64).sum::<u64>() - 1,
                odd: self.mixed.iter().flat_map(|(_, mixed)| mixed).map(MixedLengths::odd_objects).sum(),
            });
        }
        remarks
    }

    /// Whether objects expired between the beginning and the end of a restore. `own_seconds`: how long objects live that age
    /// from when they were written.
    pub(super) fn lapsed(&self, own_seconds: Option<i64>, began: Timestamp, now: Timestamp) -> bool {
        let own = own_seconds.map(|seconds| began.as_second().saturating_add(seconds));
        let first = self.next_expiry.into_iter().chain(own).min();
        first.is_some_and(|at| at <= now.as_second())
    }
}

/// What several threads count together.
#[derive(Debug, Default)]
struct Counting {
    survey: Survey,
    names: VectorNames,
    /// Vectors by tenant on the server.
    of: BTreeMap<Option<TenantName>, VectorLengths>,
    /// Objects with a member that is not sent, and the first such member.
    unknown: Option<(u64, String)>,
}

impl Counting {
    fn mixed(&self) -> MixedSpaces {
        let mut mixed = MixedSpaces::default();
        for (tenant, lengths) in &self.of {
            mixed.insert(tenant.clone(), lengths.mixed(&self.names));
        }
        mixed
    }
}

/// Names of the vectors that the server makes where an object lacks them. The unnamed one is `default`.
pub(super) fn vectorised(schema: &Schema) -> Vec<String> {
    let document: Value = serde_json::from_slice(&schema.text).unwrap_or(Value::Null);
    let made = |vectorizer: &Value| match vectorizer {
        Value::String(module) => !module.is_empty() && module != "none" && module != CENTROID,
        Value::Object(modules) => modules.keys().any(|module| module != "none" && module != CENTROID),
        _ => false,
    };
    let named = document["vectorConfig"].as_object().into_iter().flatten();
    let named = named.filter(|(_, config)| made(&config["vectorizer"])).map(|(name, _)| name.clone());
    let unnamed = made(&document["vectorizer"]).then(|| RawObject::UNNAMED_VECTOR.to_owned());
    named.chain(unnamed).collect()
}

/// The part of a run, and where it begins there: no other one has both.
pub(super) type PlaceOfRun = (Option<u32>, u64);

/// What is looked at.
pub(super) struct Surveyed<'a> {
    pub(super) archive: &'a Arc<Archive>,
    /// The collection's place in the archive.
    pub(super) at: usize,
    pub(super) indexed: &'a Indexed,
    /// The schema it will have.
    pub(super) asked: &'a Schema,
}

/// Proves every part of a collection that holds something chosen and not done, and looks at these objects. `only`: some in a
/// merge. `sieve`: what is wanted of them.
pub(super) async fn survey(
    session: &Session,
    of: &Surveyed<'_>,
    options: &RestoreOptions,
    (done, only): (Arc<BTreeSet<usize>>, Option<Arc<Marks>>),
    sieve: Option<Arc<Sieve>>,
) -> Result<Survey, Error> {
    let Surveyed { archive, at, indexed, asked } = *of;
    let (vectorised, vectors, tenants) = (vectorised(asked), options.vectors, options.tenants.clone());
    let (expiry, now) = (Expiry::of(asked), session.clock.now().as_second());
    let counting = Arc::new(Mutex::new(Counting::default()));
    let counted = Arc::clone(&counting);
    let look = move |schema: &Schema, object: &RawObject, run: &Run| {
        let cut = match &sieve {
            Some(sieve) if !sieve.keeps(run.tenant.as_ref(), object) => return,
            Some(sieve) => sieve.cut(object),
            None => None,
        };
        let object = cut.as_ref().unwrap_or(object);
        let has = |name: &String| vectors && object.vectors().any(|(n, _)| n == name.as_bytes());
        let (lacks, refused) = (!vectorised.iter().all(has), limits::holds_unwritable_integer(schema, object));
        let expires = expiry.as_ref().and_then(|expiry| expiry.at(object));
        let target = tenants.target(run.tenant.as_ref()).filter(|_| vectors);
        let mut counting = counted.lock().unwrap_or_else(PoisonError::into_inner);
        let Counting { survey, names, of, unknown } = &mut *counting;
        if sieve.is_some() {
            let wanted = survey.wanted.entry((run.part, run.offset)).or_default();
            *wanted = [wanted[0] + 1, wanted[1] + object.text.len() as u64 + 1];
        }
        survey.to_vectorise += u64::from(lacks);
        survey.refused_integers += u64::from(refused);
        match expires {
            Some(at) if at <= now => survey.expired += 1,
            Some(at) => survey.next_expiry = survey.next_expiry.min(Some(at)).or(Some(at)),
            None => {}
        }
        if let Some(name) = object.unknown_member() {
            unknown.get_or_insert_with(|| (0, shown(name))).0 += 1;
        }
        if let Some(target) = target {
            of.entry(target).or_default().see(names, object);
        }
    };
    let reading = Reading {
        readers: READERS,
        memory_bytes: options.memory_bytes,
        says: false,
        tenants: options.tenants.clone(),
        done,
        only,
        look: Arc::new(look),
    };
    prove::parts(session, archive, at, indexed, reading).await?;
    let counting = std::mem::take(&mut *counting.lock().unwrap_or_else(PoisonError::into_inner));
    let mixed = Arc::new(counting.mixed());
    if let Some((objects, first)) = counting.unknown {
        let collection = indexed.schema.name.clone();
        session.events.warn(Warning::MembersNotSent { collection, objects, first });
    }
    Ok(Survey { mixed, ..counting.survey })
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().take(NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        vectorised(&Schema::parse(text.to_owned().into()).expect("a schema"))
    }

    #[test]
    fn what_expires_before_the_end_is_told_by_whichever_time_counts() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let of = |next_expiry| Survey { next_expiry, ..Survey::default() };
        for (next, own, told) in [
            (None, None, false),
            (Some(150), None, true),
            (Some(201), None, false),
            (None, Some(100), true),
            (None, Some(101), false),
            (Some(201), Some(60), true),
        ] {
            assert_eq!(of(next).lapsed(own, at(100), at(200)), told, "{next:?} {own:?}");
        }
    }

    #[test]
    fn vectors_with_a_vectoriser_are_named() {
        assert_eq!(of(r#"{"class":"A","vectorizer":"none"}"#), Vec::<String>::new());
        assert_eq!(of(r#"{"class":"A"}"#), Vec::<String>::new());
        assert_eq!(of(r#"{"class":"A","vectorizer":"ref2vec-centroid"}"#), Vec::<String>::new());
        assert_eq!(of(r#"{"class":"A","vectorizer":"text2vec-openai"}"#), ["default"]);
        let named = r#"{"class":"A","vectorConfig":{"a":{"vectorizer":{"none":{}}},"b":{"vectorizer":{"text2vec-openai":{"x":1}}}}}"#;
        assert_eq!(of(named), ["b"]);
    }
}
