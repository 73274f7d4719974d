//! The ways a request can go wrong, and which requests do.

use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// This reply, and the request is not applied.
    Status {
        /// The status.
        status: u16,
        /// Headers to add, such as `Retry-After`.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The request is applied, then this reply (a 504 after a write).
    AppliedThen {
        /// The status.
        status: u16,
        /// The body.
        body: String,
    },
    /// The connection is reset and the request not applied.
    ResetBefore,
    /// The connection is reset after the request was applied.
    ResetAfter,
    /// The reply comes later.
    Delay(Duration),
    /// Something happens on the server right before it is answered.
    Change(super::Change),
    /// The body ends after so many bytes and the connection with it; the reader can tell, as it was chunked.
    Cut(usize),
    /// The body ends after so many bytes, and only the closed connection ends it.
    CutCloseDelimited(usize),
    /// The body stops after so many bytes, for that long.
    Stall(usize, Duration),
    /// The body comes in pieces of so many bytes, one every so often.
    Drip(usize, Duration),
    /// The head promises a body of so many bytes; what comes is shorter.
    Promises(u64),
    /// Status 200 and no body.
    EmptyBody,
    /// A request whose body holds this text is not applied, and answered with status 200 and no body.
    PanicsOver(String),
    /// This text after the whole body.
    Garbage(String),
    /// The body is compressed, and so many MiB of zeros once it is not.
    GzipBomb(usize),
    /// Status 200 and `{"error":[{"message":…}]}`.
    ErrorIn200(String),
    /// A page of objects is not what was asked for.
    Page(PageFault),
    /// One written object, or reference, in so many fails with this text.
    FailObjects(u64, String),
    /// Every written object whose id, as a number, is a multiple of this fails with this text, whenever it is sent; of
    /// references every one from such an object.
    FailIds(u64, String),
    /// One reference, or written object, in so many is added, or stored, and said to have failed with this text.
    FailAdded(u64, String),
    /// The answer to a batch has only so many results.
    KeepResults(usize),
    /// 413 for bodies longer than this, as a proxy answers.
    RefuseBodiesOver(usize),
    /// Requests with bodies longer than this are carried out that much later.
    SlowBodiesOver(usize, Duration),
    /// The connection is reset now and the request applied that much later.
    LandsLate(Duration),
    /// The server is gone: every connection is reset and the port closed.
    Die,
}

impl Kind {
    /// A refusal with a text and no headers.
    #[must_use]
    pub fn status(status: u16, body: &str) -> Self {
        Self::Status { status, headers: Vec::new(), body: body.to_owned() }
    }

    /// 429 with a `Retry-After`, in seconds or as a date.
    #[must_use]
    pub fn too_many(retry_after: &str) -> Self {
        let headers = vec![("retry-after".to_owned(), retry_after.to_owned())];
        Self::Status { status: 429, headers, body: "too many requests".to_owned() }
    }

    /// 307 to another place.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Self::Status { status: 307, headers, body: String::new() }
    }

    /// 502 with a page of HTML, as a proxy sends it.
    #[must_use]
    pub fn bad_gateway() -> Self {
        let body = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>".to_owned();
        Self::Status { status: 502, headers: vec![("content-type".to_owned(), "text/html".to_owned())], body }
    }
}

/// How a page differs from what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFault {
    /// The objects up to the cursor instead of those after it.
    Repeat,
    /// Descending.
    Backwards,
    /// One object in the middle is left out.
    Skip,
    /// One object says it is of another class.
    WrongClass,
    /// One object comes twice.
    Duplicate,
    /// More objects than asked for.
    TooMany,
    /// No objects, though there are more.
    Empty,
    /// Every object has this text before its closing brace.
    Also(&'static str),
}

/// When a fault strikes, counting the requests that match it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Only at the n-th, from 1.
    Nth(u64),
    /// At every one after the first n.
    After(u64),
    /// At every one, with this chance in a thousand.
    Chance(u64),
    /// Once at each distinct path (its query apart).
    OnceAPath,
    /// At every one beyond so many in a second, counted from the first one of it; those it strikes do not count.
    Beyond(u64),
}

/// A rule: which requests, when, what.
#[derive(Debug, Clone)]
pub struct Fault {
    pub(crate) method: Option<String>,
    pub(crate) path: String,
    pub(crate) exact: bool,
    pub(crate) query: Option<String>,
    pub(crate) writing: Option<bool>,
    pub(crate) when: When,
    pub(crate) times: u64,
    pub(crate) kind: Kind,
}

impl Fault {
    /// At every request.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            method: None,
            path: String::new(),
            exact: false,
            query: None,
            writing: None,
            when: When::After(0),
            times: u64::MAX,
            kind,
        }
    }

    /// Only for this method and paths that begin so.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        path.clone_into(&mut self.path);
        self
    }

    /// Only for this very path, or those that begin so, with any method.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Not for paths that only begin so.
    #[must_use]
    pub fn exactly(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Only where the query contains this text.
    #[must_use]
    pub fn query(mut self, text: &str) -> Self {
        self.query = Some(text.to_owned());
        self
    }

    /// Only requests that can change data, or only those that cannot.
    #[must_use]
    pub fn writing(mut self, writing: bool) -> Self {
        self.writing = Some(writing);
        self
    }

    /// Only at the n-th matching request, from 1.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.when = When::Nth(n);
        self
    }

    /// After the first n matching requests.
    #[must_use]
    pub fn after(mut self, n: u64) -> Self {
        self.when = When::After(n);
        self
    }

    /// With this chance in a thousand.
    #[must_use]
    pub fn chance(mut self, per_mille: u64) -> Self {
        self.when = When::Chance(per_mille);
        self
    }

    /// Once at each distinct path.
    #[must_use]
    pub fn once_a_path(mut self) -> Self {
        self.when = When::OnceAPath;
        self
    }

    /// Beyond so many requests a second.
    #[must_use]
    pub fn beyond(mut self, a_second: u64) -> Self {
        self.when = When::Beyond(a_second);
        self
    }

    /// At most so many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }
}
