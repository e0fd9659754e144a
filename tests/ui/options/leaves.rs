//! An option that would leave the function, past the attributes above it, or await out of their reach.
use std::time::Duration;

use steadfast::{async_cached, cancellable, concurrency_limit, fallback, finally, hedge, rate_limit, retry, timeout};

type Outcome = Result<u32, steadfast::Error>;

async fn patience() -> Duration {
    Duration::from_secs(1)
}

fn parse(text: &str) -> Result<Duration, steadfast::Error> {
    Ok(Duration::from_secs(text.len() as u64))
}

#[timeout(patience().await)]
async fn awaited() -> Outcome {
    Ok(1)
}

#[fallback(1)]
#[timeout(parse(text)?)]
async fn tried(text: &str) -> Outcome {
    Ok(text.len() as u32)
}

#[retry(attempts = { if n > 0 { return Ok(77) } 3 })]
async fn returned(n: u32) -> Outcome {
    Ok(n)
}

#[retry]
#[fallback({ if n > 0 { break Some(7) } 1 })]
async fn broken(n: u32) -> Option<u32> {
    Some(n)
}

#[rate_limit(9 / 1s, key = format!("{}", patience().await.as_secs()), max_wait = patience().await)]
async fn in_a_macro() -> Outcome {
    Ok(1)
}

#[fallback(parse("text")?.as_secs())]
async fn fallen() -> Result<u64, steadfast::Error> {
    Ok(1)
}

#[fallback(|_| parse("text")?.as_secs())]
async fn fallen_in_place() -> Result<u64, steadfast::Error> {
    Ok(1)
}

#[hedge(after = patience().await)]
#[concurrency_limit(9, max_wait = 'outer: { break 'nowhere Duration::ZERO })]
#[async_cached(refresh_if = patience().await.is_zero())]
#[cancellable(token = token(parse("text")?), cleanup = { parse("text")?; patience() })]
#[finally({ parse("text")?; patience() })]
async fn everywhere() -> Outcome {
    Ok(1)
}

fn main() {}
