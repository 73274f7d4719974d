//! A server reads the names of members as Go does: without regard to case, escapes undone, the last one wins. An archive
//! or a page that says one thing to us and another to the server is refused, and nothing is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use elysiactl::archive::{Archive, Damage, Disk, Error, OsDisk};
use sandbox::{Fault, Kind, PageFault, Role, Sandbox};

use crate::support::binary::{Stage, said};
use crate::support::forged;

/// What a server takes for `class` and what is not spelled so.
const CLASS: [&str; 7] = ["Class", "CLASS", "cLass", "cl\\u0061ss", "\\u0043lass", "cla\u{17f}s", "cla\\u017Fs"];

/// A server with a collection to restore and one to leave alone.
fn stage() -> Stage {
    Stage::new(Sandbox::builder().seeded("Copy", 12, 2, 1).seeded("Victim", 12, 2, 2))
}

fn backup(stage: &Stage, arguments: &[&str]) -> PathBuf {
    let output = stage.run(&[&["col", "backup", "-q"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let made = stage.made();
    assert_eq!(made.len(), 1, "{made:?}");
    made.into_iter().next().expect("an archive")
}

/// Everything a server holds that could have been changed.
fn held(stage: &Stage) -> Vec<String> {
    let sandbox = &stage.sandbox;
    let collections = sandbox.collections();
    let objects = collections.iter().flat_map(|name| sandbox.objects(name, None));
    collections.iter().cloned().chain(objects).chain(sandbox.roles()).collect()
}

/// Check and restore refuse the archive with exit 6 and name what they met, and the server is as it was.
fn is_refused(stage: &Stage, archive: &Path, more: &[&str], printed: &str) {
    let before = held(stage);
    stage.sandbox.clear_requests();
    let archive = archive.to_str().expect("text");
    let restore = [&["col", "restore", archive, "--name", "Restored", "-y"], more].concat();
    for arguments in [&["archive", "check", archive][..], &["col", "verify", archive], &restore] {
        let output = stage.run(arguments);
        assert_eq!(output.status.code(), Some(6), "{arguments:?} {printed}: {}", said(&output));
        let text = said(&output);
        assert!(text.contains("takes the member") || text.contains("twice"), "{arguments:?} {printed}: {text}");
    }
    assert_eq!(stage.sandbox.writing_requests(), 0, "{printed}");
    assert_eq!(held(stage), before, "{printed}");
}

#[test]
fn an_object_that_a_server_would_write_elsewhere_is_refused() {
    let stage = stage();
    let archive = backup(&stage, &["Copy"]);
    let part = archive.join(forged::part(&archive));
    let good = std::fs::read(&part).expect("a part");
    for name in CLASS {
        forged::lines(&archive, |line| format!("{},\"{name}\":\"Victim\"}}", &line[..line.len() - 1]));
        is_refused(&stage, &archive, &[], name);
        std::fs::write(&part, &good).expect("written");
    }
    for also in [
        r#""class":"Copy""#,
        r#""Tenant":"other""#,
        r#""tenant":"other""#,
        r#""ID":"00000000-0000-0000-0000-00000000002a""#,
        r#""Properties":{}"#,
        r#""VECTOR":[1,2]"#,
        r#""Vectors":{}"#,
        r#""creationTimeUni\u0078":1"#,
    ] {
        forged::lines(&archive, |line| format!("{},{also}}}", &line[..line.len() - 1]));
        let before = held(&stage);
        let output = stage.run(&["col", "restore", archive.to_str().expect("text"), "--name", "Restored", "-y"]);
        assert_eq!(output.status.code(), Some(6), "{also}: {}", said(&output));
        assert_eq!(held(&stage), before, "{also}");
        std::fs::write(&part, &good).expect("written");
    }
}

#[test]
fn the_sandbox_reads_as_a_server_does_so_that_the_scene_is_real() {
    let stage = stage();
    let body = r#"{"objects":[{"class":"Copy","id":"00000000-0000-0000-0000-0000000000aa","Class":"Victim"}]}"#;
    let url = format!("{}/v1/batch/objects", stage.sandbox.url());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let status = runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let sent = client.post(url).header("content-type", "application/json").body(body).send().await;
        sent.expect("an answer").status().as_u16()
    });
    assert_eq!(status, 200);
    assert_eq!((stage.sandbox.count("Copy", None), stage.sandbox.count("Victim", None)), (12, 13));
}

#[test]
fn a_schema_that_a_server_would_read_otherwise_is_refused() {
    let stage = stage();
    let archive = backup(&stage, &["Copy"]);
    let schema = "collections/Copy/schema.json";
    let good = std::fs::read_to_string(archive.join(schema)).expect("a schema");
    let changes: Vec<(String, String)> = CLASS
        .iter()
        .map(|name| ((*name).to_owned(), good.replacen('{', &format!("{{\"{name}\":\"Made\","), 1)))
        .chain([
            ("class".to_owned(), good.replacen('{', "{\"class\":\"Copy\",", 1)),
            ("Name".to_owned(), good.replacen("\"name\":", "\"Name\":\"x\",\"name\":", 1)),
            ("Enabled".to_owned(), good.replacen("\"enabled\":", "\"Enabled\":true,\"enabled\":", 1)),
            ("REPLICATIONCONFIG".to_owned(), good.replacen('{', "{\"REPLICATIONCONFIG\":{\"factor\":9},", 1)),
        ])
        .collect();
    for (name, text) in changes {
        assert_ne!(text, good, "{name}");
        forged::replace(&archive, schema, text.as_bytes());
        is_refused(&stage, &archive, &[], &name);
    }
}

#[test]
fn aliases_and_roles_and_tenants_that_a_server_would_read_otherwise_are_refused() {
    let role = r#"{"name":"reader","permissions":[{"action":"read_data","data":{"collection":"Copy"}}]}"#;
    let builder = Sandbox::builder().seeded("Copy", 12, 2, 1).alias("Live", "Copy").role(role).with_keys();
    let stage = Stage::new(builder.key("admin", "admin", Role::Root));
    let with_key =
        |arguments: &[&str]| stage.command(arguments).env("WEAVIATE_API_KEY", "admin").output().expect("runs");
    assert_eq!(with_key(&["col", "backup", "-q", "Copy"]).status.code(), Some(0));
    let archive = stage.made().remove(0);
    let at = archive.to_str().expect("text").to_owned();
    for (file, from, to) in [
        ("roles.json", "\"name\":\"reader\"", "\"name\":\"reader\",\"Name\":\"root2\""),
        ("roles.json", "\"action\":", "\"ACTION\":\"x\",\"action\":"),
        ("roles.json", "{\"collection\":\"Copy\"}", "{\"collection\":\"Copy\",\"C\\u006fllection\":\"*\"}"),
        ("aliases.json", "\"class\":", "\"cla\u{17f}s\":\"Other\",\"class\":"),
        ("aliases.json", "\"alias\":", "\"alias\":\"A\",\"alias\":"),
    ] {
        let good = std::fs::read_to_string(archive.join(file)).expect("a document");
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{file} {to}");
        forged::replace(&archive, file, text.as_bytes());
        let disk: Arc<dyn Disk> = Arc::new(OsDisk);
        let proven = Archive::open(&disk, &archive).and_then(|archive| archive.prove_documents());
        assert!(matches!(proven, Err(Error::Damaged { what: Damage::Misread(_), .. })), "{to}: {proven:?}");
        let (roles, aliases) = (stage.sandbox.roles(), stage.sandbox.aliases());
        let restore = ["col", "restore", &at, "--name", "Restored", "--with-roles", "--alias", "overwrite", "-y"];
        for arguments in [&["archive", "check", &at][..], &restore] {
            let output = with_key(arguments);
            assert_eq!(output.status.code(), Some(6), "{arguments:?} {to}: {}", said(&output));
        }
        assert_eq!((stage.sandbox.roles(), stage.sandbox.aliases()), (roles, aliases), "{to}");
        forged::replace(&archive, file, good.as_bytes());
    }
    assert_eq!(with_key(&["archive", "check", &at]).status.code(), Some(0));
}

#[test]
fn tenants_that_a_server_would_read_otherwise_are_refused() {
    let stage = Stage::new(Sandbox::builder().seeded("Copy", 12, 2, 1).in_tenants(1));
    let archive = backup(&stage, &[]);
    let file = "collections/Copy/tenants.json";
    let good = std::fs::read_to_string(archive.join(file)).expect("tenants");
    for (from, to) in [("\"name\":", "\"NAME\":\"x\",\"name\":"), ("[", "[{\"name\":\"x\"},"), ("[", "{\"x\":[")] {
        let mut text = good.replacen(from, to, 1);
        if to.starts_with('{') {
            text = format!("{}}}", text.trim_end());
        }
        forged::replace(&archive, file, text.as_bytes());
        let output = stage.run(&["col", "restore", archive.to_str().expect("text"), "--name", "Restored", "-y"]);
        assert_eq!(output.status.code(), Some(6), "{to}: {}", said(&output));
        assert_eq!(stage.sandbox.collections(), ["Copy"]);
    }
}

#[test]
fn a_server_that_prints_such_members_is_not_backed_up() {
    for also in [r#","Class":"Victim""#, r#","cl\u0061ss":"Victim""#, r#","tenant":"x""#, r#","ID":"x""#] {
        let fault = Fault::new(Kind::Page(PageFault::Also(also))).path("/v1/objects");
        let stage = Stage::new(Sandbox::builder().seeded("Copy", 12, 2, 1).fault(fault));
        let output = stage.run(&["col", "backup", "Copy"]);
        assert_eq!(output.status.code(), Some(5), "{also}: {}", said(&output));
        assert!(said(&output).contains("Copy"), "{}", said(&output));
        assert!(!stage.made().iter().any(|archive| archive.join("manifest.json").exists()), "{also}");
    }
    for (path, body) in [
        ("/v1/schema", r#"{"classes":[{"class":"Copy","Class":"Victim","properties":[]}]}"#),
        ("/v1/aliases", r#"{"aliases":[{"alias":"A","class":"Copy","Class":"Victim"}]}"#),
        ("/v1/authz/roles", r#"[{"name":"a","Name":"b","permissions":[]}]"#),
    ] {
        let fault = Fault::new(Kind::status(200, body)).path(path).exactly();
        let stage = Stage::new(Sandbox::builder().seeded("Copy", 12, 2, 1).fault(fault));
        let output = stage.run(&["col", "backup", "Copy"]);
        assert_eq!(output.status.code(), Some(5), "{path}: {}", said(&output));
        assert!(said(&output).contains("takes the member"), "{path}: {}", said(&output));
        assert!(!stage.made().iter().any(|archive| archive.join("manifest.json").exists()), "{path}");
    }
}

#[test]
fn members_that_no_server_has_stay_in_the_archive_and_are_not_sent() {
    let fault = Fault::new(Kind::Page(PageFault::Also(r#","later":{"Class":"Victim"}"#))).path("/v1/objects");
    let stage = Stage::new(Sandbox::builder().seeded("Copy", 12, 2, 1).fault(fault));
    let archive = backup(&stage, &["Copy"]);
    let text = std::fs::read_to_string(archive.join(forged::part(&archive))).expect("a part");
    assert!(text.lines().all(|line| line.ends_with(r#","later":{"Class":"Victim"}}"#)), "{text}");
    let output = stage.run(&["col", "restore", archive.to_str().expect("text"), "--name", "Restored", "-y"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        said(&output).contains("12 objects with members that no known server has, such as later"),
        "{}",
        said(&output)
    );
    let sent = stage.sandbox.requests();
    assert!(sent.iter().filter(|seen| seen.path == "/v1/batch/objects").count() > 0);
    assert_eq!(stage.sandbox.count("Restored", None), 12);
}

#[test]
fn properties_may_have_the_names_of_members() {
    let document = r#"{"class":"Copy","vectorizer":"none","properties":[{"name":"class","dataType":["text"]},
        {"name":"id2","dataType":["text"]},{"name":"tenant","dataType":["text"]},
        {"name":"beacon","dataType":["text"]},
        {"name":"o","dataType":["object"],"nestedProperties":[{"name":"Class","dataType":["text"]},{"name":"class","dataType":["text"]}]}]}"#;
    let object = r#"{"class":"Copy","id":"00000000-0000-0000-0000-000000000001","properties":{"class":"Victim",
        "id2":"x","tenant":"t","beacon":"\"Class\":\"Victim\"","o":{"Class":"a","class":"b"}}}"#;
    let stage = Stage::new(Sandbox::builder().collection(document).object(object));
    let archive = backup(&stage, &[]);
    let output = stage.run(&["col", "restore", archive.to_str().expect("text"), "--name", "Restored", "-y"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(stage.sandbox.count("Restored", None), 1);
}

#[test]
fn a_class_document_or_a_list_of_tenants_from_a_file_is_refused_all_the_same() {
    let stage = stage();
    let folder = stage.folder.path();
    std::fs::write(folder.join("class.json"), r#"{"class":"New","Class":"Victim2","properties":[]}"#).expect("written");
    std::fs::write(folder.join("good.json"), r#"{"class":"New","multiTenancyConfig":{"enabled":true}}"#)
        .expect("written");
    std::fs::write(folder.join("tenants.json"), r#"[{"name":"a","activityStatus":"HOT","Name":"b"}]"#)
        .expect("written");
    for arguments in [
        &["col", "create", "--schema-file", "class.json"][..],
        &["col", "create", "--schema-file", "good.json", "--tenants-file", "tenants.json"],
    ] {
        let output = stage.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("takes the member"), "{}", said(&output));
    }
    assert_eq!(stage.sandbox.collections(), ["Copy", "Victim"]);
}
