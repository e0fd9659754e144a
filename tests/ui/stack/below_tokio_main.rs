use steadfast::timeout;

#[tokio::main]
#[timeout(5s)]
async fn main() -> Result<(), std::io::Error> {
    Ok(())
}
