//! What is known of the run that writes an archive, from its first moment on.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::codec::Codec;
use super::manifest::{Format, Tool};

/// What a journal is about; a run may only be resumed if all of this still holds.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckpointHeader {
    /// The archive's format.
    pub format: Format,
    /// What wrote it.
    pub tool: Tool,
    /// The run (a UUID).
    pub run_id: String,
    /// When it started, UTC.
    pub started: Timestamp,
    /// The server's URL without credentials.
    pub source_url: String,
    /// The server's version.
    pub server_version: String,
    /// The parts' compression.
    pub codec: Codec,
    /// The collections of the plan.
    pub collections: Vec<String>,
    /// The run's options.
    pub options: Map<String, Value>,
    /// The server's clock when the run was planned, in whole seconds, as ms since 1970.
    pub server_time_ms: Option<i64>,
}
