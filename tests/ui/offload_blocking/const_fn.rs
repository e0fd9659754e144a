use steadfast::offload_blocking;

#[offload_blocking]
const fn sum(a: u64, b: u64) -> u64 {
    a + b
}

fn main() {}
