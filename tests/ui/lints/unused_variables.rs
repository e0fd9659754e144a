//! Each pair of functions gets the same warnings, with and without attributes.
#![deny(unused_variables)]

use steadfast::{async_cached, offload_blocking, retry, shield, timeout};

#[timeout(1s)]
#[retry]
pub async fn under_two(used: u32, argument: u32) -> Option<u32> {
    let local = 1;
    Some(used)
}

#[async_cached(skip(argument))]
pub async fn cached(used: u32, argument: u32) -> Option<u32> {
    let local = 1;
    Some(used)
}

#[offload_blocking]
pub fn blocking(used: u32, argument: u32) -> u32 {
    let local = 1;
    used
}

#[timeout(1s)]
pub async fn in_patterns((used, part): (u32, String), [_, last]: [u8; 2]) -> Option<u32> {
    Some(used)
}

#[timeout(1s)]
pub async fn with_levels(used: u32, #[allow(unused_variables)] argument: u32, #[expect(unused_variables)] other: u32) -> Option<u32> {
    Some(used)
}

#[allow(unused_variables)]
#[timeout(1s)]
pub async fn allowed(used: u32, argument: u32) -> Option<u32> {
    Some(used)
}

#[timeout(std::time::Duration::from_secs(argument))]
#[async_cached(skip(used))]
pub async fn of_options(used: u32, argument: u64, keyed: u32) -> Option<u32> {
    Some(used)
}

#[timeout(1s)]
pub fn boxed(used: u32, argument: String) -> std::pin::Pin<Box<dyn Future<Output = Option<u32>>>> {
    Box::pin(async move { Some(used) })
}

#[shield]
#[retry]
pub async fn in_a_task(used: u32, argument: u32, text: &str) -> Option<u32> {
    Some(used)
}

pub async fn bare(used: u32, argument: u32) -> Option<u32> {
    let local = 1;
    Some(used)
}

fn main() {}
