//! Whether the server is there, and what it is.

use crate::call::{Call, Reply};
use crate::json::{Json, object};
use crate::state::Core;

pub(super) fn live(_: &Core, _: &Call) -> Reply {
    Reply::empty(200)
}

pub(super) fn ready(core: &Core, _: &Call) -> Reply {
    let well = core.plan.ask_ready() && core.read().cluster.has_majority();
    Reply::empty(if well { 200 } else { 503 })
}

pub(super) fn openid(_: &Core, _: &Call) -> Reply {
    Reply::empty(404)
}

pub(super) fn meta(core: &Core, _: &Call) -> Reply {
    let mut meta = object! {};
    if core.ours.grpc_size() {
        meta.set("grpcMaxMessageSize", 104_858_000_usize);
    }
    meta.set("hostname", "http://localhost:8080");
    let mut modules = object! {};
    // Before 1.28 API-based modules were off unless asked for.
    for name in core.settings.modules.iter().filter(|_| core.ours.grpc_size()) {
        modules.set(name, about(name));
    }
    crate::print::sort(&mut modules);
    meta.set("modules", modules);
    meta.set("version", core.ours.release.text());
    Reply::json(200, &meta)
}

fn about(module: &str) -> Json {
    match module {
        "text2vec-openai" => object! {
            "documentationHref": "https://platform.openai.com/docs/guides/embeddings/what-are-embeddings",
            "name": "OpenAI Module"
        },
        "generative-openai" => object! {
            "documentationHref": "https://platform.openai.com/docs/api-reference/completions",
            "name": "Generative Search - OpenAI"
        },
        _ => object! {"name": module},
    }
}
