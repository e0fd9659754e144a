use steadfast::fallback;

#[fallback(|error: String| error.len())]
async fn other_error() -> Result<usize, std::io::Error> {
    Ok(1)
}

#[fallback(|error| error.to_string())]
async fn text() -> Result<usize, std::io::Error> {
    Ok(1)
}

fn main() {}
