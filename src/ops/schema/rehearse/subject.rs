//! What is rehearsed: a class document on its way to a server, under another name. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::expiry::expires;
use super::super::fit::Fit;
use crate::model::{CollectionName, Schema};
use crate::weaviate::Tenant;

/// Stands for the name in the key of a document.
const ANY_NAME: &str = "*";

/// One collection of a plan.
pub(in crate::ops) struct Subject<'a> {
    /// What will be sent.
    pub(in crate::ops) fit: &'a Fit,
    /// The stored schema that it was made of.
    pub(in crate::ops) archived: &'a Schema,
    /// Collections that it refers to and that are not there yet.
    pub(in crate::ops) pending: &'a BTreeSet<CollectionName>,
    /// Tenants that it will have.
    pub(in crate::ops) tenants: &'a [Tenant],
    /// Whether it has to be exactly what it was (see [`super::super::made::remade`]).
    pub(in crate::ops) strict: bool,
}

impl Subject<'_> {
    /// What is sent for a collection of this name. References to itself, and to what is not there yet, become references to
    /// itself: that is what servers take whatever is there.
    pub(super) fn under(&self, name: &CollectionName) -> Fit {
        let text = |document: &str| self.renamed(document, name.as_str()).to_string();
        Fit {
            target: name.clone(),
            create: text(&self.fit.create),
            then: self.fit.then.as_deref().map(text),
            added: self.fit.added.iter().map(|(property, document)| (property.clone(), text(document))).collect(),
            asked: text(&self.fit.asked),
            applied: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// What tells it from others whose rehearsal would show something else.
    pub(super) fn key(&self) -> String {
        let mut key = self.renamed(&self.fit.create, ANY_NAME).to_string();
        for more in self.fit.then.iter().chain(self.fit.added.iter().map(|(_, document)| document)) {
            key = key + "\n" + &self.renamed(more, ANY_NAME).to_string();
        }
        format!("{key}\n{} {}", self.tenants.len(), self.strict)
    }

    /// The permissions that it takes.
    pub(super) fn needs(&self) -> Vec<&'static str> {
        let mut needs = vec!["create_collections", "read_collections", "delete_collections"];
        if self.fit.then.is_some() || !self.fit.added.is_empty() {
            needs.push("update_collections");
        }
        // Whoever creates a collection whose objects expire has them deleted.
        if expires(self.archived) {
            needs.push("delete_data");
        }
        if !self.tenants.is_empty() {
            needs.push("create_tenants");
        }
        needs
    }

    fn renamed(&self, document: &str, name: &str) -> Value {
        let mut document: Value = serde_json::from_str(document).unwrap_or(Value::Null);
        if let Some(class) = document.get_mut("class") {
            *class = Value::from(name);
        }
        let own = |target: &str| {
            target == self.fit.target.as_str() || self.pending.iter().any(|pending| pending.as_str() == target)
        };
        let rename = |property: &mut Value| {
            for target in property.get_mut("dataType").and_then(Value::as_array_mut).into_iter().flatten() {
                if target.as_str().is_some_and(own) {
                    *target = Value::from(name);
                }
            }
        };
        // The document of a single property has no properties itself.
        rename(&mut document);
        document.get_mut("properties").and_then(Value::as_array_mut).into_iter().flatten().for_each(rename);
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_follow_the_scratch_name_and_others_stay() {
        let name = |text: &str| -> CollectionName { text.parse().expect("a name") };
        let create = r#"{"class":"A","properties":[{"name":"s","dataType":["A"]},{"name":"p","dataType":["B","C"]},{"name":"t","dataType":["text"]}]}"#;
        let fit = |class: &str| Fit {
            target: name(class),
            create: create.replace("\"A\"", &format!("\"{class}\"")),
            then: None,
            added: vec![("later".to_owned(), r#"{"name":"later","dataType":["B"]}"#.to_owned())],
            asked: create.to_owned(),
            applied: Vec::new(),
            refused: Vec::new(),
        };
        let archived = Schema::parse(create.as_bytes().to_vec().into()).expect("a schema");
        let pending = BTreeSet::from([name("B")]);
        let (a, z) = (fit("A"), fit("Z"));
        let subject = |fit| Subject { fit, archived: &archived, pending: &pending, tenants: &[], strict: true };
        let under = subject(&a).under(&name("X"));
        assert_eq!(
            under.create,
            r#"{"class":"X","properties":[{"name":"s","dataType":["X"]},{"name":"p","dataType":["X","C"]},{"name":"t","dataType":["text"]}]}"#
        );
        assert_eq!(under.added, [("later".to_owned(), r#"{"name":"later","dataType":["X"]}"#.to_owned())]);
        assert_eq!(subject(&a).key(), subject(&z).key(), "the same document under another name");
        assert_eq!(
            subject(&a).needs(),
            ["create_collections", "read_collections", "delete_collections", "update_collections"]
        );
    }
}
