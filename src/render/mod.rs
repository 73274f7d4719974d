//! The consumers of a run's events: bars, lines of text, NDJSON, and the closing summary. They draw; they decide nothing.

mod bars;
mod feed;
mod harmless;
mod json;
mod logs;
mod pause;
mod progress;
mod remark;
mod summary;
mod terminal;
mod text;
mod words;

pub use bars::{Bars, Look};
pub use feed::{Moment, Render, Stopwatch, feed};
pub use harmless::HarmlessJson;
pub use json::Json;
pub use logs::Logs;
pub use pause::{Pause, Paused};
pub use remark::{remark, schema_difference, skip_reason};
pub use summary::{Closing, Note, summary, verdict};
pub use text::Text;
pub use words::{count, counted, date, flag, harmless, plain, quoted, sentence, shell_path, size, span};
