//! The error of the program: one variant for what the library itself reports.

use std::time::Duration;

#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum AppError {
    #[error(transparent)]
    Policy(#[from] steadfast::Error),
    #[error("the server answered {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("no connection: {0}")]
    Connection(String),
    #[error("the database said: {0}")]
    Database(String),
    #[error("cannot read a file: {0}")]
    File(String),
}

impl AppError {
    /// Whether another attempt may have a chance.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Connection(_) => true,
            Self::Policy(error) => error.is_timeout(),
            Self::Database(_) | Self::File(_) => false,
        }
    }

    /// What the server asked for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self, Self::Policy(error) if error.is_timeout())
    }
}

impl From<reqwest::Error> for AppError {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(error.to_string())
    }
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<std::io::Error> for AppError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.to_string())
    }
}
