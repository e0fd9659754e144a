//! Passwords: hashed on the blocking pool, two at a time, with a bounded queue.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use steadfast::offload_blocking;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::Error;

/// Hashing is slow by design: a request behind more than these gets a 503 at once.
static PLACES: Semaphore = Semaphore::const_new(12);

pub(crate) async fn hash(password: String) -> Result<String, Error> {
    let _place = place()?;
    argon2_hash(password).await
}

/// An error if the password does not match `hash`.
pub(crate) async fn verify(password: String, hash: String) -> Result<(), Error> {
    let _place = place()?;
    argon2_verify(password, hash).await
}

fn place() -> Result<SemaphorePermit<'static>, Error> {
    PLACES.try_acquire().map_err(|_full| Error::Saturated)
}

#[offload_blocking(limit = 2)]
fn argon2_hash(password: String) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|_| Error::Internal("the password cannot be hashed"))?.to_string())
}

#[offload_blocking(limit = 2)]
fn argon2_verify(password: String, hash: String) -> Result<(), Error> {
    let hash = PasswordHash::new(&hash).map_err(|_| Error::Internal("a stored hash is broken"))?;
    Argon2::default().verify_password(password.as_bytes(), &hash).map_err(|_| Error::Unauthorised)
}
