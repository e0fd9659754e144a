use steadfast::{async_cached, rate_limit, retry, timeout};

#[timeout(if vip { 60m } else { 5s })]
async fn ambiguous(vip: bool) -> Option<bool> {
    Some(vip)
}

#[async_cached(ttl = |_| 5sec)]
async fn unknown(id: u64) -> u64 {
    id
}

#[retry(retry_after = |_| Some(1e3s), delay = [0.5hours][0])]
async fn two() -> Result<u64, String> {
    Err(String::new())
}

#[timeout(if vip { 60 } else { 5s })]
async fn without(vip: bool) -> Option<bool> {
    Some(vip)
}

#[retry(attempts = if vip { 5s } else { 3 })]
async fn count(vip: bool) -> Option<bool> {
    Some(vip)
}

const N: u32 = 3;

#[rate_limit(N * 2 + 1 / 1s, handle = h)]
async fn precedence() -> Option<u8> {
    None
}

#[rate_limit(N * 2)]
async fn no_time() -> Option<u8> {
    None
}

fn main() {}
