//! Patterns of async programming, one per page, and how to move from other libraries.
//!
//! Each pattern page shows the form that the pattern has in Python's asyncio, then ours, then what goes wrong in the first, and finally what
//! happens on cancellation, panic and error. Every Rust block is compiled and run by the tests. The folder `examples` has a complete program
//! for each pattern.
//!
//! | in asyncio | in steadfast | page |
//! | --- | --- | --- |
//! | `await`, `asyncio.wait_for` | `.await`, [`timeout`], [`retry`] | [`fetch`] |
//! | `asyncio.gather`, `TaskGroup` | [`gather`], [`try_gather`], [`task_group`] | [`fan_out`] |
//! | `async with`, `@asynccontextmanager` | [`with_resource`] | [`resource`] |
//! | `async for`, `yield` | a `Stream`, the crate `async-stream` | [`generator`] |
//! | `run_in_executor`, `asyncio.to_thread` | [`offload_blocking`], [`offload`] | [`thread_pool`] |
//! | `asyncio.Queue` | [`WorkerPool`] | [`queue`] |
//! | a dictionary and a lock per key | [`async_cached`] | [`cache`] |
//! | a `FastAPI` route | an axum handler, one `IntoResponse` | [`web_endpoint`] |
//! | `AsyncSession` | sqlx: a pool, transactions, rows as a stream | [`database`] |
//! | `pytest.mark.asyncio`, `AsyncMock` | a paused clock, mockall, [`cancel_at_every_await`] | [`testing`] |
//! | `async def` or `def`? | `async fn` or `fn`? | [`sync_or_async`] |
//! | an async generator over a file | [`blocking_stream`] | [`streaming`] |
//! | `try`, `except`, `finally` | `?`, an error type, [`with_resource`] | [`error_handling`] |
//! | `Task.cancel`, `CancelledError` | drop, a `CancellationToken`, [`checkpoint`] | [`cancellation`] |
//! | `loop.slow_callback_duration` | [`Watchdog`] | [`blocking`] |
//! | a coroutine that was never awaited | a compile error | [`forgotten_await`] |
//! | stacked decorators | stacked attributes | [`order`] |
//! | tenacity, and elsewhere Resilience4j and Polly | [`retry`], [`circuit_breaker`], [`rate_limit`], [`fallback`] .. | [`resilience`] |
//!
//! And beyond a function of your own: blocks, closures and generated clients, sets of policies, permits by hand, a policy for each key:
//! [policies around anything](anything).
//!
//! For users of other libraries, each page maps options and shows a program before and after:
//!
//! | from | to | page |
//! | --- | --- | --- |
//! | cached | [`async_cached`] | [`from_cached`] |
//! | moka, backon | [`async_cached`], [`retry`] | [`from_moka_and_backon`] |
//! | tower, tower-resilience | attributes on functions | [`from_tower`] |
//! | Spring, Resilience4j | [`retry`], [`circuit_breaker`], [`async_cached`] .. | [`from_spring`] |
//! | tenacity, cashews | [`retry`], [`async_cached`] | [`from_tenacity`] |
//!
//! [`timeout`]: macro@crate::timeout
//! [`retry`]: macro@crate::retry
//! [`gather`]: crate::gather()
//! [`try_gather`]: crate::try_gather
//! [`task_group`]: crate::task_group
//! [`with_resource`]: crate::with_resource
//! [`offload_blocking`]: macro@crate::offload_blocking
//! [`offload`]: crate::offload()
//! [`WorkerPool`]: crate::WorkerPool
//! [`async_cached`]: macro@crate::async_cached
//! [`cancel_at_every_await`]: https://docs.rs/steadfast/latest/steadfast/testing/fn.cancel_at_every_await.html
//! [`blocking_stream`]: crate::blocking_stream
//! [`checkpoint`]: crate::checkpoint
//! [`Watchdog`]: crate::Watchdog
//! [`circuit_breaker`]: macro@crate::circuit_breaker
//! [`rate_limit`]: macro@crate::rate_limit
//! [`fallback`]: macro@crate::fallback

#[doc = include_str!("guide/fetch.md")]
pub mod fetch {}

#[doc = include_str!("guide/fan_out.md")]
pub mod fan_out {}

#[doc = include_str!("guide/resource.md")]
pub mod resource {}

#[doc = include_str!("guide/generator.md")]
pub mod generator {}

#[doc = include_str!("guide/thread_pool.md")]
pub mod thread_pool {}

#[doc = include_str!("guide/queue.md")]
pub mod queue {}

#[doc = include_str!("guide/cache.md")]
pub mod cache {}

#[doc = include_str!("guide/web_endpoint.md")]
pub mod web_endpoint {}

#[doc = include_str!("guide/database.md")]
pub mod database {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/sync_or_async.md")]
pub mod sync_or_async {}

#[doc = include_str!("guide/streaming.md")]
pub mod streaming {}

#[doc = include_str!("guide/error_handling.md")]
pub mod error_handling {}

#[doc = include_str!("guide/cancellation.md")]
pub mod cancellation {}

#[doc = include_str!("guide/blocking.md")]
pub mod blocking {}

#[doc = include_str!("guide/forgotten_await.md")]
pub mod forgotten_await {}

#[doc = include_str!("guide/order.md")]
pub mod order {}

#[doc = include_str!("guide/resilience.md")]
pub mod resilience {}

#[doc = include_str!("guide/anything.md")]
pub mod anything {}

#[doc = include_str!("guide/from_cached.md")]
pub mod from_cached {}

#[doc = include_str!("guide/from_moka_and_backon.md")]
pub mod from_moka_and_backon {}

#[doc = include_str!("guide/from_tower.md")]
pub mod from_tower {}

#[doc = include_str!("guide/from_spring.md")]
pub mod from_spring {}

#[doc = include_str!("guide/from_tenacity.md")]
pub mod from_tenacity {}
