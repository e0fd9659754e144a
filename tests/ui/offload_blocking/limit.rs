use steadfast::offload_blocking;

#[offload_blocking(limit = 0)]
fn none() {}

#[offload_blocking(limit = 5s)]
fn unit() {}

#[offload_blocking(limit = "4")]
fn quoted() {}

#[offload_blocking(limit)]
fn no_value() {}

#[offload_blocking(4)]
fn no_name() {}

fn main() {}
