//! Rows in a file of `SQLite`: reads are cached, and a write makes the cache forget.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use steadfast::{Cache, async_cached};

use crate::error::AppError;

pub(crate) struct Accounts {
    pool: SqlitePool,
    balances: Cache<String, Option<i64>>,
    pub(crate) queries: AtomicU32,
}

impl Accounts {
    pub(crate) async fn open(file: &Path) -> Result<Self, AppError> {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).create_if_missing(true)).await?;
        sqlx::query("CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL)").execute(&pool).await?;
        Ok(Self { pool, balances: Cache::new(1_000), queries: AtomicU32::new(0) })
    }

    #[async_cached(cache = self.balances)] // each instance has a cache of its own
    pub(crate) async fn balance(&self, name: &str) -> Result<Option<i64>, AppError> {
        self.queries.fetch_add(1, Relaxed);
        Ok(sqlx::query_scalar("SELECT balance FROM account WHERE name = ?").bind(name).fetch_optional(&self.pool).await?)
    }

    pub(crate) async fn set(&self, name: &str, balance: i64) -> Result<(), AppError> {
        sqlx::query("INSERT INTO account VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET balance = ?2")
            .bind(name)
            .bind(balance)
            .execute(&self.pool)
            .await?;
        self.balances.invalidate(name); // wins over a read that is under way
        Ok(())
    }

    pub(crate) async fn close(self) {
        self.pool.close().await;
    }
}
