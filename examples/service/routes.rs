//! The routes and their handlers.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use steadfast::{shield, spawn_logged};

use crate::error::Error;
use crate::password;
use crate::store::{Store, User};
use crate::upstream::{Article, Upstream};

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) upstream: Upstream,
}

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/users", post(add_user))
        .route("/users/{id}", get(user).put(rename))
        .route("/users/{id}/login", post(login))
        .route("/users/{id}/orders", post(order))
        .route("/articles/{id}", get(article))
        .route("/stats", get(stats))
        .with_state(app)
}

#[derive(Deserialize)]
struct NewUser {
    name: String,
    password: String,
}

#[derive(Serialize)]
struct Created {
    id: i64,
}

async fn add_user(State(app): State<App>, Json(new): Json<NewUser>) -> Result<(StatusCode, Json<Created>), Error> {
    let hash = password::hash(new.password).await?;
    let id = app.store.add_user(&new.name, &hash).await?;
    Ok((StatusCode::CREATED, Json(Created { id })))
}

async fn user(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<User>, Error> {
    Ok(Json(app.store.user(id).await?))
}

#[derive(Deserialize)]
struct NewName {
    name: String,
}

/// Runs to completion once started, even if the client disconnects.
#[shield]
async fn renamed(app: App, id: i64, name: String) -> Result<(), Error> {
    app.store.rename(id, &name).await
}

async fn rename(State(app): State<App>, Path(id): Path<i64>, Json(new): Json<NewName>) -> Result<StatusCode, Error> {
    renamed(app, id, new.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Login {
    password: String,
}

async fn login(State(app): State<App>, Path(id): Path<i64>, Json(login): Json<Login>) -> Result<StatusCode, Error> {
    let hash = app.store.password_hash(id).await?;
    password::verify(login.password, hash).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct NewOrder {
    article: i64,
}

async fn order(
    State(app): State<App>,
    Path(user): Path<i64>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Created>), Error> {
    app.store.user(user).await?;
    let article = app.upstream.article(new.article).await?.ok_or(Error::NotFound("article"))?;
    let id = place_order(app, user, new.article, article.price).await?;
    Ok((StatusCode::CREATED, Json(Created { id })))
}

/// Must not stop half-way: the money would be charged, and nothing recorded.
#[shield]
async fn place_order(app: App, user: i64, article: i64, price: i64) -> Result<i64, Error> {
    let order = app.store.begin_order(user, article).await?;
    if let Err(error) = app.upstream.charge(order, price).await {
        // If it is unknown whether it was charged, the order stays open for the accounting to resolve.
        if !error.is_transient() {
            // Without `?`: an error of the cleanup must not replace this one.
            spawn_logged("drop_order", async move { app.store.drop_order(order).await });
        }
        return Err(error);
    }
    app.store.order_is_paid(user, order).await?;
    Ok(order)
}

async fn article(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Article>, Error> {
    Ok(Json(app.upstream.article(id).await?.ok_or(Error::NotFound("article"))?))
}

#[derive(Serialize)]
struct Statistics {
    hits: u64,
    loads: u64,
}

async fn stats(State(app): State<App>) -> Json<Statistics> {
    let stats = app.store.stats();
    Json(Statistics { hits: stats.hits, loads: stats.loads })
}
