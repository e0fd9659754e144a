//! What can go wrong, and what a client is told of it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

/// `Clone`, so that all who wait for one cached look-up get its error.
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
    /// A deadline, a pool that shuts down: whatever an attribute has to say.
    #[error(transparent)]
    Policy(#[from] steadfast::Error),
}

impl Error {
    /// Whether the same call may succeed in a moment.
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

    /// What the client is told. A [`steadfast::Error`] names functions and limits, which are for the log.
    fn text(&self) -> String {
        match self {
            Self::Policy(error) if error.is_timeout() => "it took too long".to_owned(),
            Self::Policy(_) => "too busy: try again later".to_owned(),
            _ => self.to_string(),
        }
    }

    /// When to come back, for those who were turned away and not failed.
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
            // No free connection for too long: there is more to do than can be done.
            sqlx::Error::PoolTimedOut => Self::Saturated,
            error => Self::Database(Arc::new(error)),
        }
    }
}

/// The client gets the status and one line; the log gets the cause of what is ours to mend.
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
            // Rounded up, for a second too early is of no use.
            let seconds = self.retry_after().as_millis().div_ceil(1000);
            return (status, [(RETRY_AFTER, seconds.to_string())], text).into_response();
        }
        (status, text).into_response()
    }
}
