use steadfast::hedge;

#[hedge(after = 5ms, mex = 1)]
async fn near() -> Option<u8> {
    None
}

#[hedge(after = 5ms, colour = 3)]
async fn far() -> Option<u8> {
    None
}

fn main() {}
