//! The server's side: the live objects of a stretch of keys, page by page, each taken once and in order.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::super::comparison::{Round, Taken};
use crate::model::{ObjectId, RawObject, TenantName};
use crate::pipeline::Page;
use crate::pipeline::fetch::{Approach, Fetched};
use crate::pipeline::scan;

/// By how much more is asked for when a stretch holds more than the left side knows of.
const MORE: u64 = 4;

/// A cursor over live objects.
pub(in crate::pipeline::compare) struct LiveSide<'a> {
    round: &'a Round,
    /// Where the stretch lies, in a multi-tenant collection.
    tenant: Option<TenantName>,
    /// Whether a count will prove that a short page was the end.
    counted: bool,
    approach: Approach,
    /// The last id fetched.
    after: Option<ObjectId>,
    /// The last id taken.
    taken: Option<ObjectId>,
    /// Nothing lies behind it.
    ended: bool,
    /// Objects asked for beyond those the left side holds.
    surplus: u64,
    objects: Peekable<IntoIter<RawObject>>,
    /// Whether the one object of this page could not be printed with its vectors.
    unprintable: bool,
    /// Behind the objects, so that it outlives them.
    page: Option<Page>,
    /// The highest mark of the pages so far.
    pub(in crate::pipeline::compare) mark: u64,
}

impl<'a> LiveSide<'a> {
    pub(in crate::pipeline::compare) fn new(round: &'a Round) -> Self {
        Self {
            round,
            tenant: None,
            counted: false,
            approach: Approach::default(),
            after: None,
            taken: None,
            ended: false,
            surplus: 1,
            objects: Vec::new().into_iter().peekable(),
            unprintable: false,
            page: None,
            mark: 0,
        }
    }

    /// Goes to the objects of a tenant, or of a plain collection, behind `from`. `counted`: a short page may be the end,
    /// as a count will prove it.
    pub(in crate::pipeline::compare) fn begin(
        &mut self,
        tenant: Option<TenantName>,
        counted: bool,
        from: Option<ObjectId>,
    ) {
        self.drop_page();
        (self.tenant, self.counted) = (tenant, counted);
        self.approach = Approach::default();
        (self.after, self.taken, self.ended, self.surplus) = (from, from, false, 1);
    }

    /// The next object with an id up to `to`. `left`: objects the left side still holds of this stretch.
    pub(in crate::pipeline::compare) async fn up_to(
        &mut self,
        to: Option<ObjectId>,
        left: u64,
    ) -> Result<Option<Taken>, scan::Error> {
        while self.objects.peek().is_none() && !self.ended && to.is_none_or(|to| self.after < Some(to)) {
            self.next_page(left).await?;
        }
        let unprintable = self.unprintable;
        let next = self.objects.next_if(|object| to.is_none_or(|to| object.id <= to));
        self.taken = next.as_ref().map(|object| object.id).or(self.taken);
        Ok(next.map(|object| Taken { object, unprintable }))
    }

    async fn next_page(&mut self, left: u64) -> Result<(), scan::Error> {
        self.drop_page();
        let most = u32::try_from(left.saturating_add(self.surplus)).unwrap_or(u32::MAX);
        let slot = self.round.slots.take().await;
        let fetch = self.round.fetch(self.tenant.as_ref());
        let fetched = fetch.page(self.after, &mut self.approach, most).await?;
        self.round.give_back(slot);
        let Fetched { objects, full, unprintable, page } = fetched;
        self.mark = self.mark.max(self.round.comparison.mark.now());
        // A short page is the end where a count can prove it, and no object of the left side is missing on it.
        let short = !full && self.counted && objects.len() as u64 >= left;
        self.ended = objects.is_empty() || short;
        if objects.len() as u64 == u64::from(most) {
            self.surplus = self.surplus.saturating_mul(MORE);
        }
        self.after = objects.last().map(|object| object.id).or(self.after);
        self.objects = objects.into_iter().peekable();
        self.unprintable = unprintable;
        self.page = Some(page);
        Ok(())
    }

    /// Lets go of its page. What was not taken of it is asked for again.
    pub(in crate::pipeline::compare) fn let_go(&mut self) {
        if self.objects.peek().is_some() {
            (self.after, self.ended) = (self.taken, false);
        }
        self.drop_page();
    }

    /// Lets go of the objects first, so that the page's buffer can be used again.
    fn drop_page(&mut self) {
        self.objects = Vec::new().into_iter().peekable();
        self.page = None;
    }
}
