use steadfast::timeout;

#[tokio::test]
#[timeout(5s)]
async fn works() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
