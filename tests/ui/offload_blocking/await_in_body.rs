use steadfast::offload_blocking;

#[offload_blocking]
fn hash(bytes: Vec<u8>) -> u64 {
    std::future::ready(bytes.len() as u64).await
}

fn main() {}
