use steadfast::hedge;

#[hedge(after = p0)]
async fn none() -> Option<u8> {
    None
}

#[hedge(after = p100)]
async fn too_high() -> Option<u8> {
    None
}

#[hedge(after = p999)]
async fn of_thousand() -> Option<u8> {
    None
}

fn main() {}
