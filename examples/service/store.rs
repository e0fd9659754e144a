//! Storage in one of two databases, chosen by the URL.

use std::time::Duration;

use serde::Serialize;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, query, query_as, query_scalar};
use steadfast::{Cache, Stats, apply, async_cached, invalidates, policies};

use crate::error::Error;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct User {
    id: i64,
    name: String,
    orders: i64,
}

pub(crate) struct Store {
    db: AnyPool,
    users: Cache<i64, User>,
}

/// Statements that differ between the two databases.
const SQLITE: [&str; 3] = [
    "PRAGMA journal_mode = WAL", // readers do not wait for the writer
    "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, user_id BIGINT NOT NULL, article BIGINT NOT NULL, paid BIGINT NOT NULL)",
];
const POSTGRES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS orders (id BIGSERIAL PRIMARY KEY, user_id BIGINT NOT NULL, article BIGINT NOT NULL, paid BIGINT NOT NULL)",
];

impl Store {
    pub(crate) async fn open(url: &str) -> Result<Self, sqlx::Error> {
        install_default_drivers();
        let options = AnyPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(2));
        let db = options.connect(url).await?;
        for &statement in if url.starts_with("sqlite:") { &SQLITE[..] } else { &POSTGRES[..] } {
            query(statement).execute(&db).await?;
        }
        Ok(Self { db, users: Cache::builder().capacity(10_000).ttl(Duration::from_secs(60)).build() })
    }

    pub(crate) async fn close(&self) {
        self.db.close().await;
    }

    pub(crate) fn stats(&self) -> Stats {
        self.users.stats()
    }
}

policies! {
    /// What every statement gets.
    statement = { #[timeout(5s)] };
}

#[apply(statement)]
impl Store {
    /// The ttl covers writes by other programs.
    #[async_cached(cache = self.users)]
    pub(crate) async fn user(&self, id: i64) -> Result<User, Error> {
        let sql = "SELECT name, (SELECT COUNT(*) FROM orders WHERE user_id = users.id AND paid = 1) FROM users WHERE id = $1";
        let user: Option<(String, i64)> = query_as(sql).bind(id).fetch_optional(&self.db).await?;
        let (name, orders) = user.ok_or(Error::NotFound("user"))?;
        Ok(User { id, name, orders })
    }

    pub(crate) async fn add_user(&self, name: &str, hash: &str) -> Result<i64, Error> {
        let sql = "INSERT INTO users (name, hash) VALUES ($1, $2) RETURNING id";
        query_scalar(sql).bind(name).bind(hash).fetch_one(&self.db).await.map_err(|error| match error.as_database_error() {
            Some(cause) if cause.is_unique_violation() => Error::Taken,
            _ => error.into(),
        })
    }

    #[invalidates(self.users, key = id, always)] // a write that is cut off by the timeout may have been made
    pub(crate) async fn rename(&self, id: i64, name: &str) -> Result<(), Error> {
        let renamed = query("UPDATE users SET name = $1 WHERE id = $2").bind(name).bind(id).execute(&self.db).await?;
        if renamed.rows_affected() == 0 { Err(Error::NotFound("user")) } else { Ok(()) }
    }

    pub(crate) async fn password_hash(&self, id: i64) -> Result<String, Error> {
        let hash = query_scalar("SELECT hash FROM users WHERE id = $1").bind(id).fetch_optional(&self.db).await?;
        hash.ok_or(Error::NotFound("user"))
    }

    /// An order that is not paid yet.
    pub(crate) async fn begin_order(&self, user: i64, article: i64) -> Result<i64, Error> {
        let sql = "INSERT INTO orders (user_id, article, paid) VALUES ($1, $2, 0) RETURNING id";
        Ok(query_scalar(sql).bind(user).bind(article).fetch_one(&self.db).await?)
    }

    #[invalidates(self.users, key = user, always)]
    pub(crate) async fn order_is_paid(&self, user: i64, order: i64) -> Result<(), Error> {
        Ok(query("UPDATE orders SET paid = 1 WHERE id = $1").bind(order).execute(&self.db).await.map(drop)?)
    }

    pub(crate) async fn drop_order(&self, order: i64) -> Result<(), Error> {
        Ok(query("DELETE FROM orders WHERE id = $1").bind(order).execute(&self.db).await.map(drop)?)
    }
}
