//! What holds of the source and its pages as a whole.

/// What the server or the disk did, what is said, and with which exit code and advice.
mod error_scenes;
/// Every variant of every error is seen by a test.
mod error_variants;
/// docs/events.md names every event, every warning and every field.
mod events_doc;
/// Who imports whom, types of one name, long files.
mod homes;
/// docs/inventory.md names every field of both.
mod inventory_doc;
/// Who may use whom, who may print, how long a file may be.
mod layering;
/// The planted bugs fit the code as it stands.
mod planted;
/// Words for people are made in `render` and `cli`.
mod prose;
/// Keys, passwords and header values planted everywhere come out nowhere.
mod secrets;
