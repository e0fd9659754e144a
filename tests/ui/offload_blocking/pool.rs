use steadfast::offload_blocking;

#[offload_blocking(pool = 4)]
fn number() {}

#[offload_blocking(pool = "disk")]
fn quoted() {}

#[offload_blocking(pool = tokio)]
fn tokio_pool() {}

fn main() {}
