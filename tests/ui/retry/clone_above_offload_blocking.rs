use steadfast::{offload_blocking, retry};

#[retry(clone(name))]
#[offload_blocking]
fn hash(name: String) -> Option<String> {
    Some(name)
}

fn main() {}
