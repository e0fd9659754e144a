//! What nobody calls, and what cannot be reached, is told with and without attributes.
#![deny(dead_code, unreachable_code, unused_mut, unused_assignments)]

use steadfast::{async_cached, offload_blocking, retry, timeout};

#[async_cached]
async fn cached() -> u32 {
    1
}

#[timeout(1s)]
#[retry]
async fn under_two() -> Option<u32> {
    None
}

#[offload_blocking]
fn blocking() -> u32 {
    1
}

async fn bare() -> u32 {
    1
}

#[async_cached]
#[timeout(1s)]
#[retry]
pub async fn unreachable(mut argument: u32) -> Option<u32> {
    return None;
    Some(argument)
}

pub async fn unreachable_bare(mut argument: u32) -> Option<u32> {
    return None;
    Some(argument)
}

fn main() {
    drop(unreachable(1));
    drop(unreachable_bare(1));
}
