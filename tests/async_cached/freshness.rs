//! How long a value is fresh.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_value_is_fresh_for_its_ttl() {
    static RUNS: Runs = Runs::new();
    #[async_cached(ttl = 10s, handle = loads)]
    async fn load(id: u32) -> usize {
        let _ = id;
        RUNS.add()
    }
    assert_eq!(load(1).await, 1);
    advance(Duration::from_millis(9_999)).await;
    assert_eq!(load(1).await, 1);
    advance(Duration::from_millis(1)).await;
    assert_eq!(loads().get(&1), None);
    assert_eq!(load(1).await, 2);
    loads().insert(5, 50);
    assert_eq!(load(5).await, 50);
    advance(10 * SECOND).await;
    assert_eq!(load(5).await, 3);
}

#[tokio::test(start_paused = true)]
async fn the_ttl_may_name_the_arguments() {
    static RUNS: Runs = Runs::new();
    #[async_cached(ttl = Duration::from_secs(seconds), skip(name))]
    async fn load(name: String, seconds: u64) -> usize {
        drop(name);
        RUNS.add()
    }
    load(String::new(), 1).await;
    load(String::new(), 100).await;
    advance(2 * SECOND).await;
    load(String::new(), 100).await;
    assert_eq!(RUNS.get(), 2);
    load(String::new(), 1).await;
    assert_eq!(RUNS.get(), 3);
    // Nothing, and for ever.
    assert_eq!((load(String::new(), 0).await, load(String::new(), 0).await), (4, 5));
    assert_eq!((load(String::new(), u64::MAX).await, load(String::new(), u64::MAX).await), (6, 6));
}

#[tokio::test(start_paused = true)]
async fn expired_entries_leave_without_being_asked_for() {
    #[async_cached(ttl = 10s, handle = loads)]
    async fn load(id: u32) -> Arc<u32> {
        Arc::new(id)
    }
    let watched = load(0).await;
    for id in 1..1_000 {
        load(id).await;
    }
    assert_eq!(loads().len(), 1_000);
    advance(10 * SECOND).await;
    assert_eq!(Arc::strong_count(&watched), 2);
    // Each call that computes clears a few away; so does a hit.
    for id in 1_000..1_300 {
        load(id).await;
    }
    assert_eq!(Arc::strong_count(&watched), 1);
    assert_eq!(loads().len(), 300);
    assert_eq!(loads().stats().expirations, 1_000);
    advance(9 * SECOND).await;
    load(5_000).await;
    advance(2 * SECOND).await;
    for _ in 0..100 {
        load(5_000).await;
    }
    assert_eq!(loads().stats().expirations, 1_300);
}

#[tokio::test(start_paused = true)]
async fn errors_and_absences_are_remembered_for_a_time_of_their_own() {
    static RUNS: Runs = Runs::new();
    #[async_cached(error_ttl = 2s, ttl = 10s, handle = loads)]
    async fn load(id: usize) -> Result<usize, String> {
        let run = RUNS.add();
        if run == id { Ok(id) } else { Err(format!("run {run}")) }
    }
    #[async_cached(none_ttl = 2s)]
    async fn find(id: usize) -> Option<usize> {
        let run = RUNS.add();
        (run > id).then_some(run)
    }
    assert_eq!(load(2).await, Err("run 1".to_owned()));
    assert_eq!(load(2).await, Err("run 1".to_owned()));
    assert_eq!(loads().get(&2), None);
    advance(2 * SECOND).await;
    assert_eq!(load(2).await, Ok(2));
    assert_eq!(loads().stats().load_errors, 1);

    assert_eq!((find(3).await, find(3).await), (None, None));
    assert_eq!(RUNS.get(), 3);
    advance(2 * SECOND).await;
    assert_eq!((find(3).await, find(3).await), (Some(4), Some(4)));
}

#[tokio::test(start_paused = true)]
async fn refresh_if_computes_anew_under_the_same_key() {
    static RUNS: Runs = Runs::new();
    #[async_cached(refresh_if = force, handle = loads)]
    async fn load(id: u32, force: bool) -> Result<usize, ()> {
        let _ = id;
        let run = RUNS.add();
        if run == 3 { Err(()) } else { Ok(run) }
    }
    assert_eq!(load(1, false).await, Ok(1));
    assert_eq!(load(1, true).await, Ok(2));
    assert_eq!(load(1, false).await, Ok(2));
    // A failed refresh leaves what was there.
    assert_eq!(load(1, true).await, Err(()));
    assert_eq!(load(1, false).await, Ok(2));
    let _: &Cache<u32, usize> = loads();
}

#[tokio::test(start_paused = true)]
async fn a_refresh_supersedes_a_load_under_way() {
    static RUNS: Runs = Runs::new();
    #[async_cached(refresh_if = force)]
    async fn load(id: u32, force: bool) -> usize {
        let _ = id;
        let run = RUNS.add();
        sleep(if run == 1 { 3 * SECOND } else { SECOND }).await;
        run
    }
    let slow = tokio::spawn(load(1, false));
    tokio::task::yield_now().await;
    assert_eq!(load(1, true).await, 2);
    assert_eq!(slow.await.unwrap(), 1);
    assert_eq!(load(1, false).await, 2);
}

/// An argument that decides on the value in an attribute below, or on the entry in another option, is one that more than `refresh_if` looks at.
mod what_refresh_if_and_something_else_name {
    use super::*;

    static RUNS: Runs = Runs::new();

    macro_rules! differs {
        ($id:ident $other:ident $($name:ident: [$($options:tt)*] $(#[$below:meta])* -> $ty:ty $body:block)*) => {$(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                #[async_cached(refresh_if = $other == 99, $($options)*)]
                $(#[$below])*
                async fn value($id: u32, $other: u32) -> $ty $body
                let (one, two) = (value(1, 5).await, value(1, 7).await);
                assert_ne!(one, two, "another `other`, another value");
            }
        )*};
    }

    async fn id_of(other: u32) -> Option<u32> {
        sleep(Duration::from_millis(u64::from(other))).await;
        None
    }

    differs! { id other
        in_the_body: [ttl = 1min] -> u32 { id + other }
        in_a_format_string_of_the_body: [ttl = 1min] -> String { let _ = id; format!("{other}") }
        fallback: [none_ttl = 1min] #[steadfast::fallback(other)] -> Option<u32> { let _ = id; None }
        fallback_closure: [error_ttl = 1min] #[steadfast::fallback(|_| other)] -> Result<u32, String> { Err(id.to_string()) }
        timeout: [none_ttl = 1min] #[steadfast::timeout(Duration::from_secs(other.into()))] -> Option<u32> {
            sleep(SECOND * 6).await;
            Some(id)
        }
        or_else: [ttl = 1min] #[steadfast::timeout(1s, or_else = |_| other)] -> u32 { sleep(2 * SECOND).await; id }
        retry_attempts: [ttl = 1min] #[steadfast::retry(attempts = other, delay = 1ms, jitter = none, failure = |_| true)] -> usize {
            let _ = id;
            RUNS.add()
        }
        retry_delay: [ttl = 1min]
            #[steadfast::retry(attempts = 2, delay = Duration::from_secs(other.into()), jitter = none, failure = |_| true)]
            -> tokio::time::Instant { let _ = id; tokio::time::Instant::now() }
        cancellable: [ttl = 1min] #[steadfast::cancellable(token = token(other), or_else = |_| 0)] -> u32 { sleep(SECOND).await; id }
        hedge: [ttl = 1min] #[steadfast::hedge(after = Duration::from_secs(other.into()))] -> Option<tokio::time::Instant> {
            static RUNS: Runs = Runs::new();
            if RUNS.add().is_multiple_of(2) { Some(tokio::time::Instant::now()) } else { let _ = id; std::future::pending().await }
        }
        rate_limit_max_wait: [ttl = 1min]
            #[steadfast::rate_limit(1 / 6s, max_wait = Duration::from_secs(other.into()), or_else = |_| 0)]
            -> u32 { id + u32::try_from(RUNS.add()).unwrap() }
        two_below: [none_ttl = 1min] #[steadfast::timeout(1s)] #[steadfast::fallback(other)] -> Option<u32> { let _ = id; id_of(1).await }
    }

    fn token(other: u32) -> tokio_util::sync::CancellationToken {
        let token = tokio_util::sync::CancellationToken::new();
        if other == 5 {
            token.cancel();
        }
        token
    }

    /// One caller's refusal is not another's.
    #[tokio::test(start_paused = true)]
    async fn rate_limit_key() {
        #[async_cached(refresh_if = who == "nobody", error_ttl = 1min)]
        #[steadfast::rate_limit(1 / 1h, key = who)]
        async fn value(id: u32, who: &str) -> Result<u32, Refused> {
            Ok(id)
        }
        assert_eq!((value(1, "a").await, value(2, "a").await), (Ok(1), Err(Refused)));
        assert_eq!(value(2, "b").await, Ok(2));
    }

    #[derive(Debug, Clone, PartialEq)]
    struct Refused;

    impl From<steadfast::Error> for Refused {
        fn from(_: steadfast::Error) -> Self {
            Self
        }
    }

    /// How long it is kept, and under which tag, is no value. But whoever looks at an entry gets what that argument said.
    #[tokio::test(start_paused = true)]
    async fn other_options_of_the_cache() {
        #[async_cached(refresh_if = other == 99, ttl = Duration::from_secs(other.into()), handle = by_ttl)]
        async fn ttl(id: u32, other: u32) -> u32 {
            id
        }
        #[async_cached(refresh_if = other == 99, tags = [other.to_string()], handle = by_tag)]
        async fn tag(id: u32, other: u32) -> u32 {
            id
        }
        ttl(1, 5).await;
        ttl(1, 7).await;
        tag(1, 5).await;
        tag(1, 7).await;
        assert_eq!((by_ttl().len(), by_tag().len()), (2, 2));
    }

    /// A statement in front of the future that is returned takes the argument along under another name.
    #[tokio::test]
    async fn in_front_of_the_block() {
        #[async_cached(refresh_if = other == 99)]
        fn value(id: u32, other: u32) -> impl Future<Output = u32> {
            let sum = other;
            async move { id + sum }
        }
        assert_eq!((value(1, 5).await, value(1, 7).await), (6, 8));
    }

    /// What stands above has no part in the value; the name of an option is none of an argument.
    #[tokio::test]
    async fn not_above_and_not_as_the_name_of_an_option() {
        #[steadfast::rate_limit(100 / 1s, key = delay)]
        #[async_cached(refresh_if = delay == 0, handle = loads)]
        #[steadfast::retry(delay = 1ms)]
        async fn value(id: u32, delay: u32) -> Option<usize> {
            let _ = id;
            Some(RUNS.add())
        }
        let old = value(1, 1).await;
        let new = value(1, 0).await;
        assert_ne!(old, new);
        assert_eq!((value(1, 1).await, loads().get(&1)), (new, new));
    }
}

/// The `None` of a `Result<Option<T>, E>` has a time of its own: that of `none_ttl`.
mod none_in_a_result {
    use super::*;

    type Reply = Result<Option<u32>, String>;
    #[derive(Debug, PartialEq)]
    struct NotClone;

    #[tokio::test(start_paused = true)]
    async fn is_kept_for_none_ttl() {
        static RUNS: Runs = Runs::new();
        #[async_cached(ttl = 1h, none_ttl = 5s, ttl_jitter = 1h, stale_while_revalidate = 1h, handle = values)]
        async fn value(id: u32) -> Result<Option<u32>, String> {
            RUNS.add();
            match id {
                0 => Err("no".to_owned()),
                id => Ok(Some(id).filter(|id| *id < 10)),
            }
        }
        assert_eq!((value(1).await, value(10).await, value(0).await.is_err()), (Ok(Some(1)), Ok(None), true));
        assert_eq!((value(10).await, values().get(&10), RUNS.get()), (Ok(None), Some(None), 3));
        values().insert(11, None);
        values().get_or_load(12, async || Ok::<_, String>(None)).await.unwrap();
        values().insert(2, Some(2));
        advance(5 * SECOND).await;
        assert_eq!(values().len(), 2, "what was inserted stays for as long as what was computed");
        assert_eq!((value(10).await, RUNS.get()), (Ok(None), 4));
        values().insert(11, None);
        assert_eq!(value(11).await, Ok(None));
        advance(5 * SECOND).await;
        value(11).await.unwrap();
        assert_eq!(RUNS.get(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn by_an_alias_with_an_own_error_and_over_a_named_cache() {
        static SHARED: Cache<u32, Option<u32>> =
            Cache::builder().ttl(Duration::from_secs(100)).none_ttl(Duration::from_secs(20)).build();
        #[async_cached(ttl = |_| 100 * SECOND, none_ttl = 5 * SECOND, handle = aliased: Cache<u32, Option<u32>>)]
        async fn alias(id: u32) -> Reply {
            Ok(Some(id).filter(|id| *id < 10))
        }
        #[async_cached(none_ttl = SECOND * patience, skip(patience), handle = own)]
        async fn own_error(id: u32, patience: u32) -> Result<Option<u32>, NotClone> {
            if id == 0 { Err(NotClone) } else { Ok(Some(id).filter(|id| *id < 10)) }
        }
        #[async_cached(cache = SHARED)]
        async fn named(id: u32) -> Reply {
            Ok(Some(id).filter(|id| *id < 10))
        }
        #[async_cached(cache = SHARED, none_ttl = 5s)]
        async fn named_with_its_own(id: u32) -> Reply {
            Ok(Some(id).filter(|id| *id < 10))
        }
        for id in [1, 10] {
            assert_eq!((alias(id).await.is_ok(), own_error(id, 5).await.is_ok()), (true, true));
            named(id).await.unwrap();
            named_with_its_own(id + 1).await.unwrap();
        }
        aliased().insert(20, None);
        advance(5 * SECOND).await;
        assert_eq!((aliased().len(), own().len(), SHARED.len()), (1, 1, 3));
        advance(15 * SECOND).await;
        assert_eq!(SHARED.len(), 2);
    }

    /// A closure for the ttl is not asked about it.
    #[tokio::test(start_paused = true)]
    async fn is_none_of_the_ttls() {
        #[async_cached(ttl = |value: &Option<u32>| SECOND * value.unwrap(), none_ttl = 5s, handle = values)]
        async fn value(id: u32) -> Result<Option<u32>, String> {
            Ok(Some(id).filter(|id| *id < 10))
        }
        #[async_cached(ttl = |value: &Option<u32>| SECOND * value.unwrap() * n, none_ttl = 5s, skip(n), handle = others)]
        async fn other(id: u32, n: u32) -> Result<Option<u32>, String> {
            Ok(Some(id).filter(|id| *id < 10))
        }
        assert_eq!((value(1).await, value(10).await), (Ok(Some(1)), Ok(None)));
        assert_eq!((other(1, 1).await, other(10, 1).await), (Ok(Some(1)), Ok(None)));
        assert_eq!((values().len(), others().len()), (2, 2));
    }

    /// Without `none_ttl` it is a value like any other.
    #[tokio::test(start_paused = true)]
    async fn without_one_it_has_the_ttl() {
        #[async_cached(ttl = 10s, handle = values)]
        async fn value(id: u32) -> Result<Option<u32>, String> {
            Ok(Some(id).filter(|id| *id < 10))
        }
        value(10).await.unwrap();
        advance(9 * SECOND).await;
        assert_eq!(values().get(&10), Some(None));
        advance(SECOND).await;
        assert_eq!(values().get(&10), None);
    }

    /// It is the newest answer, and takes the place of a value.
    #[tokio::test(start_paused = true)]
    async fn replaces_a_value() {
        static THERE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
        #[async_cached(ttl = 100s, none_ttl = 5s, stale_if_error = 1h, refresh_if = force)]
        async fn value(id: u32, force: bool) -> Result<Option<u32>, String> {
            Ok(Some(id).filter(|_| THERE.load(SeqCst)))
        }
        assert_eq!(value(1, false).await, Ok(Some(1)));
        THERE.store(false, SeqCst);
        assert_eq!((value(1, true).await, value(1, false).await), (Ok(None), Ok(None)));
    }

    /// What is no `Option` by its type is a value, however the `Option` in it is hidden.
    #[tokio::test(start_paused = true)]
    async fn of_a_type_that_is_not_all_known() {
        #[async_cached]
        async fn value(id: u32) -> Result<impl std::fmt::Debug + Clone + Send + Sync + 'static, String> {
            Ok(Some(id))
        }
        assert!(value(1).await.is_ok());
    }
}
