use steadfast::fallback;

#[fallback("nothing")]
async fn number() -> Option<u8> {
    None
}

#[fallback(|_| Some(0))]
async fn other_shape() -> Result<u8, String> {
    Ok(1)
}

fn main() {}
