use steadfast::circuit_breaker;

pub struct AppError;

#[circuit_breaker(failures = 3)]
async fn cannot_carry() -> Result<u8, AppError> {
    Err(AppError)
}

fn main() {}
