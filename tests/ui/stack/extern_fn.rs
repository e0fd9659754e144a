use steadfast::{offload_blocking, timeout};

#[timeout(5s)]
extern "C" fn wait() -> Option<u8> {
    None
}

#[offload_blocking]
extern "C" fn block() -> u64 {
    1
}

fn main() {}
