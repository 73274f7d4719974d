//! A raw TCP proxy before a sandbox: it does to connections what an HTTP server cannot. It reads the heads of requests
//! to know which one to strike, and passes everything else on as it comes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::log::is_writing;
use crate::wire::{Cut, Wire};

/// Longest head of a request that is read.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Connections that fill a queue of one, on systems that count generously.
const QUEUE_FILLERS: usize = 8;
/// How long a connection to a full queue is waited for.
const FILLING: Duration = Duration::from_millis(20);

/// What is done to the connection of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// All connections are reset, and for so long nobody listens.
    Refused(Duration),
    /// All connections are reset, and for so long new ones are neither taken nor refused (on Linux: elsewhere a full
    /// queue is another thing).
    Hangs(Duration),
    /// The connection is reset, and so is the next one before anything is read from it.
    ResetOnConnect,
    /// The connection is reset after the request's head and half of its body (all of it, where a strike looks at bodies).
    ResetMidRequest,
    /// The connection is closed in good order when the request comes, as an idle one is.
    Closed,
    /// All connections are reset, and from now on the other certificate is shown.
    OtherCertificate,
}

/// Which request is struck: the n-th, from 1, with this method on a path that begins so.
#[derive(Debug, Clone)]
pub struct Strike {
    /// The method.
    pub method: &'static str,
    /// The beginning of the path.
    pub path: String,
    /// Counts only requests that can change data, or only those that cannot; `None` counts both.
    pub writing: Option<bool>,
    /// Which of those.
    pub nth: u64,
    /// What is done to it.
    pub trouble: Trouble,
}

/// Certificates to show: the right one, and the other one.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// Shown at first.
    pub right: Arc<ServerConfig>,
    /// Shown once [`Trouble::OtherCertificate`] has struck.
    pub other: Arc<ServerConfig>,
}

/// A running proxy on 127.0.0.1; it stops when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    port: u16,
    upstream: u16,
    certificates: Option<Certificates>,
    strike: Mutex<Option<Strike>>,
    matched: AtomicU64,
    struck: AtomicU64,
    other_certificate: AtomicBool,
    reset_next: AtomicBool,
    /// Counts up whenever all connections are to be reset; `u64::MAX` ends the proxy.
    era: watch::Sender<u64>,
    /// What the listener is to do before it listens again.
    pause: Mutex<Option<Trouble>>,
}

impl Proxy {
    /// Starts one before a port of this machine.
    ///
    /// # Panics
    /// When no port can be bound: a test cannot go on then.
    #[must_use]
    pub fn start(upstream: u16, certificates: Option<Certificates>) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.unwrap_or_else(|error| panic!("the proxy does not start: {error}"));
        let port = listener.local_addr().map_or(0, |address| address.port());
        drop(listener);
        let shared = Arc::new(Shared {
            port,
            upstream,
            certificates,
            strike: Mutex::default(),
            matched: AtomicU64::new(0),
            struck: AtomicU64::new(0),
            other_certificate: AtomicBool::new(false),
            reset_next: AtomicBool::new(false),
            era: watch::Sender::new(0),
            pause: Mutex::default(),
        });
        let (running, (ready, is_ready)) = (Arc::clone(&shared), std::sync::mpsc::channel());
        let thread = std::thread::Builder::new().name("proxy".to_owned()).spawn(move || run(&running, &ready));
        let thread = thread.unwrap_or_else(|error| panic!("the proxy does not start: {error}"));
        is_ready.recv().unwrap_or_else(|error| panic!("the proxy does not listen: {error}"));
        Self { shared, thread: Some(thread) }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// Strikes one request, counted from now.
    pub fn strike(&self, strike: Strike) {
        self.shared.matched.store(0, Ordering::SeqCst);
        *lock(&self.shared.strike) = Some(strike);
    }

    /// How many requests were struck.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.shared.struck.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.era.send_replace(u64::MAX);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(shared: &Arc<Shared>, ready: &std::sync::mpsc::Sender<()>) {
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let mut eras = shared.era.subscribe();
        while *eras.borrow_and_update() != u64::MAX {
            let trouble = lock(&shared.pause).take();
            match trouble {
                Some(Trouble::Refused(pause)) => tokio::time::sleep(pause).await,
                Some(Trouble::Hangs(pause)) => drop(hang(shared.port, pause).await),
                _ => {}
            }
            if *eras.borrow() == u64::MAX {
                return;
            }
            let Ok(listener) = listen(shared.port, 128) else {
                tokio::time::sleep(FILLING).await;
                continue;
            };
            // Nobody waits for it any more after the first time.
            let _ = ready.send(());
            take_connections(shared, &listener, &mut eras).await;
        }
    });
    runtime.shutdown_background();
}

fn listen(port: u16, queue: u32) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A port whose connections were reset a moment ago.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(queue)
}

/// Listens, with a queue that is full, and takes nothing.
async fn hang(port: u16, pause: Duration) -> io::Result<()> {
    let _listener = listen(port, 0)?;
    let mut fillers = Vec::new();
    for _ in 0..QUEUE_FILLERS {
        let filler = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        match tokio::time::timeout(FILLING, filler).await {
            Ok(filler) => fillers.push(filler?),
            Err(_) => break,
        }
    }
    tokio::time::sleep(pause).await;
    // With a reset, so that the port is free at once.
    for filler in &fillers {
        drop(filler.set_zero_linger());
    }
    Ok(())
}

async fn take_connections(shared: &Arc<Shared>, listener: &TcpListener, eras: &mut watch::Receiver<u64>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = eras.changed() => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        drop(stream.set_nodelay(true));
        if shared.reset_next.swap(false, Ordering::SeqCst) {
            drop(stream.set_zero_linger());
            continue;
        }
        let (shared, mut ends) = (Arc::clone(shared), shared.era.subscribe());
        ends.borrow_and_update();
        tokio::spawn(async move {
            let cut = Cut::default();
            let wire = Wire { stream, cut: cut.clone() };
            tokio::select! {
                () = connection(&shared, wire, &cut) => {}
                _ = ends.changed() => cut.now(),
            }
        });
    }
}

async fn connection(shared: &Shared, wire: Wire, cut: &Cut) {
    let Some(Certificates { right, other }) = &shared.certificates else {
        return pass_on(shared, wire, cut).await;
    };
    let shown = if shared.other_certificate.load(Ordering::SeqCst) { other } else { right };
    if let Ok(stream) = TlsAcceptor::from(Arc::clone(shown)).accept(wire).await {
        pass_on(shared, stream, cut).await;
    }
}

async fn pass_on<S: AsyncRead + AsyncWrite>(shared: &Shared, stream: S, cut: &Cut) {
    let Ok(upstream) = TcpStream::connect((Ipv4Addr::LOCALHOST, shared.upstream)).await else { return };
    drop(upstream.set_nodelay(true));
    let (from_client, to_client) = tokio::io::split(stream);
    let (from_server, to_server) = tokio::io::split(upstream);
    // Either way the connection is over.
    tokio::select! {
        _ = requests(shared, from_client, to_server, cut) => {}
        _ = answers(from_server, to_client) => {}
    }
}

async fn answers<S: AsyncWrite>(mut from: ReadHalf<TcpStream>, mut to: WriteHalf<S>) -> io::Result<()> {
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
}

/// Reads request after request and sends them on, until one is struck.
async fn requests<S: AsyncRead>(
    shared: &Shared,
    mut from: ReadHalf<S>,
    mut to: WriteHalf<TcpStream>,
    cut: &Cut,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    while let Some((end, length)) = head(&mut from, &mut bytes).await? {
        // Half of the body, if the rest need not be seen.
        let needed = if shared.looks_at_bodies() { length } else { length / 2 };
        fill(&mut from, &mut bytes, end + needed).await?;
        match shared.strike_of(&bytes[..end], &bytes[end..]) {
            None => {}
            Some(Trouble::ResetMidRequest) => {
                cut.now();
                return Ok(());
            }
            Some(Trouble::Closed) => return fill(&mut from, &mut bytes, end + length).await,
            Some(trouble) => {
                cut.now();
                shared.ends_an_era(trouble);
                return Ok(());
            }
        }
        fill(&mut from, &mut bytes, end + length).await?;
        to.write_all(&bytes[..end + length]).await?;
        bytes.drain(..end + length);
    }
    Ok(())
}

/// Reads until there are so many bytes.
async fn fill<S: AsyncRead>(from: &mut ReadHalf<S>, bytes: &mut Vec<u8>, until: usize) -> io::Result<()> {
    while bytes.len() < until {
        if from.read_buf(bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

impl Shared {
    fn looks_at_bodies(&self) -> bool {
        lock(&self.strike).as_ref().is_some_and(|strike| strike.writing.is_some())
    }

    /// What happens to a request, if it is the one.
    fn strike_of(&self, head: &[u8], body: &[u8]) -> Option<Trouble> {
        let head = String::from_utf8_lossy(head);
        let mut words = head.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let mut strike = lock(&self.strike);
        let Strike { method: wanted, path: begins, writing, nth, trouble } = strike.clone()?;
        let is_writing = || is_writing(method, path.split('?').next().unwrap_or_default(), body);
        let meant = method == wanted && path.starts_with(&begins) && writing.is_none_or(|w| w == is_writing());
        if !meant || self.matched.fetch_add(1, Ordering::SeqCst) + 1 != nth {
            return None;
        }
        *strike = None;
        self.struck.fetch_add(1, Ordering::SeqCst);
        Some(trouble)
    }

    /// Resets all connections; what comes then is up to the trouble.
    fn ends_an_era(&self, trouble: Trouble) {
        match trouble {
            Trouble::ResetOnConnect => self.reset_next.store(true, Ordering::SeqCst),
            Trouble::OtherCertificate => self.other_certificate.store(true, Ordering::SeqCst),
            Trouble::Refused(_) | Trouble::Hangs(_) => *lock(&self.pause) = Some(trouble),
            Trouble::ResetMidRequest | Trouble::Closed => {}
        }
        self.era.send_modify(|era| *era = era.saturating_add(1));
    }
}

/// Reads up to the end of a head: where it ends, and the length of the body behind it. `None` at the end of the stream.
async fn head<S: AsyncRead>(from: &mut ReadHalf<S>, bytes: &mut Vec<u8>) -> io::Result<Option<(usize, usize)>> {
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            return Ok(Some((at + 4, length.unwrap_or(0))));
        }
        if bytes.len() > HEAD_BYTES_MAX || from.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    }
}
