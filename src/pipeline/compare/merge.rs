//! Both sides of one unit, merged: what only one of them has, and what differs, tenant by tenant.

use futures_util::{StreamExt, stream};

use super::Found;
use super::comparison::{Comparison, Round, Taken};
use super::error::Error;
use super::side::Piece;
use super::side::live::LiveSide;
use super::units::{Segment, Unit};
use super::window::ActiveAhead;
use crate::event::Difference;
use crate::model::{KeyRange, ObjectId, RawObject, TenantName};
use crate::pipeline::activation::Late;
use crate::pipeline::scan;
use crate::weaviate::{PrintedObject, TenantTrouble};

/// Missing objects asked for at once, by each worker.
const ASKED_AT_ONCE: usize = 4;

/// Whether there is anything to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Here,
    /// The tenant is not there: everything is missing.
    Absent,
    /// It cannot be read: nothing is compared.
    OutOfReach,
}

/// Which count the right side's objects of a stretch are part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// The one of everything that is active.
    WithAll,
    /// One of this tenant alone, taken while it was active for us: so many objects.
    Alone(u64),
    No,
}

/// The merge of one unit.
pub(super) struct Merge<'a> {
    round: &'a Round,
    comparison: &'a Comparison,
    segments: &'a [Segment],
    right: LiveSide<'a>,
    /// Where the stretch lies, in a multi-tenant collection.
    tenant: Option<TenantName>,
    /// The same tenant, by its name on the left.
    left_tenant: Option<TenantName>,
    /// Its run on the left.
    run: Option<usize>,
    standing: Standing,
    counted: Counted,
    /// Objects found on the right before this stretch.
    listed_before: u64,
    /// Tenants that are active for this unit.
    active: ActiveAhead<'a>,
    /// Objects the left side still holds of this stretch.
    ahead: u64,
    /// Objects and bytes told of.
    told: [u64; 2],
    found: Found,
}

impl<'a> Merge<'a> {
    pub(super) fn new(round: &'a Round, unit: &'a Unit) -> Self {
        Self {
            round,
            comparison: &round.comparison,
            segments: &unit.segments,
            right: LiveSide::new(round),
            tenant: None,
            left_tenant: None,
            run: None,
            standing: Standing::Here,
            counted: Counted::No,
            listed_before: 0,
            active: ActiveAhead::new(round),
            ahead: 0,
            told: [0; 2],
            found: Found::default(),
        }
    }

    pub(super) async fn take(&mut self, piece: Piece) -> Result<(), Error> {
        match piece {
            Piece::Begin { segment, from, objects } => {
                self.listed_before = self.found.listed();
                self.go_to(segment).await?;
                self.right.begin(self.tenant.clone(), self.counted != Counted::No, from);
                self.ahead = objects;
            }
            Piece::Objects(objects, turn) => {
                self.objects(objects).await?;
                drop(turn);
                self.tell();
            }
            Piece::LetGo => self.right.let_go(),
            Piece::End { to } => {
                while let Some(extra) = self.next(to, 0).await? {
                    self.only_right(&extra);
                }
                match self.counted {
                    Counted::WithAll => {}
                    Counted::Alone(objects) => self.found.counted_inactive += objects,
                    Counted::No => self.found.uncounted += self.found.listed() - self.listed_before,
                }
            }
        }
        Ok(())
    }

    /// All was taken: lets go of the tenants, and hands over what was found.
    pub(super) async fn finish(mut self) -> Result<Found, Error> {
        self.tell();
        self.active.close().await?;
        let mark = self.found.mark.max(self.right.mark);
        Ok(Found { mark, ..self.found })
    }

    /// Makes the tenant of a segment ready to be read.
    async fn go_to(&mut self, number: usize) -> Result<(), Error> {
        let segments = self.segments;
        let segment = &segments[number];
        self.tenant.clone_from(&segment.tenant);
        self.left_tenant.clone_from(&segment.left_tenant);
        self.run = segment.run;
        self.standing = Standing::Here;
        self.counted = if self.comparison.counted { Counted::WithAll } else { Counted::No };
        let (tenants, Some(tenant)) = (&self.comparison.tenants, &segment.tenant) else { return Ok(()) };
        if tenants.absent.contains(tenant) {
            self.standing = Standing::Absent;
        } else if tenants.out_of_reach.contains(tenant) || tenants.unseen.contains(tenant) {
            self.standing = Standing::OutOfReach;
        } else if tenants.is_inactive(tenant) {
            let there = self.active.reach(&segments[number..], tenant).await?;
            self.standing = if there { Standing::Here } else { Standing::OutOfReach };
            // A count of the whole tenant says nothing of a part of it.
            let alone = self.active.counted(tenant).filter(|_| segment.covers == KeyRange::ALL);
            self.counted = alone.map_or(Counted::No, Counted::Alone);
        } else if tenants.is_uncounted(tenant) {
            self.counted = Counted::No;
        }
        self.note_out_of_reach(0);
        Ok(())
    }

    /// So many objects of this tenant are not compared, if it cannot be read.
    fn note_out_of_reach(&mut self, objects: u64) {
        if let (Standing::OutOfReach, Some(tenant)) = (self.standing, &self.tenant) {
            *self.found.out_of_reach.entry(tenant.clone()).or_default() += objects;
        }
    }

    async fn objects(&mut self, objects: Vec<RawObject>) -> Result<(), Error> {
        let mut missing = Vec::new();
        for left in objects {
            let Some(left) = self.comparison.sieves.left(self.left_tenant.as_ref(), left) else {
                self.ahead = self.ahead.saturating_sub(1);
                continue;
            };
            let there = self.standing == Standing::Here && self.meet(&left).await?;
            self.ahead = self.ahead.saturating_sub(1);
            if !there && self.asks(&left) {
                missing.push(left);
            }
        }
        self.ask(missing).await
    }

    fn compared(&mut self, left: &RawObject) {
        self.found.objects += 1;
        self.found.bytes += left.text.len() as u64 + 1;
    }

    /// The right side's next object up to `to`. That a tenant is gone, or stays inactive, is said by what is found.
    async fn next(&mut self, to: Option<ObjectId>, left: u64) -> Result<Option<Taken>, Error> {
        let mut late = None;
        loop {
            if self.standing != Standing::Here {
                return Ok(None);
            }
            match self.right.up_to(to, left).await {
                Ok(taken) => return Ok(taken),
                Err(error) => self.lose(error, &mut late).await?,
            }
        }
    }

    /// Waits before a tenant that is said to be inactive is asked again, and gives up one that stays so or is gone. Any
    /// other error is handed back.
    async fn lose(&mut self, error: scan::Error, late: &mut Option<Late>) -> Result<(), Error> {
        let trouble = match &error {
            scan::Error::Wire(error) if self.tenant.is_some() => error.tenant_trouble(),
            _ => None,
        };
        self.standing = match trouble {
            Some(TenantTrouble::Inactive) if self.active.wait(late).await => return Ok(()),
            Some(TenantTrouble::Inactive) => Standing::OutOfReach,
            Some(TenantTrouble::Gone) => Standing::Absent,
            None => return Err(error.into()),
        };
        if let Counted::Alone(_) = self.counted {
            self.counted = Counted::No;
        }
        self.note_out_of_reach(0);
        Ok(())
    }

    /// Finds the right side's object of the same id; what lies before it is extra. Whether there is one.
    async fn meet(&mut self, left: &RawObject) -> Result<bool, Error> {
        while let Some(right) = self.next(Some(left.id), self.ahead).await? {
            if right.object.id == left.id {
                self.both(left, right);
                return Ok(true);
            }
            self.only_right(&right);
        }
        Ok(false)
    }

    /// Whether an object is to be compared, of whichever side it is.
    fn asks(&self, object: &RawObject) -> bool {
        self.comparison.sieves.asks(self.left_tenant.as_ref(), object)
    }

    /// Both sides have an object: it is compared if either of them is to be.
    fn both(&mut self, left: &RawObject, right: Taken) {
        if !self.asks(left) && !self.asks(&right.object) {
            self.found.aside += 1;
            return;
        }
        self.compared(left);
        let right = Taken { object: self.comparison.sieves.right(right.object), ..right };
        self.comparison.judge((self.tenant.as_ref(), self.run), left, &right, &mut self.found);
    }

    fn only_right(&mut self, right: &Taken) {
        let is_wanted = self.comparison.sieves.holds(self.left_tenant.as_ref(), &right.object);
        if !(is_wanted && self.asks(&right.object)) {
            self.found.aside += 1;
            return;
        }
        self.found.changed += u64::from(self.comparison.is_changed(&right.object));
        let place = (self.tenant.clone(), right.object.id);
        self.found.differs(place, Difference::OnlyRight, Vec::new(), self.comparison.limit_of_one_sided());
    }

    fn only_left(&mut self, left: &RawObject) {
        self.compared(left);
        if let (Some(_), Some(run)) = (self.comparison.marking, self.run) {
            self.found.mark_new(run, left);
        }
        let place = (self.tenant.clone(), left.id);
        self.found.differs(place, Difference::OnlyLeft, Vec::new(), self.comparison.limit_of_one_sided());
    }

    /// What becomes of an object that was not found, where nothing can be asked.
    fn unfound(&mut self, left: &RawObject) {
        match self.standing {
            Standing::OutOfReach => self.note_out_of_reach(1),
            Standing::Here | Standing::Absent => self.only_left(left),
        }
    }

    /// Asks for each missing object by its id: a listing reads one replica, a single object is read by a quorum. Those of
    /// a tenant that is not there are missing for certain.
    async fn ask(&mut self, mut missing: Vec<RawObject>) -> Result<(), Error> {
        let mut late = None;
        while self.standing == Standing::Here && !missing.is_empty() {
            let may = self.comparison.may_ask(missing.len() as u64, self.counted != Counted::No);
            let unasked = missing.split_off(usize::try_from(may).unwrap_or(usize::MAX).min(missing.len()));
            for left in unasked {
                self.found.unasked += 1;
                self.only_left(&left);
            }
            if let Some(error) = self.ask_each(&mut missing).await? {
                self.lose(error, &mut late).await?;
            }
        }
        for left in missing {
            self.unfound(&left);
        }
        Ok(())
    }

    /// Asks until nothing is left, or until one is not answered: the error, and `missing` begins with that object.
    async fn ask_each(&mut self, missing: &mut Vec<RawObject>) -> Result<Option<scan::Error>, Error> {
        let (round, comparison, tenant) = (self.round, self.comparison, self.tenant.clone());
        let ask = |left: RawObject| {
            let tenant = tenant.clone();
            async move {
                let _slot = round.slots.take().await;
                comparison.client.object(&comparison.target, tenant.as_ref(), left.id).await
            }
        };
        let asked = std::mem::take(missing);
        let mut answers = stream::iter(asked.clone()).map(ask).buffered(ASKED_AT_ONCE);
        for (place, left) in asked.iter().enumerate() {
            match answers.next().await {
                Some(Ok(printed)) => self.answered(left, printed)?,
                Some(Err(error)) => {
                    *missing = asked[place..].to_vec();
                    return Ok(Some(error.into()));
                }
                None => {}
            }
        }
        Ok(None)
    }

    fn answered(&mut self, left: &RawObject, printed: Option<PrintedObject>) -> Result<(), scan::Error> {
        self.found.asked += 1;
        self.found.mark = self.found.mark.max(self.comparison.mark.now());
        let Some(printed) = printed else {
            self.only_left(left);
            return Ok(());
        };
        self.comparison.ask_for_each();
        self.both(left, Taken::alone(printed, &self.comparison.target)?);
        Ok(())
    }

    fn tell(&mut self) {
        let now = [self.found.objects, self.found.bytes];
        self.comparison.tell(self.tenant.clone(), now[0] - self.told[0], now[1] - self.told[1]);
        self.told = now;
    }
}
