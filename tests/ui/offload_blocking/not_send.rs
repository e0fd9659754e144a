use steadfast::offload_blocking;

struct Local(*const u8);

#[offload_blocking]
fn argument(local: Local) -> bool {
    local.0.is_null()
}

#[offload_blocking]
fn result(n: usize) -> Local {
    Local(std::ptr::without_provenance(n))
}

fn main() {}
