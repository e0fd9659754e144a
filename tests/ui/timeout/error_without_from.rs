use steadfast::timeout;

#[derive(Debug)]
enum AppError {
    NotFound,
}

#[timeout(5s)]
async fn user() -> Result<u64, AppError> {
    Err(AppError::NotFound)
}

fn main() {}
