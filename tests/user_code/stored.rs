//! `async_cached`, `Cache`, `coalesce`, `batched`. As documented, `Eq` of a key and `Clone` of a stored value run under a lock of
//! the cache, and must not use it.

use std::sync::Arc;

use steadfast::{Cache, async_cached, batched, coalesce};

use crate::{Code, HOUR, Pending, Probe, SECOND, Script, Subject, awaited, breathe, caller, disappointed, rows, touch};

/// The key of the error.
fn fails(n: u32) -> bool {
    n % 10 == 1
}

mod cached {
    use super::*;

    #[async_cached(
        capacity = 4,
        weight = |_, value| { value.hit(Code::Closure); 1 },
        ttl = |value| { value.hit(Code::Closure); SECOND },
        on_evict = |_, value, _| value.hit(Code::Closure),
        error_ttl = 1s,
        handle = values
    )]
    async fn value(key: Probe) -> Result<Probe, Probe> {
        breathe().await;
        if fails(key.n) { Err(key.to_share()) } else { Ok(key.to_share()) }
    }

    fn call_back(run: u32) {
        touch(value(Probe::quiet(run)));
        assert!(values().len() <= 4);
        assert!(values().stats().hits < 1_000_000);
        drop(values().get(&Probe::quiet(run)));
        values().invalidate(&Probe::quiet(run + 7));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let call = |n: u32| {
                let (script, n) = (Arc::clone(&script), script.run + n);
                caller(async move {
                    let outcome = awaited(&script, value(script.probe(n))).await;
                    outcome.as_ref().map_or_else(|error| error.n == n && fails(n), |value| value.n == n)
                })
            };
            // Two of each, a hit of each, and two that throw others out.
            let mut failed = disappointed([0, 0, 1, 1].map(call)).await;
            failed += disappointed([0, 1, 2, 3, 4, 5].map(call)).await;
            tokio::time::advance(SECOND * 2).await;
            failed += disappointed([0, 1].map(call)).await;
            values().invalidate(&Probe::quiet(script.run));
            failed
        })
    }

    fn healthy(run: u32) -> Pending<()> {
        Box::pin(async move {
            for n in [run, run + 2, run + 9] {
                let outcome = value(Probe::quiet(n)).await;
                assert!(outcome.is_ok_and(|value| value.n == n));
            }
            assert!(value(Probe::quiet(run + 1)).await.is_err());
            assert!(values().len() <= 4);
            assert_eq!(values().in_flight(), 0);
        })
    }

    // In one row, since the counts are those of one cache. By the page, `Eq` of a key and `Clone` of a
    // value must not use the cache.
    #[test]
    fn keys_values_errors_and_closures() {
        let subject = Subject { scenario, call_back, healthy };
        for code in [Code::Eq, Code::CloneShared] {
            crate::row(&subject, code, crate::PANIC);
        }
        for code in [Code::Hash, Code::Clone, Code::Closure, Code::Drop, Code::Wake, Code::WakerDrop] {
            crate::row(&subject, code, crate::BOTH);
        }
    }
}

mod refreshed {
    use super::*;

    #[async_cached(
        ttl = 1s,
        stale_while_revalidate = 1h,
        detached,
        tags = [tag(&key)],
        handle = values
    )]
    async fn value(key: Probe) -> Result<Probe, Probe> {
        breathe().await;
        if fails(key.n) { Err(key.to_share()) } else { Ok(key.to_share()) }
    }

    fn tag(key: &Probe) -> &'static str {
        key.hit(Code::Closure);
        "tag"
    }

    fn call_back(run: u32) {
        touch(value(Probe::quiet(run + 9)));
        assert!(values().stats().hits < 1_000_000);
        values().invalidate(&Probe::quiet(run + 7));
        values().invalidate_tag("another tag");
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let call = |n: u32| {
                let (script, n) = (Arc::clone(&script), script.run + n);
                caller(async move {
                    let outcome = awaited(&script, value(script.probe(n))).await;
                    outcome.as_ref().map_or_else(|error| error.n == n && fails(n), |value| value.n == n)
                })
            };
            let mut failed = disappointed([0, 0, 1, 1, 2].map(call)).await;
            tokio::time::advance(SECOND * 2).await;
            // Served the old value, with a refresh behind it.
            failed += disappointed([0, 2].map(call)).await;
            assert!(steadfast::drain(HOUR).await.is_complete());
            failed + disappointed([0, 2].map(call)).await
        })
    }

    fn healthy(run: u32) -> Pending<()> {
        Box::pin(async move {
            assert!(steadfast::drain(HOUR).await.is_complete());
            assert!(value(Probe::quiet(run)).await.is_ok_and(|value| value.n == run));
            assert!(value(Probe::quiet(run + 1)).await.is_err());
            assert_eq!(values().in_flight(), 0);
        })
    }

    // One after another: what is in flight is counted for all.
    #[test]
    fn keys_values_errors_tags_and_wakers() {
        let subject = Subject { scenario, call_back, healthy };
        for code in [Code::Eq, Code::CloneShared] {
            crate::row(&subject, code, crate::PANIC);
        }
        for code in [Code::Hash, Code::Clone, Code::Closure, Code::Drop, Code::Wake, Code::WakerDrop] {
            crate::row(&subject, code, crate::BOTH);
        }
    }
}

mod by_hand {
    use super::*;

    fn cache() -> Arc<Cache<Probe, Probe>> {
        Arc::new(Cache::builder().capacity(4).on_evict(|_, value: &Probe, _| value.hit(Code::Closure)).build())
    }

    std::thread_local! {
        static CACHE: std::cell::RefCell<Option<Arc<Cache<Probe, Probe>>>> = const { std::cell::RefCell::new(None) };
    }

    fn call_back(run: u32) {
        let cache = CACHE.with_borrow(Clone::clone).unwrap();
        // Not one of those that are being computed: within a computation that would be recursion.
        touch(cache.get_or_load(Probe::quiet(run + 9), async || Probe::quiet(run)));
        drop(cache.get(&Probe::quiet(run)));
        assert!(cache.len() <= 4);
        cache.invalidate(&Probe::quiet(run + 2));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let cache = cache();
            CACHE.set(Some(Arc::clone(&cache)));
            let call = |n: u32| {
                let (script, cache, n) = (Arc::clone(&script), Arc::clone(&cache), script.run + n);
                caller(async move {
                    let load = async || {
                        breathe().await;
                        script.probe(n).to_share()
                    };
                    let loaded = if n.is_multiple_of(2) {
                        awaited(&script, cache.get_or_load(script.probe(n), load)).await
                    } else {
                        let probe = script.probe(n).to_share();
                        let load = || async move {
                            breathe().await;
                            probe
                        };
                        awaited(&script, cache.get_or_spawn(script.probe(n), load)).await
                    };
                    loaded.n == n
                })
            };
            let mut failed = disappointed([0, 0, 1, 1].map(call)).await;
            let by_hand = {
                let (script, cache) = (Arc::clone(&script), Arc::clone(&cache));
                caller(async move {
                    for n in 3..8 {
                        cache.insert_tagged(script.probe(script.run + n), script.probe(n).to_share(), ["tag"]);
                    }
                    cache.invalidate(&script.probe(script.run + 3));
                    cache.invalidate_tag("tag");
                    cache.insert(script.probe(script.run + 3), script.probe(3).to_share());
                    cache.invalidate_if(|key, value| {
                        key.hit(Code::Debug);
                        value.n == 4
                    });
                    cache.clear();
                    true
                })
            };
            failed += disappointed([by_hand]).await;
            assert!(cache.len() <= 4);
            failed
        })
    }

    fn healthy(run: u32) -> Pending<()> {
        Box::pin(async move {
            let cache = CACHE.take().unwrap();
            assert_eq!(cache.in_flight(), 0);
            assert_eq!(cache.get_or_load(Probe::quiet(run), async || Probe::quiet(run)).await.n, run);
            assert!(cache.contains(&Probe::quiet(run)));
            cache.clear();
            assert_eq!(cache.len(), 0);
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        hash_of_a_key: Hash BOTH;
        eq_of_a_key: Eq PANIC;
        clone_of_a_key: Clone BOTH;
        clone_of_a_value: CloneShared PANIC;
        drop_of_keys_and_values: Drop BOTH;
        the_listener: Closure BOTH;
        // Its closure, by another name than the listener's.
        invalidate_if: Debug PANIC;
        wake_of_a_caller: Wake BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }
}

mod shared {
    use super::*;

    #[coalesce]
    async fn value(key: Probe) -> Result<Probe, Probe> {
        breathe().await;
        if fails(key.n) { Err(key.to_share()) } else { Ok(key.to_share()) }
    }

    fn call_back(run: u32) {
        touch(value(Probe::quiet(run)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let calls = [0, 0, 0, 1, 1].map(|n| {
                let (script, n) = (Arc::clone(&script), script.run + n);
                caller(async move {
                    let outcome = awaited(&script, value(script.probe(n))).await;
                    outcome.as_ref().map_or_else(|error| error.n == n && fails(n), |value| value.n == n)
                })
            });
            disappointed(calls).await
        })
    }

    fn healthy(run: u32) -> Pending<()> {
        Box::pin(async move {
            assert!(value(Probe::quiet(run)).await.is_ok_and(|value| value.n == run));
            assert!(value(Probe::quiet(run + 1)).await.is_err());
        })
    }

    rows! { Subject { scenario, call_back, healthy };
        hash_of_a_key: Hash BOTH;
        eq_of_a_key: Eq PANIC;
        clone_of_a_key: Clone BOTH;
        clone_of_values_and_errors: CloneShared PANIC;
        drop_of_keys_values_and_errors: Drop BOTH;
        wake_of_a_caller: Wake BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }
}

mod batches {
    use super::*;

    #[batched(max_batch_size = 4, delay = 1ms)]
    async fn load(keys: Vec<Probe>) -> Result<Vec<Probe>, Probe> {
        tokio::time::sleep(SECOND / 10).await;
        match keys.iter().find(|key| fails(key.n)) {
            Some(key) => Err(key.to_share()),
            // The keys go with the answers: the panic of one that the body drops is the body's.
            None => Ok(keys),
        }
    }

    fn call_back(run: u32) {
        touch(load(Probe::quiet(run)));
    }

    fn scenario(script: Arc<Script>) -> Pending<usize> {
        Box::pin(async move {
            let calls = |keys: &[u32], script: &Arc<Script>| -> Vec<_> {
                let fails_all = keys.iter().any(|&key| fails(key));
                let call = |&n: &u32| {
                    let script = Arc::clone(script);
                    caller(async move {
                        let call = load(script.probe(n));
                        if n == 5 || n == 6 {
                            // It goes while the batch runs, or before it is sent off. No callback is to take its place.
                            let stays = if n == 5 { SECOND / 20 } else { SECOND / 4000 };
                            drop(tokio::time::timeout(stays, awaited(&script, call)).await);
                            return true;
                        }
                        match awaited(&script, call).await {
                            Ok(value) => value.n == n,
                            Err(_) => fails_all,
                        }
                    })
                };
                keys.iter().map(call).collect()
            };
            let mut failed = disappointed(calls(&[0, 2, 5, 3], &script)).await;
            failed += disappointed(calls(&[6, 2, 3], &script)).await;
            failed += disappointed(calls(&[1, 2, 6], &script)).await;
            failed
        })
    }

    fn healthy(_: u32) -> Pending<()> {
        Box::pin(async {
            assert!(steadfast::drain(HOUR).await.is_complete());
            assert!(load(Probe::quiet(2)).await.is_ok_and(|value| value.n == 2));
        })
    }

    // A panic of what the body or its answers do is every caller's: the rows here are of what belongs to one of them.
    rows! { Subject { scenario, call_back, healthy };
        clone_of_the_error: CloneShared BOTH;
        drop_of_keys_and_answers: Drop BOTH;
        wake_of_a_caller: Wake BOTH;
        drop_of_a_callers_waker: WakerDrop BOTH;
    }
}
