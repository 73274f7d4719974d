//! A setting that will not be, or is not, what it was: as data, and as clauses for people.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::{shape, short};
use crate::model::DROPPED_VECTOR;

/// A rule applied to a place of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ops) struct Applied {
    /// The place, keys from the top; `*` stands for the name of a property or vector.
    pub key: String,
    /// Its value in the archive as JSON, cut if long.
    pub was: String,
    /// Its value on the server; `None` if it has none there.
    pub now: Option<String>,
    /// What is lost thereby, as a clause; `None` if nothing that anyone could notice.
    pub lost: Option<&'static str>,
}

impl Applied {
    pub(in crate::ops) fn new(path: &[String], was: &Value, now: Option<&Value>, lost: Option<&'static str>) -> Self {
        Self { key: shape(path), was: short(was), now: now.map(short), lost }
    }

    /// Whether a setting would go that the same server has stored: a server's own notes, and a vector that is being dropped,
    /// are none.
    pub(in crate::ops) fn is_setting_lost(&self) -> bool {
        let of_modules = self.key.split('.').any(|key| key == "moduleConfig");
        let dropped_vector = self.was == short(&Value::from(DROPPED_VECTOR));
        of_modules || (self.lost.is_some() && !dropped_vector)
    }

    /// What happened, as a clause.
    pub(in crate::ops) fn clause(&self) -> String {
        let change = match &self.now {
            Some(now) => format!("{} becomes {now}, it was {}", self.key, self.was),
            None => format!("{} {} is not kept", self.key, self.was),
        };
        format!("{change}: {}", self.lost.unwrap_or("without effect"))
    }
}

/// What happened to a schema, a clause for each kind of loss, and one for everything that nobody will miss. What is given
/// twice (foretold by the fit and then seen) is told once.
pub(in crate::ops) fn clauses(applied: &[Applied]) -> Vec<String> {
    let (missed, quiet): (Vec<&Applied>, Vec<&Applied>) = applied.iter().partition(|one| one.lost.is_some());
    let mut seen = BTreeSet::new();
    let mut clauses: Vec<String> =
        missed.into_iter().map(Applied::clause).filter(|clause| seen.insert(clause.clone())).collect();
    let last = |one: &'_ &Applied| one.key.rsplit('.').next().unwrap_or_default().to_owned();
    let keys: BTreeSet<String> = quiet.iter().map(last).collect();
    if !keys.is_empty() {
        let keys = keys.into_iter().collect::<Vec<_>>().join(", ");
        clauses.push(format!("settings that are off or without effect there are not kept: {keys}"));
    }
    clauses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(path: &str, now: Option<&Value>, lost: Option<&'static str>) -> Applied {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        Applied::new(&path, &Value::from(3), now, lost)
    }

    #[test]
    fn settings_of_modules_are_lost_and_a_vector_that_is_being_dropped_is_not() {
        let lost = |path: &str, was: &str, lost| {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            Applied::new(&path, &Value::from(was), None, lost).is_setting_lost()
        };
        assert!(lost("properties.a.moduleConfig.text2vec-x", "x", None));
        assert!(lost("replicationConfig.factor", "3", Some("too few nodes")));
        assert!(!lost("properties.a.bucketGeneration", "1", None));
        assert!(!lost("vectorConfig.v.vectorIndexType", DROPPED_VECTOR, Some("it is being dropped")));
    }

    #[test]
    fn a_loss_is_told_once_and_the_rest_in_one_clause() {
        let one = Value::from(1);
        let told = clauses(&[
            applied("properties.a.indexRangeFilters", None, Some("slower")),
            applied("properties.b.indexRangeFilters", None, Some("slower")),
            applied("replicationConfig.factor", Some(&one), Some("too few nodes")),
            applied("vectorIndexConfig.rq", None, None),
            applied("vectorConfig.v.vectorIndexConfig.rq", None, None),
            applied("objectTtlConfig", None, None),
        ]);
        assert_eq!(
            told,
            [
                "properties.*.indexRangeFilters 3 is not kept: slower",
                "replicationConfig.factor becomes 1, it was 3: too few nodes",
                "settings that are off or without effect there are not kept: objectTtlConfig, rq",
            ]
        );
        assert!(clauses(&[]).is_empty());
    }
}
