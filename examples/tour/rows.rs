//! Rows of an `SQLite` file: reads are cached, and a write invalidates them.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use steadfast::{Cache, async_cached};
use tempfile::tempdir;

use crate::error::AppError;
use crate::report::{Report, note};

struct Accounts {
    pool: SqlitePool,
    balances: Cache<String, Option<i64>>,
    queries: AtomicU32,
}

impl Accounts {
    async fn open(file: &Path) -> Result<Self, AppError> {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).create_if_missing(true)).await?;
        sqlx::query("CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL)").execute(&pool).await?;
        Ok(Self { pool, balances: Cache::new(1_000), queries: AtomicU32::new(0) })
    }

    #[async_cached(cache = self.balances)] // each instance has a cache of its own
    async fn balance(&self, name: &str) -> Result<Option<i64>, AppError> {
        self.query(name).await
    }

    async fn query(&self, name: &str) -> Result<Option<i64>, AppError> {
        self.queries.fetch_add(1, Relaxed);
        Ok(sqlx::query_scalar("SELECT balance FROM account WHERE name = ?").bind(name).fetch_optional(&self.pool).await?)
    }

    async fn set(&self, name: &str, balance: i64) -> Result<(), AppError> {
        sqlx::query("INSERT INTO account VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET balance = ?2")
            .bind(name)
            .bind(balance)
            .execute(&self.pool)
            .await?;
        self.balances.invalidate(name); // supersedes a read in progress, which may have seen the old row
        Ok(())
    }
}

pub(crate) async fn show(report: &mut Report) -> anyhow::Result<()> {
    report.step("async_cached: rows of an SQLite file");
    let folder = tempdir()?;
    let accounts = Accounts::open(&folder.path().join("accounts.db")).await?;
    let outcome = reads(&accounts, report).await;
    accounts.pool.close().await; // some systems do not remove what is open
    folder.close()?;
    outcome
}

async fn reads(accounts: &Accounts, report: &mut Report) -> anyhow::Result<()> {
    accounts.set("ada", 100).await?;
    let began = Instant::now();
    for _ in 0..200 {
        accounts.query("ada").await?;
    }
    note(format_args!("baseline, 200 reads: {} queries, {:.1?}", accounts.queries.swap(0, Relaxed), began.elapsed()));

    let began = Instant::now();
    let mut same = true;
    for _ in 0..200 {
        same &= accounts.balance("ada").await? == Some(100);
    }
    let (queries, time) = (accounts.queries.load(Relaxed), began.elapsed());
    report.check(same && queries == 1, format_args!("200 reads: {queries} query, {time:.1?}"))?;

    accounts.set("ada", 70).await?;
    let (balance, queries) = (accounts.balance("ada").await?, accounts.queries.load(Relaxed));
    report.check(balance == Some(70) && queries == 2, "a write invalidates: 1 more query, and the new balance")
}
