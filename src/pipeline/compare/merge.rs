//! Both sides of one unit, merged: what is missing, extra or different, tenant by tenant.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::Found;
use super::live::{Live, Taken};
use super::part::Piece;
use super::stage::{Error, Round, Stage};
use super::units::{Segment, Unit};
use crate::event::Difference;
use crate::model::{ObjectId, RawObject, TenantName};
use crate::pipeline::waking::{self, Awake, TENANTS_A_WINDOW};
use crate::pipeline::{scan, split};
use crate::weaviate::{PrintedObject, TenantTrouble};

/// Missing objects asked for at once, by each worker.
const ASKED_AT_ONCE: usize = 4;
/// Times a tenant is asked that says that it is asleep, the first included: after waking, other nodes hear of it late.
const TRIES: u32 = 5;
/// Pause between them.
const PAUSE: Duration = Duration::from_millis(300);

/// Whether there is anything to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Here,
    /// The tenant is not there: everything is missing.
    Absent,
    /// It cannot be read: nothing is compared.
    OutOfReach,
}

/// The merge of one unit.
pub(super) struct Merge<'a> {
    round: &'a Round,
    stage: &'a Stage,
    segments: &'a [Segment],
    live: Live<'a>,
    /// Where the stretch lies, in a multi-tenant collection.
    tenant: Option<TenantName>,
    standing: Standing,
    /// Whether its live objects are part of a count.
    counted: bool,
    /// Tenants that are awake for this unit.
    awake: Awake,
    /// Objects the archive still holds of this stretch.
    left: u64,
    /// Objects and bytes told of.
    told: [u64; 2],
    found: Found,
}

impl<'a> Merge<'a> {
    pub(super) fn new(round: &'a Round, unit: &'a Unit) -> Self {
        Self {
            round,
            stage: &round.stage,
            segments: &unit.segments,
            live: Live::new(round),
            tenant: None,
            standing: Standing::Here,
            counted: false,
            awake: Awake::default(),
            left: 0,
            told: [0; 2],
            found: Found::default(),
        }
    }

    pub(super) async fn take(&mut self, piece: Piece) -> Result<(), Error> {
        match piece {
            Piece::Begin { segment, from, objects } => {
                self.go_to(segment).await?;
                self.live.begin(self.tenant.clone(), self.counted, from);
                self.left = objects;
            }
            Piece::Objects(objects) => {
                let before = self.found.objects - self.found.missing;
                self.objects(objects).await?;
                if !self.counted {
                    self.found.uncounted += self.found.objects - self.found.missing - before;
                }
                self.tell();
            }
            Piece::End { to } => {
                while let Some(extra) = self.next(to, 0).await? {
                    self.found.uncounted += u64::from(!self.counted);
                    self.extra(&extra);
                }
            }
        }
        Ok(())
    }

    /// All was taken: lets go of the tenants, and hands over what was found.
    pub(super) async fn finish(mut self) -> Result<Found, Error> {
        self.tell();
        if let Some(waking) = &self.stage.tenants.waking {
            waking.put_back(std::mem::take(&mut self.awake)).await?;
        }
        let mark = self.found.mark.max(self.live.mark);
        Ok(Found { mark, ..self.found })
    }

    /// Makes the tenant of a segment ready to be read.
    async fn go_to(&mut self, number: usize) -> Result<(), Error> {
        let segment = &self.segments[number];
        self.tenant.clone_from(&segment.tenant);
        (self.standing, self.counted) = (Standing::Here, self.stage.counted);
        let (tenants, Some(tenant)) = (&self.stage.tenants, &self.tenant) else { return Ok(()) };
        if tenants.absent.contains(tenant) {
            self.standing = Standing::Absent;
        } else if tenants.out_of_reach.contains(tenant) {
            self.standing = Standing::OutOfReach;
        }
        let Some(waking) = tenants.waking.as_ref().filter(|waking| waking.sleeps(tenant)) else {
            self.note_out_of_reach(0);
            return Ok(());
        };
        self.counted = false;
        if !self.awake.holds(tenant) && !tenants.waking_refused.load(Ordering::SeqCst) {
            waking.put_back(std::mem::take(&mut self.awake)).await?;
            let ahead = self.segments[number..].iter().filter(|segment| segment.wanted);
            let mut window: Vec<TenantName> = ahead.filter_map(|segment| segment.tenant.clone()).collect();
            window.retain(|tenant| waking.sleeps(tenant));
            window.dedup();
            window.truncate(TENANTS_A_WINDOW);
            match waking.wake(&window).await {
                Ok(awake) => self.awake = awake,
                Err(waking::Error::Wire(error)) if error.is_auth() => {
                    tenants.waking_refused.store(true, Ordering::SeqCst);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if tenants.waking_refused.load(Ordering::SeqCst) {
            self.standing = Standing::OutOfReach;
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
        for archived in objects {
            let there = self.standing == Standing::Here && self.meet(&archived).await?;
            self.left = self.left.saturating_sub(1);
            if self.standing == Standing::OutOfReach {
                self.note_out_of_reach(1);
                continue;
            }
            self.found.objects += 1;
            self.found.bytes += archived.text.len() as u64 + 1;
            if !there {
                missing.push(archived);
            }
        }
        self.ask(missing).await
    }

    /// The next live object up to `to`. That a tenant is gone, or does not wake, is said by what is found.
    async fn next(&mut self, to: Option<ObjectId>, left: u64) -> Result<Option<Taken>, Error> {
        let mut tries = 0;
        loop {
            if self.standing != Standing::Here {
                return Ok(None);
            }
            let error = match self.live.up_to(to, left).await {
                Ok(taken) => return Ok(taken),
                Err(error) => error,
            };
            tries += 1;
            match self.trouble(&error) {
                Some(TenantTrouble::Asleep) if tries < TRIES => tokio::time::sleep(PAUSE).await,
                Some(trouble) => self.lose(trouble),
                None => return Err(error.into()),
            }
        }
    }

    fn trouble(&self, error: &scan::Error) -> Option<TenantTrouble> {
        let scan::Error::Wire(error) = error else { return None };
        self.tenant.as_ref().and_then(|_| error.tenant_trouble())
    }

    fn lose(&mut self, trouble: TenantTrouble) {
        self.standing = match trouble {
            TenantTrouble::Asleep => Standing::OutOfReach,
            TenantTrouble::Gone => Standing::Absent,
        };
        self.note_out_of_reach(0);
    }

    /// Finds the live object of the same id; what lies before it is extra. Whether there is one.
    async fn meet(&mut self, archived: &RawObject) -> Result<bool, Error> {
        while let Some(live) = self.next(Some(archived.id), self.left).await? {
            if live.object.id == archived.id {
                self.stage.judge(self.tenant.as_ref(), archived, &live, &mut self.found);
                return Ok(true);
            }
            self.found.uncounted += u64::from(!self.counted);
            self.extra(&live);
        }
        Ok(false)
    }

    fn extra(&mut self, live: &Taken) {
        self.found.changed += u64::from(self.stage.is_changed(&live.object));
        let place = (self.tenant.clone(), live.object.id);
        self.found.differs(place, Difference::Extra, Vec::new(), self.stage.limit);
    }

    fn missing(&mut self, id: ObjectId) {
        let place = (self.tenant.clone(), id);
        self.found.differs(place, Difference::Missing, Vec::new(), self.stage.limit);
    }

    /// Asks for each missing object by its id: a listing reads one replica, a single object is read by a quorum. Those of
    /// a tenant that is not there are missing for certain.
    async fn ask(&mut self, missing: Vec<RawObject>) -> Result<(), Error> {
        if missing.is_empty() {
            return Ok(());
        }
        if self.standing != Standing::Here {
            for archived in missing {
                self.missing(archived.id);
            }
            return Ok(());
        }
        let (round, stage, tenant) = (self.round, self.stage, self.tenant.clone());
        let may = stage.may_ask(missing.len() as u64);
        let (asked, unasked) = missing.split_at(usize::try_from(may).unwrap_or(usize::MAX));
        let ask = |archived: RawObject| {
            let tenant = tenant.clone();
            async move {
                let _slot = round.slots.take().await;
                let answer = stage.client.object(&stage.target, tenant.as_ref(), archived.id).await;
                answer.map(|printed| (archived, printed))
            }
        };
        let mut answers = stream::iter(asked.to_vec()).map(ask).buffered(ASKED_AT_ONCE);
        while let Some(answer) = answers.next().await {
            let (archived, printed) = answer.map_err(scan::Error::Wire)?;
            self.found.asked += 1;
            self.found.mark = self.found.mark.max(stage.mark.now());
            self.answered(&archived, printed)?;
        }
        for archived in unasked {
            self.found.unasked += 1;
            self.missing(archived.id);
        }
        Ok(())
    }

    fn answered(&mut self, archived: &RawObject, printed: Option<PrintedObject>) -> Result<(), Error> {
        let Some(PrintedObject { text, unprintable }) = printed else {
            self.missing(archived.id);
            return Ok(());
        };
        let wrong = |source| scan::Error::Page { collection: self.stage.target.clone(), source };
        let object = split::line(&text, &self.stage.target).map_err(wrong)?;
        self.stage.judge(self.tenant.as_ref(), archived, &Taken { object, unprintable }, &mut self.found);
        Ok(())
    }

    fn tell(&mut self) {
        let now = [self.found.objects, self.found.bytes];
        self.stage.tell(self.tenant.clone(), now[0] - self.told[0], now[1] - self.told[1]);
        self.told = now;
    }
}
