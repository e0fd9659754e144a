//! The attributes of `steadfast`.
//!
//! A small compiler. `parse` reads what an attribute is given, `item` the function it is applied to; each file of `attributes` checks its
//! own attribute and writes its layer of the expansion with the help of `codegen`; `stack` collects the layers of a function in written
//! order, and `expand` turns stack and function into tokens. It knows the names in `steadfast::__private` and nothing of what is behind
//! them.
//!
//! `ARCHITECTURE.md` says what a new attribute takes.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

use self::codegen::layer::AttributeDef;

mod apply;
mod attributes;
mod codegen;
mod diagnostics;
mod expand;
mod item;
#[cfg(test)]
mod locations;
mod manifest;
mod parse;
mod policies;
mod run;
#[cfg(test)]
mod snapshots;
mod splice;
mod stack;

/// The attributes: each is a file with a `parse` of its own.
///
/// Their documentation is here, in comments, because this is where editors look for it; the library re-exports them without any text of
/// its own. This crate does not depend on the library, so these comments link to it by URL.
macro_rules! attributes {
    ($($(#[$documentation:meta])* $name:ident)*) => {
        $(
            $(#[$documentation])*
            #[proc_macro_attribute]
            pub fn $name(arguments: TokenStream, item: TokenStream) -> TokenStream {
                expand::attribute(ATTRIBUTES, stringify!($name), arguments.into(), &item.into()).into()
            }
        )*

        /// Every attribute of this crate, for the stack to find among the others on a function.
        const ATTRIBUTES: &[AttributeDef] = &[$(AttributeDef { name: stringify!($name), parse: attributes::$name::parse }),*];
    };
}

/// Attributes around a block, a closure or any expression that is a future: what is not a function of your own gets the same policies, in the
/// same order.
///
/// ```
/// use steadfast::{CircuitBreaker, Error, run};
///
/// # struct Client;
/// # impl Client { async fn stock(&self, id: u64) -> Result<u32, AppError> { Ok(id as u32) } }
/// # #[derive(Debug)] enum AppError { Transient, Other(Error) }
/// # impl AppError { fn is_transient(&self) -> bool { matches!(self, Self::Transient) } }
/// # impl From<Error> for AppError { fn from(error: Error) -> Self { Self::Other(error) } }
/// static WAREHOUSE: CircuitBreaker = CircuitBreaker::new().failures(5);
///
/// async fn order(client: &Client, id: u64) -> Result<u32, AppError> {
///     let left = run! {
///         #[timeout(2s)]
///         #[retry(attempts = 3, when = AppError::is_transient)]
///         #[circuit_breaker(WAREHOUSE)]
///         client.stock(id)
///     }
///     .await?;
///     Ok(left - 1)
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() { assert_eq!(order(&Client, 7).await.unwrap(), 6); }
/// ```
///
/// The macro is an expression that is a future; nothing runs until it is awaited. The attributes need no import.
///
/// # The body
///
/// | body | use |
/// | --- | --- |
/// | `async { .. }`, `async move { .. }` | a block; it borrows or moves what it names, as it would without the macro. `return` and `?` leave the block |
/// | `async \|\| -> Result<T, E> { .. }` | the same, where the type of the output must be written, usually because of a `?` |
/// | `\|\| ..`, `move \|\| ..` | a blocking closure, below `#[offload_blocking]` |
/// | any other expression | evaluated to a future, which is awaited: `client.stock(id)` |
///
/// The body is evaluated again for each attempt of a `retry` or `hedge`. To give each attempt a copy of a value that it consumes, clone in the
/// body: `async { send(message.clone()).await }`. Below `shield`, `offload_blocking` and other attributes that move the work, the body must be
/// `'static` (`async move`), and a `retry` above them clones what it has moved.
///
/// # Options
///
/// All attributes but `batched` and all of their options work, and options can name the variables around the macro. There are no arguments,
/// so `async_cached` and `coalesce` require `key = ..`, and `skip(..)` and `clone(..)` are errors; `handle = ..` is an error as well: put the
/// object in a `static`, and name that, as with `WAREHOUSE`. A policy without such a static has one state for each `run!` in the source, as it has for each
/// function.
///
/// What the cleanup of `finally` names is moved into it, since it may run when the future is dropped: if the body uses a value as well, clone it
/// in front of the macro, and let the cleanup name the clone.
///
/// Errors, the registry and metrics call the `run!` by its place in the source, `"src/shop.rs:41"`, or by `name = ".."` on any one of its
/// attributes:
///
/// ```
/// use steadfast::run;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let slow = run! {
///     #[timeout(10ms, name = "warehouse.stock")]
///     async {
///         std::future::pending::<()>().await;
///         Ok::<u32, steadfast::Error>(1)
///     }
/// };
/// assert_eq!(slow.await.unwrap_err().to_string(), "`warehouse.stock` timed out after 10ms");
/// # }
/// ```
///
/// # Errors, panics, cancel safety
///
/// As for a function with the same attributes: a rejection becomes the body's own output, which must be a `Result` with an error type that is
/// `From<`[`Error`]`>`, or an `Option`, or each attribute that can reject calls has an `or_else`. Dropping the future drops the body and gives back all that the
/// attributes hold.
///
/// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
#[proc_macro]
pub fn run(input: TokenStream) -> TokenStream {
    run::run(ATTRIBUTES, &input.into()).into()
}

/// Sets of policies: attributes with a name, for [`#[apply]`](macro@apply) and [`run!`].
///
/// ```
/// use steadfast::{CircuitBreaker, apply, policies};
///
/// # #[derive(Debug)] enum AppError { Transient, Other(steadfast::Error) }
/// # impl AppError { fn is_transient(&self) -> bool { matches!(self, Self::Transient) } }
/// # impl From<steadfast::Error> for AppError { fn from(error: steadfast::Error) -> Self { Self::Other(error) } }
/// static WAREHOUSE: CircuitBreaker = CircuitBreaker::new().failures(5);
///
/// policies! {
///     /// What every call to the warehouse gets.
///     pub(crate) warehouse = {
///         #[timeout(2s)]
///         #[retry(attempts = 3, when = AppError::is_transient)]
///         #[circuit_breaker(WAREHOUSE)]
///         #[timeout(500ms)]
///     };
///
///     /// The same, for calls that a user waits for.
///     interactive = {
///         #[timeout(800ms)]
///         #[apply(warehouse)]
///     };
/// }
///
/// #[apply(interactive)]
/// async fn stock(id: u64) -> Result<u64, AppError> {
///     Ok(id)
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() { assert_eq!(stock(7).await.unwrap(), 7); }
/// ```
///
/// A set consists of attributes of this crate, which need no import, and of `#[apply(..)]` of other sets. It is as if its attributes were written
/// where it is applied:
///
/// - A policy with a state (a cache, a limit, a breaker) has a separate state in each function that applies the set. To share the state, name a
///   `static`, as `WAREHOUSE` above.
/// - Options can name arguments of the function: `#[rate_limit(5 / 1s, key = tenant)]` in a set requires that each function has a `tenant`.
/// - Other names are resolved where the set is applied, as in `macro_rules!`. So that a set works in other modules and crates, write its paths with
///   `crate`: `#[circuit_breaker(crate::limits::WAREHOUSE)]`. They always mean the crate of the set. Sets in the same `policies!` find each other by name.
///
/// A set has the visibility that is written in front of its name, and is imported like a macro: `use shop_policies::warehouse;`.
#[proc_macro]
pub fn policies(input: TokenStream) -> TokenStream {
    policies::policies(ATTRIBUTES, input.into()).into()
}

/// The attributes of a [set](macro@policies), in the place of this one.
///
/// On a function, attributes above and below `#[apply]` keep their order, and all of them together make one body. Several sets may be applied,
/// in one attribute (`#[apply(first, second)]`, the first is the outermost) or in several.
///
/// On an `impl` block or a trait, the set is applied to every async function with a body, above the attributes that the function has itself;
/// `#[apply(none)]` on a function leaves it out.
///
/// ```
/// use steadfast::{apply, fallback, policies};
///
/// policies! {
///     remote = {
///         #[timeout(2s)]
///         #[retry(attempts = 3)]
///     };
/// }
///
/// struct Client;
///
/// #[apply(remote)]
/// impl Client {
///     async fn stock(&self, id: u64) -> std::io::Result<u64> {
///         Ok(id)
///     }
///
///     #[fallback(Ok(0.0))] // each attempt
///     async fn price(&self, id: u64) -> std::io::Result<f64> {
///         Err(std::io::ErrorKind::NotFound.into())
///     }
///
///     #[apply(none)]
///     async fn watch(&self) -> std::io::Result<()> {
///         Ok(())
///     }
/// }
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// # assert_eq!(Client.stock(7).await.unwrap(), 7);
/// # assert_eq!(Client.price(7).await.unwrap(), 0.0);
/// # Client.watch().await.unwrap();
/// # }
/// ```
///
/// In [`run!`], it stands where an attribute would: `run! { #[apply(remote)] client.stock(id) }`.
///
/// Errors in a set are reported once, in the set. A set that cannot be found is reported at its name, as "cannot find macro": import it, or
/// write its path.
#[proc_macro_attribute]
pub fn apply(arguments: TokenStream, item: TokenStream) -> TokenStream {
    apply::apply(ATTRIBUTES, arguments.into(), &item.into()).into()
}

/// What a set calls for a function.
#[doc(hidden)]
#[proc_macro]
pub fn __apply(input: TokenStream) -> TokenStream {
    apply::function(ATTRIBUTES, input.into()).into()
}

/// What a set calls for a `run!`.
#[doc(hidden)]
#[proc_macro]
pub fn __apply_in_run(input: TokenStream) -> TokenStream {
    apply::block(ATTRIBUTES, input.into()).into()
}

attributes! {
    /// Reports polls that block the executor thread for longer than a threshold.
    ///
    /// While a future is being polled, nothing else runs on its thread: no other task, no timer, no connection. A poll takes microseconds;
    /// one that takes many milliseconds is waiting for a lock of the standard library, reading a file, or hashing a password.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::{on_report, warn_slow_poll};
    /// # use std::sync::{Arc, Mutex};
    ///
    /// #[warn_slow_poll(10ms)]
    /// async fn thumbnail(pixels: u32) -> u32 {
    ///     std::thread::sleep(Duration::from_millis(30)); // a long computation
    ///     pixels / 16
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let reports = Arc::new(Mutex::new(Vec::new()));
    /// # let hook = reports.clone();
    /// on_report(move |report| hook.lock().unwrap().push(report.to_string()));
    /// assert_eq!(thumbnail(160).await, 10);
    /// assert!(reports.lock().unwrap()[0].starts_with("`thumbnail` blocked its thread for "));
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `duration`, first and without a name | | the threshold: a poll that takes at least this long is reported |
    /// | `panic` | off | panics as well, for tests |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | the duration |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # What is reported
    ///
    /// One [`Report`] of kind [`Blocked`] per call, for the first poll over the threshold, with the function's name and the time. It goes
    /// to the hook of [`on_report`], by default to stderr, when that poll has ended, also if it ended in a panic. For a thread that is
    /// never released, use the [`Watchdog`].
    ///
    /// Everything that is awaited below the attribute is measured. The work of [`offload_blocking`], or of an [`async_cached`] that is
    /// `detached`, runs on other threads or tasks and is not.
    ///
    /// The time is wall-clock time, not tokio's paused clock, since it is about the thread. On an overloaded machine, which preempts the
    /// thread during a poll, that poll takes longer too.
    ///
    /// The cost is two clock reads per poll.
    ///
    /// # Errors
    ///
    /// None: the function returns what it returns.
    ///
    /// # Panics
    ///
    /// With `panic`: after a poll over the threshold, with the text of the report. A poll that panics itself is reported as without
    /// `panic`, and its own panic propagates.
    ///
    /// # Cancel safety
    ///
    /// That of the body.
    ///
    /// [`Blocked`]: https://docs.rs/steadfast/latest/steadfast/enum.ReportKind.html#variant.Blocked
    /// [`Report`]: https://docs.rs/steadfast/latest/steadfast/struct.Report.html
    /// [`Watchdog`]: https://docs.rs/steadfast/latest/steadfast/struct.Watchdog.html
    /// [`async_cached`]: https://docs.rs/steadfast/latest/steadfast/attr.async_cached.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`on_report`]: https://docs.rs/steadfast/latest/steadfast/fn.on_report.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    warn_slow_poll

    /// Returns a fallback value when the function, or an attribute below this one, fails.
    ///
    /// ```
    /// use steadfast::{fallback, timeout};
    ///
    /// #[fallback(Vec::new())]
    /// #[timeout(20ms)]
    /// async fn recommendations(user: u64) -> Result<Vec<u64>, steadfast::Error> {
    ///     std::future::pending().await
    /// }
    ///
    /// // The closure receives the error, and returns a success or a failure.
    /// #[fallback(|error| match error.kind() {
    ///     std::io::ErrorKind::NotFound => Ok(String::new()),
    ///     _ => Err(error),
    /// })]
    /// async fn notes(path: &str) -> std::io::Result<String> {
    ///     std::fs::read_to_string(path)
    /// }
    ///
    /// #[fallback(80)]
    /// async fn port(text: &str) -> Option<u16> {
    ///     text.parse().ok()
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> std::io::Result<()> {
    /// assert_eq!(recommendations(7).await, Ok(vec![]));
    /// assert_eq!(notes("/no/such/file").await?, "");
    /// assert_eq!(port("http").await, Some(80));
    /// # Ok(()) }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `value` or `\|error\| value`, first and without a name | | the value to return instead: a `T` for a `Result<T, E>` or an `Option<T>`, or a whole `Result` or `Option` |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// The value may name the arguments, and may `.await`: attributes above limit and watch what it awaits like the body. `?` and `break` cannot
    /// leave it. The error of an `Option` is `()`.
    ///
    /// `Err` and `None` are failures, rejections by the attributes below included. Any other return type cannot fail, and is a compile
    /// error.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each failure | the value |
    ///
    /// # Cancel safety
    ///
    /// When the call is dropped, nothing is evaluated.
    ///
    /// # Panics
    ///
    /// A panic of the function is not replaced: it propagates to the caller. A fallback that panics itself (`#[fallback(unreachable!())]`)
    /// replaces the failure by that panic.
    fallback

    /// Caches the result of an async function by its arguments; concurrent callers of a cold key share one computation.
    ///
    /// ```
    /// use steadfast::async_cached;
    ///
    /// #[async_cached(ttl = 60s, handle = names)]
    /// async fn name(id: u64, locale: &str) -> std::io::Result<String> {
    ///     Ok(format!("user {id} in {locale}"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// name(7, "eu").await?; // computes
    /// name(7, "eu").await?; // a hit: the body does not run, and the lookup allocates nothing
    /// assert_eq!(names().stats().hits, 1);
    /// names().invalidate(&(7, "eu")); // keyed as the function is called
    /// assert!(!names().contains(&(7, "eu")));
    /// # Ok(()) }
    /// ```
    ///
    /// # The key
    ///
    /// All arguments, compared by `Eq`. Each must be `Hash + Eq + Clone + Send + Sync + 'static` in its owned form (`&str` is stored as a
    /// `String`, `&[T]` as a `Vec<T>`, `&T` as a `T`). A method must state how the value depends on `self`: `skip(self)`, a `key`, or a
    /// `cache` in a field of `self`.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `handle = name` | none | adds a function next to this one, `fn name() -> &'static Cache<K, V>` (`handle = Self::name` inside an `impl`; `handle = name: Cache<K, V>` if the types cannot be inferred from the signature) |
    /// | `capacity = n` | 10,000 | maximum number of entries, or their total weight |
    /// | `unbounded` | | no maximum: entries stay until they expire or are invalidated |
    /// | `weight = \|key, value\| n` | 1 each | the weight of an entry, at least 1; an entry heavier than the capacity is returned and not stored. A stored failure weighs 1 |
    /// | `ttl = duration` | forever | time-to-live: how long a value is fresh, from the moment it is available; an expression may name the arguments |
    /// | `ttl = \|value\| duration` | | the same, computed from the value (a token that carries its expiry) and the arguments |
    /// | `ttl = \|value, previous\| duration` | | the same, also from the value that it replaces: `previous` is an `Option<&V>`, which is `Some` if that value may still be served (a forced or early refresh, or one within a stale window) |
    /// | `ttl_jitter = duration` | none | adds a random time between zero and this to each ttl; not to `error_ttl` and `none_ttl` |
    /// | `tti = duration` | forever | time-to-idle: removes entries that no call has used for this long; a call that computes, or that gets the value instead of an error, counts as a use |
    /// | `on_evict = \|key, value, cause\| ..` | none | called for every removed value with its [`RemovalCause`] |
    /// | `key = expr` | all arguments | replaces the key with this expression, an owned value |
    /// | `skip(arg, ..)` | none | excludes arguments from the key; they need no bound |
    /// | `cache = expr` | its own | a [`Cache`] that may be shared: a `static`, or a field as in `cache = self.users`; see [below](#a-shared-cache) |
    /// | `error_ttl = duration` | not stored | how long an `Err` is stored (`E: Clone + Send + Sync + 'static`, or `shared_error`), unless there is a value that may still be served |
    /// | `none_ttl = duration` | not stored | how long a `None` is stored, also the `Ok(None)` of a `Result<Option<T>, E>`, which without this option is a value like any other |
    /// | `stale_while_revalidate = duration` | none | how long after its ttl a value is still returned at once, while one refresh runs in the background; after a refresh that failed, the next call starts another |
    /// | `stale_if_error = duration` | none | how long after its ttl a value is still returned when recomputing it fails with any `Err`; its age is not reset |
    /// | `refresh_ahead = share` | none | a hit after this fraction of the ttl (`0.8`) starts one refresh in the background; 1 and NaN mean never, and any other value that is not above 0 and below 1 panics when a value is computed |
    /// | `load_timeout = duration` | none | how long waiters wait for one computation before one of them starts another |
    /// | `refresh_if = bool` | `false` | if true, recomputes and stores under the same key. An argument that only this option names (not the body, another option or an attribute below) is not part of the key |
    /// | `store_if = \|value\| bool` | `true` | if false, the value is returned, also to the waiters, but not stored; the previous one is removed |
    /// | `cache_if = bool` | `true` | if false, the call runs alone: it is neither looked up, nor stored, nor counted, and no other caller waits for it. An argument that only this option names is not part of the key |
    /// | `shared_error = \|error\| error` | `Clone` | makes the error that a waiter receives from a reference to the leader's (`\|e: &E\| -> E`), for errors that are not `Clone`. Without it, the waiters for a computation that fails with such an error compute one after another, and the first time is reported |
    /// | `tags = [text, ..]` | none | tags for [`invalidate_tag`], which may be computed from the arguments |
    /// | `detached` | | computes on a separate task, so that a caller that gives up does not cancel the computation |
    /// | `single_flight = bool` | `true` | whether concurrent callers of one key wait for one computation |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// # Single flight
    ///
    /// The first caller of a cold key, the leader, computes; later callers of the same key wait for it, and never for another key. Its
    /// error goes to all waiters if it is `Clone + Send + Sync + 'static`, or `Send + Sync + 'static` with a `shared_error`; otherwise they
    /// compute one after another, which is reported once for each cache, as [`ReportKind::Inert`] through [`on_report`]. If the leader is
    /// dropped or panics, the next waiter computes. `invalidate`, `clear` and `insert` take precedence over a computation that started
    /// before them: its value goes to the callers that already wait for it, and is not stored.
    ///
    /// If several computations of one key run (`single_flight = false`, `refresh_if`, `load_timeout`), the one that started last is stored,
    /// whatever the order in which they end; only a remembered error gives way to the value of a computation that started earlier. When the
    /// leader goes away, all waiters are woken and the first one that is polled takes over; if the computation was invalidated in the
    /// meantime, it starts a new one, whose value is stored. A leader that is kept but not polled delays its waiters until `load_timeout`.
    ///
    /// # What replaces a value
    ///
    /// A newly computed value replaces the previous one. So does a `None`: it is stored for `none_ttl`, or the entry is removed. So does a
    /// value that is not stored (`store_if`, a ttl of zero, or too heavy): the previous one is removed. An `Err` never replaces a value that may still
    /// be served: neither after a failed refresh, nor after a call forced by `refresh_if`, which returns its own error (or the old value,
    /// with `stale_if_error`).
    ///
    /// # A shared cache
    ///
    /// With `cache = C`, options that the function does not set are those of the builder of `C`, `load_timeout` included; only the
    /// `ttl_jitter` of `C` belongs to the ttl of `C`, and a function with its own ttl sets its own jitter. `stale_while_revalidate` and
    /// `refresh_ahead` of `C` apply to functions that compute in the background: those with `detached`, or with one of these two options
    /// themselves. Other functions cannot refresh, since their arguments are borrowed from the caller; each reports this once, at its first
    /// miss, as [`ReportKind::Inert`] through [`on_report`].
    ///
    /// Functions that share a cache share all of its entries: a stored error answers all functions with that error type, also those without
    /// `error_ttl`. A key has one entry, so stored errors of two types replace each other. Waiters that cannot read the error of another
    /// function's computation wait for one of their own.
    ///
    /// A generic function (also one in a generic `impl`) has one cache per instantiation.
    ///
    /// # When options are evaluated
    ///
    /// | option | hit | miss | waiting call | refresh behind a hit |
    /// | --- | --- | --- | --- | --- |
    /// | `cache_if` | once | once | once | once |
    /// | `cache`, `key`, `refresh_if`, `stale_while_revalidate` | once | once | once | once |
    /// | `tags` | | once | once | once, also by a hit while a refresh is running |
    /// | `ttl`, `ttl_jitter`, `tti`, `error_ttl`, `none_ttl`, `stale_if_error`, `refresh_ahead` | | once, before the body | once, on arrival | once, before the body |
    /// | `store_if`, then `ttl = \|value\| ..`, the closure of `weight` | | once, with the value | | once, with the value |
    /// | `shared_error` | when an error was stored | once, with an error that is stored or waited for | once, with the leader's error | once, with an error that is stored or waited for |
    /// | `load_timeout` | | | once | |
    /// | `capacity`, `weight`, `on_evict` | at the first call of all | | | |
    ///
    /// Of a call for which `cache_if` is false, nothing else is evaluated but the durations. The closures apply to what the function returns:
    /// `store_if` is not asked about an `Err`, nor about the `None` of an `Option`, nor about what is stored through the handle.
    /// `shared_error` serves other callers too, so it cannot name the arguments.
    ///
    /// All durations count from the end of the computation. One that ends at a fixed time (`ttl = until_midnight()`) is evaluated before
    /// the body, and so too long by the time the body takes: write `ttl = |_| until_midnight()`. Values that are stored through the handle
    /// ([`insert`], [`get_or_load`]) use the most recently evaluated durations, except those that name an argument, which is unknown there:
    /// these do not apply to them.
    ///
    /// # In the background
    ///
    /// `detached`, `stale_while_revalidate` and `refresh_ahead` compute on a separate task, which outlives its caller: the arguments
    /// (skipped ones too) and the result must be `Send + 'static`. `&str` and `&[T]` are copied; any other borrow is a compile error at
    /// that argument. A panic that no caller can observe goes to [`on_report`]; [`drain`] waits for running computations. A deadline above
    /// `async_cached` bounds the caller but not that computation; one below bounds the computation.
    ///
    /// # Errors
    ///
    /// A function that calls itself with the key it is computing would wait for itself. Instead it returns an [`Error`] for which
    /// [`is_recursion`] holds if the return type can represent one, and panics otherwise. A call through a task of your own
    /// (`tokio::spawn`) or a [`WorkerPool`] is not detected, and waits: bound it with `load_timeout` or a `timeout`.
    ///
    /// # Cancel safety
    ///
    /// Dropping a waiter does not affect other callers. Dropping the leader hands the computation over to the next waiter.
    ///
    /// # Panics
    ///
    /// A panic of the body propagates to the caller that computes.
    ///
    /// # Bounds
    ///
    /// The value (the `T` of a `Result<T, E>` or an `Option<T>`, otherwise the whole return value) must be `Clone + Send + Sync + 'static`:
    /// wrap what is expensive to clone in an `Arc`.
    ///
    /// Three pieces of your code run under a lock of the cache and must not use that cache: `Eq` of the key, `Clone` of a value or of an
    /// error that is stored or shared (or its `shared_error`), and the closure of [`invalidate_if`]. Everything else (`Hash` and `Clone` of the key, all
    /// destructors, `ttl`, `store_if`, `weight`, `on_evict`) runs without a lock held. A panic in any of them propagates to the call that runs it, and
    /// leaves the cache usable.
    ///
    /// [`Cache`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`RemovalCause`]: https://docs.rs/steadfast/latest/steadfast/cache/enum.RemovalCause.html
    /// [`ReportKind::Inert`]: https://docs.rs/steadfast/latest/steadfast/enum.ReportKind.html#variant.Inert
    /// [`WorkerPool`]: https://docs.rs/steadfast/latest/steadfast/struct.WorkerPool.html
    /// [`drain`]: https://docs.rs/steadfast/latest/steadfast/fn.drain.html
    /// [`get_or_load`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html#method.get_or_load
    /// [`insert`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html#method.insert
    /// [`invalidate_if`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html#method.invalidate_if
    /// [`invalidate_tag`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html#method.invalidate_tag
    /// [`is_recursion`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_recursion
    /// [`on_report`]: https://docs.rs/steadfast/latest/steadfast/fn.on_report.html
    async_cached

    /// Deduplicates concurrent calls with the same key; nothing is cached afterwards.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use steadfast::coalesce;
    ///
    /// static RUNS: AtomicU32 = AtomicU32::new(0);
    ///
    /// #[coalesce]
    /// async fn report(day: u32) -> String {
    ///     RUNS.fetch_add(1, Ordering::Relaxed);
    ///     tokio::task::yield_now().await; // the query
    ///     format!("report of day {day}")
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (a, b) = tokio::join!(report(7), report(7));
    /// assert_eq!(a, b);
    /// assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    /// report(7).await;
    /// assert_eq!(RUNS.load(Ordering::Relaxed), 2); // no other call was running: it ran again
    /// # }
    /// ```
    ///
    /// Waiting works as in [`async_cached`]: an error goes to all waiters if it is `Clone + Send + Sync + 'static`, otherwise they run one
    /// after another; a caller that is dropped or panics hands over to the next waiter. Waiters share a single run also if the function
    /// changes something, so this attribute is for reads.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `key = expr` | all arguments | replaces the key with this expression, an owned value |
    /// | `skip(arg, ..)` | none | excludes arguments from the key; they need no bound |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// A method must state how the result depends on `self`: `skip(self)`, or a `key`.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | `key` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Errors, panics
    ///
    /// As with [`async_cached`]: a call that would wait for itself is rejected.
    ///
    /// # Cancel safety
    ///
    /// Dropping a caller does not affect the others. If it was the leader, all waiters are woken and the first one that is polled starts
    /// again; a waiter that is kept but not polled delays no other. If the leader hangs, or is kept but no longer polled (a branch of a
    /// `select!` in a loop), the others wait for it without limit: put a [`timeout`] above, which ends the wait of each caller, or use
    /// [`async_cached`] with a `load_timeout`, after which they continue without it. With a `shield` above, a started run continues without
    /// its caller, and waiters keep waiting for it.
    ///
    /// # Bounds
    ///
    /// The result (of a `Result` or an `Option`: its value) must be `Clone + Send + Sync + 'static`, and the parts of the key
    /// `Hash + Eq + Clone + Send + Sync + 'static`.
    ///
    /// [`async_cached`]: https://docs.rs/steadfast/latest/steadfast/attr.async_cached.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [`timeout`]: https://docs.rs/steadfast/latest/steadfast/attr.timeout.html
    coalesce

    /// Invalidates entries of a cache after a write, so that the next read loads what was written.
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
    /// use steadfast::{async_cached, invalidates};
    /// # #[derive(Default)] struct Db(AtomicU64);
    /// # impl Db {
    /// #     async fn email(&self, _: u64) -> u64 { self.0.load(SeqCst) }
    /// #     async fn set_email(&self, _: u64, email: u64) -> Result<(), String> { self.0.store(email, SeqCst); Ok(()) }
    /// # }
    ///
    /// #[async_cached(ttl = 10min, skip(db), tags = ["emails"], handle = emails)]
    /// async fn email(db: &Db, user: u64) -> u64 {
    ///     db.email(user).await
    /// }
    ///
    /// #[invalidates(emails(), key = user)] // keyed as `email` is called
    /// async fn set_email(db: &Db, user: u64, email: u64) -> Result<(), String> {
    ///     db.set_email(user, email).await
    /// }
    ///
    /// // What follows from the result, and several caches or entries.
    /// #[invalidates(emails(), key = |user| *user)]
    /// #[invalidates(emails(), tag = "emails")]
    /// async fn first_user(db: &Db) -> Option<u64> {
    ///     db.set_email(1, 100).await.ok()?;
    ///     Some(1)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), String> {
    /// # let db = Db::default();
    /// assert_eq!(email(&db, 7).await, 0);
    /// set_email(&db, 7, 12).await?;
    /// assert_eq!(email(&db, 7).await, 12);
    /// # first_user(&db).await; assert_eq!(email(&db, 7).await, 100);
    /// # Ok(()) }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `expr`, first and without a name | | the cache: a function's `handle`, a `static`, or a field such as `self.users` |
    /// | `key = expr` | | the key to invalidate, as for [`Cache::invalidate`]; or a closure over the value that is returned |
    /// | `tag = expr` | | the tag to invalidate, as for [`Cache::invalidate_tag`]; or a closure over the value that is returned |
    /// | `all` | off | invalidates every entry, like [`Cache::clear`] |
    /// | `always` | off | invalidates also if the function fails, panics, or is dropped |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// One of `key`, `tag` and `all` is required. Several `#[invalidates(..)]` may be applied to one function.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call, before the body | the cache, `key`, `tag` |
    /// | after the body, if it returned a value | closures |
    ///
    /// The body may consume the arguments: an argument that `key` names is cloned, unless it is a reference, and so is what an expression
    /// such as `name.trim()` refers to. A closure receives the `T` of a `Result<T, E>` or an `Option<T>`, otherwise the return value, and
    /// returns an owned key. Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # What is invalidated, and when
    ///
    /// When the function has succeeded (`Err` and `None` have failed), the entries are removed, and loads that began before that moment
    /// are superseded: they answer their own callers, but their results are not stored. They may have read what was there before the
    /// write. Loads that begin later are not affected. After a call that fails, panics, or is dropped, nothing is invalidated.
    ///
    /// With `always`, all of these invalidate: the write may have reached its destination although the caller received an error. A call
    /// that is dropped invalidates when its body has been dropped; a call that a layer above rejects, and one that is never polled, has
    /// written nothing and does not.
    ///
    /// Place it close to the write, below [`shield`]: a shielded write that loses its caller still invalidates when it ends. A blocking
    /// body of [`offload_blocking`] runs to completion too; put `shield` above both.
    ///
    /// # Errors
    ///
    /// None: the function returns what it returns.
    ///
    /// # Panics
    ///
    /// If `on_evict` of the cache, or `Hash` or `Eq` of a key, panics. With `always`, such a panic while the call is dropped is passed
    /// to [`on_report`].
    ///
    /// # Cancel safety
    ///
    /// That of the body; see `always`.
    ///
    /// [`Cache::clear`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html#method.clear
    /// [`Cache::invalidate_tag`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html#method.invalidate_tag
    /// [`Cache::invalidate`]: https://docs.rs/steadfast/latest/steadfast/cache/struct.Cache.html#method.invalidate
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`on_report`]: https://docs.rs/steadfast/latest/steadfast/fn.on_report.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [`shield`]: https://docs.rs/steadfast/latest/steadfast/attr.shield.html
    invalidates

    /// Limits how often the function may be called; excess calls wait in FIFO order or are rejected.
    ///
    /// ```
    /// use steadfast::rate_limit;
    ///
    /// // A burst of 100, then one every 10 ms; a call waits up to half a second for its permit.
    /// #[rate_limit(100 / 1s, max_wait = 500ms, handle = quota)]
    /// async fn search(words: &str) -> std::io::Result<usize> {
    ///     Ok(words.len())
    /// }
    ///
    /// // 5 per minute for each user, without bursts.
    /// #[rate_limit(5 / 1min, burst = 1, key = user)]
    /// async fn reset_password(user: u64) -> Result<(), steadfast::Error> {
    ///     Ok(())
    /// }
    ///
    /// // 10 per second and 1,000 per hour for each tenant, counted by entries, with the rate that the tenant's plan includes.
    /// #[rate_limit(10 / 1s, 1_000 / 1h, key = tenant, cost = batch.len(), rate = plan(tenant))]
    /// async fn ingest(tenant: &str, batch: &[u64]) -> Result<usize, steadfast::Error> {
    ///     Ok(batch.len())
    /// }
    ///
    /// fn plan(tenant: &str) -> (u32, std::time::Duration) {
    ///     (if tenant == "acme" { 100 } else { 10 }, std::time::Duration::from_secs(1))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> std::io::Result<()> {
    /// assert_eq!(search("a").await?, 1);
    /// quota().set_rate(10, std::time::Duration::from_secs(1)); // while the program runs
    ///
    /// assert!(reset_password(1).await.is_ok());
    /// assert!(reset_password(2).await.is_ok());
    /// let rejected = reset_password(1).await.unwrap_err();
    /// assert!(rejected.is_rate_limited());
    /// assert_eq!(rejected.retry_after(), Some(std::time::Duration::from_secs(12)));
    /// assert_eq!(
    ///     rejected.to_string(),
    ///     "`reset_password` was rejected: rate limit of 5 per 60s exceeded; retry in 12s"
    /// );
    ///
    /// assert!(ingest("acme", &[0; 70]).await.is_ok());
    /// assert!(ingest("other", &[0; 7]).await.is_ok());
    /// assert!(ingest("other", &[0; 7]).await.is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `n / duration`, first and without a name | | the rate, calls per period, or up to four of them; or a [`RateLimiter`] created elsewhere, a static or a field of `self` |
    /// | `burst = n` | the count of the rate | how many calls an idle limiter admits at once; of several rates, the burst of the first |
    /// | `max_wait = duration` | `0s` | how long a call may wait for its permit; a call whose permit comes later is rejected at once |
    /// | `key = expr` | none | one limit per key instead of one for all calls |
    /// | `max_keys = n` | `65_536` | how many keys are kept |
    /// | `cost = n` | `1` | how many permits the call takes at once, such as `batch.len()` |
    /// | `rate = n / duration` | the first rate | the rate of the call's key, or an expression of type `(u32, Duration)`; in place of the first rate |
    /// | `or_else = \|error\| value` | none | the value that a rejected call returns; required if the return type cannot represent the error |
    /// | `handle = name` | none | adds a function next to this one that returns the `&'static` [`RateLimiter`]; `handle = Self::name` in an `impl` |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// After the burst, calls are spread evenly (the generic cell rate algorithm, ITU-T I.371): over any time `t` there are never more than
    /// `rate * t + burst`. A call consumes its permit when it is admitted, and does not return it when it fails or is dropped.
    ///
    /// Timers fire up to a millisecond late. Waiting calls make up for that, so that the whole rate is reached whether one call waits at a
    /// time or a hundred thousand: each is charged for the time at which its permit became available, unless the timer is more than 100 ms
    /// late. The calls that follow may then be that much closer together. Time in which no call waits is worth one burst and no more.
    ///
    /// # Several limits
    ///
    /// Several rates in one attribute agree or none is charged: what one of them rejects takes nothing from the others, and a call waits
    /// for the latest. Several attributes on one function are asked one after another, from the top: a call that a lower one rejects has
    /// been charged by those above it. Use them for limits that differ in their keys, or in what they do with excess calls. By hand it is
    /// [`RateLimiter::and`].
    ///
    /// A call with a `cost` of 0 takes nothing and is admitted at once. A cost that exceeds the burst is never admitted: the call is rejected
    /// at once, whatever its `max_wait`, with an error that says so and whose [`retry_after`] is `None`. Waiting calls are admitted in
    /// FIFO order also if their costs differ: one that needs many permits is not overtaken by those behind it that need few. A `max_wait`
    /// behind calls of other costs, with several rates, is an estimate: it may admit a call late by the time in which a burst of one of the
    /// other rates comes back.
    ///
    /// A limiter that is created elsewhere has its own rates, burst and `max_keys`. The expression that names it is evaluated at each call and may
    /// depend on the arguments: `#[rate_limit(limiter_of(tenant))]`.
    ///
    /// A function has one limit (with `key`, one per key) for all of its callers, for all instances of a type, and for all instantiations
    /// of a generic function. The rates, `burst` and `max_keys` are evaluated once, at the first call, so naming an argument, `self`, or a type or const
    /// parameter in them is a compile error. In an `impl` with type parameters, a rate such as `Self::RATE / 1s` is that of the type that
    /// is called first. For one limit per instance, put a limiter in a field: `#[rate_limit(self.quota)]`.
    ///
    /// By default a call without a permit is rejected at once, whereas [`concurrency_limit`] lets calls wait without limit.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | the rate, `burst`, `max_keys` |
    /// | at each call | `max_wait`, `key`, `rate`, `cost`, a limiter that is created elsewhere |
    /// | at each rejection | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Keys
    ///
    /// Keys are those of [`async_cached`]: `Hash + Eq + Clone + Send + Sync + 'static`, or a reference such as `&str`, which is copied when
    /// the key is new. Use a tuple for several parts. Keys at full allowance are dropped; beyond `max_keys` others, those closest to full
    /// allowance are dropped too, but none that a call waits for.
    ///
    /// With `rate`, each key has a rate of its own in place of the first one: that of its latest call. When it changes, what is available
    /// remains available, up to the new burst (its count, unless `burst` is set), a full allowance remains full, and further permits arrive at
    /// the new rate, also for calls that wait. [`RateLimiter::set_rate`] does not concern such keys.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_rate_limited`] holds, in the function's own error type. Its [`retry_after`] is the time until the next
    /// permits that no waiting call will take, or `None` for a cost that exceeds the burst; of several rates, it names the one whose permits
    /// come last.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped while it waits passes its permit to the next waiter. A call that is kept but not polled (a branch of a
    /// `select!` that lost) loses its permit after 100 ms to the next waiter that is polled, and is first in the queue again when it is
    /// polled. Lowering the rate rejects waiting calls whose new wait would exceed their `max_wait`, one after another from the front of
    /// the queue.
    ///
    /// # Panics
    ///
    /// A wait panics outside of a tokio runtime with timers. A `rate` with a count or a period of zero panics. A rate with a count or a period of zero, or a burst of zero, panics at the
    /// first call if it is not a literal.
    ///
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`RateLimiter`]: https://docs.rs/steadfast/latest/steadfast/struct.RateLimiter.html
    /// [`RateLimiter::and`]: https://docs.rs/steadfast/latest/steadfast/struct.RateLimiter.html#method.and
    /// [`RateLimiter::set_rate`]: https://docs.rs/steadfast/latest/steadfast/struct.RateLimiter.html#method.set_rate
    /// [`async_cached`]: https://docs.rs/steadfast/latest/steadfast/attr.async_cached.html
    /// [`concurrency_limit`]: https://docs.rs/steadfast/latest/steadfast/attr.concurrency_limit.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_rate_limited`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_rate_limited
    /// [`retry_after`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.retry_after
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    rate_limit

    /// Limits concurrent calls; excess calls wait in FIFO order or are rejected.
    ///
    /// ```
    /// use steadfast::concurrency_limit;
    ///
    /// // At most 8 at once; up to 100 calls wait, for up to a second.
    /// #[concurrency_limit(8, queue = 100, max_wait = 1s, handle = renderers)]
    /// async fn render(page: &str) -> std::io::Result<String> {
    ///     Ok(format!("<p>{page}</p>"))
    /// }
    ///
    /// // Excess calls return at once.
    /// #[concurrency_limit(1, max_wait = 0s, or_else = |_| "busy")]
    /// async fn rebuild() -> &'static str {
    ///     tokio::task::yield_now().await;
    ///     "done"
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// assert_eq!(render("hello").await?, "<p>hello</p>");
    /// assert_eq!(futures::future::join(rebuild(), rebuild()).await, ("done", "busy"));
    /// renderers().set_limit(16); // while the program runs
    /// # Ok(()) }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `n`, first and without a name | | the number of concurrent calls; or a [`ConcurrencyLimiter`] created elsewhere, a static or a field of `self` |
    /// | `max_wait = duration` | forever | how long a call may wait; `0s` rejects at once |
    /// | `queue = n` | unbounded | how many calls may wait; further calls are rejected at once |
    /// | `adaptive` | off | the limit falls while calls fail, and rises again up to `n` ([AIMD]) |
    /// | `key = expr` | none | one limit per key instead of one for all calls; a limit that is not a literal is then a [`Keyed`] that is created elsewhere |
    /// | `max_keys = n` | 65,536 | with `key`: how many keys have a limit at most; one in use is never forgotten |
    /// | `or_else = \|error\| value` | none | the value that a rejected call returns; required if the return type cannot represent the error and calls can be rejected: with a `max_wait`, a `queue`, or a limiter created elsewhere |
    /// | `handle = name` | none | adds a function next to this one that returns the `&'static` [`ConcurrencyLimiter`], or with `key` the [`Keyed`]; `handle = Self::name` in an `impl` |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// A limiter that is created elsewhere has its own limit and queue; `max_wait` and `or_else` are set here. The expression that names it
    /// is evaluated at each call and may depend on the arguments: `#[concurrency_limit(limiter_of(tenant))]`.
    ///
    /// A function has one limit for all of its callers, for all instances of a type, and for all instantiations of a generic function. The
    /// limit and `queue` are those of the first call, so naming an argument, `self`, or a type or const parameter in them is a compile
    /// error. The attribute does not see the type parameters of an `impl`, and a limit such as `Self::LIMIT` is that of the type that is
    /// called first. For one limit per instance, put a limiter in a field: `#[concurrency_limit(self.limit)]`.
    ///
    /// For an adaptive limit, every `Err` and `None` is a failure: return an outcome that should not lower the limit as an `Ok`. With
    /// `adaptive`, a return type that is a type parameter (`R`, `T::Out`) is a compile error, since the attribute cannot tell whether it is
    /// a `Result`.
    ///
    /// The permit is held while everything below the attribute runs, including the waits of a `retry` below it and calls to other limited
    /// functions: a limited function that calls itself can wait for itself.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | `queue`, `max_keys`, the limit if `queue` or `adaptive` or `handle` is set |
    /// | at each call, since it may name a limiter; a number applies from the first call on | the limit |
    /// | at each call | `max_wait`, `key` |
    /// | at each rejection | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_saturated`] holds, in the function's own error type.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped releases its permit, or leaves the queue.
    ///
    /// A waiting call may be admitted while it is not being polled: a branch of a `select!` that lost and is kept, a buffered stream that
    /// is not being read. If it does not use its permit within 100 ms, the next waiter that is polled gets it, and the call is first in the
    /// queue again once it is polled. If several waiters in a row are not polled, twice as many are offered the permit every 100 ms until
    /// one responds. A call that has started and is no longer polled keeps its permit, since it may be in the middle of its work: put a
    /// `timeout` above the limit, or poll the call in a task of its own.
    ///
    /// # Panics
    ///
    /// A panic of the body releases the permit; an adaptive limit ignores it. A wait panics in a tokio runtime whose timers are not
    /// enabled, and a wait with a `max_wait` panics outside of a runtime too. Outside of a runtime, the 100 ms above are not measured: an
    /// unused permit goes to the next call that arrives or is polled.
    ///
    /// [AIMD]: https://docs.rs/steadfast/latest/steadfast/struct.ConcurrencyLimiter.html#method.adaptive
    /// [`ConcurrencyLimiter`]: https://docs.rs/steadfast/latest/steadfast/struct.ConcurrencyLimiter.html
    /// [`Keyed`]: https://docs.rs/steadfast/latest/steadfast/struct.Keyed.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_saturated`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_saturated
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    concurrency_limit

    /// Rejects calls while the function keeps failing, and probes it again after a cooldown.
    ///
    /// ```
    /// use steadfast::circuit_breaker;
    /// # #[derive(Debug)] enum AppError { Down, NotFound, Policy(steadfast::Error) }
    /// # impl From<steadfast::Error> for AppError { fn from(e: steadfast::Error) -> Self { Self::Policy(e) } }
    /// # impl AppError { fn is_outage(&self) -> bool { matches!(self, Self::Down) } }
    ///
    /// #[circuit_breaker(failures = 3, open_for = 10s, when = AppError::is_outage, handle = breaker)]
    /// async fn stock(article: u64) -> Result<u64, AppError> {
    ///     if article == 0 { Err(AppError::Down) } else { Err(AppError::NotFound) }
    /// }
    ///
    /// // Opens when half of the last 100 calls failed or took two seconds, after at least 20 calls.
    /// #[circuit_breaker(
    ///     failure_rate = 0.5,
    ///     slow_call = 2s,
    ///     failure = |status| *status >= 500,
    ///     or_else = |_| 503,
    /// )]
    /// async fn status() -> u16 {
    ///     200
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// for article in [0, 1, 0, 0, 0] {
    ///     assert!(stock(article).await.is_err()); // 1 is `NotFound`: a success, resets the count
    /// }
    /// let Err(AppError::Policy(error)) = stock(1).await else { panic!() };
    /// assert!(error.is_circuit_open());
    /// assert_eq!(error.to_string(), "`stock` was rejected: circuit breaker is open; retry in 10s");
    /// assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(10)));
    ///
    /// breaker().reset();
    /// assert!(matches!(stock(1).await, Err(AppError::NotFound)));
    /// assert_eq!(status().await, 200);
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `failures = n` | 5 | consecutive failures that open the circuit |
    /// | `window = duration` | none | with `failures`: counts the failures within this time instead of consecutive ones |
    /// | `failure_rate = share` | none | the fraction of failed calls, above 0 and at most 1, that opens the circuit; an expression outside of that range panics at the first call |
    /// | `window = n` or `duration` | 100 | with `failure_rate`: the size of the sliding window, in calls or as a duration |
    /// | `min_calls = n` | 20 | with `failure_rate`: calls in the window before the circuit can open |
    /// | `open_for = duration` | `30s` | how long calls are rejected before a probe is admitted |
    /// | `open_for_max = duration` | none | doubles `open_for` with each failed probe, up to this |
    /// | `probes = n` | 1 | probes allowed concurrently while half-open, and successes needed to close |
    /// | `probe_timeout = duration` | `open_for` | a probe that takes longer counts as failed, and the circuit opens again; `0s` means no limit |
    /// | `slow_call = duration` | none | calls that take at least this long count as failures, whatever they return |
    /// | `slow_rate = share` | none | with `slow_call`: slow calls are no failures, but open the circuit when they are this fraction of the calls in the `window`, above 0 and at most 1, after `min_calls` |
    /// | `open_jitter = share` | 0 | lengthens each `open_for` by a random part of this fraction of it, 0 to 1, so that replicas do not probe at the same moment |
    /// | `key = expr` | none | one circuit per key instead of one for all calls |
    /// | `max_keys = n` | 65,536 | with `key`: how many keys have a circuit at most; see [`Keyed`] for which are forgotten |
    /// | `when = \|error\| bool` | every error | which errors are failures; the others show that the dependency responds, and count as successes |
    /// | `failure = \|outcome\| bool` | `Err`, `None` | which outcomes are failures, for any return type |
    /// | `ignore = \|error\| bool` | none | which errors count as nothing, neither failure nor success: a probe that ends so makes room for another one |
    /// | `or_else = \|error\| value` | none | the value that a rejected call returns; required if the return type cannot represent the error |
    /// | `handle = name` | none | adds a function next to this one that returns the `&'static` [`CircuitBreaker`], or with `key` the [`Keyed`]; `handle = Self::name` in an `impl` |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// Or `#[circuit_breaker(PAYMENTS)]`: a [`CircuitBreaker`] created elsewhere, a static or a field of `self`, with its own settings;
    /// `when`, `failure`, `ignore` and `or_else` may follow it. With `key`, it is a [`Keyed`]:
    ///
    /// ```
    /// use steadfast::{CircuitBreaker, Keyed, circuit_breaker};
    ///
    /// static HOSTS: Keyed<String, CircuitBreaker> = Keyed::new(|| CircuitBreaker::new().failures(1));
    ///
    /// #[circuit_breaker(HOSTS, key = host)]
    /// async fn fetch(host: &str) -> std::io::Result<u64> {
    ///     if host == "down" { Err(std::io::ErrorKind::ConnectionRefused.into()) } else { Ok(1) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// for _ in 0..2 {
    ///     assert!(fetch("down").await.is_err());
    /// }
    /// assert_eq!(fetch("up").await.unwrap(), 1);
    /// # }
    /// ```
    ///
    /// A function has one circuit, shared by all of its callers, all instances of a type, all implementors of a trait if it is applied to a
    /// default method, and all instantiations of a generic function. All options above `when` are evaluated once, at the first call, so
    /// naming an argument, `self`, or a type or const parameter in them is a compile error. In an `impl` with type parameters, a setting
    /// such as `failures = Self::FAILURES` is that of the type that is called first. For one circuit per instance, put a breaker in a
    /// field: `#[circuit_breaker(self.breaker)]`. Such an expression is evaluated at each call and may depend on the arguments:
    /// `#[circuit_breaker(breaker_of(host))]`.
    ///
    /// A `failure_rate` opens the circuit when it is reached: 10 failures in 20 calls, for `0.5`. A failed probe opens the circuit again at
    /// once, even if other probes have succeeded. So does a probe that takes longer than `probe_timeout`: it keeps running, but its result
    /// no longer counts. Set `probe_timeout` longer than a successful call may take, or the circuit never closes. It needs no timer: the
    /// next call or reader that looks at the circuit finds it open, as if a timer had fired.
    ///
    /// A return type that is a type parameter (`R`, `T::Out`) requires `failure`, since the attribute cannot tell whether it is a `Result`.
    ///
    /// A [`retry`] above waits while the circuit is open; one below is not reached.
    ///
    /// A time window is exact as long as it holds no more than 2,048 distinct times of calls; beyond that it is exact to a two-thousandth.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | `failures`, `window`, `failure_rate`, `min_calls`, `open_for`, `open_for_max`, `probes`, `probe_timeout`, `slow_call`, `slow_rate`, `open_jitter`, `max_keys` |
    /// | at each call | a breaker that is created elsewhere, `key` |
    /// | after each call that was admitted | `failure` |
    /// | after each of these that failed | `ignore`, `when` |
    /// | at each rejection | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_circuit_open`] holds, in the function's own error type. Its [`retry_after`] is the time for which the
    /// circuit stays open; while all probes are running, it is the time until the oldest of them counts as failed. It is absent if the
    /// circuit was [forced open], or if `probe_timeout` is zero and probes are running.
    ///
    /// # Cancel safety
    ///
    /// A dropped call counts as neither success nor failure, and a dropped probe frees its slot for the next call. A call that was admitted
    /// before the circuit opened does not close it when it succeeds later.
    ///
    /// # Panics
    ///
    /// A panic of the body propagates to the caller, and counts as a failure. A call that is dropped because another one panics counts as
    /// nothing.
    ///
    /// [`CircuitBreaker`]: https://docs.rs/steadfast/latest/steadfast/struct.CircuitBreaker.html
    /// [`Keyed`]: https://docs.rs/steadfast/latest/steadfast/struct.Keyed.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_circuit_open`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_circuit_open
    /// [`retry_after`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.retry_after
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [forced open]: https://docs.rs/steadfast/latest/steadfast/struct.CircuitBreaker.html#method.force_open
    circuit_breaker

    /// Runs an async cleanup after the function returns, fails, panics or is dropped.
    ///
    /// ```
    /// use steadfast::{Exit, finally};
    /// # use std::sync::Mutex;
    /// # static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
    /// # async fn unlock(name: String) { LOG.lock().unwrap().push(name); }
    /// # async fn note(job: u32, exit: Exit) { LOG.lock().unwrap().push(format!("{job}: {exit:?}")); }
    ///
    /// #[finally(unlock(format!("job {id}")))]
    /// async fn run(id: u32) -> Result<u32, String> {
    ///     if id == 0 { Err("no such job".to_owned()) } else { Ok(id) }
    /// }
    ///
    /// // A closure receives how the function ended.
    /// #[finally(|exit| note(id, exit))]
    /// async fn logged(id: u32) -> Option<u32> {
    ///     (id > 0).then_some(id)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert_eq!(run(1).await, Ok(1));
    /// assert_eq!(run(0).await, Err("no such job".to_owned()));
    /// logged(0).await;
    /// assert_eq!(*LOG.lock().unwrap(), ["job 1", "job 0", "0: Err"]);
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `expr`, first and without a name | | the cleanup: a future, or a closure that takes an [`Exit`] and returns one |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// The cleanup may name the arguments and `self`, and borrow them: it receives clones, made before the body runs (of what a `&str` or a
    /// `&[T]` refers to), which live until the cleanup has ended. Any other borrow is a compile error at that argument. The future must be
    /// `Send + 'static`, and return `()` or a `Result` whose error is `Display`.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each end | the cleanup |
    ///
    /// `Err` and `None` are [`Exit::Err`], a plain value is [`Exit::Ok`]. A closure that uses its `Exit` on a function that returns a type
    /// parameter (`R`, `T::Out`) is a compile error, since the attribute cannot tell whether that is a `Result`. Type parameters of a
    /// surrounding `impl` are unknown to the attribute: such a value counts as a plain one.
    ///
    /// # Errors
    ///
    /// The function's value or error is returned unchanged; an error or a panic of the cleanup goes to [`on_report`].
    ///
    /// # Cancel safety
    ///
    /// The cleanup runs once, on a separate task: neither a dropped caller nor a deadline above cuts it short. A call that returns or
    /// panics waits for it; a call that is dropped leaves it to the runtime, and [`drain`] waits for it. A call that was never polled, or
    /// that a layer above did not admit, has nothing to clean up.
    ///
    /// On the separate task, the caller's `tokio::task_local!` values are unset and its `tracing` span is not current: the cleanup takes
    /// what it needs from the arguments.
    ///
    /// Outside of a tokio runtime there is no task to run it on. A call that returns or panics awaits the cleanup in place, where dropping
    /// the caller cuts it short; a call that is dropped before that cannot run it. Both are reported to [`on_report`], as is a cleanup
    /// whose runtime has shut down.
    ///
    /// # Panics
    ///
    /// A panic of the function propagates to the caller when the cleanup has ended, also if a deadline above would not have waited that
    /// long.
    ///
    /// [`Exit::Err`]: https://docs.rs/steadfast/latest/steadfast/enum.Exit.html#variant.Err
    /// [`Exit::Ok`]: https://docs.rs/steadfast/latest/steadfast/enum.Exit.html#variant.Ok
    /// [`Exit`]: https://docs.rs/steadfast/latest/steadfast/enum.Exit.html
    /// [`drain`]: https://docs.rs/steadfast/latest/steadfast/fn.drain.html
    /// [`on_report`]: https://docs.rs/steadfast/latest/steadfast/fn.on_report.html
    finally

    /// Cancels a call through a [`CancellationToken`]: drops the body, awaits a cleanup and returns a cancellation error in the function's
    /// own error type.
    ///
    /// Use it for work that must end before its caller does: at a shutdown, or when the request it was for has gone.
    ///
    /// ```
    /// use steadfast::cancellable;
    /// use tokio_util::sync::CancellationToken;
    /// # use std::cell::RefCell;
    ///
    /// struct Upload {
    ///     parts: RefCell<Vec<u32>>,
    /// }
    ///
    /// impl Upload {
    ///     #[cancellable(token = shutdown, cleanup = self.abort())]
    ///     async fn send(&self, shutdown: &CancellationToken) -> Result<(), steadfast::Error> {
    ///         self.parts.borrow_mut().push(1);
    ///         std::future::pending().await // the next part
    ///     }
    ///
    ///     async fn abort(&self) {
    ///         self.parts.borrow_mut().clear();
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (upload, shutdown) = (Upload { parts: RefCell::default() }, CancellationToken::new());
    /// let (sent, ()) = tokio::join!(upload.send(&shutdown), async { shutdown.cancel() });
    /// assert!(sent.unwrap_err().is_cancelled());
    /// assert!(upload.parts.borrow().is_empty());
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `token = expr` | | a [`CancellationToken`], or what derefs to one, by value or by reference |
    /// | `cleanup = expr` | none | a future, awaited after the token has ended the call |
    /// | `or_else = \|error\| value` | none | the value that a cancelled call returns; required if the return type cannot represent the error |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// All of them may name the arguments and `self`. The cleanup is created and awaited by the caller, after the body and its locals have
    /// been dropped. It returns `()`, or a `Result` whose error is `Display`; that error goes into a [`Report`], since the caller receives
    /// the cancellation. An argument that the cleanup names, other than a shared reference, is borrowed by the body instead of moved.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | `token` |
    /// | at each cancellation | `cleanup`, `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # When the call ends
    ///
    /// If the token is already cancelled when the call is first polled, the body never starts; `cleanup` runs then too. A body that
    /// completes in the same poll in which the token is found cancelled has completed: its result is returned. After the cancellation,
    /// nothing below the attribute starts: no further attempt of a `retry`, no body that was waiting for a permit. A child token is
    /// cancelled with its parent, as usual.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_cancelled`] holds, in the function's own error type.
    ///
    /// # Panics
    ///
    /// A panic in `cleanup` propagates to the caller.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the body, as without the attribute, and does not run `cleanup`, which no caller is left to await. Use
    /// [`with_resource`] for what must be released then too. A call that is dropped while it awaits `cleanup` drops the cleanup. A
    /// `timeout` above bounds the cleanup as well.
    ///
    /// Code that blocks its thread is not interrupted: the token is checked where the body awaits. In blocking code, check
    /// `token.is_cancelled()`.
    ///
    /// [`CancellationToken`]: https://docs.rs/steadfast/latest/steadfast/struct.CancellationToken.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`Report`]: https://docs.rs/steadfast/latest/steadfast/struct.Report.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_cancelled`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_cancelled
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [`with_resource`]: https://docs.rs/steadfast/latest/steadfast/fn.with_resource.html
    cancellable

    /// Drops the future when the deadline passes, and returns the timeout as the function's own error type.
    ///
    /// ```
    /// use steadfast::timeout;
    /// # async fn connect(_: &str) -> std::io::Result<String> { Ok(String::new()) }
    ///
    /// #[timeout(500ms)]
    /// async fn greeting(host: &str) -> std::io::Result<String> {
    ///     connect(host).await
    /// }
    ///
    /// // If the return type cannot represent the error, `or_else` provides the value.
    /// #[timeout(2.5s, or_else = |_| 0)]
    /// async fn queue_length() -> usize {
    ///     std::future::pending().await
    /// }
    ///
    /// // Any expression of type `Duration` works; it may name the arguments.
    /// #[timeout(patience * 2)]
    /// async fn poke(patience: std::time::Duration) -> Option<()> {
    ///     std::future::pending().await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert_eq!(queue_length().await, 0);
    /// assert_eq!(poke(std::time::Duration::from_millis(5)).await, None);
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `duration`, first and without a name | | the time until the deadline |
    /// | `or_else = \|error\| value` | none | the value to return at the deadline; required if the return type cannot represent the error |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// In all attributes, a duration is a literal with a unit (`500ms`, `5s`, `2.5s`, `1h`, `1_000us`, `ns`, `min`, `d`), or any expression
    /// of type [`Duration`]. Such literals may be used anywhere in an expression: `if vip { 60s } else { 5s }`, `2 * 1s`. A suffix of Rust
    /// itself (`1u8`) keeps its meaning.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | the duration |
    /// | at each timeout | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call. Below a limit that lets calls wait, the duration is evaluated
    /// [after the wait].
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_timeout`] holds, in the function's own error type.
    ///
    /// # When the clock starts
    ///
    /// The body is polled before the clock is read: the time starts when the body first waits. A body that never waits costs no timer and
    /// cannot time out.
    ///
    /// # What it does not do
    ///
    /// A future can only be stopped where it awaits. Code that blocks its thread runs on past the deadline: move it to
    /// [`offload_blocking`].
    ///
    /// Timers are tokio's: they fire up to one millisecond late. The calls of a function share one timer per thread (at most 16, which
    /// further threads share), as long as their deadlines are in the order in which they started to wait; a duration shorter than that of
    /// calls already waiting takes a timer of its own, and an allocation for it.
    ///
    /// Code that runs within the deadline can ask how much time is [left].
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the body, as without the attribute. At the deadline, the body is dropped before `or_else` runs.
    ///
    /// # Panics
    ///
    /// If the body waits outside of a tokio runtime, or in one whose timers are not enabled.
    ///
    /// [`Duration`]: std::time::Duration
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_timeout`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_timeout
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [after the wait]: https://docs.rs/steadfast/latest/steadfast/guide/order/index.html#when-options-are-evaluated
    /// [left]: https://docs.rs/steadfast/latest/steadfast/fn.remaining.html
    timeout

    /// Retries the function while it fails, and returns the last outcome unchanged.
    ///
    /// ```
    /// use steadfast::retry;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// # #[derive(Debug)] enum AppError { Busy, NotFound }
    /// # impl AppError { fn is_transient(&self) -> bool { matches!(self, Self::Busy) } }
    /// static CALLS: AtomicU32 = AtomicU32::new(0);
    ///
    /// #[retry(attempts = 4, delay = 50ms, when = |error| error.is_transient())]
    /// async fn fetch(id: u64) -> Result<u64, AppError> {
    ///     match CALLS.fetch_add(1, Ordering::Relaxed) {
    ///         0 | 1 => Err(AppError::Busy),
    ///         _ => Ok(id),
    ///     }
    /// }
    ///
    /// // For a plain value, `failure` defines what a failure is.
    /// #[retry(failure = |status| *status >= 500, on_retry = |event| println!("{:?}", event.delay()))]
    /// async fn status() -> u16 {
    ///     200
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert_eq!(fetch(7).await.unwrap(), 7);
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 3);
    /// assert_eq!(status().await, 200);
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `attempts = n` | 3 | maximum number of attempts, including the first |
    /// | `delay = duration` | `100ms` | the wait before the second attempt; `0s` never touches a timer |
    /// | `delay = \|event\| duration` | | computes each wait from a [`RetryEvent`]: exact, unless `max_delay` or `jitter` is set as well |
    /// | `factor = n` | 2 | multiplies each further wait, at least 1; an expression below 1, or NaN, counts as 1 |
    /// | `max_delay = duration` | `30s` | maximum of the computed waits |
    /// | `jitter = full \| equal \| none` | `full` | spreads the waits: over all of `0..=wait`, over its upper half, or not at all |
    /// | `max_elapsed = duration` | none | no attempt starts later than this after the start of the first one, and no wait starts that would end later |
    /// | `when = \|error\| bool` | every error | which errors are retried; the argument is a reference |
    /// | `failure = \|outcome\| bool` | `Err`, `None` | which outcomes are failures, for any return type; the argument is a reference |
    /// | `retry_after = \|error\| Option<Duration>` | none | delay requested by the error; replaces the computed wait, neither jittered nor capped by `max_delay` |
    /// | `on_retry = \|event\| ..` | none | called with a [`RetryEvent`] before each wait; may be `async \|event\| ..` |
    /// | `gave_up = \|event\| ..` | none | called with a [`RetryEvent`] when an attempt has failed and no other follows; may be `async \|event\| ..` |
    /// | `budget = STATIC` | none | a [`RetryBudget`]; when it is exhausted, the error is returned at once |
    /// | `clone(arg, ..)` | none | by-value arguments that the body consumes: cloned for each attempt but the last |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// Durations are literals with a unit, or expressions; counts are expressions. All of them may name the arguments.
    ///
    /// `when` and `retry_after` receive the error of the return type. Downcast an error that can hold any other, such as `anyhow::Error` or
    /// `Box<dyn Error + Send + Sync>`:
    ///
    /// ```
    /// # use steadfast::{retry, timeout};
    /// fn is_timeout(error: &anyhow::Error) -> bool {
    ///     error.downcast_ref::<steadfast::Error>().is_some_and(steadfast::Error::is_timeout)
    /// }
    ///
    /// #[retry(when = is_timeout)]
    /// #[timeout(1s)]
    /// async fn fetch() -> anyhow::Result<u32> {
    ///     Ok(1)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() { assert_eq!(fetch().await.unwrap(), 1); }
    /// ```
    ///
    /// Waits grow exponentially, and saturate instead of overflowing. Full and equal jitter are those of Marc Brooker, "Exponential Backoff
    /// And Jitter", AWS Architecture Blog, 2015.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | `attempts`, `budget` |
    /// | after each attempt | `failure` |
    /// | after each attempt that failed | `when` |
    /// | after each that another may follow | `retry_after`, `max_elapsed` |
    /// | the same, if `retry_after` is not set or returns `None` | `delay`, `factor`, `max_delay` |
    /// | before each wait | `on_retry` |
    /// | after the last attempt, if it failed and `when` retries its error | `gave_up` |
    ///
    /// # Callbacks
    ///
    /// `gave_up` is called once, with the failure that the call returns, if the attempts are used up, the `budget` is exhausted, or the next
    /// wait would outlast `max_elapsed` or a deadline. It is not called for a success, for an error that `when` does not retry, nor for a call that
    /// is dropped or that a `timeout` above cuts short.
    ///
    /// An `async |event| ..` is awaited within the attributes above, before the wait or before the call returns: a `timeout` bounds it, and
    /// its panic is one of the call. It refreshes a token between attempts, for instance:
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicU32, Ordering};
    /// # use steadfast::retry;
    /// # struct Session(AtomicU32);
    /// # impl Session {
    /// #     async fn refresh(&self) { self.0.fetch_add(1, Ordering::Relaxed); }
    /// #     async fn get(&self, path: &str) -> Result<String, u16> {
    /// #         if self.0.load(Ordering::Relaxed) == 1 { Ok(path.to_owned()) } else { Err(401) }
    /// #     }
    /// # }
    /// #[retry(attempts = 2, delay = 0s, when = |status| *status == 401, on_retry = async |_| session.refresh().await)]
    /// async fn orders(session: &Session) -> Result<String, u16> {
    ///     session.get("/orders").await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let session = Session(AtomicU32::new(0));
    /// assert_eq!(orders(&session).await, Ok("/orders".to_owned()));
    /// # }
    /// ```
    ///
    /// Its future borrows what the attempt returned: that must be `Sync` if the call is to be `Send`.
    ///
    /// In the body, and in all callbacks, [`attempt`] returns the number of the attempt, and [`call_id`] an id that the attempts of a call have
    /// in common: an idempotency key.
    ///
    /// # Rejections and deadlines
    ///
    /// If the failure is a rejection by this crate that knows when to retry ([`Error::retry_after`]), the wait is at least that long. A
    /// rejection by an attribute below is recognized whatever it was converted to. A rejection by a function that the body calls is found
    /// in an error that is one, has one among its [sources], or is an `io::Error`, an `anyhow::Error` or a boxed error that holds one, also
    /// behind an `Arc`. Other errors need `retry_after`, and so does a type parameter, unless its bounds identify it: with
    /// `E: std::error::Error + 'static`, the rejection is found.
    ///
    /// Within a [`timeout`], on this function or in a caller, no wait starts that would outlast the deadline, and no attempt starts after
    /// it: the last failure is returned at once.
    ///
    /// # Arguments that the body consumes
    ///
    /// Each attempt borrows the arguments. Moving one out of the body is a compile error (E0382): list that argument in `clone(..)`. Above
    /// what runs the body elsewhere and so must own its arguments ([`offload_blocking`], `shield`, `batched`, an `async_cached` that computes
    /// in the background), all arguments are cloned automatically.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the running attempt, the wait or the async callback, and no further attempt starts.
    ///
    /// # Panics
    ///
    /// A panic of the body, or of a callback, is not retried: it propagates to the caller. A wait panics outside of a tokio runtime with timers.
    ///
    /// [`Error::retry_after`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.retry_after
    /// [`attempt`]: https://docs.rs/steadfast/latest/steadfast/fn.attempt.html
    /// [`call_id`]: https://docs.rs/steadfast/latest/steadfast/fn.call_id.html
    /// [`RetryBudget`]: https://docs.rs/steadfast/latest/steadfast/retry/struct.RetryBudget.html
    /// [`RetryEvent`]: https://docs.rs/steadfast/latest/steadfast/retry/struct.RetryEvent.html
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`timeout`]: https://docs.rs/steadfast/latest/steadfast/attr.timeout.html
    /// [sources]: std::error::Error::source
    retry

    /// Runs the function to completion even if its caller is dropped: for a write that must not stop halfway because a client hung up.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::shield;
    /// use tokio::time::{sleep, timeout};
    ///
    /// static BOOKED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    ///
    /// #[shield]
    /// async fn book(seats: u32) -> std::io::Result<u32> {
    ///     sleep(Duration::from_secs(2)).await; // the transaction
    ///     Ok(BOOKED.fetch_add(seats, std::sync::atomic::Ordering::Relaxed) + seats)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert!(timeout(Duration::from_secs(1), book(2)).await.is_err()); // the client hangs up
    /// steadfast::drain(Duration::from_secs(5)).await;
    /// assert_eq!(BOOKED.load(std::sync::atomic::Ordering::Relaxed), 2);
    /// # }
    /// ```
    ///
    /// The body, with the attributes below this one, runs on a separate task; those above stay with the caller: a `timeout` above bounds
    /// the caller's wait, one below bounds the work.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `tracker = expr` | none | a [`TaskTracker`] that tracks the work too; [`drain`] waits for it in any case |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | `tracker` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Arguments
    ///
    /// They move to another task, and so must be `Send + 'static`, as must the result. `&str` and `&[T]` are copied; any other borrow is a
    /// compile error at that argument. A method takes `self: Arc<Self>` (or `self`).
    ///
    /// Task-local state does not follow: in the body, `tokio::task_local!` values are unset, and the caller's `tracing` span is not
    /// current. Nor is the span of a `#[tracing::instrument]` below, which the caller enters; one above our attributes creates a span for
    /// the body, without a parent. Pass what the body needs as an argument:
    ///
    /// ```
    /// use tracing::Instrument;
    /// # tokio::task_local! { static TENANT: u32; }
    ///
    /// async fn save(row: u64) -> std::io::Result<u64> {
    ///     store(row, TENANT.get(), tracing::Span::current()).await
    /// }
    ///
    /// #[steadfast::shield]
    /// async fn store(row: u64, tenant: u32, span: tracing::Span) -> std::io::Result<u64> {
    ///     TENANT.scope(tenant, write(row).instrument(span)).await
    /// }
    /// # async fn write(row: u64) -> std::io::Result<u64> { Ok(row + u64::from(TENANT.get())) }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # assert_eq!(TENANT.scope(1, save(7)).await.unwrap(), 8);
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the body. If the caller has gone, an `Err` (by its `Display`, else by its `Debug`, if it has one) is reported once to
    /// [`on_report`], and so is a panic; an `Err` is not recognized if the return type is a type parameter (`R`, `T::Out`). Without a
    /// runtime, or if it shuts down before the body has ended, the call returns an [`Error`] for which [`is_shutdown`] holds, if the return
    /// type can represent it.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped before it was first polled never starts. Later, dropping it only drops the wait.
    ///
    /// # Panics
    ///
    /// A panic of the body resumes in the caller, if it is still there. A call without a runtime, or whose runtime shuts down, panics if
    /// the return type cannot represent the error.
    ///
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`TaskTracker`]: https://docs.rs/steadfast/latest/steadfast/struct.TaskTracker.html
    /// [`drain`]: https://docs.rs/steadfast/latest/steadfast/fn.drain.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_shutdown`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_shutdown
    /// [`on_report`]: https://docs.rs/steadfast/latest/steadfast/fn.on_report.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    shield

    /// Starts another attempt when the first is slow or fails, and returns the first success.
    ///
    /// ```
    /// use steadfast::hedge;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use std::time::Duration;
    ///
    /// static RUNS: AtomicU32 = AtomicU32::new(0);
    ///
    /// #[hedge(after = 50ms)]
    /// async fn replica(key: &str) -> Result<usize, std::io::Error> {
    ///     if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
    ///         std::future::pending::<()>().await; // the first hangs
    ///     }
    ///     Ok(key.len())
    /// }
    ///
    /// // After the 95th percentile of the function's own latencies; up to two more attempts.
    /// #[hedge(after = p95, max = 2)]
    /// async fn search(words: &str) -> Option<usize> {
    ///     Some(words.len())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> std::io::Result<()> {
    /// let started = tokio::time::Instant::now();
    /// assert_eq!(replica("key").await?, 3);
    /// assert_eq!(started.elapsed(), Duration::from_millis(50));
    /// assert_eq!(search("two words").await, Some(9));
    /// # Ok(()) }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `after = duration` or `p1` to `p99` | | when the next attempt starts: a duration, or a percentile of the function's own recent latencies. If an argument is named `p95`, the argument is used |
    /// | `max = n` | 1 | number of additional attempts, each `after` the previous one |
    /// | `key = expr` | none | with a percentile: one for each key, such as a host, instead of one for all calls |
    /// | `max_keys = n` | 65,536 | with `key`: how many keys have latencies at most, which take 2 KiB each; the least recently used are forgotten |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// The first success wins, and the other attempts are dropped before the call returns. An attempt that fails (`Err`, `None`) is
    /// followed by the next at once; when all have failed, the last failure is returned. A plain value is always a success. A return type
    /// that is a type parameter (`R`, `T::Out`) is a compile error, since the attribute cannot tell whether it is a `Result`; a type
    /// parameter of a surrounding `impl` is unknown to the attribute, and its value counts as a plain one.
    ///
    /// A percentile is taken over the last 256 successful calls, and recomputed every 16; with fewer than 20 samples, only a failure starts
    /// another attempt. The latency of a call is measured from its start, whichever attempt won. Each instantiation of a generic function,
    /// also in a generic `impl`, has its own percentile; with a `key`, those whose key is of the same type share it.
    ///
    /// Hedge only what may be done twice: reads, or idempotent writes. In the body, [`attempt`] returns the number of the attempt, and
    /// [`call_id`] an id that the attempts of a call have in common, by which a server recognizes a repeated write. The technique is that of Jeffrey Dean and Luiz André Barroso, "The
    /// Tail at Scale", Communications of the ACM, 2013.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | `max_keys` |
    /// | at each call | `after`, `max`, `key` |
    ///
    /// # Arguments
    ///
    /// Attempts run concurrently and borrow the arguments, so `&mut` is a compile error, as is a body that moves an argument out (E0382).
    /// Above attributes that run the body on another thread or task, which must own its arguments, they are cloned: [`offload_blocking`],
    /// [`shield`], an [`async_cached`] that is `detached` or refreshes in the background.
    ///
    /// # Cost
    ///
    /// The first attempt is part of the call's own future. Each further one is a heap allocation, made when it starts.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops all attempts. The attempts run in one task; an attempt that uses up that task's budget (tokio's cooperative
    /// scheduling) is polled last the next time, so that it delays neither the other attempts nor the start of the next one.
    ///
    /// # Panics
    ///
    /// A panic in any attempt propagates to the caller, and the other attempts are dropped. So does a panic in the destructor of an attempt
    /// that lost, instead of the winner's value, as with a local; the others are still dropped. A call that waits panics outside of a tokio
    /// runtime with timers.
    ///
    /// [`async_cached`]: https://docs.rs/steadfast/latest/steadfast/attr.async_cached.html
    /// [`attempt`]: https://docs.rs/steadfast/latest/steadfast/fn.attempt.html
    /// [`call_id`]: https://docs.rs/steadfast/latest/steadfast/fn.call_id.html
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`shield`]: https://docs.rs/steadfast/latest/steadfast/attr.shield.html
    hedge

    /// Batches calls: each caller passes one key and receives its result; the function receives all keys at once.
    ///
    /// For operations that are cheaper in bulk: a query with `WHERE id = ANY(..)`, a request that takes a list. Known as a `DataLoader`.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use std::sync::Arc;
    /// use steadfast::batched;
    ///
    /// # struct Db; impl Db {
    /// #     async fn names(&self, ids: &[u32]) -> HashMap<u32, String> {
    /// #         ids.iter().filter(|id| **id < 10).map(|id| (*id, format!("user {id} of {}", ids.len()))).collect()
    /// #     }
    /// # }
    /// /// Called as `load(db, id).await`, which returns an `Option<String>`.
    /// #[batched(share(db), max_batch_size = 50, delay = 2ms)]
    /// async fn load(db: Arc<Db>, ids: Vec<u32>) -> HashMap<u32, String> {
    ///     db.names(&ids).await // SELECT id, name FROM users WHERE id = ANY($1)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let db = Arc::new(Db);
    /// let calls = (load(db.clone(), 7), load(db.clone(), 9), load(db, 11));
    /// let (first, second, third) = tokio::join!(calls.0, calls.1, calls.2);
    /// assert_eq!(first.as_deref(), Some("user 7 of 3"));
    /// assert_eq!(second.as_deref(), Some("user 9 of 3"));
    /// assert_eq!(third, None);
    /// # }
    /// ```
    ///
    /// # The function
    ///
    /// It takes the keys of a batch, as an argument of type `Vec<Id>`, and returns their results. Callers see a function of one `Id`:
    ///
    /// | the function returns | callers receive | |
    /// | --- | --- | --- |
    /// | `Vec<T>` | `T` | one result per key, in the order of the keys |
    /// | `HashMap<Id, T>` | `Option<T>` | the results that exist; a missing key is `None`. `Id` must be `Clone + Eq + Hash`, and `T` must be `Clone` |
    /// | `Result<Vec<T>, E>` | `Result<T, E>` | an error goes to every caller of the batch, and must be `Clone` |
    /// | `Result<HashMap<Id, T>, E>` | `Result<Option<T>, E>` | |
    ///
    /// Aliases of these work too. Equal keys are not merged: the function receives one per caller, and a map answers all of them (put
    /// `#[async_cached]` or `#[coalesce]` above to pass each key once).
    ///
    /// Further arguments are shared, see `share`. Keys, results, shared arguments and the body must be `Send + 'static`: the body runs on a
    /// separate task. A method takes `self: Arc<Self>`, and shares it: `share(self)`.
    ///
    /// Attributes above this one apply to each caller, attributes below to a batch: a `timeout` above bounds a caller's wait, one below
    /// bounds the query. An `#[async_cached]` above must state how its key depends on a shared argument, as in `#[async_cached(skip(db))]`.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `max_batch_size = n` | 100 | a batch with this many callers starts at once; any integer type, and values below 1 count as 1 |
    /// | `delay = duration` | `5ms` | how long a batch waits for callers, from the first one; `0s` waits for those that are ready to run, and touches no timer |
    /// | `share(db, ..)` | none | arguments, each an `Arc`, that a batch has in common: callers that pass the same one (by pointer) join the same batch |
    /// | `or_else = \|error\| value` | none | the value that a caller of a failed batch returns |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// The size and delay of a batch are those of the caller that opens it. They may depend on shared arguments; naming the keys in them is
    /// a compile error.
    ///
    /// With `share(db)`, two callers with a different `db` are never in the same batch, even if one `db` has been dropped and the other
    /// allocated at its address: an open batch keeps its shared arguments alive. Nothing is kept once the batch has ended. The body
    /// receives the `Arc` of the caller that opened the batch.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call; those of the call that opens a batch apply | `max_batch_size`, `delay` |
    /// | for each caller of a batch that failed | `or_else` |
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_batch`] holds, in the function's own error type and for every caller of the batch, if the body panicked
    /// or returned another number of results than it received keys; also for the remaining callers if an error panics while it is cloned
    /// for them. The text of the panic goes into a [`Report`], once. An [`Error`] for which [`is_shutdown`] holds, if the runtime shut
    /// down.
    ///
    /// # Panics
    ///
    /// If there is such an error, the return type cannot represent it and there is no `or_else`: with its text, at each caller. With a
    /// `delay`, in a runtime whose timers are not enabled. If a caller has gone, a panic in the destructor of its key or result does not
    /// affect the other callers.
    ///
    /// # Cancel safety
    ///
    /// A caller that is dropped before the batch starts leaves it, and its key is dropped with the batch; a batch that has lost all of its
    /// callers does not run. A batch that has started runs to its end, whichever callers are left; [`drain`] waits for it.
    ///
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`Report`]: https://docs.rs/steadfast/latest/steadfast/struct.Report.html
    /// [`drain`]: https://docs.rs/steadfast/latest/steadfast/fn.drain.html
    /// [`is_batch`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_batch
    /// [`is_shutdown`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_shutdown
    batched

    /// Turns a blocking `fn` into an `async fn` that runs on a thread pool.
    ///
    /// ```
    /// use steadfast::{BlockingPool, offload_blocking};
    ///
    /// #[offload_blocking(limit = 4)] // at most four at once
    /// fn checksum(bytes: Vec<u8>) -> u64 {
    ///     bytes.iter().map(|&byte| u64::from(byte)).sum()
    /// }
    ///
    /// static DISK: BlockingPool = BlockingPool::new("disk", 2);
    ///
    /// #[offload_blocking(pool = DISK)]
    /// fn size(path: std::path::PathBuf) -> std::io::Result<u64> {
    ///     Ok(std::fs::metadata(path)?.len())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert_eq!(checksum(vec![1, 2, 3]).await, 6);
    /// assert!(size("no such file".into()).await.is_err());
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `limit = n` | none | how many bodies of this function run at once; excess calls wait in FIFO order |
    /// | `pool = rayon \| expr` | Tokio's | rayon's global pool, for computations (feature `rayon`); or your own [`BlockingPool`]. The default is Tokio's blocking pool, which suits blocking I/O |
    /// | `crate = path` | `::steadfast` | the path to `steadfast` |
    ///
    /// `limit` is any integer expression, evaluated once, at the first call. It applies to all callers of the function, all instances of a
    /// type, and all instantiations of a generic function, so naming an argument, `self`, or a type or const parameter in it is a compile
    /// error. (In an `impl` with type parameters, a limit such as `Self::LIMIT` is that of the type that is called first.) A body that has
    /// started keeps its permit until it ends, even if its caller has gone. `pool` is evaluated at each call and may depend on the
    /// arguments.
    ///
    /// Arguments are taken by value and must be `Send + 'static`, as must the result. A method takes `self: Arc<Self>` (or `self`).
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | `limit` |
    /// | at each call | `pool` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Errors
    ///
    /// If the runtime or the pool shuts down before the body has started, the call returns an [`Error`] for which [`is_shutdown`] holds, if
    /// the return type can represent it.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped before its body has started never runs it; its arguments are dropped at once, not when a thread becomes free.
    /// A body that has started cannot be stopped: it runs to its end on its thread, and its result is dropped there.
    ///
    /// A waiting call that is not polled when its permit becomes available loses it after 100 ms to the next waiter that is polled, as with
    /// [`concurrency_limit`].
    ///
    /// # Panics
    ///
    /// A panic of the body resumes in the caller, with its payload. A shutdown panics if the return type cannot represent the error.
    /// Outside of a tokio runtime, a call without a `pool` of its own panics, and so does one that waits for a permit in a runtime whose
    /// timers are not enabled. If no caller is waiting any more, a panic (of the body, or of the destructor of its result) goes to the
    /// panic hook and does not end the thread.
    ///
    /// # Paused clock
    ///
    /// Bodies run in real time. A paused clock (`tokio::time::pause`) waits for every job that runs or waits for a thread, on any pool: no
    /// timer fires in the meantime, so that a deadline above does not overtake the work. With a `pool`, this requires the crate's feature
    /// `test-util`. A body that itself waits for a timer would then wait forever.
    ///
    /// [`BlockingPool`]: https://docs.rs/steadfast/latest/steadfast/offload/struct.BlockingPool.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`concurrency_limit`]: https://docs.rs/steadfast/latest/steadfast/attr.concurrency_limit.html#cancel-safety
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_shutdown`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_shutdown
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    offload_blocking
}
