//! The actions of an operator.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use steadfast::registry;
use steadfast::registry::Handle;

/// The body of a request: a handle of a function, and what becomes of it.
///
/// ```json
/// { "function": "src/shop.rs:20", "handle": 0, "action": "set_limit", "limit": 8 }
/// ```
#[derive(Debug, Deserialize)]
pub struct Request {
    /// The place of the function, or its path, or the end of that.
    function: String,
    /// The index of the handle.
    handle: usize,
    #[serde(flatten)]
    action: Action,
}

/// What becomes of a handle.
#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Empties a cache.
    Clear,
    /// Lets no call through a circuit, until it is reset.
    ForceOpen,
    /// Closes a circuit.
    Reset,
    /// Changes how many calls run at once.
    SetLimit {
        /// Calls. 0 lets nothing in.
        limit: usize,
    },
    /// Changes the rate of a rate limit.
    SetRate {
        /// Calls.
        count: NonZeroU32,
        /// The time, in milliseconds.
        period_ms: NonZeroU32,
    },
}

/// Does it. 404: there is no such function or handle. 422: the action is none of that handle's, or its values make no sense. 415: the
/// request is not JSON, which a form on some other page cannot send.
pub async fn act(Json(request): Json<Request>) -> Result<StatusCode, (StatusCode, &'static str)> {
    let functions = registry();
    let function = functions.find(&request.function).ok_or((StatusCode::NOT_FOUND, "no such function has run"))?;
    let handle = function.handles().nth(request.handle).ok_or((StatusCode::NOT_FOUND, "the function has no such handle"))?;
    match (handle, request.action) {
        (Handle::Cache(cache), Action::Clear) => cache.clear(),
        (Handle::CircuitBreaker(breaker), Action::ForceOpen) => breaker.force_open(),
        (Handle::CircuitBreaker(breaker), Action::Reset) => breaker.reset(),
        (Handle::ConcurrencyLimiter(limiter), Action::SetLimit { limit }) => limiter.set_limit(limit),
        (Handle::RateLimiter(limiter), Action::SetRate { count, period_ms }) => {
            limiter.set_rate(count.get(), Duration::from_millis(period_ms.get().into()));
        }
        _ => return Err((StatusCode::UNPROCESSABLE_ENTITY, "the handle is not of that kind")),
    }
    Ok(StatusCode::NO_CONTENT)
}
