//! Starts the service on a separate port.

use std::sync::OnceLock;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

fn router() -> Router {
    static FIGURES: OnceLock<PrometheusHandle> = OnceLock::new();
    let figures = FIGURES.get_or_init(operator::record).clone();
    operator::router_for(figures, operator::guard::Hosts::new(["ops.example".to_owned()]))
}

/// The URL at which the service runs, until its task is aborted or the test ends.
pub async fn serve() -> (String, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, tokio::spawn(async move { axum::serve(listener, router()).await }))
}
