//! What has to be agreed before objects are lost, for every verb that takes some away: the name typed out, a second
//! question where it matters, and the count read again after the answers. Nothing is sent before all is agreed.

use tokio_util::sync::CancellationToken;

use super::confirm::{self, Question};
use super::{Failure, Out, held};
use crate::event::{Class, Covers};
use crate::ops::held::HeldIn;
use crate::ops::live_collections::Recounted;
use crate::render::{count, counted, plain};

/// Above so many objects there is a second question.
const MANY_OBJECTS: u64 = 10_000;
/// How often the questions are asked at most, if the number of objects moves while they are answered.
const ROUNDS: u32 = 3;

/// What somebody is about to lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    /// What has to be typed: the collection's name.
    pub(super) name: String,
    /// What happens to it, as the beginning of a question: `Remove Article`.
    pub(super) deed: String,
    /// Its objects; `None` if they are not known, or not all of them.
    pub(super) objects: Option<u64>,
    /// The archive that holds most of them.
    pub(super) held_in: Option<HeldIn>,
    /// Whether the command line names it in full, and not by a glob alone.
    pub(super) named: bool,
}

/// What the command line says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Consent {
    /// `--yes`.
    pub(super) yes: bool,
    /// `--expect-count`.
    pub(super) expected: Option<u64>,
}

/// Whether nobody can agree: no `--yes`, and no terminal to ask at. Known before the server is asked anything.
pub(super) fn somebody_agrees(out: &Out, consent: Consent) -> Result<(), Failure> {
    if consent.yes || out.asks() {
        return Ok(());
    }
    Err(Failure::new(Class::Refused, "not confirmed: there is no terminal to ask at; nothing was changed")
        .hint("--yes proceeds without questions; --dry-run shows what would be done"))
}

/// Holds the losses against `--expect-count`; with `--yes`, what only a glob names needs one.
pub(super) fn is_expected(consent: Consent, losses: &[Loss]) -> Result<(), Failure> {
    let total = losses.iter().map(|loss| loss.objects).sum::<Option<u64>>();
    let hold = |total: Option<u64>| match total {
        Some(total) => counted(total, "object"),
        None => "a number of objects that is not known".into(),
    };
    match consent.expected {
        Some(expected) if total == Some(expected) => Ok(()),
        Some(expected) => {
            let text = format!("--expect-count {expected}, but there are {}; nothing was changed", hold(total));
            Err(Failure::new(Class::Refused, text))
        }
        None if consent.yes && losses.iter().any(|loss| !loss.named) => {
            let many = counted(losses.len() as u64, "collection");
            let text =
                format!("--yes covers only names typed in full: {many} with {}; nothing was changed", hold(total));
            let advice = match total {
                Some(total) => format!("type the names in full, or add --expect-count {total}"),
                None => "type the names in full".into(),
            };
            Err(Failure::new(Class::Refused, text).hint(advice))
        }
        None => Ok(()),
    }
}

/// What somebody agreed to lose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agreed {
    /// The number of objects; `None` where any number is agreed to.
    pub(super) objects: Option<u64>,
    /// The archive that was named, and how much of them it was said to hold.
    pub(super) held_in: Option<HeldIn>,
}

/// Asks about each loss, one after the other. `recount` gives what one is after the answers, by its place and the archive
/// that was named. Gives what was agreed to for each.
pub(super) async fn agree(
    out: &Out,
    cancel: &CancellationToken,
    consent: Consent,
    losses: &[Loss],
    recount: impl AsyncFn(usize, Option<HeldIn>) -> Result<Recounted, Failure>,
) -> Result<Vec<Agreed>, Failure> {
    somebody_agrees(out, consent)?;
    is_expected(consent, losses)?;
    if consent.yes {
        let objects = |loss: &Loss| loss.objects.filter(|_| consent.expected.is_some());
        let agreed = |loss: &Loss| Agreed { objects: objects(loss), held_in: loss.held_in.clone() };
        return Ok(losses.iter().map(agreed).collect());
    }
    let mut agreed = Vec::with_capacity(losses.len());
    for (at, loss) in losses.iter().enumerate() {
        agreed.push(one(out, cancel, loss, async |named| recount(at, named).await).await?);
    }
    Ok(agreed)
}

/// Asks until nothing moves while it is asked.
async fn one(
    out: &Out,
    cancel: &CancellationToken,
    loss: &Loss,
    recount: impl AsyncFn(Option<HeldIn>) -> Result<Recounted, Failure>,
) -> Result<Agreed, Failure> {
    let mut loss = loss.clone();
    for _ in 0..ROUNDS {
        confirm::ask(out, cancel, Question::typed(&first(&loss), &loss.name)).await?;
        if let Some(text) = second(&loss) {
            confirm::ask(out, cancel, Question::no_unless_yes(&text)).await?;
        }
        let Recounted { objects: now, mut held_in } = recount(loss.held_in.clone()).await?;
        if now == loss.objects && held_in == loss.held_in {
            return Ok(Agreed { objects: now, held_in });
        }
        if now == loss.objects {
            out.note(&format!("{}\n", moved(&loss, held_in.as_ref())));
        } else {
            out.note(&format!(
                "{} now, and {} when the question was asked\n",
                holds(&loss.name, now),
                had(loss.objects)
            ));
            if let Some(held) = &mut held_in {
                held.moved_to(now);
            }
        }
        (loss.objects, loss.held_in) = (now, held_in);
    }
    let text = format!("the objects of {} keep changing; nothing was changed", plain(&loss.name));
    Err(Failure::new(Class::Refused, text).hint("stop what writes to it, then run the command again"))
}

fn first(loss: &Loss) -> String {
    let objects = match loss.objects {
        Some(0) => ", which is empty".into(),
        Some(1) => " with its only object".into(),
        Some(objects) => format!(" with its {} objects", count(objects)),
        None => " with all its objects".into(),
    };
    plain(&format!("{}{objects}? Type the collection's name", loss.deed))
}

/// The second question, where there is one: unless an archive holds everything, and it is not too much to be lost by a slip.
fn second(loss: &Loss) -> Option<String> {
    let name = plain(&loss.name);
    let why = match (loss.objects, &loss.held_in) {
        (Some(0), _) => return None,
        (_, None) => format!("No archive holds the objects of {name}: they cannot come back."),
        (_, Some(held)) if !held::is_all(held) => held::doubt(&name, held),
        (Some(objects), Some(held)) if objects > MANY_OBJECTS => {
            let archive = held::place(held);
            format!("{name} has {} objects; the newest archive that holds it is {archive}.", count(objects))
        }
        (None, Some(_)) => format!("It is not known how many objects {name} has."),
        _ => return None,
    };
    Some(format!("{why} Go on?"))
}

fn holds(name: &str, objects: Option<u64>) -> String {
    match objects {
        Some(objects) => format!("{} has {}", plain(name), counted(objects, "object")),
        None => format!("{} has a number of objects that is not known", plain(name)),
    }
}

/// What became of the archive that was named, while the number of objects stayed.
fn moved(loss: &Loss, now: Option<&HeldIn>) -> String {
    let archive = loss.held_in.as_ref().map(held::place).unwrap_or_default();
    match now {
        Some(HeldIn { covers: Covers::WrittenSince { .. }, .. }) => {
            format!("{} was written to while the question was asked", plain(&loss.name))
        }
        Some(_) => format!("whether {archive} still holds all of {} is not known any more", plain(&loss.name)),
        None => format!("{archive} cannot be found any more"),
    }
}

fn had(objects: Option<u64>) -> String {
    objects.map_or_else(|| "a number that is not known".into(), |objects| format!("it had {}", count(objects)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(archived: u64, live: Option<u64>, covers: Covers) -> HeldIn {
        let sealed = "2026-11-23T04:12:00Z".parse().expect("a time");
        HeldIn { path: "/backups/Article_full_1".into(), sealed, archived, live, covers, newest_ms: None }
    }

    fn loss(name: &str, objects: Option<u64>, covers: Option<Covers>, named: bool) -> Loss {
        let held_in = covers.map(|covers| held(objects.unwrap_or(150), objects, covers));
        Loss { name: name.into(), deed: format!("Remove {name}"), objects, held_in, named }
    }

    #[test]
    fn a_second_question_comes_with_many_objects_or_without_an_archive_that_holds_all() {
        let asked = |objects, covers| second(&loss("Article", objects, covers, true));
        let all = || Some(Covers::Everything);
        assert_eq!((asked(Some(10_000), all()), asked(Some(10_000), Some(Covers::Compared))), (None, None));
        assert_eq!(asked(Some(0), None), None, "nothing is lost");
        assert!(asked(Some(10_001), all()).is_some_and(|text| text.contains("10,001 objects; the newest archive")));
        assert!(asked(Some(1), None).is_some_and(|text| text.starts_with("No archive holds the objects of Article")));
        let newest = "2026-11-24T00:00:00Z".parse().expect("a time");
        let first = "b".parse().expect("a tenant");
        for (covers, said) in [
            (Covers::Fewer, "holds 200 objects, and the server 200"),
            (Covers::NoVectors, "without their vectors"),
            (Covers::Selection, "holds 200 objects that were selected, and the server 200"),
            (Covers::OtherCollection, "but of another collection of that name"),
            (Covers::Incomplete, "says itself"),
            (Covers::WrittenSince { newest }, "written since it was begun (2026-11-24 00:00:00Z)"),
            (Covers::LacksTenants { tenants: 2, first }, "lacks 2 tenants (b first)"),
            (Covers::ChangesUnknown, "whether any was written since is not known"),
            (Covers::Uncounted, "not all counted"),
        ] {
            let objects = Some(200).filter(|_| covers != Covers::Uncounted);
            let text = asked(objects, Some(covers.clone())).expect("a question");
            assert!(text.contains(said) && text.ends_with("Go on?"), "{covers:?}: {text}");
        }
    }

    #[test]
    fn the_plan_says_how_much_the_archive_holds() {
        let line = |covers| held::line(Some(&held(150, Some(200), covers)));
        assert_eq!(
            line(Covers::Fewer),
            "the newest archive of it holds 150 objects, and the server 200: /backups/Article_full_1 of 2026-11-23 04:12:00Z"
        );
        assert_eq!(
            held::line(Some(&held(200, Some(200), Covers::Everything))),
            "newest archive that holds it: /backups/Article_full_1 of 2026-11-23 04:12:00Z, with 200 objects; none here was written since"
        );
        assert_eq!(held::line(None), "no archive in the folder holds it");
    }

    #[test]
    fn the_first_question_names_what_is_lost() {
        let text = |objects| first(&loss("Article", objects, None, true));
        assert_eq!(text(Some(12_345)), "Remove Article with its 12,345 objects? Type the collection's name");
        assert_eq!(text(Some(0)), "Remove Article, which is empty? Type the collection's name");
        assert_eq!(text(Some(1)), "Remove Article with its only object? Type the collection's name");
        assert_eq!(text(None), "Remove Article with all its objects? Type the collection's name");
    }

    #[test]
    fn what_a_glob_names_needs_the_number_of_objects() {
        let yes = |expected| Consent { yes: true, expected };
        let both = [loss("A", Some(3), None, true), loss("B", Some(4), None, false)];
        let refused = is_expected(yes(None), &both).expect_err("refused");
        assert_eq!(refused.class, Class::Refused);
        assert_eq!(refused.hints, ["type the names in full, or add --expect-count 7"]);
        assert!(is_expected(yes(None), &both[..1]).is_ok() && is_expected(yes(Some(7)), &both).is_ok());
        assert!(is_expected(Consent { yes: false, expected: None }, &both).is_ok(), "somebody will be asked");
        for expected in [0, 6, 8] {
            assert_eq!(is_expected(yes(Some(expected)), &both).expect_err("refused").class, Class::Refused);
            assert!(is_expected(Consent { yes: false, expected: Some(expected) }, &both).is_err());
        }
        let unknown = [loss("A", None, None, false)];
        assert!(is_expected(yes(Some(0)), &unknown).is_err() && is_expected(yes(None), &unknown).is_err());
    }
}
