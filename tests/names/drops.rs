//! When arguments are dropped: at the end of the call, in reverse order, after the locals of the body; and all of them when the
//! call is dropped.

use steadfast::{async_cached, retry, timeout};

use crate::support::{Failure, Log, Noisy, Reply, abandon, tick};

shape! {
    arguments_in_reverse:
    [timeout(1s)] [async_cached(skip(first, second, third))] [async_cached(skip(first, second, third)), timeout(1s)]
    [retry]  [retry, timeout(1s)]
    refusing()
    for {
        async fn work(first: Noisy, second: Noisy, third: Noisy) -> Reply<u32> {
            tick().await;
            third.note("body");
            first.note("body again");
            second.note("end");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = work(log.item("first"), log.item("second"), log.item("third")).await;
        (result, log.take())
    }
}

shape! {
    arguments_after_locals:
    [async_cached(skip(argument, log)), timeout(1s)] [retry]
    refusing()
    for {
        async fn work(argument: Noisy, log: &Log) -> Reply<u32> {
            let _first = log.item("first local");
            tick().await;
            let _second = log.item("second local");
            argument.note("end");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = work(log.item("argument"), &log).await;
        (result, log.take())
    }
}

shape! {
    ignored_and_underscored_arguments:
    [async_cached(skip(_second, third)), timeout(1s)] [retry, timeout(1s)]
    refusing()
    for {
        async fn work(_: u8, _second: Noisy, third: Noisy) -> Reply<u32> {
            tick().await;
            third.note("end");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = work(0, log.item("second"), log.item("third")).await;
        (result, log.take())
    }
}

shape! {
    arguments_that_the_body_consumes:
    [async_cached(skip(first, second)), timeout(1s)]
    refusing()
    for {
        async fn work(first: Noisy, second: Noisy) -> Reply<u32> {
            first.note("begin");
            drop(first);
            tick().await;
            second.note("end");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = work(log.item("first"), log.item("second")).await;
        (result, log.take())
    }
}

shape! {
    arguments_of_a_call_that_is_never_polled:
    [async_cached(skip(first, second)), timeout(1s), retry]
    refusing()
    for {
        async fn work(first: Noisy, second: Noisy) -> Reply<u32> {
            tick().await;
            first.note(second.name);
            Ok(1)
        }
    } => {
        let log = Log::default();
        drop(work(log.item("first"), log.item("second")));
        log.take()
    }
}

shape! {
    arguments_of_a_call_that_is_dropped_while_it_waits:
    [async_cached(skip(first, second)), timeout(1s)] [retry]
    refusing()
    for {
        async fn work(first: Noisy, second: Noisy) -> Reply<u32> {
            first.note("begin");
            std::future::pending::<()>().await;
            second.note("never");
            Ok(1)
        }
    } => {
        let log = Log::default();
        abandon(work(log.item("first"), log.item("second")), 2);
        log.take()
    }
}

shape! {
    arguments_when_the_body_fails:
    [retry(attempts = 1)] [async_cached(skip(first, second)), timeout(1s)]
    refusing()
    for {
        async fn work(first: Noisy, second: Noisy) -> Reply<u32> {
            tick().await;
            let _local = first.clone();
            second.note("fails");
            Err(Failure::Busy(1))
        }
    } => {
        let log = Log::default();
        let result = work(log.item("first"), log.item("second")).await;
        (result, log.take())
    }
}

shape! {
    self_by_value_before_arguments:
    [async_cached(skip(self, argument)), timeout(1s)] [retry]
    refusing()
    for { struct Owner(Noisy); } in [impl Owner] {
        async fn work(self, argument: Noisy) -> Reply<u32> {
            tick().await;
            self.0.note("body");
            argument.note("end");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = Owner(log.item("self")).work(log.item("argument")).await;
        (result, log.take())
    }
}

shape! {
    parts_of_a_pattern:
    [async_cached(skip(a, b, c)), timeout(1s)] [retry]
    refusing()
    for {
        async fn work((a, b): (Noisy, Noisy), c: Noisy) -> Reply<u32> {
            tick().await;
            a.note(b.name);
            c.note("end");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = work((log.item("a"), log.item("b")), log.item("c")).await;
        (result, log.take())
    }
}

shape! {
    async_trait_arguments:
    [async_cached(skip(self, first, second)), timeout(1s)] [retry]
    refusing()
    for {
        #[async_trait::async_trait]
        trait Work { async fn work(&self, first: Noisy, second: Noisy) -> Reply<u32>; }
        struct Db;
    } in [#[async_trait::async_trait] impl Work for Db] {
        async fn work(&self, first: Noisy, second: Noisy) -> Reply<u32> {
            tick().await;
            first.note(second.name);
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = Db.work(log.item("first"), log.item("second")).await;
        (result, log.take())
    }
}

/// At a deadline the body goes first, and the arguments with it, before the call returns.
#[tokio::test(start_paused = true)]
async fn a_deadline_drops_everything_before_it_returns() {
    #[timeout(1s)]
    async fn work(first: Noisy, second: Noisy) -> Reply<u32> {
        let _local = first.clone();
        std::future::pending::<()>().await;
        second.note("never");
        Ok(1)
    }
    let log = Log::default();
    assert!(work(log.item("first"), log.item("second")).await.is_err());
    assert_eq!(log.take(), ["first", "second", "first"]);
}

shape! {
    arguments_that_the_body_does_not_mention:
    [async_cached(skip(first, second, third)), timeout(1s)] [retry] [steadfast::finally(async {})]
    [steadfast::warn_slow_poll(1h), steadfast::fallback(Ok(2))]
    refusing()
    for {
        #[allow(unused_variables)]
        async fn work(first: Noisy, second: Noisy, third: Noisy) -> Reply<u32> {
            tick().await;
            second.note("body");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let result = work(log.item("first"), log.item("second"), log.item("third")).await;
        (result, log.take())
    }
}

shape! {
    arguments_of_all_kinds_that_the_body_does_not_mention:
    [timeout(1s)] [retry] [steadfast::finally(async {})]
    refusing()
    for {
        #[allow(unused_variables)]
        async fn work(first: Noisy, _: Noisy, (second, third): (Noisy, Noisy), fourth: Noisy, _fifth: Noisy) -> Reply<u32> {
            tick().await;
            third.note("body");
            Ok(1)
        }
    } => {
        let log = Log::default();
        let pair = (log.item("second"), log.item("third"));
        let result = work(log.item("first"), log.item("ignored"), pair, log.item("fourth"), log.item("fifth")).await;
        (result, log.take())
    }
}

/// What the page on the order of attributes says of those that are not dropped in their order.
#[tokio::test(start_paused = true)]
async fn what_only_options_mention_and_what_patterns_leave_out_goes_last() {
    #[timeout(std::time::Duration::from_secs(u64::from(option.name.is_empty()) + 1))]
    async fn work(first: Noisy, option: Noisy, (second, _): (Noisy, Noisy)) -> Reply<u32> {
        tick().await;
        first.note(second.name);
        Ok(1)
    }
    let log = Log::default();
    let result = work(log.item("first"), log.item("option"), (log.item("second"), log.item("left out"))).await;
    assert_eq!((result, log.take()), (Ok(1), vec!["second", "second", "first", "left out", "option"]));
}
