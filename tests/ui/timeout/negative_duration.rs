use steadfast::timeout;

#[timeout(-5s)]
async fn past() -> Option<u8> {
    None
}

fn main() {}
