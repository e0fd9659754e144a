//! The attributes of `steadfast`.
//!
//! A small compiler. `parse` reads what an attribute is given, `item` the function it is applied to; each file of `attributes` checks its
//! own attribute and writes its layer of the expansion with the help of `codegen`; `stack` collects the layers of a function in written
//! order, and `expand` turns stack and function into tokens. It knows the names in `steadfast::__private` and nothing of what is behind
//! them.
//!
//! A new attribute is a file in `attributes` that implements `Layer`, with its name and its page in the list below, and a module of the
//! library that re-exports it and has in its `private` what the expansion calls (`steadfast::__private::name`). An attribute that can
//! reject a call writes the rejection with `Context::reject`, and makes room for it with `refusals!` in that `private`. Its shapes are a
//! line in `tests/shapes/support.rs`, its messages a folder in `tests/ui`.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

use self::codegen::layer::AttributeDef;

mod attributes;
mod codegen;
mod diagnostics;
mod expand;
mod item;
mod manifest;
mod parse;
#[cfg(test)]
mod snapshots;
mod stack;

/// The attributes: each is a file with a `parse` of its own.
///
/// Their documentation stands here, in comments, since this is where editors look for it; the library re-exports them without a word of its
/// own. Of the library these comments know nothing: they link to it by addresses.
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

attributes! {
    /// Reports a function that holds its thread for too long: that computes or blocks where it ought to await.
    ///
    /// While a future is being polled, nothing else runs on its thread: no other task, no timer, no connection. A poll takes
    /// microseconds; one of many milliseconds is a lock of the standard library that is waited for, a file that is read, a password that
    /// is hashed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::{on_report, warn_slow_poll};
    /// # use std::sync::{Arc, Mutex};
    ///
    /// #[warn_slow_poll(10ms)]
    /// async fn thumbnail(pixels: u32) -> u32 {
    ///     std::thread::sleep(Duration::from_millis(30)); // computes for long
    ///     pixels / 16
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let reports = Arc::new(Mutex::new(Vec::new()));
    /// # let hook = reports.clone();
    /// on_report(move |report| hook.lock().unwrap().push(report.to_string()));
    /// assert_eq!(thumbnail(160).await, 10);
    /// assert!(reports.lock().unwrap()[0].starts_with("`thumbnail` held its thread for "), "{reports:?}");
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `duration`, first and without a name | | a poll that takes this long, or longer, is reported |
    /// | `panic` | off | panics instead, for tests |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
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
    /// One [`Report`] of kind [`Blocked`] for each call, about the first poll that is too long, with
    /// the function's name and the time: to the hook of [`on_report`], by default on stderr. It goes out when that poll
    /// has ended, also by a panic; for a thread that is not given back at all there is the [`Watchdog`].
    ///
    /// What is watched is what is awaited below the attribute. The work of [`offload_blocking`], or of an
    /// [`async_cached`] that is `detached`, is done on other threads or by other tasks, and not watched.
    ///
    /// The time is that of the machine, not of tokio's paused clock: it is about the thread. A machine that is overloaded, and takes the
    /// thread away during a poll, lengthens that poll too.
    ///
    /// It costs two looks at the clock for each poll.
    ///
    /// # Errors
    ///
    /// None: the function returns what it returns.
    ///
    /// # Panics
    ///
    /// With `panic`: where a poll took too long, after that poll, with the text of the report. A poll that itself panics is reported as without
    /// `panic`, and its own panic goes on.
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

    /// Returns another value when the function, or an attribute below this one, has failed.
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
    /// // The closure gets the error; what it returns may be a success or a failure.
    /// #[fallback(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(String::new()) } else { Err(error) })]
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
    /// | `value` or `\|error\| value`, first and without a name | | what is returned instead: a `T` for a `Result<T, E>` or an `Option<T>`, or the whole `Result` or `Option` |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// The value may name the arguments, and may `.await`. The error of an `Option` is `()`.
    ///
    /// `Err` and `None` fail, refusals of the attributes below included. A return type that is neither cannot fail, and is an error.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each failure | the value |
    ///
    /// # Cancel safety
    ///
    /// Nothing is evaluated when the call is dropped.
    ///
    /// # Panics
    ///
    /// A panic is not replaced: it reaches the caller. A fallback that panics itself (`#[fallback(unreachable!())]`) replaces the failure by that.
    fallback

    /// Keeps what an async function returned, keyed by its arguments, and lets one caller compute while the others wait.
    ///
    /// ```
    /// use steadfast::async_cached;
    ///
    /// #[async_cached(ttl = 60s, handle = names)]
    /// async fn name(id: u64, locale: &str) -> std::io::Result<String> {
    ///     Ok(format!("user {id} in {locale}"))
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
    /// name(7, "eu").await?; // computes
    /// name(7, "eu").await?; // a hit: the body does not run, nothing is allocated for the look-up
    /// assert_eq!(names().stats().hits, 1);
    /// names().invalidate(&(7, "eu")); // keyed as the function is called
    /// assert!(!names().contains(&(7, "eu")));
    /// # Ok(()) }
    /// ```
    ///
    /// # The key
    ///
    /// All arguments, compared by `Eq`: each is `Hash + Eq + Clone + Send + Sync + 'static` in its owned form (`&str` is kept as `String`,
    /// `&[T]` as `Vec<T>`, `&T` as `T`). A method says what `self` is: `skip(self)`, a `key`, or a `cache` that is a field of `self`.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `handle = name` | none | makes `fn name() -> &'static Cache<K, V>` beside the function (`handle = Self::name` inside an `impl`; `handle = name: Cache<K, V>` where the types cannot be read off the signature) |
    /// | `capacity = n` | 10 000 | how many entries are kept at most, or their weight |
    /// | `unbounded` | | entries are kept until they expire or are invalidated |
    /// | `weight = \|key, value\| n` | 1 each | what an entry weighs, 1 at least; one that is heavier than the capacity is returned and not stored. A remembered failure weighs 1 |
    /// | `ttl = duration` | for ever | how long a value is fresh, from the moment when it is there; an expression may name the arguments |
    /// | `ttl = \|value\| duration` | | the same, from the value (a token that says when it expires) and the arguments |
    /// | `ttl_jitter = duration` | none | adds a random time to each ttl, from nothing to this; not to `error_ttl` and `none_ttl` |
    /// | `tti = duration` | for ever | how long a value stays that nobody asks for: each call asks, also one that computes and one that gets the value instead of an error |
    /// | `on_evict = \|key, value, cause\| ..` | none | told of each value that leaves, with the [`RemovalCause`] |
    /// | `key = expr` | all arguments | what the value depends on, as an owned value |
    /// | `skip(arg, ..)` | none | arguments on which the value does not depend; they need no bound |
    /// | `cache = expr` | its own | a [`Cache`] that may be shared: a `static`, or a field as in `cache = self.users`; see [below](#a-cache-that-is-named) |
    /// | `error_ttl = duration` | not stored | how long an `Err` is remembered (`E: Clone + Send + Sync + 'static`), where no value is there that may still be served |
    /// | `none_ttl = duration` | not stored | how long a `None` is remembered, also the `Ok(None)` of a `Result<Option<T>, E>`, which without this is a value like any other |
    /// | `stale_while_revalidate = duration` | none | how long after its ttl a value is returned at once, while one refresh runs in the background; after one that failed the next call starts another |
    /// | `stale_if_error = duration` | none | how long after its ttl a value is returned where computing it anew comes to an `Err`, whichever it is; it is not renewed |
    /// | `refresh_ahead = share` | none | after this share of the ttl (`0.8`), a hit starts one refresh in the background; 1 and NaN mean never, any other share that is not above 0 and below 1 panics where a value is computed |
    /// | `load_timeout = duration` | none | how long those who wait wait for one computation, before one of them begins another |
    /// | `refresh_if = bool` | `false` | where true, computes anew and stores under the same key. An argument that is used only there is not part of the key: neither the body names it, nor another option, nor an attribute below |
    /// | `tags = [text, ..]` | none | names for [`invalidate_tag`], from the arguments |
    /// | `detached` | | computes on a task of its own: a caller that gives up does not throw the computation away |
    /// | `single_flight = bool` | `true` | whether callers of one key wait for the one that computes |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// # Who computes
    ///
    /// The first caller of a cold key; all who come meanwhile wait for it, per key and never across keys. Its error goes to all of them if
    /// the error is `Clone + Send + Sync + 'static`; otherwise they try one after another. If the computing caller is dropped or panics, the
    /// next waiter computes. `invalidate`, `clear` and `insert` win over a computation that began before them: its value goes to those who
    /// already wait for it, and is not stored.
    ///
    /// Of several computations of one key (`single_flight = false`, `refresh_if`, `load_timeout`) the one that began last is stored, in whatever
    /// order they end. When the computing caller goes away, all who wait are woken, and the first that is polled goes on; where the computation
    /// was invalidated meanwhile, with a new one, which is stored. A computing caller that is kept and not polled holds up those who wait until
    /// `load_timeout`.
    ///
    /// # The newest answer
    ///
    /// A value that is computed anew takes the place of the one before, and so does a `None`: it is remembered for `none_ttl`, or the key has
    /// nothing. So does a value that is not stored (a ttl of zero, or too heavy): the one before is removed. An `Err` takes the place of
    /// nothing that may still be served: not after a refresh that failed, and not after a call that `refresh_if` forced, whose error is its own
    /// (or the old value, where `stale_if_error` is given).
    ///
    /// # A cache that is named
    ///
    /// With `cache = C`, what the function does not say is as the builder of `C` says it, `load_timeout` included; only the `ttl_jitter` of
    /// `C` belongs to the ttl of `C`, and a function with a ttl of its own says its own jitter. `stale_while_revalidate` and `refresh_ahead` of `C` hold
    /// for functions that compute in the background: `detached`, or with one of the two of their own. Another cannot, since its arguments are
    /// borrowed from its caller: it says so at its first miss, by [`on_report`], as [`ReportKind::Inert`].
    ///
    /// What several functions share, they share whole: a remembered error answers all functions with that error type, also one without
    /// `error_ttl`; a key has one entry, so that the remembered errors of two types take each other's place. Those who wait, and cannot read the
    /// error of another's computation, wait for one of their own.
    ///
    /// A generic function (also one in a generic `impl`) has a cache for each instantiation.
    ///
    /// # When options are evaluated
    ///
    /// | option | hit | miss | a call that waits | refresh behind a hit |
    /// | --- | --- | --- | --- | --- |
    /// | `cache`, `key`, `refresh_if`, `stale_while_revalidate` | once | once | once | once |
    /// | `tags` | | once | once | once, also by a hit while one is under way |
    /// | `ttl`, `ttl_jitter`, `tti`, `error_ttl`, `none_ttl`, `stale_if_error`, `refresh_ahead` | | once, before the body | once, when it comes | once, before the body |
    /// | `ttl = \|value\| ..`, the closure of `weight` | | once, when a value is there | | once, when a value is there |
    /// | `load_timeout` | | | once | |
    /// | `capacity`, `weight`, `on_evict` | at the first call of all | | | |
    ///
    /// All times are counted from the end of the computation. One that ends at a point in time (`ttl = until_midnight()`) is evaluated before the
    /// body, and too long by as much as that takes: write `ttl = |_| until_midnight()`. A value that comes by the handle
    /// ([`insert`], [`get_or_load`]) has the times of that moment too, but for those that name an argument: these are not
    /// known there, and it has none of them.
    ///
    /// # In the background
    ///
    /// `detached`, `stale_while_revalidate` and `refresh_ahead` compute on a task of their own, which outlives its caller: the arguments
    /// (also those that are skipped) and the result are `Send + 'static`. `&str` and `&[T]` are copied for it; another borrow is an error at that
    /// argument. A panic that no caller is left to see goes to [`on_report`]; [`drain`] waits for what is
    /// under way. A deadline above `async_cached` bounds the caller, and not that computation: one below it does.
    ///
    /// # Errors
    ///
    /// A function that calls itself with the key that it is computing would wait for itself: it gets an [`Error`] for which
    /// [`is_recursion`] holds, if its return type can carry one, and panics otherwise. What goes through a
    /// task of the user's own (`tokio::spawn`) or a [`WorkerPool`] is not seen, and waits: bound it with `load_timeout` or a `timeout`.
    ///
    /// # Cancel safety
    ///
    /// A caller that is dropped while it waits leaves the others alone; one that is dropped while it computes hands over to the next.
    ///
    /// # Panics
    ///
    /// A panic of the body is the computing caller's own.
    ///
    /// # Bounds
    ///
    /// The value (the `T` of a `Result<T, E>` or an `Option<T>`, else the whole return value) is `Clone + Send + Sync + 'static`: put
    /// what is expensive to clone into an `Arc`.
    ///
    /// Three things of yours run under a lock of the cache, and must not use it: `Eq` of the key, `Clone` of a value or of an error that is
    /// remembered or shared, and the closure of [`invalidate_if`]. Everything else (`Hash` and `Clone` of the key, all
    /// destructors, `ttl`, `weight`, `on_evict`) runs under none. A panic of any of them is that of the call in which it runs, and leaves the
    /// cache usable.
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

    /// Lets callers who ask for the same thing at the same time share one run of the body. Nothing is kept afterwards.
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
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (a, b) = tokio::join!(report(7), report(7));
    /// assert_eq!(a, b);
    /// assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    /// report(7).await;
    /// assert_eq!(RUNS.load(Ordering::Relaxed), 2); // nobody else was asking: it ran again
    /// # }
    /// ```
    ///
    /// The flights are those of [`async_cached`]: an error goes to all who wait if it is
    /// `Clone + Send + Sync + 'static`, else they try one after another; a caller that is dropped or panics hands over to the next. Over a
    /// function that changes something, those who wait share one change: this is for reads.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `key = expr` | all arguments | who shares, as an owned value |
    /// | `skip(arg, ..)` | none | arguments on which the result does not depend; they need no bound |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// A method says what `self` is: `skip(self)`, or a `key`.
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
    /// As with [`async_cached`]: a call that would wait for itself is refused.
    ///
    /// # Cancel safety
    ///
    /// A caller that is dropped leaves the others alone; if it was the one who computed, all who wait are woken, and the first that is polled
    /// begins anew: one that is kept and not polled holds nobody up. If the one who computes hangs, or is kept and not polled any more (a branch of
    /// a `select!` in a loop), the others wait for it without end: put a [`timeout`] above, which ends the wait of each
    /// caller, or use [`async_cached`] with a `load_timeout`, after which they go on without it. With a `shield` above, what
    /// was begun goes on without its caller, and is waited for.
    ///
    /// # Bounds
    ///
    /// The result (of a `Result` or an `Option`: its value) is `Clone + Send + Sync + 'static`, the parts of the key are
    /// `Hash + Eq + Clone + Send + Sync + 'static`.
    ///
    /// [`async_cached`]: https://docs.rs/steadfast/latest/steadfast/attr.async_cached.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [`timeout`]: https://docs.rs/steadfast/latest/steadfast/attr.timeout.html
    coalesce

    /// Lets so many calls of the function through in a time; the others wait, first come first served, or are refused.
    ///
    /// ```
    /// use steadfast::rate_limit;
    ///
    /// // 100 at once, then one every 10 ms; a call waits for its turn if that comes within half a second.
    /// #[rate_limit(100 / 1s, max_wait = 500ms, handle = quota)]
    /// async fn search(words: &str) -> std::io::Result<usize> {
    ///     Ok(words.len())
    /// }
    ///
    /// // 5 a minute for each user, no two at once.
    /// #[rate_limit(5 / 1min, burst = 1, key = user)]
    /// async fn reset_password(user: u64) -> Result<(), steadfast::Error> {
    ///     Ok(())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> std::io::Result<()> {
    /// assert_eq!(search("a").await?, 1);
    /// quota().set_rate(10, std::time::Duration::from_secs(1)); // while the program runs
    ///
    /// assert!(reset_password(1).await.is_ok());
    /// assert!(reset_password(2).await.is_ok());
    /// let refused = reset_password(1).await.unwrap_err();
    /// assert!(refused.is_rate_limited());
    /// assert_eq!(refused.retry_after(), Some(std::time::Duration::from_secs(12)));
    /// assert_eq!(refused.to_string(), "`reset_password` was not called: it is limited to 5 calls in 60s, and the next turn is in 12s");
    /// # Ok(()) }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `n / duration`, first and without a name | | so many calls in a time; or a [`RateLimiter`] that is made elsewhere, a static or a field of `self` |
    /// | `burst = n` | the count of the rate | how many are let through at once after a rest |
    /// | `max_wait = duration` | `0s` | how long a call waits for its turn; one whose turn comes later is refused at once |
    /// | `key = expr` | none | a limit for each key instead of one for all |
    /// | `or_else = \|error\| value` | none | what a refused call returns; required where the return type cannot carry the error |
    /// | `handle = name` | none | a function beside this one that returns the `&'static` [`RateLimiter`]; `handle = Self::name` in an `impl` |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// The calls are spread evenly, after the burst (the generic cell rate algorithm, ITU-T I.371): over any time `t` it is never more than
    /// `rate * t + burst`. A call takes its turn when it is let through, and does not give it back when it fails or is dropped.
    ///
    /// Timers fire up to a millisecond late. Calls that wait make up for that, so that the whole rate comes through, whether one call waits at a
    /// time or a hundred thousand: each is charged for the time at which its turn came, as long as the timer is not more than 100 ms late.
    /// Calls that come then may be so much closer together. Time in which nobody waits is worth a burst and no more.
    ///
    /// A limiter that is made elsewhere has its own rate and burst. It is named by an expression that is evaluated at each call and may depend on
    /// the arguments: `#[rate_limit(limiter_of(tenant))]`.
    ///
    /// A function has one limit (with `key`, one for each key) for all of its callers, for all instances of a type, and for all instantiations of
    /// a generic function. The rate and `burst` are read once, at the first call, so they cannot depend on an argument, on `self`, or on a type
    /// or const parameter: that is an error. In an `impl` with parameters of its own, a rate such as `Self::RATE / 1s` is that of the type that
    /// is called first. To have one limit for each instance, put a limiter into a field: `#[rate_limit(self.quota)]`.
    ///
    /// By default a call that finds no turn is refused at once, while [`concurrency_limit`] lets calls wait for
    /// as long as it takes.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | the rate, `burst` |
    /// | at each call | `max_wait`, `key`, a limiter that is made elsewhere |
    /// | at each refusal | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Keys
    ///
    /// A key is what it is in [`async_cached`]: `Hash + Eq + Clone + Send + Sync + 'static`, or a reference such as
    /// `&str`, of which a copy is made when the key is new. Several parts are a tuple. A key that is as good as new is forgotten; if more
    /// than 65,536 are not, those that come nearest are.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_rate_limited`] holds, in the function's own error type. Its
    /// [`retry_after`] is the time to the next turn that nobody waits for.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped while it waits gives its turn to the next in the line. One that is kept and not polled (a branch of a `select!`
    /// that lost) loses its turn 100 ms after it came to the next that is polled, and is the first in the line again when it is polled. A rate that
    /// is lowered meanwhile refuses those who will now have to wait for longer than they said, one after the other from the first on.
    ///
    /// # Panics
    ///
    /// A wait panics outside of a tokio runtime with timers. A rate of no calls, of no time or with no burst panics at the first call, where it is no
    /// literal.
    ///
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`RateLimiter`]: https://docs.rs/steadfast/latest/steadfast/struct.RateLimiter.html
    /// [`async_cached`]: https://docs.rs/steadfast/latest/steadfast/attr.async_cached.html
    /// [`concurrency_limit`]: https://docs.rs/steadfast/latest/steadfast/attr.concurrency_limit.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_rate_limited`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_rate_limited
    /// [`retry_after`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.retry_after
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    rate_limit

    /// Lets so many calls of the function run at once; the others wait, first come first served, or are refused.
    ///
    /// ```
    /// use steadfast::concurrency_limit;
    ///
    /// // At most 8 at once; no more than 100 wait, and none longer than a second.
    /// #[concurrency_limit(8, queue = 100, max_wait = 1s, handle = renderers)]
    /// async fn render(page: &str) -> std::io::Result<String> {
    ///     Ok(format!("<p>{page}</p>"))
    /// }
    ///
    /// // The others are told at once.
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
    /// | `n`, first and without a name | | how many calls run at once; or a [`ConcurrencyLimiter`] that is made elsewhere, a static or a field of `self` |
    /// | `max_wait = duration` | for ever | how long a call waits; `0s` refuses at once |
    /// | `queue = n` | any number | how many calls wait; the others are refused at once |
    /// | `adaptive` | off | the limit falls while calls fail, and rises again up to `n` ([AIMD]) |
    /// | `or_else = \|error\| value` | none | what a refused call returns; required where the return type cannot carry the error, and a call can be refused: with a `max_wait`, a `queue`, or a limiter that is made elsewhere |
    /// | `handle = name` | none | a function beside this one that returns the `&'static` [`ConcurrencyLimiter`]; `handle = Self::name` in an `impl` |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// A limiter that is made elsewhere has its own limit and queue; `max_wait` and `or_else` are said here. It is named by an expression that
    /// is evaluated at each call and may depend on the arguments: `#[concurrency_limit(limiter_of(tenant))]`.
    ///
    /// A function has one limit for all of its callers, for all instances of a type, and for all instantiations of a generic function. The
    /// limit and `queue` are those of the first call, so they cannot depend on an argument, on `self`, or on a type or const parameter: that is
    /// an error. In an `impl` with parameters of its own the attribute does not see these, and a limit such as `Self::LIMIT` is that of the type
    /// that is called first. To have one limit for each instance, put a limiter into a field: `#[concurrency_limit(self.limit)]`.
    ///
    /// To an adaptive limit each `Err` and `None` is a failure: return as an `Ok` what is none. With `adaptive`,
    /// a return type that is a type parameter (`R`, `T::Out`) is an error, since nothing there can tell whether it is a `Result`.
    ///
    /// A place is held while everything below the attribute runs, which includes the waits of a `retry` below it, and what a function
    /// calls that is limited itself: a limited function that calls itself can wait for itself.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | `queue`, the limit where `queue` or `adaptive` or `handle` is given |
    /// | at each call, since it may name a limiter; a number is that of the first | the limit |
    /// | at each call | `max_wait` |
    /// | at each refusal | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_saturated`] holds, in the function's own error type.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped gives back its permit, or its place in the line.
    ///
    /// A call that waits may be let in while nobody polls it: a branch of a `select!` that lost and is kept, a buffered stream that nobody
    /// reads. If it does not take up its permit within 100 ms, the next waiter that is polled gets it, and the call is first in the line again
    /// as soon as it is polled. Where several waiters in a row are not polled, twice as many are asked every 100 ms until one answers. A call that
    /// has started and is not polled any more keeps its permit, as it may be in the middle of its work: put a `timeout` above the limit, or
    /// poll the call in a task of its own.
    ///
    /// # Panics
    ///
    /// A panic of the body gives the permit back; an adaptive limit learns nothing from it. A wait panics in a tokio runtime whose timers are not
    /// enabled, and one with a `max_wait` also outside of a runtime. Outside of a runtime, nothing measures the 100 ms above: a permit that is
    /// not taken up goes to the next call that comes, or that is polled.
    ///
    /// [AIMD]: https://docs.rs/steadfast/latest/steadfast/struct.ConcurrencyLimiter.html#method.adaptive
    /// [`ConcurrencyLimiter`]: https://docs.rs/steadfast/latest/steadfast/struct.ConcurrencyLimiter.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_saturated`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_saturated
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    concurrency_limit

    /// Refuses calls at once while the function fails, and tries it again after a while.
    ///
    /// ```
    /// use steadfast::circuit_breaker;
    /// # #[derive(Debug)] enum AppError { Down, NotFound, Policy(steadfast::Error) }
    /// # impl From<steadfast::Error> for AppError { fn from(e: steadfast::Error) -> Self { Self::Policy(e) } }
    /// # impl AppError { fn is_outage(&self) -> bool { matches!(self, Self::Down) } }
    ///
    /// #[circuit_breaker(failures = 3, open_for = 10s, when = |error| error.is_outage(), handle = stock_breaker)]
    /// async fn stock(article: u64) -> Result<u64, AppError> {
    ///     if article == 0 { Err(AppError::Down) } else { Err(AppError::NotFound) }
    /// }
    ///
    /// // Opens when half of the last 100 calls took two seconds or failed, once there were 20.
    /// #[circuit_breaker(failure_rate = 0.5, slow_call = 2s, failure = |status| *status >= 500, or_else = |_| 503)]
    /// async fn status() -> u16 {
    ///     200
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// for article in [0, 1, 0, 0, 0] {
    ///     assert!(stock(article).await.is_err()); // 1 is answered, and that ends the row
    /// }
    /// let Err(AppError::Policy(error)) = stock(1).await else { panic!() };
    /// assert!(error.is_circuit_open());
    /// assert_eq!(error.to_string(), "`stock` was not called: its circuit is open for another 10s");
    /// assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(10)));
    ///
    /// stock_breaker().reset();
    /// assert!(matches!(stock(1).await, Err(AppError::NotFound)));
    /// assert_eq!(status().await, 200);
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `failures = n` | 5 | so many failures in a row open the circuit |
    /// | `window = duration` | none | with `failures`: not in a row, but within this time |
    /// | `failure_rate = share` | none | the share of calls, above 0 and at most 1, that opens the circuit when they fail; an expression that is none panics at the first call |
    /// | `window = n` or `duration` | 100 | with `failure_rate`: the calls that count are the last so many, or those of the last so long |
    /// | `min_calls = n` | 20 | with `failure_rate`: nothing opens before so many calls are in the window |
    /// | `open_for = duration` | `30s` | how long calls are refused before a probe is let through |
    /// | `open_for_max = duration` | none | lets `open_for` double with each probe that fails, up to this |
    /// | `probes = n` | 1 | so many probes run at once in half-open; when as many have succeeded, the circuit closes |
    /// | `probe_timeout = duration` | `open_for` | a probe that has not ended by then counts as failed, and the circuit opens again; `0s`: there is no limit |
    /// | `slow_call = duration` | none | a call that takes so long or longer is a failure, whatever it returns |
    /// | `when = \|error\| bool` | every error | which errors are failures; the others show that somebody answered, and count as successes |
    /// | `failure = \|outcome\| bool` | `Err`, `None` | what is a failure, for any return type |
    /// | `or_else = \|error\| value` | none | what a refused call returns; required where the return type cannot carry the error |
    /// | `handle = name` | none | a function beside this one that returns the `&'static` [`CircuitBreaker`]; `handle = Self::name` in an `impl` |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// Or `#[circuit_breaker(PAYMENTS)]`: a [`CircuitBreaker`] that is made elsewhere, a static or a field of `self`, with its own settings;
    /// `when`, `failure` and `or_else` may follow it.
    ///
    /// A function has one circuit: all its callers share it, all instances of a type, all implementors of a trait whose default method it stands
    /// on, and all instantiations of a generic function. All options above `when` are read once, at the first call, so they cannot depend on an
    /// argument, on `self`, or on a type or const parameter: that is an error. In an `impl` with parameters of its own, a setting such as
    /// `failures = Self::FAILURES` is that of the type that is called first. To have one circuit for each instance, put a breaker into a field:
    /// `#[circuit_breaker(self.breaker)]`. Such an expression is evaluated at each call and may depend on the arguments:
    /// `#[circuit_breaker(breaker_of(host))]`.
    ///
    /// A share opens the circuit when it is reached: 10 failures of 20 calls, for `0.5`. A probe that fails opens it again at once, also where
    /// other probes have succeeded. So does a probe that takes longer than `probe_timeout`: it runs on, but what it returns then counts as
    /// nothing. Set that longer than a call which succeeds may take, or the circuit never closes. No timer is needed for it: whoever looks at
    /// the circuit next finds it as open as if one had fired.
    ///
    /// A return type that is a type parameter (`R`, `T::Out`) needs `failure`, since nothing there can tell whether it is a `Result`.
    ///
    /// A [`retry`] above waits for as long as the circuit is open; below, it is not reached.
    ///
    /// A window of time is exact as long as it holds no more than 2,048 moments with calls; beyond that it is exact to a two-thousandth.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | once, at the first call | `failures`, `window`, `failure_rate`, `min_calls`, `open_for`, `open_for_max`, `probes`, `probe_timeout`, `slow_call` |
    /// | at each call | a breaker that is made elsewhere |
    /// | after each call that was let through | `failure` |
    /// | after each of these that failed | `when` |
    /// | at each refusal | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_circuit_open`] holds, in the function's own error type. Its
    /// [`retry_after`] is the time for which the circuit stays open; while as many probes are under way as may be, the
    /// time until the oldest of them counts as failed, since by then it is decided. It has none where the circuit was
    /// [forced open], or where `probe_timeout` is zero and probes are under way.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped counts as neither success nor failure, and a probe that is dropped gives its place to the next call. A call
    /// that was let through before the circuit opened does not close it when it succeeds later.
    ///
    /// # Panics
    ///
    /// A panic of the body goes on to the caller, and counts as a failure. A call that is dropped by the panic of another counts as nothing.
    ///
    /// [`CircuitBreaker`]: https://docs.rs/steadfast/latest/steadfast/struct.CircuitBreaker.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_circuit_open`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_circuit_open
    /// [`retry_after`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.retry_after
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [forced open]: https://docs.rs/steadfast/latest/steadfast/struct.CircuitBreaker.html#method.force_open
    circuit_breaker

    /// Awaits a cleanup after the function, however it ended: with a value, with an error, by a panic, or by being dropped.
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
    /// // A closure is told how the function ended.
    /// #[finally(|exit| note(id, exit))]
    /// async fn told(id: u32) -> Option<u32> {
    ///     (id > 0).then_some(id)
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert_eq!(run(1).await, Ok(1));
    /// assert_eq!(run(0).await, Err("no such job".to_owned()));
    /// told(0).await;
    /// assert_eq!(*LOG.lock().unwrap(), ["job 1", "job 0", "0: Err"]);
    /// # }
    /// ```
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `expr`, first and without a name | | the cleanup: a future, or a closure of an [`Exit`] that returns one |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// The cleanup may name the arguments and `self`, and borrow them: it has clones of those, made when the call begins (of what a `&str` or a `&[T]`
    /// refers to), which live until it has ended; another borrow is an error at that argument. The future is `Send + 'static`, and yields `()` or
    /// a `Result` whose error is `Display`.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each end | the cleanup |
    ///
    /// `Err` and `None` are [`Exit::Err`], a plain value is [`Exit::Ok`]. A closure that looks at its `Exit` on a function
    /// that returns a type parameter (`R`, `T::Out`) is an error, since nothing there can tell whether that is a `Result`. Parameters of an `impl`
    /// around the function are unknown to the attribute: such a value is a plain one.
    ///
    /// # Errors
    ///
    /// The function's value or error is returned as it is; an error or a panic of the cleanup is told to [`on_report`].
    ///
    /// # Cancel safety
    ///
    /// The cleanup runs once, on a task of its own: neither a caller that goes away nor a deadline above cuts it short. A call that returns or
    /// panics waits for it; one that is dropped leaves it to the runtime, and [`drain`] waits for it. A call that was never polled,
    /// or that a layer above has not let through, has nothing to clean up.
    ///
    /// Since it is another task, the caller's `tokio::task_local!` values and current `tracing` span are not there in the cleanup: it takes what
    /// it needs from the arguments.
    ///
    /// Outside of a tokio runtime there is no task to run it on. A call that returns or panics awaits it in place, and a caller that goes away
    /// then cuts it short; a call that is dropped before that cannot run it. Both are told to [`on_report`], as is a cleanup
    /// whose runtime has shut down.
    ///
    /// # Panics
    ///
    /// A panic of the function reaches the caller when the cleanup has ended, also where a deadline above would not have waited for that.
    ///
    /// [`Exit::Err`]: https://docs.rs/steadfast/latest/steadfast/enum.Exit.html#variant.Err
    /// [`Exit::Ok`]: https://docs.rs/steadfast/latest/steadfast/enum.Exit.html#variant.Ok
    /// [`Exit`]: https://docs.rs/steadfast/latest/steadfast/enum.Exit.html
    /// [`drain`]: https://docs.rs/steadfast/latest/steadfast/fn.drain.html
    /// [`on_report`]: https://docs.rs/steadfast/latest/steadfast/fn.on_report.html
    finally

    /// Ends a call when a [`CancellationToken`] is cancelled: drops the body, awaits a cleanup, and returns the cancellation as the function's
    /// own error.
    ///
    /// For what is to end before its caller does: at a shutdown, or when the request has gone that the work was for.
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
    /// | `cleanup = expr` | none | a future, awaited where the token ended the call |
    /// | `or_else = \|error\| value` | none | what to return then; required where the return type cannot carry the error |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// All of them may name the arguments and `self`. The cleanup is made and awaited by the caller, after the body and its locals have been
    /// dropped. It ends with `()`, or with a `Result` whose error is `Display` and goes into a [`Report`], since the caller is
    /// told of the cancellation. An argument that it names, and that is not a shared reference, is borrowed by the body instead of moved.
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
    /// # When it ends
    ///
    /// Where the token is cancelled already when the call is first polled, the body never starts; `cleanup` runs then too. A body that
    /// completes in the very poll in which the token is found cancelled has completed: its result is returned. Nothing that stands below
    /// begins after the token was cancelled: no other attempt of a `retry`, no body that waited for its turn. A child token is cancelled with
    /// its parent, as everywhere.
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_cancelled`] holds, in the function's own error type.
    ///
    /// # Panics
    ///
    /// It does not; a panic of `cleanup` reaches the caller.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the body, as without the attribute, and does not run `cleanup`: nobody is there to await it. What must be
    /// released then too belongs in [`with_resource`]. A call that is dropped while it awaits `cleanup` drops that.
    /// A `timeout` above limits the cleanup as well.
    ///
    /// Code that blocks its thread is not interrupted: the token is looked at where the body waits. In blocking code, look at
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

    /// Drops the function's future at a deadline and returns the timeout as the function's own error.
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
    /// // Where the return type cannot carry an error, `or_else` says what to return.
    /// #[timeout(2.5s, or_else = |_| 0)]
    /// async fn queue_length() -> usize {
    ///     std::future::pending().await
    /// }
    ///
    /// // Any expression of type `Duration` will do; it may name the arguments.
    /// #[timeout(patience * 2)]
    /// async fn poke(patience: std::time::Duration) -> Option<()> {
    ///     std::future::pending().await
    /// }
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
    /// | `or_else = \|error\| value` | none | what to return at the deadline; required where the return type cannot carry the error |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// A duration, here and in all attributes, is a literal with a unit (`500ms`, `5s`, `2.5s`, `1h`, `1_000us`, `ns`, `min`, `d`), or any
    /// expression of type [`Duration`]. In an expression such literals may stand anywhere: `if vip { 60s } else { 5s }`, `2 * 1s`. A suffix that
    /// Rust has itself (`1u8`) keeps its meaning.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | the duration |
    /// | at each timeout | `or_else` |
    ///
    /// Below a [`retry`] or a [`hedge`], each attempt is a call. Below a limit that lets calls wait, the
    /// duration is evaluated [before the wait].
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_timeout`] holds, in the function's own error type.
    ///
    /// # What it does not do
    ///
    /// A future is stopped only where it awaits. Code that blocks its thread runs on past the deadline: put it behind
    /// [`offload_blocking`]. The body is polled before the clock is looked at: the time starts to run when the
    /// body first waits, and a body that never waits costs no timer and cannot time out. Timers are tokio's: they fire up to one
    /// millisecond late. The calls of a function share one for each thread that they run on (16 at most, which further threads share too), as
    /// long as their deadlines come in the order in which they began to wait; a shorter duration than that of calls which wait already takes a
    /// timer of its own, and an allocation for it.
    ///
    /// Whatever runs within the deadline can ask how much time is [left].
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the body, as without the attribute. At the deadline the body is dropped before `or_else` runs.
    ///
    /// # Panics
    ///
    /// Where the body waits outside of a tokio runtime, or in one whose timers are not enabled.
    ///
    /// [`Duration`]: std::time::Duration
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_timeout`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_timeout
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    /// [before the wait]: https://docs.rs/steadfast/latest/steadfast/guide/order/index.html#when-options-are-evaluated
    /// [left]: https://docs.rs/steadfast/latest/steadfast/fn.remaining.html
    timeout

    /// Runs the function's body again while it fails; the last outcome is returned unchanged.
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
    /// // A plain value says itself what counts as failed.
    /// #[retry(failure = |status| *status >= 500, on_retry = |event| println!("again in {:?}", event.delay()))]
    /// async fn status() -> u16 {
    ///     200
    /// }
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
    /// | `attempts = n` | 3 | how often the body runs at most, the first time included |
    /// | `delay = duration` | `100ms` | the wait before the second attempt; `0s` never touches a timer |
    /// | `factor = n` | 2 | what each further wait is multiplied by: 1 or more; an expression that is less, or NaN, counts as 1 |
    /// | `max_delay = duration` | `30s` | no computed wait is longer |
    /// | `jitter = full \| equal \| none` | `full` | spreads the waits: over all of `0..=wait`, over its upper half, not at all |
    /// | `max_elapsed = duration` | none | no attempt starts later than this after the call began; a wait that could not end in time is not begun |
    /// | `when = \|error\| bool` | every error | which errors are worth another attempt; the argument is a reference |
    /// | `failure = \|outcome\| bool` | `Err`, `None` | what counts as failed, for any return type; the argument is a reference |
    /// | `retry_after = \|error\| Option<Duration>` | none | a wait that the error asks for, instead of the computed one: neither jittered nor capped by `max_delay` |
    /// | `on_retry = \|event\| ..` | none | called with a [`RetryEvent`] before each wait |
    /// | `budget = STATIC` | none | a [`RetryBudget`]: where it is empty, the error is returned at once |
    /// | `clone(arg, ..)` | none | by-value arguments that the body consumes: cloned for each attempt but the last |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// Durations are literals with a unit or expressions; counts are expressions. All of them may name the arguments.
    ///
    /// `when` and `retry_after` get the error as it is in the return type. One that holds any other, as `anyhow::Error` and
    /// `Box<dyn Error + Send + Sync>` do, is asked for the one that is meant:
    ///
    /// ```
    /// # use steadfast::{retry, timeout};
    /// #[retry(when = |error| error.downcast_ref::<steadfast::Error>().is_some_and(steadfast::Error::is_timeout))]
    /// #[timeout(1s)]
    /// async fn fetch() -> anyhow::Result<u32> {
    ///     Ok(1)
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() { assert_eq!(fetch().await.unwrap(), 1); }
    /// ```
    ///
    /// The waits grow exponentially and saturate instead of overflowing. Full and equal jitter are those of Marc Brooker, "Exponential
    /// Backoff And Jitter", AWS Architecture Blog, 2015.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | `attempts`, `budget` |
    /// | after each attempt | `failure` |
    /// | after each attempt that failed | `when` |
    /// | after each that another may follow | `retry_after`, `max_elapsed` |
    /// | the same, where `retry_after` is not there or returns `None` | `delay`, `factor`, `max_delay` |
    /// | before each wait | `on_retry` |
    ///
    /// # Refusals and deadlines
    ///
    /// Where the failure is a refusal of this crate's own that knows when to come again ([`Error::retry_after`]),
    /// the wait is at least that long. A refusal of an attribute below is known as such whatever it was converted to; that of a function that
    /// the body calls is found in an error that is one, or has one among its [sources], or is an `io::Error`, an
    /// `anyhow::Error` or a boxed error that holds one, also behind an `Arc`. Other errors need `retry_after`. So does an error that is a type
    /// parameter, unless its bounds say that it is one of those: of `E: std::error::Error + 'static` it is found.
    ///
    /// Within a [`timeout`], here or in a caller, no wait is begun that would not end before the deadline, and no attempt
    /// after it: the last failure is returned instead, at once.
    ///
    /// # Arguments that the body consumes
    ///
    /// Each attempt borrows the arguments. A body that moves one out is rustc's own error E0382; name that argument in `clone(..)`. Above
    /// [`offload_blocking`], whose job must own its arguments, they are cloned without being named.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the running attempt or the wait, and no further attempt starts.
    ///
    /// # Panics
    ///
    /// A panic of the body is not retried: it reaches the caller. A wait panics outside of a tokio runtime with timers.
    ///
    /// [`Error::retry_after`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.retry_after
    /// [`RetryBudget`]: https://docs.rs/steadfast/latest/steadfast/retry/struct.RetryBudget.html
    /// [`RetryEvent`]: https://docs.rs/steadfast/latest/steadfast/retry/struct.RetryEvent.html
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`timeout`]: https://docs.rs/steadfast/latest/steadfast/attr.timeout.html
    /// [sources]: std::error::Error::source
    retry

    /// Lets the function finish once it has started, also if its caller is dropped: a write that must not stop half-way because a client hung
    /// up.
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
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// assert!(timeout(Duration::from_secs(1), book(2)).await.is_err()); // the client hangs up
    /// steadfast::drain(Duration::from_secs(5)).await;
    /// assert_eq!(BOOKED.load(std::sync::atomic::Ordering::Relaxed), 2);
    /// # }
    /// ```
    ///
    /// The body, with the attributes below this one, runs on a task of its own; those above stay with the caller: a `timeout` above bounds how
    /// long the caller waits, one below bounds the work.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `tracker = expr` | none | a [`TaskTracker`] that counts the work too; [`drain`] waits for it in any case |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
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
    /// They go to another task, and so are `Send + 'static`, as is the result. `&str` and `&[T]` are copied; another borrow is an error at that
    /// argument. A method takes `self: Arc<Self>` (or `self`).
    ///
    /// What belongs to the caller's task does not follow: in the body, `tokio::task_local!` values are unset, and the caller's `tracing` span
    /// is not current. Nor is that of a `#[tracing::instrument]` below, which the caller enters; one that stands above our attributes makes a
    /// span of the body's own, without a parent. Pass what the body needs as an argument:
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
    /// Those of the body. Where the caller has gone, an `Err` (by its `Display`, else by its `Debug`, if it has one) is told once to
    /// [`on_report`], and so is a panic; not where the return type is a type parameter (`R`, `T::Out`), in which nothing can see an
    /// `Err`. Where the runtime shuts down before the body has ended, the return type carries an
    /// [`Error`] for which [`is_shutdown`] holds, if it can.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped before it was first polled never starts. Later, dropping it drops nothing but the wait.
    ///
    /// # Panics
    ///
    /// A panic of the body is resumed in the caller, if it is still there. Without a runtime, and where the return type carries no error, a
    /// call panics.
    ///
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`TaskTracker`]: https://docs.rs/steadfast/latest/steadfast/struct.TaskTracker.html
    /// [`drain`]: https://docs.rs/steadfast/latest/steadfast/fn.drain.html
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_shutdown`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_shutdown
    /// [`on_report`]: https://docs.rs/steadfast/latest/steadfast/fn.on_report.html
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    shield

    /// Starts a second attempt when the first takes long or fails, and returns what succeeds first.
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
    /// // After the time within which 95 % of the function's last calls were done; up to two more attempts.
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
    /// | `after = duration` or `p1` to `p99` | | when the next attempt starts: a time, or a percentile of how long the function's own last calls took. Where an argument is called `p95`, it is the argument that is meant |
    /// | `max = n` | 1 | so many attempts besides the first, each `after` the one before it |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// The first success wins, and the others are dropped before the call returns. An attempt that fails (`Err`, `None`) is followed by the
    /// next at once; when all have failed, the failure that came last is returned. A plain value is always a success.
    /// A return type that is a type parameter (`R`, `T::Out`) is an error, since nothing there can tell whether it is a `Result`; a parameter of
    /// an `impl` around the function is unknown to the attribute, and its value a plain one.
    ///
    /// A percentile is that of the last 256 calls that succeeded, computed anew every 16; while there were less than 20, only a failure starts
    /// another attempt. A call counts as long as it took from its beginning, whichever attempt won. Each instantiation of a generic function, also of one
    /// in a generic `impl`, has a percentile of its own.
    ///
    /// Hedging is for what may be done twice: reads, or writes that are idempotent. It is that of Jeffrey Dean and Luiz André Barroso, "The
    /// Tail at Scale", Communications of the ACM, 2013.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call | `after`, `max` |
    ///
    /// # Arguments
    ///
    /// The attempts run side by side and borrow the arguments: nothing may change them, so `&mut` is refused; a body that moves one out is
    /// rustc's own error. Above what runs on another thread or task, and must own its arguments, they are cloned:
    /// [`offload_blocking`], [`shield`], an [`async_cached`] that is `detached`
    /// or refreshes in the background.
    ///
    /// # Cost
    ///
    /// The first attempt is a part of the call's own future. A second one is a heap allocation of its own, when it starts.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops all attempts. The attempts run in one task, and whichever uses up that task's budget (tokio's cooperative
    /// scheduling) is polled last the next time, so that it keeps neither the others nor the time of the next attempt away.
    ///
    /// # Panics
    ///
    /// A panic in any attempt goes on to the caller, and the others are dropped. So does a panic in the destructor of an attempt that lost, in the
    /// place of the winner's value, as a panic in the destructor of a local does; the others are dropped nevertheless. A call that waits panics outside of a tokio runtime with timers.
    ///
    /// [`async_cached`]: https://docs.rs/steadfast/latest/steadfast/attr.async_cached.html
    /// [`offload_blocking`]: https://docs.rs/steadfast/latest/steadfast/attr.offload_blocking.html
    /// [`shield`]: https://docs.rs/steadfast/latest/steadfast/attr.shield.html
    hedge

    /// Serves many calls by one: callers pass a key each and get the answer to it, and the function gets the keys of all of them.
    ///
    /// For what is cheaper by the dozen: a query with `WHERE id = ANY(..)`, a request that takes a list. Known as a `DataLoader`.
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
    /// /// Called as `load(db, id).await`, with an `Option<String>` as the answer.
    /// #[batched(share(db), max_batch_size = 50, delay = 2ms)]
    /// async fn load(db: Arc<Db>, ids: Vec<u32>) -> HashMap<u32, String> {
    ///     db.names(&ids).await // SELECT id, name FROM users WHERE id = ANY($1)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let db = Arc::new(Db);
    /// let (first, second, third) = tokio::join!(load(db.clone(), 7), load(db.clone(), 9), load(db, 11));
    /// assert_eq!(first.as_deref(), Some("user 7 of 3"));
    /// assert_eq!(second.as_deref(), Some("user 9 of 3"));
    /// assert_eq!(third, None);
    /// # }
    /// ```
    ///
    /// # The function
    ///
    /// It takes the keys of a batch, as an argument of type `Vec<Id>`, and returns their answers. What its callers see is a function of an `Id`:
    ///
    /// | the function returns | callers get | |
    /// | --- | --- | --- |
    /// | `Vec<T>` | `T` | one answer for each key, in the order of the keys |
    /// | `HashMap<Id, T>` | `Option<T>` | those that there are, in any order; a key that is missing is `None`. `Id` is `Clone + Eq + Hash`, and `T` is `Clone` |
    /// | `Result<Vec<T>, E>` | `Result<T, E>` | an error goes to every caller of the batch, and is `Clone` |
    /// | `Result<HashMap<Id, T>, E>` | `Result<Option<T>, E>` | |
    ///
    /// Aliases of these work too. Keys that are equal are not made one: the function is asked for them as often as there are callers, and a map
    /// answers all of them (put `#[async_cached]` or `#[coalesce]` above to ask once).
    ///
    /// Further arguments are shared, see `share`. Keys, answers, what is shared and the body are `Send + 'static`: the body runs on a task of
    /// its own. A method takes `self: Arc<Self>`, and shares it: `share(self)`.
    ///
    /// Attributes above it work for each caller, attributes below it for a batch: a `timeout` above limits how long a caller waits, one below
    /// limits the query. An `#[async_cached]` above says what a shared argument is to its key, as in `#[async_cached(skip(db))]`.
    ///
    /// # Options
    ///
    /// | option | default | meaning |
    /// | --- | --- | --- |
    /// | `max_batch_size = n` | 100 | a batch with so many callers does not wait for more; any integer type, below 1 is 1 |
    /// | `delay = duration` | `5ms` | how long a batch waits for callers, counted from the first of them; with `0s` it waits for those that are ready to run, and touches no timer |
    /// | `share(db, ..)` | none | arguments, each an `Arc`, that a batch has in common: callers who pass the same one (by pointer) get into the same batch |
    /// | `or_else = \|error\| value` | none | what a caller returns where its batch failed |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// A batch has many callers: its size and delay are those of the caller that opens it. They may depend on what the batch shares; where
    /// they name the keys, that is an error.
    ///
    /// With `share(db)`, two callers with a different `db` are never in the same batch, also where the one has been dropped and the other has
    /// come to stand at its address: an open batch keeps what its callers share alive. Nothing is kept of it once the batch has ended. The body
    /// gets the `Arc` of the caller that opened the batch.
    ///
    /// # When options are evaluated
    ///
    /// | evaluated | options |
    /// | --- | --- |
    /// | at each call; those of the call that opens a batch hold | `max_batch_size`, `delay` |
    /// | for each caller of a batch that failed | `or_else` |
    ///
    /// # Errors
    ///
    /// An [`Error`] for which [`is_batch`] holds, in the function's own error type and for every caller of the batch, where
    /// the body panicked, or where it gave another number of answers than it got keys; also for those who are left where an error panics while
    /// it is cloned for them. The text of the panic is in a [`Report`], once. One for which
    /// [`is_shutdown`] holds where the runtime went away.
    ///
    /// # Panics
    ///
    /// Where there is such an error, and neither can the return type carry it nor is there an `or_else`: with its text, at each caller. With a
    /// `delay`, in a runtime whose timers are not enabled. A key or an answer of a caller that has gone, and whose destructor panics, costs the
    /// other callers nothing.
    ///
    /// # Cancel safety
    ///
    /// A caller that is dropped before the batch is sent off is taken out of it, and its key is dropped when the batch is; a batch that has
    /// lost all of its callers is not run. One that has been sent off runs to its end, whoever is left; [`drain`] waits for it.
    ///
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`Report`]: https://docs.rs/steadfast/latest/steadfast/struct.Report.html
    /// [`drain`]: https://docs.rs/steadfast/latest/steadfast/fn.drain.html
    /// [`is_batch`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_batch
    /// [`is_shutdown`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_shutdown
    batched

    /// Makes a blocking `fn` an `async fn` that runs on a thread pool.
    ///
    /// ```
    /// use steadfast::{BlockingPool, offload_blocking};
    ///
    /// #[offload_blocking(limit = 4)] // no more than four at once
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
    /// | `limit = n` | none | how many bodies of this function run at once; other calls wait, first come first served |
    /// | `pool = rayon \| expr` | tokio's | rayon's global pool, for computations (feature `rayon`); or a [`BlockingPool`] of your own. The default is tokio's blocking pool, which suits blocking I/O |
    /// | `crate = path` | `::steadfast` | where `steadfast` is found |
    ///
    /// `limit` is a number of any integer type. It holds for all callers of the function, all instances of a type, and all instantiations of a
    /// generic function, and is read once, at the first call: it cannot depend on an argument, on `self`, or on a type or const parameter, which
    /// is an error. (In an `impl` with parameters of its own, a limit such as `Self::LIMIT` is that of the type that is called first.) A body
    /// that has started keeps its permit until it ends, also when its caller is gone. `pool` is evaluated at each call and may depend on the
    /// arguments.
    ///
    /// Arguments are taken by value and are `Send + 'static`, as is the result. A method takes `self: Arc<Self>` (or `self`).
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
    /// Where the runtime or the pool shuts down before the body has started, the return type carries an [`Error`] for which
    /// [`is_shutdown`] holds, if it can.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped before its body has started never runs it, and its arguments are dropped with it, however long it would have
    /// had to wait for a thread. A body that has started cannot be stopped: it runs to its end on its thread, and its result is dropped there.
    ///
    /// A call that waits for its turn and is not polled when that comes loses it after 100 ms to the next that is polled, as with
    /// [`concurrency_limit`].
    ///
    /// # Panics
    ///
    /// A panic of the body is resumed in the caller, with its payload. A shutdown panics where the return type carries no error.
    /// Outside of a tokio runtime, a call without a `pool` of its own panics, and so does one that waits for its turn in a runtime whose timers are
    /// not enabled. Where nobody waits any more, a panic (of the body, or of the
    /// destructor of its result) is told by the panic hook and costs no thread.
    ///
    /// # Paused clock
    ///
    /// Bodies run in real time. A paused clock (`tokio::time::pause`) waits for every job that runs or waits for a thread, on whichever pool: no
    /// timer fires meanwhile, so that a deadline above does not overtake the work. With a `pool` that takes this crate's feature `test-util`.
    /// A body that itself waits for a timer would then wait for ever.
    ///
    /// [`BlockingPool`]: https://docs.rs/steadfast/latest/steadfast/offload/struct.BlockingPool.html
    /// [`Error`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html
    /// [`concurrency_limit`]: https://docs.rs/steadfast/latest/steadfast/attr.concurrency_limit.html#cancel-safety
    /// [`hedge`]: https://docs.rs/steadfast/latest/steadfast/attr.hedge.html
    /// [`is_shutdown`]: https://docs.rs/steadfast/latest/steadfast/struct.Error.html#method.is_shutdown
    /// [`retry`]: https://docs.rs/steadfast/latest/steadfast/attr.retry.html
    offload_blocking
}
