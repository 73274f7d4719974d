//! Settings from flags and a made-up environment.

use clap::Parser;
use secrecy::ExposeSecret;

use super::*;
use crate::archive::{Codec, Content};
use crate::cli::backup::flags::BackupSettings;
use crate::cli::{Cli, ColCommand, Command};
use crate::ops::backup::BackupOptions;

fn connect(flags: &[&str], variables: &[(&str, &str)]) -> Result<Connect, Failure> {
    let line = ["elysiactl", "col", "backup"].iter().chain(flags);
    let cli = Cli::try_parse_from(line).expect("flags that parse");
    Connect::resolve(&cli.connection, &Env::of(variables))
}

fn backup(flags: &[&str], variables: &[(&str, &str)]) -> BackupOptions {
    let line = ["elysiactl", "col", "backup"].iter().chain(flags);
    let cli = Cli::try_parse_from(line).expect("flags that parse");
    let Command::Col(command) = cli.command else { panic!("another command") };
    let ColCommand::Backup(args) = *command else { panic!("another command") };
    BackupSettings::resolve(&args, &Env::of(variables)).expect("settings").options
}

fn url_and_key(flags: &[&str], variables: &[(&str, &str)]) -> (String, Option<String>) {
    let connect = connect(flags, variables).expect("settings");
    (connect.url, connect.key.map(|key| key.expose_secret().to_owned()))
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_default() {
    assert_eq!(url_and_key(&[], &[]), (DEFAULT_URL.into(), None));
    assert_eq!(
        url_and_key(&[], &[("WEAVIATE_URL", "a"), ("WEAVIATE_API_KEY", " k\n")]),
        ("a".into(), Some("k".into()))
    );
    assert_eq!(url_and_key(&["--url", "b"], &[("WEAVIATE_URL", "a")]), ("b".into(), None));
    assert_eq!(backup(&[], &[]).folder, PathBuf::from("./backups"));
    assert_eq!(backup(&[], &[("ELYSIACTL_ARCHIVE_DIR", "/a")]).folder, PathBuf::from("/a"));
    assert_eq!(backup(&["-o", "/b"], &[("ELYSIACTL_ARCHIVE_DIR", "/a")]).folder, PathBuf::from("/b"));
}

#[test]
fn a_key_never_goes_to_the_server_of_the_other_pair() {
    let wcd = [("WCD_URL", "w"), ("WCD_API_KEY", "wk")];
    assert_eq!(url_and_key(&[], &wcd), ("w".into(), Some("wk".into())));
    assert_eq!(url_and_key(&["--url", "u"], &wcd), ("u".into(), None));
    assert_eq!(url_and_key(&[], &[wcd[0], wcd[1], ("WEAVIATE_URL", "u")]), ("u".into(), None));
    assert_eq!(url_and_key(&[], &[wcd[0], ("WEAVIATE_API_KEY", "k")]), ("w".into(), None));
    assert_eq!(url_and_key(&[], &[wcd[1]]), (DEFAULT_URL.into(), None));
}

#[test]
fn a_server_of_other_names_is_given_nothing_that_belongs_to_the_first() {
    let names = ServerNames {
        url_flag: "--there",
        key_flag: "--key-there",
        variables: ["THERE_URL", "THERE_KEY"],
        others: &[],
    };
    let first = [("WEAVIATE_URL", "a"), ("WEAVIATE_API_KEY", "k"), ("WCD_URL", "w"), ("WCD_API_KEY", "wk")];
    let there = |flags: &[&str], variables: &[(&str, &str)]| {
        let cli = Cli::try_parse_from(["elysiactl", "col", "backup"].iter().chain(flags)).expect("flags that parse");
        let variables = [&first[..], variables].concat();
        let there = Connect::named(&names, &cli.connection, &Env::of(&variables)).expect("settings");
        (there.url_flag("b"), there.url, there.key.map(|key| key.expose_secret().to_owned()))
    };
    let (url, key) = (("THERE_URL", "t"), ("THERE_KEY", "tk"));
    assert_eq!(there(&[], &[url]), (String::new(), "t".into(), None));
    assert_eq!(there(&["--url", "b"], &[url, key]), (" --there b".into(), "b".into(), Some("tk".into())));
}

#[test]
fn an_empty_variable_is_not_set() {
    assert_eq!(url_and_key(&[], &[("WEAVIATE_URL", ""), ("WEAVIATE_API_KEY", "")]), (DEFAULT_URL.into(), None));
}

#[test]
fn a_header_takes_secrets_from_the_environment_and_files_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("value");
    std::fs::write(&path, "from file\n").expect("a file");
    let from_file = format!("X-File-Token=@file:{}", path.display());
    let flags = ["--header", "X-OpenAI-Api-Key=@env:OPENAI", "--header", &from_file, "--header", "X-Team=blue"];
    let headers = connect(&flags, &[("OPENAI", "sk")]).expect("settings").headers;
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
    assert_eq!(headers, [("X-OpenAI-Api-Key", "sk"), ("X-File-Token", "from file"), ("X-Team", "blue")]);

    let refused =
        ["Authorization=Bearer sesame", "x-api-key=sesame", "X-A=@env:NONE", "sesame", "a b=c", "Host=x", "X-A=a\nb"];
    for text in refused {
        let failure = connect(&["--header", text], &[]).expect_err(text);
        assert!(failure.class == Class::Usage && !failure.text(false).contains("sesame"), "{}", failure.text(false));
    }
}

#[test]
fn a_key_and_an_authorization_header_are_not_both_taken() {
    let header = ["--header", "authorization=@env:OIDC"];
    assert!(connect(&header, &[("OIDC", "Bearer sesame")]).is_ok());
    let failure = connect(&header, &[("OIDC", "Bearer sesame"), ("WEAVIATE_API_KEY", "sesame")]).expect_err("both");
    assert_eq!(failure.class, Class::Usage);
    let text = failure.text(false);
    assert!(
        text.contains("--header Authorization and the key of WEAVIATE_API_KEY") && !text.contains("sesame"),
        "{text}"
    );
    let failure = connect(&[], &[("WEAVIATE_API_KEY", "bearer sesame")]).expect_err("two words").text(false);
    assert!(failure.contains("leave out the word Bearer") && !failure.contains("sesame"), "{failure}");
}

#[test]
fn a_key_on_the_command_line_is_refused_and_not_repeated() {
    for flags in
        [vec!["--api-key", "sesame"], vec!["--api-key=sesame"], vec!["--api-key", "-sesame"], vec!["--api-key"]]
    {
        let failure = connect(&flags, &[]).expect_err("refused");
        assert!(failure.class == Class::Usage && !failure.hints.is_empty());
        assert!(!failure.text(false).contains("sesame"));
    }
}

#[test]
fn a_broken_key_file_is_named_but_not_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    let flag = path.display().to_string();
    let fails = |path: &str| connect(&["--api-key-file", path], &[]).expect_err("refused").text(false);
    assert!(fails(&flag).contains("No such file") || cfg!(windows));
    for text in ["", " \n", "two words", "sesame\nsesame"] {
        std::fs::write(&path, text).expect("a file");
        assert!(fails(&flag).contains("the API key from") && !fails(&flag).contains("sesame"));
    }
    std::fs::write(&path, vec![b'k'; 1024 * 1024 + 1]).expect("a file");
    assert!(fails(&flag).contains("larger than 1 MiB"));
}

#[test]
fn certificates_must_be_pem_and_settings_show_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let [cert, key, other] = ["cert", "key", "other"].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&cert, "-----BEGIN CERTIFICATE-----\n").expect("a file");
    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\nsesame\n").expect("a file");
    std::fs::write(&other, "sesame").expect("a file");
    let flags = ["--ca-cert", &cert, "--client-cert", &cert, "--client-key", &key];
    let connect_debug = format!("{:?}", connect(&flags, &[("WEAVIATE_API_KEY", "sesame")]).expect("settings"));
    assert!(!connect_debug.contains("sesame"));
    let failure = connect(&["--ca-cert", &other], &[]).expect_err("refused").text(false);
    assert!(failure.contains("not a PEM file") && !failure.contains("sesame"));
}

#[test]
fn backup_flags_become_settings() {
    let flags = ["A*", "B", "--exclude", "Bad", "-z", "--jobs", "4", "--batch-size", "50", "--memory-limit", "32MiB"];
    let settings = backup(&flags, &[]);
    assert_eq!(settings.selection.take, ["A*", "B"]);
    assert_eq!(settings.selection.exclude, ["Bad"]);
    assert_eq!((settings.jobs, settings.page_objects, settings.memory_bytes), (Some(4), Some(50), 32 << 20));
    assert_eq!((settings.codec, settings.content), (Codec::Zstd, Content::Full));
    assert_eq!(backup(&["--compress=lz4", "--skip-vectors"], &[]).codec, Codec::Lz4);
    assert_eq!(backup(&["--skip-vectors", "--include-data"], &[]).content, Content::NoVectors);
    assert_eq!(backup(&["--schema-only"], &[]).content, Content::SchemaOnly);
    assert!(backup(&[], &[]).memory_bytes <= 128 << 20);
}

#[test]
fn a_bare_compress_does_not_swallow_a_name() {
    let settings = backup(&["-z", "Article"], &[]);
    assert_eq!((settings.codec, settings.selection.take), (Codec::Zstd, vec!["Article".into()]));
}

#[test]
fn senseless_values_are_refused_while_parsing() {
    let line = |flags: &[&str]| Cli::try_parse_from(["elysiactl", "col", "backup"].iter().chain(flags)).is_err();
    for flags in [
        &["--jobs", "0"][..],
        &["--jobs", "257"],
        &["--jobs", "1000000"],
        &["--batch-size", "0"],
        &["--memory-limit", "1KiB"],
        &["--memory-limit", "lots"],
        &["--stall-timeout", "0s"],
        &["--stall-timeout", "2h"],
        &["--compress=rar"],
        &["--client-cert", "x"],
        &["--schema-only", "--skip-vectors"],
        &["--schema-only", "--include-data"],
        &["-q", "-v"],
    ] {
        assert!(line(flags), "{flags:?}");
    }
}
