use steadfast::timeout;

#[timeout(99999999999999999999d)]
async fn for_ever() -> Option<u8> {
    None
}

fn main() {}
