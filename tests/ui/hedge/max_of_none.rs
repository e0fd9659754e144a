use steadfast::hedge;

#[hedge(after = 5ms, max = 0)]
async fn never() -> Option<u8> {
    None
}

fn main() {}
