//! `col clear` killed at any moment and run again: it ends empty, and the schema is never lost.

use std::process::Stdio;
use std::time::Duration;

use sandbox::{Change, Fault, Kind, Sandbox};

use crate::support::binary::Stage;
use crate::support::tier;

/// Kills of each method, over its whole run: on every commit, by night, before a release.
const KILLS: [u64; 3] = [12, 100, 1_000];
/// When the first one comes and when the last one, in ms: around the requests that write.
const MOMENTS_MS: [(&str, u64, u64); 2] = [("recreate", 600, 1_500), ("delete", 60, 500)];

fn schema(stage: &Stage) -> serde_json::Value {
    let output = stage.run(&["--json", "col", "show", "Article"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut schema = shown["schema"].clone();
    schema.as_object_mut().expect("a schema").remove("shardingConfig");
    schema
}

/// Kills one run after a while, then runs to the end; whether the kill came in time.
fn killed(stage: &Stage, method: &str, after: Duration) -> bool {
    let arguments = ["col", "clear", "Article", "--yes", "--method", method];
    let mut child = stage.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a child");
    std::thread::sleep(after);
    let in_time = child.try_wait().expect("a state").is_none();
    child.kill().expect("killed");
    child.wait().expect("an end");
    in_time
}

/// Servers answer slowly, so that every step is met.
fn slow() -> Stage {
    let stage = Stage::new(Sandbox::builder().seeded("Article", 1_200, 3, 7));
    stage.run(&["col", "backup", "-q", "Article"]);
    for method in ["DELETE", "POST"] {
        stage.sandbox.faults().add(Fault::new(Kind::Delay(Duration::from_millis(60))).on(method, "/v1/"));
    }
    stage
}

#[test]
fn killed_at_any_step_and_run_again_it_is_empty_with_its_schema() {
    let kills = tier::amount("ELYSIACTL_TEST_KILLS", KILLS);
    for (method, first, last) in MOMENTS_MS {
        let mut in_time = 0;
        let mut without = 0;
        for n in 0..kills {
            let stage = slow();
            let before = schema(&stage);
            in_time += u32::from(killed(&stage, method, Duration::from_millis(first + (last - first) * n / kills)));
            without += u32::from(stage.sandbox.collections().is_empty());
            if n % 2 == 1 {
                // Somebody writes to what is gone, and the server makes it up.
                let object = r#"{"class":"Article","properties":{"title":"late"},"vector":[1,2,3]}"#;
                stage.sandbox.faults().now(&Change::Write(object.into()));
            }
            stage.sandbox.faults().clear();
            let mut again = vec!["col", "clear", "Article", "--yes", "--method", method];
            if n % 3 == 0 {
                again.push("--resume");
            }
            let mut output = stage.run(&again);
            let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
            if n % 3 == 0 && said.contains("there is no unfinished clear on this server") {
                // It was killed before it had begun, or after its end.
                assert_eq!(output.status.code(), Some(4), "{said}");
                again.pop();
                output = stage.run(&again);
                said = String::from_utf8_lossy(&output.stderr).into_owned();
            }
            if n % 2 == 1 && said.contains("written since, by somebody else: it holds 1 object") {
                // It was killed after it had created the collection again, and before it knew.
                assert_eq!((output.status.code(), stage.sandbox.count("Article", None)), (Some(4), 1), "{said}");
                again.pop();
                output = stage.run(&again);
                said = String::from_utf8_lossy(&output.stderr).into_owned();
            }
            assert_eq!(output.status.code(), Some(0), "{method} killed at step {n}: {said}");
            assert_eq!(stage.sandbox.count("Article", None), 0, "{method} killed at step {n}");
            assert_eq!(schema(&stage), before, "{method} killed at step {n}");
        }
        assert!(in_time > 2, "{method}: only {in_time} of {kills} kills came before the end");
        eprintln!("{method}: {in_time} of {kills} kills came before the end, {without} while the collection was gone");
    }
}
