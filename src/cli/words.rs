//! Errors and refusals in words, where the library carries facts that it has no words for.

use crate::event::{Op, Remark, SchemaDifference};
use crate::ops::clear::{ClearRefusal, NotRepeatable, WhyMethod};
use crate::ops::restore::RestoreRefusal;
use crate::ops::{Error, NotBackedUp, PlanChange};
use crate::render::{remark, schema_difference, skip_reason};

/// An error, without what is behind it.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::CannotRestore { refusals, .. } => format!("cannot restore: {}", each(refusals, restore_refusal)),
        Error::Unfinished { run, refusals, .. } => format!(
            "cannot restore: {}; that is what {run} left, which did not get to its end",
            each(refusals, restore_refusal)
        ),
        Error::CannotCreate { refusals } => format!("cannot create {}", each(refusals, creation_refusal)),
        Error::CannotClear { refusals } => format!("cannot clear: {}", each(refusals, clear_refusal)),
        Error::NotAsPlanned { what: PlanChange::NotBackedUp { why }, .. } => format!("{error}: {}", not_backed_up(why)),
        Error::UnknownTenant { skipped: Some(reason), .. } => format!("{error}: {}", skip_reason(reason)),
        other => other.to_string(),
    }
}

fn each<T>(refusals: &[T], words: impl Fn(&T) -> String) -> String {
    refusals.iter().map(words).collect::<Vec<_>>().join("; ")
}

/// What stands against restoring or creating a collection.
pub(super) fn restore_refusal(refusal: &RestoreRefusal) -> String {
    match refusal {
        RestoreRefusal::DoesNotFit { differs, .. } => {
            format!("{refusal}: {}", each(differs, |differs| schema_difference(Op::Restore, differs)))
        }
        RestoreRefusal::FileDoesNotFit { differs, .. } => format!("{refusal}: {}", each(differs, file_difference)),
        other => other.to_string(),
    }
}

/// What a class document in a file does not hold of what is archived.
fn file_difference(differs: &SchemaDifference) -> String {
    match differs {
        SchemaDifference::TenancySwitched => "it switches multi-tenancy".to_owned(),
        SchemaDifference::NoUnnamedVector => "it has no unnamed vector".to_owned(),
        SchemaDifference::NoVector { vector } => format!("it has no vector {vector}"),
        SchemaDifference::NoProperty { property } => format!("it has no property {property}"),
        SchemaDifference::OtherType { property, archived, live } => {
            let (was, is) = (archived.join(", "), live.join(", "));
            format!("its property {property} is {is}, and {was} in the archive")
        }
        other => schema_difference(Op::Restore, other),
    }
}

/// The same about a collection that is created alone.
fn creation_refusal(refusal: &RestoreRefusal) -> String {
    match refusal {
        RestoreRefusal::MissingTarget { collection, property, target, .. } => {
            format!("{collection}: {property} refers to {target}, which is not on the server")
        }
        other => restore_refusal(other),
    }
}

/// What stands against emptying a collection, or against one way of it.
pub(super) fn clear_refusal(refusal: &ClearRefusal) -> String {
    match refusal {
        ClearRefusal::NotRecreated { why, .. } => format!("{refusal}: {}", not_repeatable(why)),
        other => other.to_string(),
    }
}

fn not_repeatable(why: &NotRepeatable) -> String {
    match why {
        NotRepeatable::Refused(refusal) => restore_refusal(refusal),
        NotRepeatable::SettingLost(setting) => remark(Op::Clear, &Remark::from(setting.clone())),
        NotRepeatable::AliasOfItsName { alias } => {
            format!("{alias} is an alias, and no collection is taken that differs from it in case alone")
        }
    }
}

fn not_backed_up(why: &NotBackedUp) -> String {
    match why {
        NotBackedUp::Written => "it was written to meanwhile".to_owned(),
        NotBackedUp::TenantsStayActive => {
            "tenants that were activated to be compared are not inactive again".to_owned()
        }
        NotBackedUp::Found(found) => remark(Op::Clear, &Remark::from(found.clone())),
    }
}

/// Why a collection is emptied in the way that it is.
pub(super) fn why_method(why: &WhyMethod) -> String {
    match why {
        WhyMethod::Asked => "as asked".to_owned(),
        WhyMethod::Unfinished => "an earlier run dropped it and did not finish".to_owned(),
        WhyMethod::FewObjects => "so few objects are deleted at once, and nothing else is touched".to_owned(),
        WhyMethod::Fastest => "the fastest way, whatever the number of objects".to_owned(),
        WhyMethod::Unrehearsed => "without a rehearsal, nothing is dropped unless that is asked for".to_owned(),
        WhyMethod::AliasesHidden => {
            "an alias that differs from its name in case alone would keep it from being created \
                                     again, and the key may not see all aliases (read_aliases)"
                .to_owned()
        }
        WhyMethod::Instead(refusal) => clear_refusal(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ComparisonRemark, SchemaDifference, SettingRemark};
    use crate::model::CollectionName;

    fn name(text: &str) -> CollectionName {
        text.parse().expect("a name")
    }

    #[test]
    fn every_refusal_is_told_with_what_it_holds() {
        let exists = |text: &str| RestoreRefusal::Exists { collection: name(text), there: name(text) };
        let differs = vec![SchemaDifference::NoVector { vector: "v".into() }, SchemaDifference::TenancySwitched];
        let unfit = RestoreRefusal::DoesNotFit { collection: name("B"), there: name("C"), differs };
        assert_eq!(
            message(&Error::CannotRestore { refusals: vec![exists("A"), unfit], chosen: 2 }),
            "cannot restore: A: the server has A already; B: C on the server cannot hold it: the live collection has no \
             vector v; multi-tenancy is switched"
        );
        let (property, target) = ("to".into(), "Lost".into());
        let lost = RestoreRefusal::MissingTarget { collection: name("A"), property, target, renamed: None };
        assert_eq!(
            message(&Error::CannotCreate { refusals: vec![exists("A"), lost] }),
            "cannot create A: the server has A already; A: to refers to Lost, which is not on the server"
        );
        let (key, was) = ("objectTtlConfig".into(), "3".into());
        let lost = NotRepeatable::SettingLost(SettingRemark::SettingLost { key, was, now: None, loss: None });
        let twin = NotRepeatable::AliasOfItsName { alias: "ARTICLE".into() };
        let again = |why| ClearRefusal::NotRecreated { collection: name("Article"), why };
        assert_eq!(
            message(&Error::CannotClear { refusals: vec![again(lost), again(twin)] }),
            "cannot clear: Article could not be created again: objectTtlConfig 3 is not kept: without effect; Article could \
             not be created again: ARTICLE is an alias, and no collection is taken that differs from it in case alone"
        );
        let refused = again(NotRepeatable::Refused(Box::new(exists("A"))));
        let why = WhyMethod::Instead(refused);
        assert_eq!(why_method(&why), "Article could not be created again: A: the server has A already");
    }

    #[test]
    fn why_it_is_not_what_was_backed_up_is_told() {
        let told = |why| {
            let what = PlanChange::NotBackedUp { why };
            message(&Error::NotAsPlanned { collection: name("A"), what })
        };
        let begin = "A is not as it was when it was planned: it is not what was backed up: ";
        assert_eq!(told(NotBackedUp::Written), format!("{begin}it was written to meanwhile"));
        let found = NotBackedUp::Found(ComparisonRemark::ReplicasDiffer { objects: 2 });
        assert_eq!(told(found), format!("{begin}the replicas of 2 objects hold different versions; one was listed"));
    }
}
