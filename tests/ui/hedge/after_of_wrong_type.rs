use steadfast::hedge;

#[hedge(after = "50ms")]
async fn text() -> Option<u8> {
    None
}

#[hedge(after = p95.5)]
async fn fraction() -> Option<u8> {
    None
}

#[hedge(after = 95%)]
async fn percent() -> Option<u8> {
    None
}

fn main() {}
