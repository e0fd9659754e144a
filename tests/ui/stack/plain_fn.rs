use steadfast::{async_cached, retry, timeout};

#[timeout(5s)]
fn first() -> Option<u8> {
    None
}

#[retry]
fn second() -> Option<u8> {
    None
}

#[async_cached]
fn third(id: u64) -> u64 {
    id
}

#[async_cached]
#[timeout(5s)]
#[retry]
fn stacked(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
