use steadfast::hedge;

#[hedge(after = 5ms)]
fn blocking() -> Option<u8> {
    None
}

fn main() {}
