use std::future::Future;
use steadfast::offload_blocking;

#[offload_blocking]
fn hash(bytes: Vec<u8>) -> impl Future<Output = u64> {
    async move { bytes.len() as u64 }
}

#[offload_blocking]
fn ready() -> impl Future<Output = u64> {
    std::future::ready(1)
}

fn main() {}
