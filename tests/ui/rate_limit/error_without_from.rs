use steadfast::rate_limit;

pub struct AppError;

#[rate_limit(10 / 1s)]
async fn cannot_carry() -> Result<u8, AppError> {
    Err(AppError)
}

fn main() {}
