use steadfast::hedge;

#[hedge(after = 5ms, after = 6ms)]
async fn twice() -> Option<u8> {
    None
}

fn main() {}
