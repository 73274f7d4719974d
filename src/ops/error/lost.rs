//! A collection that somebody removed while it was restored, as data.

use std::fmt;

use crate::model::{CollectionName, counted};

/// A collection that was removed while it was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Its name on the server.
    pub collection: CollectionName,
    /// Objects that the server said it had stored under that name, before the removal and after it.
    pub written: u64,
    /// What stands under the name now; `None`: nothing.
    pub there: Option<Instead>,
}

/// A collection that stands where another one was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instead {
    /// Its objects; `None` if they cannot be counted.
    pub objects: Option<u64>,
    /// Created by auto-schema, from objects that came for the one that was removed.
    pub by_auto_schema: bool,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collection, written, there } = self;
        write!(f, "{collection} was removed while it was restored")?;
        let Some(Instead { objects, by_auto_schema }) = there else {
            return write!(f, ", with what was written to it ({}); it is not there now", counted(*written, "object"));
        };
        let whose = if *by_auto_schema {
            "was created by auto-schema from objects that came after that, without the archive's schema"
        } else {
            "is another one, which this run did not create"
        };
        let objects = objects.map_or_else(|| "an unknown number of objects".to_owned(), |n| counted(n, "object"));
        let written = counted(*written, "object");
        write!(f, "; the {collection} that is there now {whose}: it has {objects}, and {written} were written in all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(there: Option<Instead>) -> String {
        Lost { collection: "R".parse().expect("a name"), written: 500, there }.to_string()
    }

    #[test]
    fn what_is_there_instead_is_told_with_its_own_count() {
        assert_eq!(
            lost(None),
            "R was removed while it was restored, with what was written to it (500 objects); it is not there now"
        );
        assert_eq!(
            lost(Some(Instead { objects: Some(490), by_auto_schema: true })),
            "R was removed while it was restored; the R that is there now was created by auto-schema from objects that came after that, without the archive's schema: it has 490 objects, and 500 objects were written in all"
        );
        assert_eq!(
            lost(Some(Instead { objects: None, by_auto_schema: false })),
            "R was removed while it was restored; the R that is there now is another one, which this run did not create: it has an unknown number of objects, and 500 objects were written in all"
        );
    }
}
