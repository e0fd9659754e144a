use std::cell::Cell;
use std::marker::PhantomData;
use steadfast::offload_blocking;

struct Local(PhantomData<*const u8>);

#[offload_blocking]
fn argument(local: Local) -> u64 {
    let _local = local;
    1
}

#[offload_blocking]
fn result(n: u64) -> Local {
    let _ = n;
    Local(PhantomData)
}

#[offload_blocking]
fn fine(cell: Cell<u64>) -> u64 {
    cell.get()
}

fn main() {}
