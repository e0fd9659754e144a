use steadfast::offload_blocking;

#[offload_blocking]
async fn hash(bytes: Vec<u8>) -> u64 {
    bytes.len() as u64
}

fn main() {}
