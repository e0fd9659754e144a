use steadfast::timeout;

#[timeout(5s)]
const fn wait() -> Option<u8> {
    None
}

fn main() {}
