//! The error of the program: one variant carries what the library itself reports.

use std::io;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error(transparent)]
    Steadfast(#[from] steadfast::Error),
    #[error("the server returned {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl AppError {
    /// Whether another attempt can succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Steadfast(error) => error.is_timeout(),
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Http(_) => true,
            Self::Sql(_) | Self::Io(_) => false,
        }
    }

    /// How long the server asks to wait before the next request.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The deadline that passed, if it was one.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Steadfast(error) if error.is_timeout() => error.limit(),
            _ => None,
        }
    }
}
