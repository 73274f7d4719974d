//! The faults, each with its number, and what comes of each.

use std::sync::OnceLock;
use std::time::Duration;

use elysiactl::event::Class;
use sandbox::{Change, Kind, PageFault, Sandbox, Trouble};

/// How long nobody listens. Shorter than the waits of a few attempts.
const MOMENT: Duration = Duration::from_millis(5);
/// How long connections hang. Shorter than the first of them is waited for.
const HANGS: Duration = Duration::from_millis(100);
/// How long an answer stops: much longer than it is waited for.
const STOPS: Duration = Duration::from_secs(20);
/// Between two bytes of an answer that drips.
const DRIPS: Duration = Duration::from_millis(100);
/// MiB of zeros in an answer that seems small.
const BOMB_MIB: usize = 300;
pub(super) const CONNECT_HANGS: u32 = 3;

/// Which of the requests that matter is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    First,
    Middle,
    Last,
}

impl Place {
    pub(super) const ALL: [Self; 3] = [Self::First, Self::Middle, Self::Last];

    /// The request's number, from 1.
    pub(super) fn of(self, requests: u64) -> u64 {
        match self {
            Self::First => 1,
            Self::Middle => requests.div_ceil(2).max(1),
            Self::Last => requests,
        }
    }
}

/// Who strikes.
#[derive(Debug, Clone)]
pub(super) enum Blow {
    /// The server, or a proxy that speaks HTTP.
    Http(Kind),
    /// The network.
    Wire(Trouble),
    /// The server's name leads nowhere.
    NoName,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// What comes without a fault: exit 0, and the same result.
    Whole,
    /// One final error of this class.
    Stops(Class),
    /// Exit 3: it ran to its end, and something is missing.
    Incomplete,
}

/// A fault, and what comes of it: with a page of a backup, a batch of a restore,
/// a page of a comparison, a deletion of a clear, its drop of a whole collection, and the creation of one by a restore.
#[derive(Debug)]
pub(super) struct Row {
    /// The number in the list.
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) blow: Blow,
    pub(super) ends: [End; 6],
}

impl Row {
    /// The place, where this fault knows several.
    pub(super) fn place(&self, place: Place) -> Place {
        if matches!(self.blow, Blow::NoName) { Place::First } else { place }
    }

    /// Whether it shows only in that nothing comes.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self.blow, Blow::Http(Kind::Stall(..) | Kind::Drip(..)) | Blow::Wire(Trouble::Hangs(_)))
    }
}

/// Another server, which nothing is to be sent to.
pub(super) fn elsewhere() -> &'static Sandbox {
    static ELSEWHERE: OnceLock<Sandbox> = OnceLock::new();
    ELSEWHERE.get_or_init(|| Sandbox::builder().start_blocking())
}

/// 308 where `Kind::redirect` says 307.
fn permanent_redirect(to: &str) -> Kind {
    Kind::Status { status: 308, headers: vec![("location".into(), to.into())], body: String::new() }
}

/// 429 that asks to wait until a date, by a clock that differs a lot from ours.
fn until_a_date() -> Kind {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let [date, later] = ["Sun, 06 Nov 1994 08:49:30 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"];
    Kind::Status { status: 429, headers: vec![header("date", date), header("retry-after", later)], body: String::new() }
}

/// Every fault. Numbers 22 to 31 spoil an answer: where nothing of it is needed but the status, nothing comes of them.
#[rustfmt::skip]
pub(super) fn rows() -> Vec<Row> {
    use Blow::{Http, NoName, Wire};
    use End::{Stops, Whole};
    use Kind as K;
    const SERVER: End = Stops(Class::Server);
    const REFUSED: End = Stops(Class::Refused);
    let row = |number, name, blow, ends| Row { number, name, blow, ends };
    let away = elsewhere().url();
    //                                                                            backup restore verify delete drop make
    let mut rows = vec![
        row(1, "connect refused for a moment", Wire(Trouble::Refused(MOMENT)),    [Whole, Whole, Whole, Whole, SERVER, Whole]),
        row(2, "no such host", NoName,                                            [SERVER, SERVER, SERVER, SERVER, SERVER, SERVER]),
        row(3, "connect hangs", Wire(Trouble::Hangs(HANGS)),                      [Whole, Whole, Whole, Whole, SERVER, Whole]),
        row(4, "a certificate nobody knows", Wire(Trouble::OtherCertificate),     [SERVER, SERVER, SERVER, SERVER, SERVER, SERVER]),
        row(5, "reset before the request", Wire(Trouble::ResetOnConnect),         [Whole, Whole, Whole, Whole, SERVER, Whole]),
        row(6, "reset in the middle of it", Wire(Trouble::ResetMidRequest),       [Whole, Whole, Whole, Whole, SERVER, Whole]),
        row(7, "reset after it was applied", Http(K::ResetAfter),                 [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(8, "reset, and it was not", Http(K::ResetBefore),                     [Whole, Whole, Whole, Whole, SERVER, Whole]),
        row(9, "an idle connection closed", Wire(Trouble::Closed),                [Whole, Whole, Whole, Whole, SERVER, Whole]),
        row(10, "429", Http(K::status(429, "")),                                  [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(11, "429 until a date", Http(until_a_date()),                         [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(12, "500 in plain text", Http(K::status(500, "oops")),                [Whole, Whole, Whole, Whole, SERVER, Whole]),
        row(13, "502 in HTML", Http(K::bad_gateway()),                            [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(14, "503", Http(K::status(503, "")),                                  [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(15, "504 after it was applied", Http(K::AppliedThen { status: 504, body: String::new() }),
                                                                                  [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(16, "401", Http(K::status(401, r#"{"code":401,"message":"expired"}"#)),
                                                                                  [SERVER, SERVER, SERVER, SERVER, SERVER, SERVER]),
        row(17, "403", Http(K::status(403, r#"{"error":[{"message":"forbidden"}]}"#)),
                                                                                  [SERVER, SERVER, SERVER, SERVER, SERVER, SERVER]),
        row(18, "the collection vanishes", Http(K::Change(Change::Drop("Article".into()))),
                                                                                  [SERVER, SERVER, SERVER, SERVER, Whole, Whole]),
        row(19, "422", Http(K::status(422, r#"{"error":[{"message":"no"}]}"#)),
                                                                                  [SERVER, Whole, SERVER, SERVER, REFUSED, REFUSED]),
        row(20, "413", Http(K::status(413, "<html>too large</html>")),            [SERVER, Whole, SERVER, SERVER, REFUSED, REFUSED]),
        // A creation is looked for, and asked for again if it is not there.
        row(21, "307 to another host", Http(K::redirect(&away)),                  [SERVER, SERVER, SERVER, SERVER, SERVER, Whole]),
        row(21, "308 to another host", Http(permanent_redirect(&away)),           [SERVER, SERVER, SERVER, SERVER, SERVER, Whole]),
        row(22, "a cut answer in chunks", Http(K::Cut(40)),                       [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(23, "a cut answer", Http(K::CutCloseDelimited(40)),                   [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(24, "JSON, then garbage", Http(K::Garbage("}}".into())),              [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(25, "an error with status 200", Http(K::ErrorIn200("busy".into())),   [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(26, "an answer that stops", Http(K::Stall(20, STOPS)),                [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(27, "an answer that drips", Http(K::Drip(1, DRIPS)),                  [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(28, "a page again", Http(K::Page(PageFault::Repeat)),                 [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(28, "a page backwards", Http(K::Page(PageFault::Backwards)),          [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(28, "a page with a gap", Http(K::Page(PageFault::Skip)),              [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(29, "another class on it", Http(K::Page(PageFault::WrongClass)),      [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(29, "an object twice", Http(K::Page(PageFault::Duplicate)),           [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(29, "more than asked for", Http(K::Page(PageFault::TooMany)),         [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(30, "an empty page", Http(K::Page(PageFault::Empty)),                 [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(30, "an empty body", Http(K::EmptyBody),                              [Whole, Whole, Whole, Whole, Whole, Whole]),
        row(31, "a gzip bomb", Http(K::GzipBomb(BOMB_MIB)),                       [Whole, Whole, Whole, Whole, Whole, Whole]),
    ];
    rows.retain(|row| cfg!(target_os = "linux") || row.number != CONNECT_HANGS);
    rows
}
