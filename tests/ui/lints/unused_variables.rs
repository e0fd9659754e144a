//! Each pair of functions gets the same warnings, with and without attributes.
#![deny(unused_variables)]

use steadfast::{async_cached, offload_blocking, retry, timeout};

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

pub async fn bare(used: u32, argument: u32) -> Option<u32> {
    let local = 1;
    Some(used)
}

fn main() {}
