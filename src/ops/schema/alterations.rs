//! What a person changed in a class document before it is sent, as it is told. Pure.

use serde_json::Value;

use super::made::{Change, changes};
use super::place::{is_off, shape, short};
use crate::event::{Remark, SettingRemark};

/// What servers work out from what was sent: the numbers behind that of the shards that were wanted, and the note that a
/// compression is the default.
const WORKED_OUT: [&str; 4] = ["actualCount", "actualVirtualCount", "desiredVirtualCount", "trackDefaultQuantization"];

/// Everything in which a document is another one than before: the same of several vectors or properties once, and in one
/// remark what is left out.
pub(in crate::ops) fn alterations(before: &Value, after: &Value) -> Vec<Remark> {
    let mut told: Vec<SettingRemark> = Vec::new();
    let mut left_out: Vec<String> = Vec::new();
    for change in changes(before, after) {
        let Some(now) = change.now.map(short) else {
            // What is off, and what servers work out themselves, nobody misses.
            let is_missed = change.was.is_some_and(|was| !is_off(was)) && !is_worked_out(&change);
            let key = shape(&change.path);
            if is_missed && !left_out.contains(&key) {
                left_out.push(key);
            }
            continue;
        };
        add(&mut told, &change, now);
    }
    told.extend((!left_out.is_empty()).then_some(SettingRemark::SettingsLeftOut { keys: left_out }));
    told.into_iter().map(Remark::from).collect()
}

fn is_worked_out(change: &Change<'_>) -> bool {
    change.path.last().is_some_and(|key| WORKED_OUT.contains(&key.as_str()))
}

/// Adds a setting that has another value. Once it is the same in several places, it goes without their names.
fn add(told: &mut Vec<SettingRemark>, change: &Change<'_>, after: String) {
    let (name, before) = (change.path.join("."), change.was.map(short));
    let same = told.iter_mut().find_map(|one| match one {
        SettingRemark::SettingChanged { key, was, now, places } => {
            (shape_of(key) == shape(&change.path) && *was == before && *now == after).then_some((key, places))
        }
        _ => None,
    });
    if let Some((key, places)) = same {
        (*key, *places) = (shape(&change.path), *places + 1);
        return;
    }
    told.push(SettingRemark::SettingChanged { key: name, was: before, now: after, places: 1 });
}

/// The shape of a path that is written out, or that is a shape.
fn shape_of(key: &str) -> String {
    shape(&key.split('.').map(str::to_owned).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_the_same_in_several_places_is_told_once() {
        let text = |tokenization: &str| json!({"dataType": ["text"], "tokenization": tokenization});
        let with = |name: &str, mut property: Value| {
            property["name"] = json!(name);
            property
        };
        let before = json!({"n": 1, "gone": true, "off": false, "shardingConfig": {"actualCount": 3}, "properties": [with("a", text("word")), with("b", text("word"))],
            "vectorConfig": {"v": {"x": 1, "y": 2}}});
        let after = json!({"n": 2, "new": {"z": 1}, "shardingConfig": {},
            "properties": [with("a", text("field")), with("b", text("field"))], "vectorConfig": {"v": {"x": 3}}});
        let changed = |key: &str, was: Option<&str>, now: &str, places| SettingRemark::SettingChanged {
            key: key.into(),
            was: was.map(str::to_owned),
            now: now.into(),
            places,
        };
        let expected = [
            changed("n", Some("1"), "2", 1),
            changed("properties.*.tokenization", Some("\"word\""), "\"field\"", 2),
            changed("vectorConfig.v.x", Some("1"), "3", 1),
            changed("new", None, "{\"z\":1}", 1),
            SettingRemark::SettingsLeftOut { keys: vec!["gone".into(), "vectorConfig.*.y".into()] },
        ];
        assert_eq!(alterations(&before, &after), expected.map(Remark::from));
        assert_eq!(alterations(&before, &before), Vec::new());
    }
}
