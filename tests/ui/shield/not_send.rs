use std::rc::Rc;

use steadfast::shield;

struct Local(#[expect(dead_code)] Rc<u32>);

#[shield]
async fn write(row: Local) {
    drop(row);
}

fn main() {}
