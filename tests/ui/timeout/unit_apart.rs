use steadfast::timeout;

#[timeout(5 s)]
async fn apart() -> Option<u8> {
    None
}

fn main() {}
