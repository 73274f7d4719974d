//! Objects put together as they are sent, each as the server once printed it but for what is changed in it.

use bytes::Bytes;

use crate::model::fold;
use crate::model::{CollectionName, Members, ObjectId, RawObject, TenantName};
use crate::weaviate::pieces::{Pieces, SHARED_BYTES};

/// Bytes by which the text that is sent for an object may be longer without another allocation: another name, a tenant.
const ROOM_TO_CHANGE: usize = 96;
/// What stands around the objects of a request.
const AROUND: [&[u8]; 2] = [b"{\"objects\":[", b"]}"];

/// Objects on their way into a collection, or into a tenant of it. Those that are long are not copied.
#[derive(Debug)]
pub struct Outgoing {
    class: String,
    /// What ends each object.
    end: String,
    /// Whether objects go with their vectors.
    vectors: bool,
    ids: Vec<ObjectId>,
    body: Pieces,
}

impl Outgoing {
    /// Nothing yet, with room for these objects.
    pub(crate) fn new<'a>(
        collection: &CollectionName,
        tenant: Option<&TenantName>,
        vectors: bool,
        objects: impl Iterator<Item = &'a RawObject>,
    ) -> Self {
        let copied = |bytes: usize| Some(bytes).filter(|bytes| *bytes < SHARED_BYTES).unwrap_or_default();
        let mut body = Pieces::with_room(objects.map(|object| copied(object.text.len()) + ROOM_TO_CHANGE).sum());
        body.push(AROUND[0]);
        let end = tenant.map_or_else(|| "}".to_owned(), |tenant| format!(",\"tenant\":\"{tenant}\"}}"));
        Self { class: collection.to_string(), end, vectors, ids: Vec::new(), body }
    }

    /// Adds an object, with these properties in the place of its own if there are any. Only a line that is no JSON fails,
    /// which the archive's proof excludes.
    pub fn push(&mut self, object: &RawObject, properties: Option<String>) -> Result<(), serde_json::Error> {
        if !self.ids.is_empty() {
            self.body.push(b",");
        }
        self.ids.push(object.id);
        let properties = properties.map(Bytes::from);
        if self.vectors && object.tenant().is_none() && object.unknown_member().is_none() {
            self.splice(object, properties);
        } else {
            self.build(object, properties)?;
        }
        self.body.push(self.end.as_bytes());
        Ok(())
    }

    /// The text as it stands up to its last brace, but for its class and properties. There is no other member in it that
    /// servers know.
    fn splice(&mut self, object: &RawObject, properties: Option<Bytes>) {
        let (text, places) = (&object.text, &object.places);
        let mut changes = vec![(&places.class, Bytes::copy_from_slice(self.class.as_bytes()))];
        changes.extend(properties.map(|new| (&places.properties, new)));
        // `class` may stand before or behind `properties`.
        changes.sort_by_key(|(at, _)| at.start);
        let mut from = 0;
        for (at, with) in changes {
            self.body.share(text.slice(from..at.start));
            self.body.share(with);
            from = at.end;
        }
        self.body.share(text.slice(from..text.len() - 1));
    }

    /// A text made of the members that servers know, up to its last brace. The tenant is not taken from it.
    fn build(&mut self, object: &RawObject, mut properties: Option<Bytes>) -> Result<(), serde_json::Error> {
        let members: Members<'_> = serde_json::from_slice(&object.text)?;
        let mut before = b'{';
        for (key, value) in members.iter() {
            let value = match key {
                "vector" | "vectors" if !self.vectors => continue,
                "class" => Bytes::from(format!("\"{}\"", self.class)),
                "properties" => properties.take().unwrap_or_else(|| object.text.slice_ref(value.as_bytes())),
                _ if key != "tenant" && fold::OBJECT.contains(&key) => object.text.slice_ref(value.as_bytes()),
                _ => continue,
            };
            self.body.push(&[std::mem::replace(&mut before, b','), b'"']);
            self.body.push(key.as_bytes());
            self.body.push(b"\":");
            self.body.share(value);
        }
        Ok(())
    }

    /// The length of the request in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.body.bytes() + AROUND[1].len() as u64
    }

    /// The objects' ids, in their order, and the request.
    pub(super) fn whole(mut self) -> (Vec<ObjectId>, Pieces) {
        self.body.push(AROUND[1]);
        (self.ids, self.body.finish())
    }

    /// The request as text.
    #[cfg(test)]
    pub(crate) fn text(self) -> String {
        String::from_utf8(self.whole().1.concat()).expect("text")
    }
}
