use steadfast::hedge;

#[hedge(after = 50)]
async fn bare() -> Option<u8> {
    None
}

#[hedge(after = 5m)]
async fn ambiguous() -> Option<u8> {
    None
}

#[hedge(after = 5ms, max = 2s)]
async fn max() -> Option<u8> {
    None
}

fn main() {}
