use steadfast::offload_blocking;

#[offload_blocking(pool = rayon)]
fn hash(bytes: Vec<u8>) -> usize {
    bytes.len()
}

fn main() {}
