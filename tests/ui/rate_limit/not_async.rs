use steadfast::rate_limit;

#[rate_limit(10 / 1s)]
fn blocking() -> Option<u8> {
    None
}

fn main() {}
