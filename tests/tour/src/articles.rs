//! A few articles that a person can read, as a user would write them to the server.

/// The class document.
pub(crate) const SCHEMA: &str = r#"{"class":"Article","description":"Short articles","vectorizer":"none","properties":[
    {"name":"title","dataType":["text"]},{"name":"summary","dataType":["text"]},{"name":"words","dataType":["int"]},
    {"name":"published","dataType":["date"]},{"name":"tags","dataType":["text[]"]}]}"#;

/// Title, summary, words, day, tags.
type Article = (&'static str, &'static str, u32, &'static str, &'static str);

const ARTICLES: [Article; 8] = [
    (
        "The harbour at dawn",
        "Who works in a port before the first ferry leaves.",
        1840,
        "2024-03-02",
        r#""sea","work""#,
    ),
    (
        "A short history of the lighthouse",
        "From open fires to automatic lamps.",
        2210,
        "2024-03-19",
        r#""sea","history""#,
    ),
    ("Bread without kneading", "Time does what hands would do.", 960, "2024-04-05", r#""food""#),
    ("Maps drawn from memory", "What people leave out when they draw their town.", 1530, "2024-05-11", r#""maps""#),
    (
        "The slowest train",
        "Nine hours across the moor, and why people still take it.",
        2705,
        "2024-06-23",
        r#""travel""#,
    ),
    ("Counting swifts", "A village that has written down every arrival since 1931.", 1175, "2024-07-08", r#""birds""#),
    ("Ink", "Soot, oak galls and the question of what lasts.", 1320, "2024-09-14", r#""writing","history""#),
    ("Letters never sent", "An archive in Zürich keeps them anyway.", 1990, "2024-11-30", r#""writing""#),
];

/// Some number between -1 and 1.
fn value(n: u16) -> f32 {
    (f32::from(n) * 0.7).sin()
}

/// The objects as JSON, each with an id and a vector of eight dimensions.
pub(crate) fn objects() -> impl Iterator<Item = String> {
    ARTICLES.iter().zip(0_u16..).map(|((title, summary, words, day, tags), n)| {
        let id = format!("{:08x}-5eed-4000-8000-{n:012x}", (u64::from(n) + 1) * 0x1c71_c71c);
        let vector: Vec<String> = (0..8).map(|d| format!("{:.3}", value(n * 8 + d))).collect();
        format!(
            r#"{{"class":"Article","id":"{id}","properties":{{"title":"{title}","summary":"{summary}","words":{words},"published":"{day}T08:00:00Z","tags":[{tags}]}},"vector":[{}]}}"#,
            vector.join(",")
        )
    })
}

/// The first of them with another title: what somebody made of it on the server.
pub(crate) fn edited() -> String {
    objects().next().unwrap_or_default().replace("The harbour at dawn", "The harbour at noon")
}
