//! Cuts the references of a group into requests. Pure: what is sent, and in which order, is decided here alone.

use std::ops::Range;

use bytes::Bytes;

use super::group::Group;
use crate::pipeline::Batch;
use crate::pipeline::rewrite::{Reference, Rewrite};

/// References of one request at most.
const REQUEST_REFERENCES: usize = 1_000;
/// Bytes of one request at most, unless it is one reference.
pub(super) const REQUEST_BYTES: usize = 1 << 20;
/// Bytes of objects that a server rewrites for one request, at most, unless it is one reference: each reference has it
/// write its object anew, with its vectors and all the references before. So no request takes long, however long the
/// lists are.
const REWRITTEN_BYTES: u64 = 32 << 20;

/// A request, and whose references are in it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// `[{"from":…,"to":…},…]`
    pub(super) body: Bytes,
    /// For each reference its object, by its place in the batch, and where it stands in the body.
    pub(super) references: Vec<(usize, Range<usize>)>,
}

impl Request {
    /// The same references in two requests, the first of them first; `None` if there is only one.
    fn halves(&self) -> Option<[Self; 2]> {
        let (first, second) = self.references.split_at(self.references.len() / 2);
        let half = |references: &[(usize, Range<usize>)]| {
            let mut half = Filling::default();
            for (at, text) in references {
                half.push(*at, |to| to.extend_from_slice(&self.body[text.clone()]));
            }
            half.finish()
        };
        Some([half(first)?, half(second)?])
    }
}

/// A request that is being filled.
#[derive(Default)]
struct Filling {
    body: Vec<u8>,
    references: Vec<(usize, Range<usize>)>,
}

impl Filling {
    fn push(&mut self, at: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.body.push(if self.references.is_empty() { b'[' } else { b',' });
        let start = self.body.len();
        write(&mut self.body);
        self.references.push((at, start..self.body.len()));
    }

    /// Takes the last reference out again.
    fn pop(&mut self) {
        if let Some((_, text)) = self.references.pop() {
            self.body.truncate(text.start - 1);
        }
    }

    fn finish(mut self) -> Option<Request> {
        self.body.push(b']');
        (!self.references.is_empty()).then(|| Request { body: self.body.into(), references: self.references })
    }
}

/// The references of an object that are not in a request yet.
struct Open<'a> {
    at: usize,
    left: std::vec::IntoIter<Reference<'a>>,
}

/// The references of a group, object by object, each list in its order.
pub(super) struct Requests<'a> {
    batch: &'a Batch,
    group: &'a Group,
    rewrite: &'a Rewrite,
    /// Members that were begun.
    begun: usize,
    open: Option<Open<'a>>,
    /// Requests that were filled and go before all others, the next one last.
    cut: Vec<Request>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(batch: &'a Batch, group: &'a Group, rewrite: &'a Rewrite) -> Self {
        Self { batch, group, rewrite, begun: 0, open: None, cut: Vec::new() }
    }

    /// Has a request that was refused as a whole come again, in two; gives it back if it is one reference.
    pub(super) fn cut(&mut self, request: Request) -> Result<(), Request> {
        let [first, second] = request.halves().ok_or(request)?;
        self.cut.extend([second, first]);
        Ok(())
    }

    /// The next request, of `most_bytes` at most unless it was cut; `None` if nothing is left. `wanted` says of an object, by its place in
    /// the batch, whether its references are still to be sent.
    pub(super) fn next(
        &mut self,
        most_bytes: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<Option<Request>, serde_json::Error> {
        if let Some(request) = self.cut.pop() {
            return Ok(Some(request));
        }
        let (mut filling, mut rewritten) = (Filling::default(), 0);
        while let Some(mut open) = self.next_open()? {
            if !wanted(open.at) {
                continue;
            }
            let object = &self.batch.objects[open.at];
            while let Some(reference) = open.left.as_slice().first().copied() {
                filling.push(open.at, |to| {
                    self.rewrite.append_reference(object.id, reference, self.batch.space.as_ref(), to);
                });
                rewritten += object.text.len() as u64;
                let many = filling.references.len() > REQUEST_REFERENCES;
                if filling.references.len() > 1
                    && (many || filling.body.len() >= most_bytes || rewritten > REWRITTEN_BYTES)
                {
                    filling.pop();
                    self.open = Some(open);
                    return Ok(filling.finish());
                }
                open.left.next();
            }
        }
        Ok(filling.finish())
    }

    /// The object whose references come next.
    fn next_open(&mut self) -> Result<Option<Open<'a>>, serde_json::Error> {
        if let Some(open) = self.open.take() {
            return Ok(Some(open));
        }
        let Some(at) = self.group.members.get(self.begun).copied() else { return Ok(None) };
        self.begun += 1;
        let left = self.rewrite.references(&self.batch.objects[at], self.group.form)?;
        Ok(Some(Open { at, left: left.into_iter() }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{KeyRange, RawObject, Renames, Schema};
    use crate::pipeline::budget::Budget;
    use crate::pipeline::rewrite::Form;
    use crate::pipeline::{BatchOrigin, Objects, Page, split};

    const SCHEMA: &str = r#"{"class":"A","properties":[{"name":"t","dataType":["text"]},{"name":"to","dataType":["A"]},
        {"name":"too","dataType":["B"]}]}"#;

    fn rewrite() -> Rewrite {
        let schema = Schema::parse(Bytes::from_static(SCHEMA.as_bytes())).expect("a schema");
        let rewrite = Rewrite::new(&schema, &Renames::default(), false, true);
        rewrite.deferring(vec!["to".to_owned(), "too".to_owned()])
    }

    /// An object with lists of references to these numbers, and a text of so many bytes.
    fn object(number: usize, to: &[usize], too: &[usize], bytes: usize) -> RawObject {
        let list = |class: &str, numbers: &[usize]| {
            let one = |n: &usize| format!(r#"{{"beacon":"weaviate://localhost/{class}/{n}"}}"#);
            numbers.iter().map(one).collect::<Vec<_>>().join(",")
        };
        let (to, too, text) = (list("A", to), list("B", too), "x".repeat(bytes));
        let line = format!(
            r#"{{"class":"A","id":"00000000-0000-0000-0000-{number:012}","properties":{{"t":"{text}","to":[{to}],"too":[{too}]}}}}"#
        );
        split::line(&line.into(), &"A".parse().expect("a name")).expect("a line")
    }

    fn batch(objects: Vec<RawObject>, tenant: Option<&str>) -> Batch {
        let share = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let share = share.block_on(Budget::new(1).take(1));
        Batch {
            space: tenant.map(|tenant| tenant.parse().expect("a name")),
            covers: KeyRange { from: None, to: None },
            objects: Objects::new(objects, Page::from_file(share)),
            bytes: 0,
            origin: BatchOrigin::Archived { run: 0 },
            known: Vec::new(),
        }
    }

    /// Object, property and target of a reference.
    type Item = (usize, String, String);

    /// What is sent, request by request: its bytes and its references.
    fn sent(batch: &Batch, most_bytes: usize, unwanted: &[usize]) -> Vec<(usize, Vec<Item>)> {
        let rewrite = rewrite();
        let groups = Group::of(batch, &[], &rewrite);
        let mut requests = Requests::new(batch, &groups[0], &rewrite);
        let mut all = Vec::new();
        while let Some(request) = requests.next(most_bytes, |at| !unwanted.contains(&at)).expect("JSON") {
            all.push((request.body.len(), read(&request)));
        }
        all
    }

    /// The references of a request, once as they stand in it and once as it says.
    fn read(request: &Request) -> Vec<Item> {
        let items: Vec<serde_json::Value> = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(items.len(), request.references.len());
        let one = |(item, (at, place)): (&serde_json::Value, &(usize, Range<usize>))| {
            let text: serde_json::Value = serde_json::from_slice(&request.body[place.clone()]).expect("JSON");
            assert_eq!(text, *item);
            let mut from = item["from"].as_str().expect("a text").rsplit('/');
            let property = from.next().expect("a property").to_owned();
            let id = from.next().expect("an id");
            assert_eq!(id, format!("00000000-0000-0000-0000-{at:012}"));
            (*at, property, item["to"].as_str().expect("a text").to_owned())
        };
        items.iter().zip(&request.references).map(one).collect()
    }

    fn expected(lists: &[(Vec<usize>, Vec<usize>)], unwanted: &[usize]) -> Vec<Item> {
        let mut all = Vec::new();
        for (at, (to, too)) in lists.iter().enumerate().filter(|(at, _)| !unwanted.contains(at)) {
            all.extend(to.iter().map(|n| (at, "to".to_owned(), format!("weaviate://localhost/A/{n}"))));
            all.extend(too.iter().map(|n| (at, "too".to_owned(), format!("weaviate://localhost/B/{n}"))));
        }
        all
    }

    proptest! {
        #[test]
        fn every_reference_is_sent_once_in_its_order_in_requests_within_the_bounds(
            lists in proptest::collection::vec((proptest::collection::vec(0_usize..9, 0..40), proptest::collection::vec(0_usize..9, 0..5)), 1..30),
            most_bytes in 1_usize..20_000,
            unwanted in proptest::collection::vec(0_usize..30, 0..5),
        ) {
            let objects = lists.iter().enumerate().map(|(at, (to, too))| object(at, to, too, 0)).collect();
            let requests = sent(&batch(objects, None), most_bytes, &unwanted);
            for (bytes, references) in &requests {
                prop_assert!(!references.is_empty());
                prop_assert!(*bytes <= most_bytes || references.len() == 1);
            }
            let all: Vec<_> = requests.into_iter().flat_map(|(_, references)| references).collect();
            prop_assert_eq!(all, expected(&lists, &unwanted));
        }

        #[test]
        fn a_request_that_is_cut_down_comes_again_in_the_same_order(
            lists in proptest::collection::vec((proptest::collection::vec(0_usize..9, 0..20), Just(vec![])), 1..10),
            most in 1_usize..8,
        ) {
            let objects = lists.iter().enumerate().map(|(at, (to, too))| object(at, to, too, 0)).collect();
            let (batch, rewrite) = (batch(objects, None), rewrite());
            let groups = Group::of(&batch, &[], &rewrite);
            let mut requests = Requests::new(&batch, &groups[0], &rewrite);
            let mut all = Vec::new();
            while let Some(request) = requests.next(REQUEST_BYTES, |_| true).expect("JSON") {
                if request.references.len() > most {
                    prop_assert!(requests.cut(request).is_ok());
                } else {
                    all.extend(read(&request));
                }
            }
            prop_assert_eq!(all, expected(&lists, &[]));
        }
    }

    #[test]
    fn many_references_and_those_of_large_objects_are_spread_over_requests() {
        let many = (0..=REQUEST_REFERENCES * 2 / 5).map(|at| object(at, &[1, 2, 3, 4, 5], &[], 0)).collect();
        let requests = sent(&batch(many, None), REQUEST_BYTES, &[]);
        assert_eq!(
            requests.iter().map(|(_, r)| r.len()).collect::<Vec<_>>(),
            [REQUEST_REFERENCES, REQUEST_REFERENCES, 5]
        );
        // Each reference has the server write 10 MB.
        let large = object(0, &[1, 2, 3, 4, 5, 6, 7], &[], 10_000_000);
        let requests = sent(&batch(vec![large], None), REQUEST_BYTES, &[]);
        assert_eq!(requests.iter().map(|(_, r)| r.len()).collect::<Vec<_>>(), [3, 3, 1]);
    }

    #[test]
    fn a_tenant_stands_in_every_reference_and_a_bare_object_has_all_of_its_own_follow() {
        let batch = batch(vec![object(0, &[1, 2], &[], 0)], Some("T"));
        let rewrite = Rewrite::new(
            &Schema::parse(Bytes::from_static(SCHEMA.as_bytes())).expect("a schema"),
            &Renames::default(),
            false,
            true,
        );
        let mut group = Group::of(&batch, &[], &rewrite).remove(0);
        assert!(Requests::new(&batch, &group, &rewrite).next(REQUEST_BYTES, |_| true).expect("JSON").is_none());
        group.form = Form::Bare;
        let request = Requests::new(&batch, &group, &rewrite).next(REQUEST_BYTES, |_| true).expect("JSON");
        let items: Vec<serde_json::Value> = serde_json::from_slice(&request.expect("a request").body).expect("JSON");
        assert_eq!(items.iter().map(|item| item["tenant"].as_str()).collect::<Vec<_>>(), [Some("T"); 2]);
    }
}
