//! Which path and method goes where, by the version that is played.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::{
    aliases, authz, batch, delete as delete_objects, graphql, health, list, nodes, objects, references, schema, shards,
    tenants,
};
use crate::call::{Call, Reply};
use crate::state::Core;

type Answer = fn(&Core, &Call) -> Reply;

fn route(method: MethodFilter, answer: Answer) -> MethodRouter<Arc<Core>> {
    on(method, move |State(core): State<Arc<Core>>, call: Call| async move { answer(&core, &call) })
}

fn get(answer: Answer) -> MethodRouter<Arc<Core>> {
    route(MethodFilter::GET, answer)
}

fn post(answer: Answer) -> MethodRouter<Arc<Core>> {
    route(MethodFilter::POST, answer)
}

fn put(answer: Answer) -> MethodRouter<Arc<Core>> {
    route(MethodFilter::PUT, answer)
}

fn patch(answer: Answer) -> MethodRouter<Arc<Core>> {
    route(MethodFilter::PATCH, answer)
}

fn delete(answer: Answer) -> MethodRouter<Arc<Core>> {
    route(MethodFilter::DELETE, answer)
}

fn head(answer: Answer) -> MethodRouter<Arc<Core>> {
    route(MethodFilter::HEAD, answer)
}

/// All routes of the version the sandbox plays.
pub(crate) fn router(core: &Arc<Core>) -> Router {
    let ours = core.ours;
    let mut router = Router::new()
        .route("/v1/.well-known/live", get(health::live))
        .route("/v1/.well-known/ready", get(health::ready))
        .route("/v1/.well-known/openid-configuration", get(health::openid))
        .route("/v1/meta", get(health::meta))
        .route("/v1/nodes", get(nodes::all))
        .route("/v1/nodes/{class}", get(nodes::of_class))
        .route("/v1/schema", get(schema::list).merge(post(schema::create)))
        .route("/v1/schema/{class}", get(schema::one).merge(put(schema::update)).merge(delete(schema::remove)))
        .route("/v1/schema/{class}/properties", post(schema::add_property))
        .route("/v1/schema/{class}/shards", get(shards::list))
        .route("/v1/schema/{class}/shards/{shard}", put(shards::update))
        .route(
            "/v1/schema/{class}/tenants",
            get(tenants::list).merge(post(tenants::create)).merge(put(tenants::update)).merge(delete(tenants::remove)),
        )
        .route("/v1/objects", get(list::list).merge(post(objects::create)))
        .route(
            "/v1/objects/{class}/{id}",
            get(objects::one)
                .merge(head(objects::exists))
                .merge(put(objects::replace))
                .merge(patch(objects::merge))
                .merge(delete(objects::remove)),
        )
        .route("/v1/objects/{class}/{id}/references/{property}", put(references::replace))
        .route("/v1/batch/objects", post(batch::create).merge(delete(delete_objects::remove)))
        .route("/v1/batch/references", post(references::append));
    if core.settings.graphql {
        router = router.route("/v1/graphql", post(graphql::counts));
    }
    if ours.cluster_statistics() {
        router = router.route("/v1/cluster/statistics", get(nodes::statistics));
    }
    if ours.tenant_by_name() {
        router = router.route("/v1/schema/{class}/tenants/{tenant}", get(tenants::one).merge(head(tenants::exists)));
    }
    if ours.aliases() {
        router = router
            .route("/v1/aliases", get(aliases::list).merge(post(aliases::create)))
            .route("/v1/aliases/{alias}", get(aliases::one).merge(put(aliases::update)).merge(delete(aliases::remove)));
    }
    if !core.read().limits.namespaces.is_empty() {
        router = router.route("/v1/namespaces", get(|core: &Core, _: &Call| core.read().limits.list()));
    }
    if ours.replica_movement() {
        router = router.route("/v1/replication/replicate/list", get(nodes::movements));
    }
    if ours.authz() {
        router = router
            .route("/v1/authz/roles", get(authz::roles).merge(post(authz::create)))
            .route("/v1/authz/roles/{name}", get(authz::role))
            .route("/v1/authz/roles/{name}/has-permission", post(authz::has_permission))
            .route("/v1/users/own-info", get(authz::own_info));
    }
    router.fallback(unknown).with_state(Arc::clone(core))
}

async fn unknown(call: Call) -> Reply {
    Reply::coded(404, 404, &format!("path {} was not found", call.path))
}
