//! A future is `Send` exactly if that of the bare function is.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::MutexGuard;

use steadfast::{async_cached, retry, timeout};

use crate::support::{Reply, tick};

shape! {
    of_plain_arguments:
    every()
    for {
        async fn work(n: u32, text: String) -> Reply<String> {
            tick().await;
            Ok(format!("{n}{text}"))
        }
    } => { is_send!(work(1, String::new())) }
}

shape! {
    of_an_argument_that_is_not_send:
    [timeout(1s)] [retry] [async_cached(skip(shared))] [async_cached(skip(shared)), timeout(1s), retry]
    refusing()
    for {
        async fn work(shared: Rc<u32>) -> Reply<u32> {
            tick().await;
            Ok(*shared)
        }
    } => { (is_send!(work(Rc::new(1))), work(Rc::new(2)).await) }
}

shape! {
    of_an_argument_that_is_send_but_not_sync:
    [async_cached(skip(cell)), timeout(1s)]
    refusing()
    for {
        async fn work(cell: Cell<u32>) -> Reply<u32> {
            tick().await;
            Ok(cell.get())
        }
    } => { (is_send!(work(Cell::new(1))), work(Cell::new(2)).await) }
}

shape! {
    of_a_reference_to_what_is_not_sync:
    [timeout(1s)] [retry] [async_cached(skip(cell))]
    refusing()
    for {
        async fn work(cell: &Cell<u32>) -> Reply<u32> {
            cell.set(cell.get() + 1);
            tick().await;
            Ok(cell.get())
        }
    } => {
        let cell = Cell::new(1);
        (is_send!(work(&cell)), work(&cell).await)
    }
}

shape! {
    of_a_local_that_is_not_send_over_an_await:
    every()
    for {
        async fn work(n: u32) -> Reply<u32> {
            let shared = Rc::new(n);
            tick().await;
            Ok(*shared)
        }
    } => { (is_send!(work(1)), work(2).await) }
}

shape! {
    of_a_local_that_is_gone_before_the_await:
    every()
    for {
        async fn work(n: u32) -> Reply<u32> {
            let m = {
                let shared = Rc::new(n);
                *shared + 1
            };
            tick().await;
            Ok(m)
        }
    } => { (is_send!(work(1)), work(2).await) }
}

shape! {
    of_a_generic_argument_as_it_comes:
    [timeout(1s)] [retry] [async_cached(skip(value))]
    refusing()
    for {
        async fn work<T: Clone>(value: T) -> Reply<usize> {
            tick().await;
            let copy = value.clone();
            drop(copy);
            Ok(size_of::<T>())
        }
    } => { (is_send!(work(1_u32)), is_send!(work(Rc::new(1_u32)))) }
}

shape! {
    of_a_guard_that_is_passed_in:
    [timeout(1s)] [retry] [async_cached(skip(guard))]
    refusing()
    for {
        async fn work(guard: MutexGuard<'_, u32>) -> Reply<u32> {
            tick().await;
            Ok(*guard)
        }
    } => {
        let mutex = std::sync::Mutex::new(4);
        (is_send!(work(mutex.lock().unwrap())), work(mutex.lock().unwrap()).await)
    }
}
