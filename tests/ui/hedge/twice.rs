use steadfast::hedge;

#[hedge(after = 5ms)]
#[hedge(after = 6ms)]
async fn again() -> Option<u8> {
    None
}

fn main() {}
