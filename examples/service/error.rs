//! The errors of the service, and their responses.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

/// `Clone`, so that all waiters of a cached lookup receive its error.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    #[error("no such {0}")]
    NotFound(&'static str),
    #[error("the name is taken")]
    Taken,
    #[error("wrong name or password")]
    Unauthorised,
    #[error("too many requests of this kind")]
    Saturated,
    #[error("the upstream failed")]
    Upstream(#[source] Arc<reqwest::Error>),
    #[error("the database failed")]
    Database(#[source] Arc<sqlx::Error>),
    #[error("internal error")]
    Internal(&'static str),
    /// What an attribute reports: a deadline, a rejection, a pool that has shut down.
    #[error(transparent)]
    Policy(#[from] steadfast::Error),
}

impl Error {
    /// Whether another attempt can succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Upstream(error) => error.is_connect() || error.status().is_some_and(|status| status.is_server_error()),
            Self::Policy(error) => error.is_timeout(),
            _ => false,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Taken => StatusCode::CONFLICT,
            Self::Unauthorised => StatusCode::UNAUTHORIZED,
            Self::Upstream(_) => StatusCode::BAD_GATEWAY,
            Self::Policy(error) if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            Self::Saturated | Self::Policy(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Database(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The text for the client. A [`steadfast::Error`] names functions and limits, which belong in the log.
    fn text(&self) -> String {
        match self {
            Self::Policy(error) if error.is_timeout() => "it took too long".to_owned(),
            Self::Policy(_) => "too busy: try again later".to_owned(),
            _ => self.to_string(),
        }
    }

    /// When to retry, if the request was rejected.
    fn retry_after(&self) -> Duration {
        let known = if let Self::Policy(error) = self { error.retry_after() } else { None };
        known.unwrap_or(Duration::from_secs(1))
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        Self::Upstream(Arc::new(error))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            // No free connection in time: the service is overloaded.
            sqlx::Error::PoolTimedOut => Self::Saturated,
            error => Self::Database(Arc::new(error)),
        }
    }
}

/// The client receives the status and one line; the cause of a server error is logged.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        match &self {
            Self::Upstream(cause) => eprintln!("{self}: {cause}"),
            Self::Database(cause) => eprintln!("{self}: {cause}"),
            Self::Internal(cause) => eprintln!("{self}: {cause}"),
            Self::Policy(cause) => eprintln!("{cause}"),
            _ => {}
        }
        let text = self.text();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // Rounded up: a retry too early would be rejected again.
            let seconds = self.retry_after().as_millis().div_ceil(1000);
            return (status, [(RETRY_AFTER, seconds.to_string())], text).into_response();
        }
        (status, text).into_response()
    }
}
