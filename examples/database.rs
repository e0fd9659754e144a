//! Databases: one transaction per unit of work, rows streamed.
//!
//! `cargo run --example database` runs on a file of its own; with `DATABASE_URL=postgres://..` it runs on that server.

use std::env;
use std::time::Instant;

use futures::TryStreamExt;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, query, query_as, query_scalar};
use steadfast::{retry, timeout};
use tempfile::tempdir;

#[derive(Debug, thiserror::Error)]
enum DbError {
    #[error("insufficient funds in account {0}")]
    InsufficientFunds(i64),
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    #[error(transparent)]
    Deadline(#[from] steadfast::Error),
}

impl DbError {
    /// A conflict with another transaction, after which the database guarantees that nothing was changed. After a lost connection it is
    /// unknown whether the commit succeeded: a second transfer might be one too many.
    fn is_transient(&self) -> bool {
        // Serialization failure and deadlock (PostgreSQL), busy (SQLite).
        let codes = ["40001", "40P01", "5"];
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.code().is_some_and(|code| codes.contains(&&*code)))
    }
}

/// Changes both accounts or neither. A dropped transaction is rolled back: on an error, on a panic, at the deadline.
#[timeout(5s)]
#[retry(attempts = 3, delay = 10ms, when = DbError::is_transient)]
async fn transfer(db: &AnyPool, from: i64, to: i64, amount: i64) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    query("UPDATE example_accounts SET balance = balance + $1 WHERE id = $2").bind(amount).bind(to).execute(&mut *tx).await?;
    let taken = query("UPDATE example_accounts SET balance = balance - $1 WHERE id = $2 AND balance >= $1")
        .bind(amount)
        .bind(from)
        .execute(&mut *tx)
        .await?;
    if taken.rows_affected() == 0 {
        return Err(DbError::InsufficientFunds(from));
    }
    Ok(tx.commit().await?)
}

#[timeout(5s)]
async fn balance(db: &AnyPool, id: i64) -> Result<Option<i64>, DbError> {
    Ok(query_scalar("SELECT balance FROM example_accounts WHERE id = $1").bind(id).fetch_optional(db).await?)
}

/// Holds one row in memory at a time.
async fn richest(db: &AnyPool) -> Result<Option<(i64, i64)>, DbError> {
    let mut rows = query_as::<_, (i64, i64)>("SELECT id, balance FROM example_accounts").fetch(db);
    let mut richest = None;
    while let Some((id, balance)) = rows.try_next().await? {
        if richest.is_none_or(|(_, most)| balance > most) {
            richest = Some((id, balance));
        }
    }
    Ok(richest)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let directory = tempdir()?; // gone when this ends
    let file = format!("sqlite://{}?mode=rwc", directory.path().join("accounts.db").display());
    let url = env::var("DATABASE_URL").unwrap_or(file);
    install_default_drivers();
    let db = AnyPoolOptions::new().max_connections(4).connect(&url).await?;

    let start = Instant::now();
    create_accounts(&db, 10_000).await?;
    println!("10000 rows in one transaction, in {:?}", start.elapsed());

    transfer(&db, 1, 2, 30).await?;
    assert_eq!((balance(&db, 1).await?, balance(&db, 2).await?), (Some(70), Some(130)));

    let error = transfer(&db, 1, 2, 1_000).await.unwrap_err();
    println!("rejected: {error}");
    assert!(matches!(error, DbError::InsufficientFunds(1)));
    assert_eq!(balance(&db, 2).await?, Some(130), "the first half of the transfer was rolled back");

    assert_eq!(balance(&db, 0).await?, None, "no such account, and no error");

    let richest = richest(&db).await?;
    println!("the richest: {richest:?}");
    assert_eq!(richest, Some((2, 130)));

    query("DROP TABLE example_accounts").execute(&db).await?;
    db.close().await;
    Ok(())
}

async fn create_accounts(db: &AnyPool, count: i64) -> Result<(), sqlx::Error> {
    query("DROP TABLE IF EXISTS example_accounts").execute(db).await?;
    query("CREATE TABLE example_accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL)").execute(db).await?;
    let mut tx = db.begin().await?;
    for id in 1..=count {
        query("INSERT INTO example_accounts VALUES ($1, 100)").bind(id).execute(&mut *tx).await?;
    }
    tx.commit().await
}
