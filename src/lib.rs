//! elysiactl as a library: the operations behind the command, silent and without global state.
//!
//! ```text
//! backup : keyspace -> scan --[Batch]--> store -> sealed parts -> topology and counts agree? -> manifest
//! check  : index -> load --[Batch]--> every byte, count, order and digest against the manifest
//! restore: index -> load --[Batch]--> import (a result for each object) -> count -> verify
//! verify : load --[sorted]-- compare --[sorted]-- scan -> same | missing | extra | different
//! clear  : standing -> agreed? -> schema saved -> drop and create | ids -> delete -> nothing left?
//! ```
//!
//! Who may use whom: `model` <- `event` <- `weaviate`, `archive` (they never see each other) <- `pipeline` <- `ops`
//! <- `cli`; `render` uses `event` and `model`. `tests/it/house/layering.rs` holds this. Only `cli` and `render` print; only
//! `cli` reads the environment and exits. See docs/architecture.md.

pub mod archive;
pub mod cli;
pub mod event;
pub mod model;
pub mod ops;
pub mod pipeline;
pub mod render;
pub mod weaviate;
