//! The consumers of a run's events: bars, lines of text, NDJSON, and the closing summary. They draw; they decide nothing.

mod bars;
mod caret;
mod feed;
mod harmless;
mod json;
mod logs;
mod pause;
mod progress;
mod remark;
mod summary;
mod table;
mod terminal;
mod text;
mod words;
mod wrap;

pub use bars::{Bars, Look};
pub use caret::caret;
pub use feed::{Moment, Render, Stopwatch, feed};
pub use harmless::HarmlessJson;
pub use json::Json;
pub use logs::Logs;
pub use pause::{Pause, Paused};
pub use remark::{remark, schema_difference, skip_reason};
pub use summary::{Closing, Done, Label, Note, Objects, summary, verdict};
pub use table::table;
pub use terminal::columns;
pub use text::Text;
pub use words::{count, counted, date, flag, harmless, plain, quoted, sentence, shell_path, size, span};
pub use wrap::wrap;
