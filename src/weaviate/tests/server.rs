//! A raw TCP server that does what a test tells it to, and the client that talks to it.

use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::event::{Event, EventReceiver, Events};
use crate::weaviate::{Client, Connection, RetryPolicy};

/// What the server does with a request.
pub(super) enum Act {
    /// Sends these bytes and waits for the next request.
    Answer(Vec<u8>),
    /// Sends these bytes and closes.
    Cut(Vec<u8>),
    /// Sends these bytes and then nothing more.
    Stall(Vec<u8>),
    /// Sends these bytes and then one byte every 10 ms.
    Drip(Vec<u8>),
    /// Resets the connection.
    Reset,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Such as `GET /v1/meta`.
    pub(super) line: String,
    /// Everything up to the empty line.
    pub(super) head: String,
    pub(super) body: String,
}

#[derive(Clone)]
pub(super) struct Server {
    pub(super) port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server; `script` is given how many requests came before, and the request.
    pub(super) async fn start(script: impl Fn(usize, &Request) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self { port: listener.local_addr().expect("an address").port(), requests: Arc::default() };
        let (shared, script) = (server.clone(), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, script) = (shared.clone(), script.clone());
                tokio::spawn(async move { shared.serve_tcp(stream, &*script).await });
            }
        });
        server
    }

    /// A server that says the same to everything.
    pub(super) async fn saying(answer: Vec<u8>) -> Self {
        Self::start(move |_, _| Act::Answer(answer.clone())).await
    }

    async fn serve_tcp(&self, mut stream: TcpStream, script: &(dyn Fn(usize, &Request) -> Act + Send + Sync)) {
        if matches!(self.serve(&mut stream, script).await, Err(error) if error.kind() == io::ErrorKind::ConnectionReset)
        {
            stream.set_zero_linger().expect("a socket");
        }
    }

    pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        script: &(dyn Fn(usize, &Request) -> Act + Send + Sync),
    ) -> io::Result<()> {
        while let Some(request) = read(stream).await? {
            let before = {
                let mut requests = self.requests.lock().expect("no panic");
                requests.push(request.clone());
                requests.len() - 1
            };
            match script(before, &request) {
                Act::Answer(bytes) => stream.write_all(&bytes).await?,
                Act::Cut(bytes) => {
                    stream.write_all(&bytes).await?;
                    return stream.shutdown().await;
                }
                Act::Stall(bytes) => {
                    stream.write_all(&bytes).await?;
                    std::future::pending::<()>().await;
                }
                Act::Drip(bytes) => {
                    stream.write_all(&bytes).await?;
                    loop {
                        stream.write_all(b" ").await?;
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
                Act::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
        Ok(())
    }

    /// A server whose connections a test accepts by itself.
    pub(super) fn at(port: u16) -> Self {
        Self { port, requests: Arc::default() }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }

    /// How many requests were `line`.
    pub(super) fn count(&self, line: &str) -> usize {
        self.requests().iter().filter(|request| request.line.starts_with(line)).count()
    }

    /// A client of this server with short waits.
    pub(super) fn client(&self) -> Client {
        self.client_heard().0
    }

    /// The same, with what it says.
    pub(super) fn client_heard(&self) -> (Client, EventReceiver) {
        let (events, heard) = Events::channel();
        (Client::with_policy(self.connection("http"), events, 1, quick()).expect("a client"), heard)
    }

    pub(super) fn connection(&self, scheme: &str) -> Connection {
        let url = Connection::parse_url(&format!("{scheme}://localhost:{}", self.port)).expect("a url");
        Connection { stall_timeout: Duration::from_millis(200), ..Connection::new(url) }
    }
}

/// Short waits, so that tests are.
pub(super) fn quick() -> RetryPolicy {
    RetryPolicy {
        base: Duration::from_millis(1),
        cap: Duration::from_millis(4),
        retry_after_cap: Duration::from_millis(30),
        attempts: 5,
        first_attempts: 3,
        stalled_attempts: 2,
        count_attempts: 2,
        ready_wait: Duration::from_millis(300),
        ready_pause: Duration::from_millis(5),
        question_timeout: Duration::from_millis(500),
        question_attempts: 2,
        stalled_questions: 1,
        turn_wait: Duration::from_millis(200),
        slowest_pace: 100_000,
        ..RetryPolicy::default()
    }
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while bytes.len() < head_end + length.unwrap_or(0) {
        stream.read_buf(&mut bytes).await?;
    }
    let line = head.split(" HTTP/").next().unwrap_or_default().to_owned();
    Ok(Some(Request { line, head, body: String::from_utf8_lossy(&bytes[head_end..]).into_owned() }))
}

/// A whole answer; `headers` are lines, each with its line end.
pub(super) fn reply(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(super) fn ok(body: &str) -> Vec<u8> {
    reply(200, "content-type: application/json\r\n", body)
}

/// The beginning of an answer in chunks, with one chunk for each part and no end.
pub(super) fn chunks(parts: &[&str]) -> Vec<u8> {
    let mut text = String::from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    for part in parts {
        let _ = write!(text, "{:x}\r\n{part}\r\n", part.len());
    }
    text.into_bytes()
}

/// The answer in a recorded transcript.
pub(super) fn recorded(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/transcripts/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let record: Value = serde_json::from_str(&text).expect("json");
    let response = &record["response"];
    let status = response["status"].as_u64().and_then(|s| u16::try_from(s).ok()).expect("a status");
    let body = if response["body"].is_null() { String::new() } else { response["body"].to_string() + "\n" };
    reply(status, "content-type: application/json\r\n", &body)
}

/// Everything said so far.
pub(super) fn said(heard: &mut EventReceiver) -> Vec<Event> {
    std::iter::from_fn(|| heard.try_recv()).collect()
}

/// The waits of the retries said so far, in milliseconds.
pub(super) fn waits(heard: &mut EventReceiver) -> Vec<u64> {
    let wait = |event| if let Event::Retrying { wait_ms, .. } = event { Some(wait_ms) } else { None };
    said(heard).into_iter().filter_map(wait).collect()
}
