use steadfast::hedge;

#[hedge(50ms)]
async fn time() -> Option<u8> {
    None
}

#[hedge(p95)]
async fn percentile() -> Option<u8> {
    None
}

fn main() {}
