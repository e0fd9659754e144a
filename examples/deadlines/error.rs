//! The failures of a service, as status codes that its client can act on.

use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use steadfast::ErrorKind;

use crate::retry_after;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("the upstream is busy")]
    Busy { retry_after: Option<Duration> },
    #[error("the upstream failed")]
    Upstream(#[from] reqwest::Error),
    #[error(transparent)]
    Policy(#[from] steadfast::Error),
}

impl ApiError {
    /// The upstream has rejected the request and says when to retry. One that is late is not retried: it has the request.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => *retry_after,
            Self::Policy(refusal) => refusal.retry_after(),
            Self::Upstream(_) => None,
        }
    }

    /// The failure in a response that is not a result.
    pub(crate) fn of(answer: &reqwest::Response) -> Option<Self> {
        let refused = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&answer.status());
        refused.then(|| {
            let header = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            Self::Busy { retry_after: header.and_then(|value| retry_after::parse(value, SystemTime::now())) }
        })
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Upstream(_) => StatusCode::BAD_GATEWAY,
            Self::Policy(error) => match error.kind() {
                ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
                ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        // Only the status. A `steadfast::Error` names functions and limits, which are not for the client.
        let text = status.canonical_reason().unwrap_or("failed");
        let mut response = (status, text).into_response();
        if let Some(wait) = self.retry_after() {
            let value = retry_after::format(wait).parse().expect("digits are a header's value");
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }
}
