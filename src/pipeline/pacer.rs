//! Decides how many objects a page asks for and how many requests are in flight. Pure: it is told what each attempt
//! brought and how long it took, and never waits itself.

use std::time::Duration;

/// What a page should weigh: large enough that the round trip does not count, small enough to stay in cache and budget.
pub const PAGE_BYTES: u64 = 4 << 20;
/// What all pages in flight should weigh together: with more requests each asks for less, so that memory does not grow
/// with the pace.
const IN_FLIGHT_BYTES: u64 = 12 << 20;
/// What a batch should weigh: a server works longer on a byte it writes than on one it prints.
pub const BATCH_BYTES: u64 = 2 << 20;
/// What a batch with a fixed number of objects may weigh at most.
const MOST_BATCH_BYTES: u64 = 16 << 20;
/// Objects asked for by the first page, when nothing is known about their size.
pub const FIRST_PAGE_OBJECTS: u32 = 10;
/// The server's default `QUERY_MAXIMUM_RESULTS`: more are never asked for.
pub const MOST_PAGE_OBJECTS: u32 = 10_000;
/// Requests in flight at the start.
const FIRST_IN_FLIGHT: usize = 2;
/// A page that takes longer than this is halved, so that one lost answer costs little.
const SLOW_PAGE: Duration = Duration::from_secs(10);
/// One more request in flight must bring at least this share of what it would bring if nothing were scarce.
const WORTHWHILE_SHARE: f64 = 0.5;
/// Pages per request in flight that make up one measurement.
const PAGES_A_MEASUREMENT: usize = 6;
/// Measurements that pass before a level that did not pay is tried again.
const MEASUREMENTS_TO_HOLD: u32 = 24;
/// The estimate of a page's size is raised by this factor before it is reserved, as objects differ.
const SIZE_MARGIN: f64 = 1.5;
/// The least that is reserved for a page, in bytes.
const LEAST_PAGE_BYTES: u64 = 64 << 10;

/// Bounds set by the user and the memory budget.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `--batch-size`: every page asks for exactly this many objects.
    pub fixed_page_objects: Option<u32>,
    /// Requests in flight at most (`--jobs`).
    pub most_in_flight: usize,
    /// What one page may weigh, in bytes.
    pub page_bytes: u64,
}

/// The next page to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Objects.
    pub objects: u32,
    /// Bytes to reserve for the answer; a larger one is dropped.
    pub bytes: u64,
}

/// A page that came.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    /// Objects asked for.
    pub asked: u32,
    /// Objects on the page.
    pub objects: u64,
    /// Size of the body.
    pub bytes: u64,
    /// From the request to the last byte, retries and waits left out.
    pub took: Duration,
    /// When it came, since the scan began.
    pub at: Duration,
}

/// Throughput seen at one number of requests in flight.
#[derive(Debug, Default, Clone, Copy)]
struct Measurement {
    pages: usize,
    bytes: u64,
    /// When it began, since the scan began.
    since: Duration,
}

/// The pace of one collection's scan, shared by its workers.
#[derive(Debug)]
pub struct Pacer {
    limits: Limits,
    page_objects: u32,
    most_page_objects: u32,
    object_bytes: Option<f64>,
    /// What a body that is sent may weigh, in bytes, however many objects it has.
    most_sent_bytes: u64,
    /// Whether that is so because a larger one was refused.
    refused: bool,
    in_flight: usize,
    measurement: Measurement,
    /// Bytes per second one level below, while a higher one is on trial.
    below: Option<f64>,
    hold: u32,
}

impl Pacer {
    /// A pacer that knows the mean size of an object in bytes, if the plan sampled it.
    #[must_use]
    pub fn new(limits: Limits, object_bytes: Option<f64>) -> Self {
        Self {
            limits,
            page_objects: limits.fixed_page_objects.unwrap_or(FIRST_PAGE_OBJECTS),
            most_page_objects: limits.fixed_page_objects.unwrap_or(MOST_PAGE_OBJECTS),
            object_bytes,
            most_sent_bytes: MOST_BATCH_BYTES,
            refused: false,
            in_flight: FIRST_IN_FLIGHT.min(limits.most_in_flight).max(1),
            measurement: Measurement::default(),
            below: None,
            hold: 0,
        }
    }

    /// The same, for bodies that are sent: none shall be heavier than `bytes`, unless it is one object.
    #[must_use]
    pub fn sending_at_most(self, bytes: u64) -> Self {
        Self { most_sent_bytes: self.most_sent_bytes.min(bytes), ..self }
    }

    /// Requests that may be in flight now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// What the next page should weigh, in bytes.
    fn page_bytes(&self) -> u64 {
        let wanted = self.limits.page_bytes.min(IN_FLIGHT_BYTES / self.in_flight as u64).max(LEAST_PAGE_BYTES);
        if self.refused { wanted.min(self.most_sent_bytes) } else { wanted }
    }

    /// What a batch that is sent may weigh, in bytes, unless it is one object.
    #[must_use]
    pub fn batch_bytes(&self) -> u64 {
        // With a fixed number of objects it is that number that counts.
        let wanted = if self.limits.fixed_page_objects.is_some() { MOST_BATCH_BYTES } else { self.page_bytes() };
        wanted.min(self.most_sent_bytes)
    }

    /// The next page to ask for.
    #[must_use]
    pub fn ask(&self) -> Ask {
        let expected = self.object_bytes.map_or(self.page_bytes(), |b| to_bytes(b * f64::from(self.page_objects)));
        let most = (self.page_bytes() * 2).max(LEAST_PAGE_BYTES);
        Ask { objects: self.page_objects, bytes: expected.clamp(LEAST_PAGE_BYTES, most) }
    }

    /// A page came. The next one at most doubles, towards the bytes a page should weigh.
    pub fn came(&mut self, page: Came) {
        if page.objects > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a mean")]
            let mean = page.bytes as f64 / page.objects as f64;
            self.object_bytes = Some(self.object_bytes.map_or(mean, |old| old.midpoint(mean)));
        }
        let settled = self.resize(page);
        if settled {
            self.measure(page);
        }
    }

    /// Adapts the page; whether it had its size already.
    fn resize(&mut self, page: Came) -> bool {
        if self.limits.fixed_page_objects.is_some() {
            return true;
        }
        let mean = self.object_bytes.unwrap_or(1.0).max(1.0);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let fitting = to_objects(self.page_bytes() as f64 / mean);
        let grown = if page.took > SLOW_PAGE {
            page.asked / 2
        } else {
            page.asked.max(self.page_objects / 2).saturating_mul(2)
        };
        let before = self.page_objects;
        self.page_objects = grown.min(fitting).clamp(1, self.most_page_objects);
        self.page_objects <= before + before / 4
    }

    fn measure(&mut self, page: Came) {
        self.measurement.pages += 1;
        self.measurement.bytes += page.bytes;
        if self.measurement.pages < PAGES_A_MEASUREMENT * self.in_flight {
            return;
        }
        // Wall time, so that more requests do not look better than what takes the pages can take.
        let seen = std::mem::replace(&mut self.measurement, Measurement { since: page.at, ..Measurement::default() });
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = seen.bytes as f64 / page.at.saturating_sub(seen.since).as_secs_f64().max(1e-6);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let worthwhile = 1.0 + WORTHWHILE_SHARE / (self.in_flight as f64 - 1.0).max(1.0);
        match self.below.take() {
            Some(below) if rate < below * worthwhile => {
                self.in_flight -= 1;
                self.hold = MEASUREMENTS_TO_HOLD;
            }
            _ if self.hold > 0 => self.hold -= 1,
            _ if self.in_flight < self.limits.most_in_flight => {
                self.below = Some(rate);
                self.in_flight += 1;
            }
            _ => {}
        }
    }

    /// The body was larger than what `asked` reserved: a quarter next time. Whether asking for less is possible.
    pub fn too_large(&mut self, asked: u32) -> bool {
        self.object_bytes = None;
        self.page_objects = self.page_objects.min(asked / 4).max(1);
        asked > 1
    }

    /// A body of several objects, of so many bytes, was refused as too large: never again half as much. This stays, as
    /// the limit of a server or proxy does; otherwise batches would grow up to it over and over.
    pub fn body_refused(&mut self, bytes: u64) {
        self.most_sent_bytes = self.most_sent_bytes.min(bytes / 2).max(1);
        self.refused = true;
    }

    /// Whether a body of several objects is larger than what was refused.
    #[must_use]
    pub fn is_too_large(&self, bytes: u64) -> bool {
        self.refused && bytes > self.most_sent_bytes
    }

    /// The server refused a page of so many objects for its limit: halve it, and never go there again. Whether asking
    /// for less is possible.
    pub fn limit_refused(&mut self, asked: u32) -> bool {
        self.most_page_objects = self.most_page_objects.min(asked / 2).max(1);
        self.page_objects = self.page_objects.min(self.most_page_objects);
        asked > 1
    }

    /// An attempt failed in a way that may speak of load: half the requests in flight.
    pub fn failed(&mut self) {
        self.in_flight = (self.in_flight / 2).max(1);
        self.below = None;
        self.measurement = Measurement { since: self.measurement.since, ..Measurement::default() };
        self.hold = MEASUREMENTS_TO_HOLD / 4;
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, saturating")]
fn to_bytes(bytes: f64) -> u64 {
    (bytes * SIZE_MARGIN) as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, saturating")]
fn to_objects(objects: f64) -> u32 {
    objects as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { fixed_page_objects: None, most_in_flight: 8, page_bytes: PAGE_BYTES };

    #[test]
    fn more_requests_in_flight_make_smaller_pages() {
        let mut pacer = Pacer::new(LIMITS, None);
        run(&mut pacer, 3_000, 2_000, 64);
        assert_eq!(pacer.in_flight(), 8);
        assert_eq!(u64::from(pacer.ask().objects) * 2_000 / 1_000, IN_FLIGHT_BYTES / 8 / 1_000);
    }

    /// A server with a fixed cost per page and per byte, shared by the requests in flight once they are more than `cores`.
    fn run(pacer: &mut Pacer, pages: usize, object_bytes: u64, cores: usize) {
        let mut at = pacer.measurement.since;
        for _ in 0..pages {
            let asked = pacer.ask().objects;
            let bytes = u64::from(asked) * object_bytes;
            let crowd = pacer.in_flight().div_ceil(cores).max(1);
            let took = Duration::from_micros((500 + bytes / 100) * crowd as u64);
            at += took / u32::try_from(pacer.in_flight()).expect("a small number");
            pacer.came(Came { asked, objects: u64::from(asked), bytes, took, at });
        }
    }

    #[test]
    fn pages_double_from_ten_objects_to_the_weight_of_a_page() {
        let mut pacer = Pacer::new(LIMITS, None);
        let mut asked = vec![pacer.ask().objects];
        for _ in 0..12 {
            run(&mut pacer, 1, 5_000, 2);
            asked.push(pacer.ask().objects);
        }
        assert_eq!(asked[..5], [10, 20, 40, 80, 160]);
        assert_eq!(asked.last(), Some(&838), "4 MiB of objects of 5,000 bytes");
    }

    #[test]
    fn small_objects_stop_at_the_servers_limit_and_large_ones_at_one() {
        let mut pacer = Pacer::new(LIMITS, None);
        run(&mut pacer, 30, 100, 2);
        assert_eq!(pacer.ask().objects, 10_000);
        let mut pacer = Pacer::new(LIMITS, None);
        run(&mut pacer, 30, 50 << 20, 2);
        assert_eq!(pacer.ask().objects, 1);
    }

    #[test]
    fn a_fixed_page_size_is_kept() {
        let mut pacer = Pacer::new(Limits { fixed_page_objects: Some(37), ..LIMITS }, None);
        run(&mut pacer, 30, 100, 2);
        assert_eq!(pacer.ask().objects, 37);
    }

    #[test]
    fn a_refused_limit_is_halved_and_remembered() {
        let mut pacer = Pacer::new(LIMITS, None);
        run(&mut pacer, 30, 100, 2);
        assert!(pacer.limit_refused(10_000));
        assert_eq!(pacer.ask().objects, 5_000);
        run(&mut pacer, 30, 100, 2);
        assert_eq!(pacer.ask().objects, 5_000);
        assert!(!pacer.limit_refused(1));
    }

    #[test]
    fn a_page_too_large_is_quartered_down_to_one_object() {
        let mut pacer = Pacer::new(LIMITS, Some(10.0));
        assert!(pacer.too_large(10));
        assert_eq!(pacer.ask().objects, 2);
        assert!(pacer.too_large(2));
        assert_eq!(pacer.ask().objects, 1);
        assert!(!pacer.too_large(1));
    }

    #[test]
    fn a_refused_body_bounds_all_that_follow_and_growing_does_not_forget_it() {
        for fixed in [None, Some(1_000)] {
            let mut pacer = Pacer::new(Limits { fixed_page_objects: fixed, ..LIMITS }, None);
            run(&mut pacer, 30, 2_000, 2);
            pacer.body_refused(100_000);
            run(&mut pacer, 30, 2_000, 2);
            assert_eq!(pacer.batch_bytes(), 50_000);
            assert_eq!(pacer.ask().objects, fixed.unwrap_or(25));
            assert!(pacer.is_too_large(50_001) && !pacer.is_too_large(50_000));
        }
    }

    #[test]
    fn a_fixed_number_of_objects_stays_within_the_budget_too() {
        let limits = Limits { fixed_page_objects: Some(1_000), ..LIMITS };
        assert_eq!(Pacer::new(limits, None).sending_at_most(2 << 20).batch_bytes(), 2 << 20);
        assert_eq!(Pacer::new(limits, None).sending_at_most(1 << 40).batch_bytes(), MOST_BATCH_BYTES);
    }

    #[test]
    fn requests_in_flight_settle_where_more_bring_nothing() {
        for (cores, range) in [(1, 1..=2), (2, 2..=3), (4, 4..=5), (64, 8..=8)] {
            let mut pacer = Pacer::new(LIMITS, None);
            run(&mut pacer, 2_000, 2_000, cores);
            assert!(range.contains(&pacer.in_flight()), "{cores} cores: {}", pacer.in_flight());
        }
    }

    #[test]
    fn a_failure_halves_the_requests_in_flight() {
        let mut pacer = Pacer::new(LIMITS, None);
        run(&mut pacer, 2_000, 2_000, 64);
        pacer.failed();
        assert_eq!(pacer.in_flight(), 4);
        for _ in 0..9 {
            pacer.failed();
        }
        assert_eq!(pacer.in_flight(), 1);
    }

    #[test]
    fn a_slow_page_is_halved() {
        let mut pacer = Pacer::new(LIMITS, None);
        run(&mut pacer, 30, 2_000, 2);
        let asked = pacer.ask().objects;
        pacer.came(Came {
            asked,
            objects: u64::from(asked),
            bytes: 2_000 * u64::from(asked),
            took: Duration::from_secs(30),
            at: Duration::from_secs(100),
        });
        assert_eq!(pacer.ask().objects, asked / 2);
    }

    #[test]
    fn what_is_reserved_covers_what_comes() {
        let mut pacer = Pacer::new(LIMITS, None);
        run(&mut pacer, 30, 3_000, 2);
        let ask = pacer.ask();
        assert!(ask.bytes >= u64::from(ask.objects) * 3_000 && ask.bytes <= 2 * PAGE_BYTES);
    }
}
