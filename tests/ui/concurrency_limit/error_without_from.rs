use steadfast::concurrency_limit;

pub struct AppError;

#[concurrency_limit(8, max_wait = 1s)]
async fn cannot_carry() -> Result<u8, AppError> {
    Err(AppError)
}

fn main() {}
