use steadfast::{offload_blocking, timeout};

#[offload_blocking]
#[timeout(5s)]
fn hash(bytes: Vec<u8>) -> Option<usize> {
    Some(bytes.len())
}

fn main() {}
