//! elysiactl as a library: back up the collections of a running Weaviate server into plain files, verify, restore and
//! clear them. It is silent and without global state: it prints nothing, reads no environment, and never exits.
//!
//! # Back up and verify
//!
//! ```
//! use elysiactl::event::{Events, Status};
//! use elysiactl::ops::Session;
//! use elysiactl::ops::backup::{self, BackupOptions};
//! use elysiactl::ops::verify::{self, VerifyOptions};
//! use elysiactl::weaviate::{Client, Connection, Writer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = sandbox::Sandbox::builder().seeded("Article", 100, 8, 1).start_blocking();
//! # let place = tempfile::tempdir()?;
//! # let (url, folder) = (sandbox.url(), place.path().join("backups"));
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let connection = Connection::new(Connection::parse_url(&url)?);
//! let client = Client::new(connection, Events::none(), 0)?;
//! let session = Session::default();
//!
//! // A plan reads, and changes nothing: look at it before it is carried out.
//! let options = BackupOptions { folder, ..BackupOptions::default() };
//! let plan = backup::plan(&client, &session, options).await?;
//! assert_eq!(plan.collections[0].objects, Some(100));
//!
//! // Only a `Writer` changes a server: here it may activate inactive tenants to read them.
//! let writer = Writer::new(client);
//! let backup = backup::run(&writer, &session, plan).await?;
//! assert_eq!(backup.result.status, Status::Ok);
//!
//! let archive = backup.result.archive.ok_or("every backup names its archive")?;
//! let verified = verify::run(&writer, &session, VerifyOptions::new(archive)).await?;
//! assert_eq!(verified.result.status, Status::Ok);
//! # Ok(()) })
//! # }
//! ```
//!
//! # The operations
//!
//! [`ops`] has a module for each: [`backup`](ops::backup), [`restore`](ops::restore), [`verify`](ops::verify),
//! [`create`](ops::create), [`clear`](ops::clear), [`remove`](ops::remove) and [`inventory`](ops::inventory) for servers,
//! [`check`](ops::check) and [`cat`](ops::cat) for archives. What writes has two steps: `plan` takes a
//! [`Client`](weaviate::Client), which has no method that changes a server, and `run` takes the plan with a
//! [`Writer`](weaviate::Writer) and asks nobody anything.
//!
//! # What it says
//!
//! While it works, an operation tells what it does as [`event`]s: numbers and names, no prose. They go to whoever holds the
//! other end of [`Events::channel`](event::Events::channel); nobody has to. Its result is its return value.
//!
//! # Errors
//!
//! [`ops::Error`] is one enum for all operations. It has a [`class`](ops::Error::class), which the command makes its exit
//! code of, and [`hints`](ops::Error::hints): what to do about it, as data. A run that stops half-way gives its error
//! together with what it left behind (such as [`BackupStopped`](ops::backup::BackupStopped)).
//!
//! A run that came to its end is not always free of findings: [`RunResult::status`](event::RunResult::status) is
//! [`Incomplete`](event::Status::Incomplete) where something is missing, skipped or different.
//!
//! # Layers
//!
//! `model` <- `event` <- `weaviate`, `archive` (they never see each other) <- `pipeline` <- `ops` <- `cli`; `render` uses
//! `event` and `model`. `tests/it/house/layering.rs` holds this. Only `cli` and `render`, which the command is made of,
//! print; only `cli` reads the environment and exits. See docs/architecture.md.

pub mod archive;
pub mod cli;
pub mod event;
pub mod model;
pub mod ops;
pub mod pipeline;
pub mod render;
pub mod weaviate;
