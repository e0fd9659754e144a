//! Inspection and control at runtime: every attributed function, with its policies, counters and handles.
//!
//! `cargo run --manifest-path examples/operator/Cargo.toml -- --load`, and then <http://127.0.0.1:3000/operator>.
//!
//! | | |
//! | --- | --- |
//! | `GET /operator` | a page that refreshes itself, with controls |
//! | `GET /operator/functions` | the same as JSON |
//! | `POST /operator/actions` | changes something: see [`Action`](actions::Action) |
//! | `GET /metrics` | metrics for Prometheus |
//!
//! Any client that reaches these routes can open every circuit: put them behind the authentication of your service, or on a listener of
//! their own that only operators can reach. This example listens on loopback, answers only to loopback's names and those in `OPERATOR_HOSTS` (separated
//! by commas), and takes no action for a page of another site: see [`guard`].

#![forbid(unsafe_code)]

pub mod actions;
pub mod guard;
pub mod load;
pub mod shop;
pub mod view;

use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use guard::Hosts;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The operator's part of a service, for requests to loopback.
pub fn router(figures: PrometheusHandle) -> Router {
    router_for(figures, Hosts::default())
}

/// The same, for requests to these hosts too.
pub fn router_for(figures: PrometheusHandle, hosts: Hosts) -> Router {
    Router::new()
        .route("/operator", get(async || Html(include_str!("page.html"))))
        .route("/operator/functions", get(async || Json(view::functions())))
        .route("/operator/actions", post(actions::act))
        .route("/metrics", get(async move || text(&figures)))
        .layer(middleware::from_fn_with_state(hosts, guard::check))
}

/// Makes Prometheus' recorder that of the program. Once, at its start.
pub fn record() -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let figures = recorder.handle();
    metrics::set_global_recorder(recorder).expect("no other recorder is installed");
    // From now on calls are timed.
    steadfast::metrics::publish();
    figures
}

fn text(figures: &PrometheusHandle) -> String {
    steadfast::metrics::publish();
    figures.run_upkeep();
    figures.render()
}
