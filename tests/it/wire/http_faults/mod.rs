//! The thirty ways in which an HTTP request can go wrong (and some more), each alone, at the first, a middle and the
//! last request that matters to a verb: what the table says comes of it, and nothing lost, doubled or changed
//!.
//!
//! Every fault is tried with every verb on every commit, at one of the three places. All places are
//! tried by night.

mod certificates;
pub(crate) mod proof;
mod table;
mod verbs;

use futures_util::StreamExt;
use tokio::sync::Semaphore;

use self::table::{Place, Row, rows};
use self::verbs::{Setting, Verb};
use crate::support::tier;

/// Cases tried side by side, of all verbs together: most of their time is waiting, and what is not must not look like it.
const AT_ONCE: usize = 6;
static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// The places of a fault that are tried: in turn, so that each is met by about a third of them.
fn places(row: usize, verb: Verb) -> Vec<Place> {
    if verb.is_single() {
        return vec![Place::First];
    }
    if tier::is_all() { Place::ALL.to_vec() } else { vec![Place::ALL[(row + verb as usize) % Place::ALL.len()]] }
}

async fn every_fault(verb: Verb) {
    let setting = &Box::pin(Setting::of(verb)).await;
    let rows = rows();
    let cases: Vec<(&Row, Place)> = rows
        .iter()
        .enumerate()
        .flat_map(|(at, row)| places(at, verb).into_iter().map(move |place| (row, row.place(place))))
        .collect();
    let count = cases.len();
    let tried = futures_util::stream::iter(cases).map(|(row, place)| {
        Box::pin(async move {
            let _turn = TURNS.acquire().await.expect("never closed");
            setting.case(row, place).await
        })
    });
    let results: Vec<Result<(), String>> = tried.buffer_unordered(AT_ONCE).collect().await;
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    tier::said(&format!("{count} cases"));
}

#[tokio::test]
async fn a_backup_meets_every_fault() {
    Box::pin(every_fault(Verb::Backup)).await;
}

#[tokio::test]
async fn a_restore_meets_every_fault() {
    Box::pin(every_fault(Verb::Restore)).await;
}

#[tokio::test]
async fn a_comparison_meets_every_fault() {
    Box::pin(every_fault(Verb::Verify)).await;
}

#[tokio::test]
async fn a_clear_that_deletes_meets_every_fault() {
    Box::pin(every_fault(Verb::Delete)).await;
}

#[tokio::test]
async fn a_clear_that_drops_meets_every_fault() {
    Box::pin(every_fault(Verb::Drop)).await;
}

#[tokio::test]
async fn a_restore_that_creates_meets_every_fault() {
    Box::pin(every_fault(Verb::Make)).await;
}

#[test]
fn the_table_holds_every_fault_of_the_list_once() {
    let numbers: std::collections::BTreeSet<u32> = rows().iter().map(|row| row.number).collect();
    let expected = (1..=31).filter(|number| cfg!(target_os = "linux") || *number != table::CONNECT_HANGS);
    assert!(numbers.into_iter().eq(expected), "31 is the bonus");
}
