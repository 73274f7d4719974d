//! A setting that will not be, or is not, what it was.

use std::collections::BTreeSet;

use serde_json::Value;

use super::place::{shape, short};
use crate::event::{Loss, Remark, SettingRemark};
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
    /// What is lost thereby; `None` if nothing that anyone could notice.
    pub lost: Option<Loss>,
}

impl Applied {
    pub(in crate::ops) fn new(path: &[String], was: &Value, now: Option<&Value>, lost: Option<Loss>) -> Self {
        Self { key: shape(path), was: short(was), now: now.map(short), lost }
    }

    /// Whether a setting would go that the same server has stored: a server's own notes, and a vector that is being dropped,
    /// are none.
    pub(in crate::ops) fn is_setting_lost(&self) -> bool {
        let of_modules = self.key.split('.').any(|key| key == "moduleConfig");
        let dropped_vector = self.was == short(&Value::from(DROPPED_VECTOR));
        of_modules || (self.lost.is_some() && !dropped_vector)
    }

    /// What happened, if anybody could notice it.
    pub(in crate::ops) fn remark(&self) -> Option<SettingRemark> {
        self.lost.map(|_| self.loss())
    }

    /// The same of one that is missed in any case.
    pub(in crate::ops) fn loss(&self) -> SettingRemark {
        let Self { key, was, now, lost } = self.clone();
        SettingRemark::SettingLost { key, was, now, loss: lost }
    }
}

/// What happened to a schema: a remark for each kind of loss, and one for everything that nobody will miss. What is given
/// twice (foretold by the fit and then seen) is told once.
pub(in crate::ops) fn remarks_of(applied: &[Applied]) -> impl Iterator<Item = Remark> + use<> {
    let mut remarks: Vec<SettingRemark> = Vec::new();
    for lost in applied.iter().filter_map(Applied::remark) {
        if !remarks.contains(&lost) {
            remarks.push(lost);
        }
    }
    let last = |one: &'_ &Applied| one.key.rsplit('.').next().unwrap_or_default().to_owned();
    let keys: BTreeSet<String> = applied.iter().filter(|one| one.lost.is_none()).map(|one| last(&one)).collect();
    let keys: Vec<String> = keys.into_iter().collect();
    let quiet = (!keys.is_empty()).then_some(SettingRemark::SettingsUnkept { keys });
    remarks.into_iter().chain(quiet).map(Remark::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(path: &str, now: Option<&Value>, lost: Option<Loss>) -> Applied {
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
        assert!(lost("replicationConfig.factor", "3", Some(Loss::TooFewNodes)));
        assert!(!lost("properties.a.bucketGeneration", "1", None));
        assert!(!lost("vectorConfig.v.vectorIndexType", DROPPED_VECTOR, Some(Loss::DroppedVector)));
    }

    #[test]
    fn a_loss_is_told_once_and_the_rest_in_one_clause() {
        let one = Value::from(1);
        let told: Vec<Remark> = remarks_of(&[
            applied("properties.a.indexRangeFilters", None, Some(Loss::RangeIndex)),
            applied("properties.b.indexRangeFilters", None, Some(Loss::RangeIndex)),
            applied("replicationConfig.factor", Some(&one), Some(Loss::TooFewNodes)),
            applied("vectorIndexConfig.rq", None, None),
            applied("vectorConfig.v.vectorIndexConfig.rq", None, None),
            applied("objectTtlConfig", None, None),
        ])
        .collect();
        let lost = |key: &str, now: Option<&str>, loss| SettingRemark::SettingLost {
            key: key.into(),
            was: "3".into(),
            now: now.map(str::to_owned),
            loss: Some(loss),
        };
        let unkept = SettingRemark::SettingsUnkept { keys: vec!["objectTtlConfig".into(), "rq".into()] };
        let factor = lost("replicationConfig.factor", Some("1"), Loss::TooFewNodes);
        let expected = [lost("properties.*.indexRangeFilters", None, Loss::RangeIndex), factor, unkept];
        assert_eq!(told, expected.map(Remark::from));
        assert_eq!(remarks_of(&[]).count(), 0);
    }
}
