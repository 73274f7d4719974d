//! Decides how a collection is emptied. Pure.

use super::{ClearRefusal, Method, NotRepeatable, Wish};
use crate::model::CollectionName;
use crate::ops::Lack;
use crate::ops::schema::Unmakeable;

/// Up to so many objects are deleted one by one rather than dropped with their collection: it takes no longer, and loses
/// nothing.
const FEW_OBJECTS: u64 = 1_000;

/// Why a collection is emptied in the way that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyMethod {
    /// It was asked for.
    Asked,
    /// An earlier run dropped it and did not finish.
    Unfinished,
    /// So few objects are deleted at once, and nothing else is touched.
    FewObjects,
    /// It is the fastest way, whatever the number of objects.
    Fastest,
    /// Without a rehearsal nothing is dropped unless that is asked for.
    Unrehearsed,
    /// An alias that the key may not see could keep it from being created again.
    AliasesHidden,
    /// This stands against the other way.
    Instead(ClearRefusal),
}

/// What the decision rests on.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct MethodFacts {
    /// Objects, if they can be counted.
    pub(super) objects: Option<u64>,
    /// Two counts that were not the same.
    pub(super) moved: Option<(u64, u64)>,
    /// The permission to drop and create that lacks, if it is known that one does.
    pub(super) may_not_recreate: Option<Lack>,
    /// The permission to delete objects that lacks, if it is known that it does.
    pub(super) may_not_delete: Option<Lack>,
    /// Why the server would not take the schema back, if so.
    pub(super) not_recreated: Option<NotRepeatable>,
    /// Whether there may be aliases that the key may not see: one that differs in case alone from the name of a collection
    /// keeps that from being created again.
    pub(super) aliases_hidden: bool,
    /// Shards that take no deletions.
    pub(super) read_only: Vec<String>,
    /// Whether an earlier run dropped it.
    pub(super) unfinished: bool,
    /// Tenants among it that are not active.
    pub(super) inactive: usize,
    /// Those of them that are offloaded: they cannot be recreated so.
    pub(super) offloaded: usize,
    /// Whether only some of its tenants are emptied.
    pub(super) some_tenants: bool,
    /// Whether tenants are removed and created again whatever the method.
    pub(super) recreates_tenants: bool,
    /// Nothing is tried out before it is dropped.
    pub(super) unrehearsed: bool,
    /// Why the server does not make it again, as a rehearsal showed.
    pub(super) unmakeable: Option<Unmakeable>,
    /// The same of its tenants alone.
    pub(super) tenants_unmakeable: Option<Unmakeable>,
    /// The server's version, if it keeps what a tenant held when that is removed and created again.
    pub(super) tenants_stay: Option<String>,
}

/// The method and why.
pub(super) fn choose(
    name: &CollectionName,
    wish: Wish,
    facts: &MethodFacts,
) -> Result<(Method, WhyMethod), ClearRefusal> {
    let collection = || name.clone();
    let against_recreate = || {
        if let Some((before, after)) = facts.moved {
            return Some(ClearRefusal::BeingWritten { collection: collection(), before, after });
        }
        if let Some(lack) = facts.may_not_recreate.clone() {
            return Some(ClearRefusal::NotAllowed { lack });
        }
        if let (true, Some(server)) = (facts.some_tenants, facts.tenants_stay.clone()) {
            return Some(ClearRefusal::TenantsStay { collection: collection(), server });
        }
        if let Some(why) = facts.not_recreated.clone() {
            return Some(ClearRefusal::NotRecreated { collection: collection(), why });
        }
        let of_tenants = facts.tenants_unmakeable.as_ref().filter(|_| facts.some_tenants);
        let why = facts.unmakeable.as_ref().or(of_tenants)?.clone();
        Some(ClearRefusal::Unmakeable { collection: collection(), why })
    };
    let against_delete = || {
        if let Some(lack) = facts.may_not_delete.clone() {
            return Some(ClearRefusal::NotAllowed { lack });
        }
        if let (1.., Some(server)) = (facts.inactive, facts.tenants_stay.clone()) {
            return Some(ClearRefusal::TenantsStay { collection: collection(), server });
        }
        if let (true, Some(why)) = (facts.recreates_tenants, facts.tenants_unmakeable.clone()) {
            return Some(ClearRefusal::Unmakeable { collection: collection(), why });
        }
        (!facts.read_only.is_empty())
            .then(|| ClearRefusal::ReadOnly { collection: collection(), shards: facts.read_only.clone() })
    };
    if facts.unfinished {
        return match (facts.may_not_recreate.clone(), facts.unmakeable.clone()) {
            (Some(lack), _) => Err(ClearRefusal::NotAllowed { lack }),
            (None, Some(why)) => Err(ClearRefusal::Unmakeable { collection: collection(), why }),
            (None, None) => Ok((Method::Recreate, WhyMethod::Unfinished)),
        };
    }
    match (wish, against_recreate(), against_delete()) {
        // By itself: what stands against deleting is the smaller obstacle, a right or shards that can be opened.
        // Read-only shards: somebody froze them, or the server did. That goes with a drop, so that it has to be meant.
        (Wish::Recreate, Some(refusal), _)
        | (Wish::Delete, _, Some(refusal))
        | (Wish::Auto, Some(_), Some(refusal))
        | (Wish::Auto, None, Some(refusal @ ClearRefusal::ReadOnly { .. })) => Err(refusal),
        (Wish::Recreate, None, _) => Ok((Method::Recreate, WhyMethod::Asked)),
        (Wish::Delete, _, None) => Ok((Method::Delete, WhyMethod::Asked)),
        (Wish::Auto, Some(refusal), None) => Ok((Method::Delete, WhyMethod::Instead(refusal))),
        // What was not tried out is dropped only where that was asked for.
        (Wish::Auto, None, Some(refusal)) if facts.unrehearsed => Err(refusal),
        (Wish::Auto, None, Some(refusal)) => Ok((Method::Recreate, WhyMethod::Instead(refusal))),
        (Wish::Auto, None, None) if facts.unrehearsed => Ok((Method::Delete, WhyMethod::Unrehearsed)),
        (Wish::Auto, None, None) => Ok(match facts.objects {
            Some(objects) if objects <= FEW_OBJECTS && facts.inactive == 0 => (Method::Delete, WhyMethod::FewObjects),
            _ if facts.aliases_hidden && !facts.some_tenants => (Method::Delete, WhyMethod::AliasesHidden),
            _ => (Method::Recreate, WhyMethod::Fastest),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wish: Wish, facts: &MethodFacts) -> Result<Method, String> {
        let name = "A".parse().expect("a name");
        choose(&name, wish, facts).map(|(method, _)| method).map_err(|refusal| refusal.to_string())
    }

    fn lack(action: &'static str) -> Lack {
        Lack::on(action, &"A".parse().expect("a name"))
    }

    fn many() -> MethodFacts {
        MethodFacts { objects: Some(100_000), ..MethodFacts::default() }
    }

    #[test]
    fn by_itself_it_takes_what_fits_the_facts() {
        assert_eq!(chosen(Wish::Auto, &many()), Ok(Method::Recreate));
        assert_eq!(chosen(Wish::Auto, &MethodFacts::default()), Ok(Method::Recreate), "an unknown number may be large");
        assert_eq!(chosen(Wish::Auto, &MethodFacts { objects: Some(1_000), ..many() }), Ok(Method::Delete));
        assert_eq!(chosen(Wish::Auto, &MethodFacts { objects: Some(0), inactive: 1, ..many() }), Ok(Method::Recreate));
        assert_eq!(chosen(Wish::Auto, &MethodFacts { moved: Some((1, 2)), ..many() }), Ok(Method::Delete));
        let hidden = || MethodFacts { aliases_hidden: true, ..many() };
        assert_eq!(chosen(Wish::Auto, &hidden()), Ok(Method::Delete), "it may not come back");
        assert_eq!(chosen(Wish::Recreate, &hidden()), Ok(Method::Recreate), "that is meant");
        assert_eq!(
            chosen(Wish::Auto, &MethodFacts { some_tenants: true, ..hidden() }),
            Ok(Method::Recreate),
            "it stays"
        );
        let closed = MethodFacts { may_not_delete: Some(lack("x")), ..hidden() };
        assert_eq!(chosen(Wish::Auto, &closed), Ok(Method::Recreate), "the only way, and said");
        assert_eq!(
            chosen(Wish::Auto, &MethodFacts { may_not_recreate: Some(lack("x")), ..many() }),
            Ok(Method::Delete)
        );
        assert_eq!(
            chosen(
                Wish::Auto,
                &MethodFacts { not_recreated: Some(NotRepeatable::AliasOfItsName { alias: "x".into() }), ..many() }
            ),
            Ok(Method::Delete)
        );
        let frozen = || MethodFacts { read_only: vec!["s".into()], ..many() };
        assert_eq!(chosen(Wish::Auto, &frozen()), Err("A has read-only shards: s".into()));
        assert_eq!(chosen(Wish::Recreate, &frozen()), Ok(Method::Recreate), "that is meant");
        assert_eq!(
            chosen(Wish::Auto, &MethodFacts { unfinished: true, ..MethodFacts::default() }),
            Ok(Method::Recreate)
        );
    }

    #[test]
    fn tenants_that_would_come_back_with_what_they_held_are_not_made_again() {
        let old = || MethodFacts { tenants_stay: Some("1.24.26".into()), ..many() };
        let some = || MethodFacts { some_tenants: true, ..old() };
        assert_eq!(chosen(Wish::Auto, &old()), Ok(Method::Recreate), "the collection goes as a whole");
        assert_eq!(chosen(Wish::Auto, &some()), Ok(Method::Delete));
        for (wish, facts) in [
            (Wish::Recreate, some()),
            (Wish::Auto, MethodFacts { inactive: 1, ..some() }),
            (Wish::Delete, MethodFacts { inactive: 1, ..old() }),
        ] {
            assert!(
                chosen(wish, &facts).is_err_and(|why| why.contains("1.24.26 keeps what a tenant held")),
                "{wish:?}"
            );
        }
    }

    #[test]
    fn what_was_asked_for_is_done_or_refused() {
        let moved = MethodFacts { moved: Some((10, 12)), ..many() };
        let why = "A is being written to (10 objects, then 12): dropped now, auto-schema would create another one";
        assert_eq!(chosen(Wish::Recreate, &moved), Err(why.into()));
        assert_eq!(chosen(Wish::Recreate, &MethodFacts { objects: Some(1), ..many() }), Ok(Method::Recreate));
        assert_eq!(chosen(Wish::Delete, &many()), Ok(Method::Delete));
        let closed = MethodFacts {
            may_not_delete: Some(lack("delete_data")),
            may_not_recreate: Some(lack("delete_collections")),
            ..many()
        };
        for (wish, action) in
            [(Wish::Delete, "delete_data"), (Wish::Recreate, "delete_collections"), (Wish::Auto, "delete_data")]
        {
            assert_eq!(chosen(wish, &closed), Err(format!("the key may not {action} on A")));
        }
        let read_only = MethodFacts { read_only: vec!["s1".into(), "s2".into()], ..many() };
        assert_eq!(chosen(Wish::Delete, &read_only), Err("A has read-only shards: s1, s2".into()));
    }
}
