use steadfast::hedge;

#[hedge()]
async fn none() -> Option<u8> {
    None
}

#[hedge(max = 2)]
async fn max_only() -> Option<u8> {
    None
}

fn main() {}
