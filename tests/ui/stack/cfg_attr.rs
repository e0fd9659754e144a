use steadfast::{retry, timeout};

#[timeout(5s)]
#[cfg_attr(all(), retry(attempts = 3))]
async fn fetch() -> Option<u8> {
    None
}

#[timeout(5s)]
#[cfg_attr(all(), steadfast::retry)]
async fn by_path() -> Option<u8> {
    None
}

fn main() {}
