//! The service that has the catalog and charges orders.

use axum::http::StatusCode;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use steadfast::{async_cached, circuit_breaker, retry, timeout};

use crate::error::Error;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Article {
    pub(crate) title: String,
    pub(crate) price: i64,
}

/// A clone shares the connections.
#[derive(Clone)]
pub(crate) struct Upstream {
    http: Client,
    url: String,
}

impl Upstream {
    pub(crate) fn new(url: String) -> Self {
        Self { http: Client::new(), url }
    }

    /// `Ok(None)` is a valid response and is cached. While the upstream fails, the last response is served for another ten minutes.
    #[async_cached(ttl = 5s, stale_if_error = 10min, capacity = 10_000, skip(self))]
    #[circuit_breaker(failures = 20, open_for = 5s, when = Error::is_transient)] // no requests to an upstream that is down
    #[timeout(1s)] // all attempts together
    #[retry(attempts = 3, delay = 20ms, when = Error::is_transient)]
    #[timeout(400ms)] // each attempt
    pub(crate) async fn article(&self, id: i64) -> Result<Option<Article>, Error> {
        let answer = self.http.get(format!("{}/articles/{id}", self.url)).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer.error_for_status()?.json().await?))
    }

    /// Idempotent: the upstream charges an order only once.
    #[timeout(10s)]
    #[retry(attempts = 3, delay = 100ms, when = Error::is_transient)]
    #[timeout(3s)]
    pub(crate) async fn charge(&self, order: i64, amount: i64) -> Result<(), Error> {
        let charge = Charge { order, amount };
        self.http.post(format!("{}/charges", self.url)).json(&charge).send().await?.error_for_status()?;
        Ok(())
    }
}

#[derive(Serialize)]
struct Charge {
    order: i64,
    amount: i64,
}
