use steadfast::hedge;

#[hedge(after = 5ms max = 2)]
async fn no_comma() -> Option<u8> {
    None
}

fn main() {}
