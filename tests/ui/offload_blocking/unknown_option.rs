use steadfast::offload_blocking;

#[offload_blocking(limt = 4)]
fn misspelt() {}

#[offload_blocking(threads = 4)]
fn unknown() {}

#[offload_blocking(limit = 4, limit = 5)]
fn twice() {}

fn main() {}
