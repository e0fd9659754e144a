use steadfast::retry;
use steadfast::timeout as deadline;

#[retry(attempts = 3)]
#[deadline(100ms)]
async fn each_attempt() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
