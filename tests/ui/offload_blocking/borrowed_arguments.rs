use std::path::Path;
use steadfast::offload_blocking;

struct Config;
struct Reader<'a>(&'a [u8]);

#[offload_blocking]
fn text(name: &str) -> usize {
    name.len()
}

#[offload_blocking]
fn path(path: &Path) -> bool {
    path.exists()
}

#[offload_blocking]
fn bytes(bytes: &[u8]) -> usize {
    bytes.len()
}

#[offload_blocking]
fn config(config: &Config) {
    let _ = config;
}

#[offload_blocking]
fn mutable(list: &mut Vec<u8>) {
    list.push(1);
}

#[offload_blocking]
fn reader(reader: Reader<'_>) -> usize {
    reader.0.len()
}

#[offload_blocking]
fn option(name: Option<&str>) -> usize {
    name.map_or(0, str::len)
}

#[offload_blocking]
fn two(from: &str, to: &str) -> usize {
    from.len() + to.len()
}

fn main() {}
