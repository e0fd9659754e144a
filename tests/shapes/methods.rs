//! Methods with every kind of receiver, and associated functions.

use std::pin::Pin;
use std::sync::Arc;

use steadfast::{Cache, async_cached, retry, timeout};

use crate::support::{Failure, Reply, tick};

/// The type that has the method, anew in front of each.
macro_rules! shop {
    () => {
        #[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
        struct Shop {
            id: u32,
            sold: Vec<u32>,
        }
    };
}

shape! {
    by_reference:
    alone(skip(self))
    for { shop!(); let shop = Shop { id: 3, ..Shop::default() }; } in [impl Shop] {
        async fn sum(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.id + n)
        }
    } => { shop.sum(4).await }
}

shape! {
    by_reference_with_a_lifetime:
    [timeout(1s)] [retry] [timeout(2s), retry, timeout(1s)]
    refusing()
    for { shop!(); let shop = Shop { id: 3, sold: vec![1, 2] }; } in [impl<'s> Shop] {
        async fn first(&'s self) -> Reply<&'s u32> {
            tick().await;
            self.sold.first().ok_or(Failure::Busy(0))
        }
    } => { shop.first().await.copied() }
}

shape! {
    a_borrow_of_self_by_elision:
    [timeout(2s), retry, timeout(1s)]
    refusing()
    for { shop!(); let shop = Shop { id: 3, sold: vec![1, 2] }; } in [impl Shop] {
        async fn first(&self, _other: &str) -> Reply<&u32> {
            tick().await;
            self.sold.first().ok_or(Failure::Busy(0))
        }
    } => { shop.first("").await.copied() }
}

shape! {
    by_mutable_reference:
    changing(key = (self.id, n))
    for { shop!(); let mut shop = Shop::default(); } in [impl Shop] {
        async fn sell(&mut self, n: u32) -> Reply<usize> {
            self.sold.push(n);
            tick().await;
            self.sold.push(n + 1);
            Ok(self.sold.len())
        }
    } => { (shop.sell(4).await, shop.sell(5).await, shop.sold) }
}

shape! {
    by_value:
    every(skip(self))
    for { shop!(); } in [impl Shop] {
        async fn total(self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.sold.iter().sum::<u32>() + n)
        }
    } => { Shop { id: 1, sold: vec![2, 3] }.total(4).await }
}

shape! {
    by_value_and_consumed:
    [async_cached(key = self.id)] [async_cached(skip(self)), timeout(1s)]
    refusing()
    for { shop!(); } in [impl Shop] {
        async fn into_sold(self) -> Reply<Vec<u32>> {
            tick().await;
            Ok(self.sold)
        }
    } => { Shop { id: 1, sold: vec![2, 3] }.into_sold().await }
}

shape! {
    by_mutable_value:
    changing(skip(self))
    for { shop!(); } in [impl Shop] {
        async fn total(mut self, n: u32) -> Reply<usize> {
            self.sold.push(n);
            tick().await;
            Ok(self.sold.len())
        }
    } => { Shop { id: 1, sold: vec![2, 3] }.total(4).await }
}

shape! {
    by_arc:
    alone(key = self.id)
    for { shop!(); } in [impl Shop] {
        async fn count(self: Arc<Self>) -> Reply<usize> {
            tick().await;
            Ok(self.sold.len() + Arc::strong_count(&self))
        }
    } => { Arc::new(Shop { id: 1, sold: vec![2, 3] }).count().await }
}

shape! {
    by_reference_to_an_arc:
    every(key = (self.id, n))
    for { shop!(); let shop = Arc::new(Shop { id: 1, sold: vec![2, 3] }); } in [impl Shop] {
        async fn share(self: &Arc<Self>, n: usize) -> Reply<Vec<Arc<Self>>> {
            tick().await;
            Ok(vec![Arc::clone(self); n])
        }
    } => { shop.share(2).await.unwrap().len() }
}

shape! {
    by_box:
    every(skip(self))
    for { shop!(); } in [impl Shop] {
        async fn count(self: Box<Self>) -> Reply<usize> {
            tick().await;
            Ok(self.sold.len())
        }
    } => { Box::new(Shop { id: 1, sold: vec![2, 3] }).count().await }
}

shape! {
    by_pinned_mutable_reference:
    changing(skip(self))
    for { shop!(); let mut shop = Shop::default(); } in [impl Shop] {
        async fn sell(mut self: Pin<&mut Self>, n: u32) -> Reply<usize> {
            self.sold.push(n);
            tick().await;
            self.as_mut().get_mut().sold.push(n);
            Ok(self.sold.len())
        }
    } => { (Pin::new(&mut shop).sell(4).await, shop.sold) }
}

shape! {
    by_pinned_mutable_reference_that_is_consumed:
    [async_cached(skip(self)), timeout(1s)]
    refusing()
    for { shop!(); let mut shop = Shop::default(); } in [impl Shop] {
        async fn sell(self: Pin<&mut Self>, n: u32) -> Reply<usize> {
            let shop = self.get_mut();
            shop.sold.push(n);
            tick().await;
            Ok(shop.sold.len())
        }
    } => { (Pin::new(&mut shop).sell(4).await, shop.sold) }
}

shape! {
    by_pinned_reference:
    every(skip(self))
    for { shop!(); let shop = Shop::default(); } in [impl Shop] {
        async fn count(self: Pin<&Self>) -> Reply<usize> {
            tick().await;
            Ok(self.get_ref().sold.len())
        }
    } => { Pin::new(&shop).count().await }
}

shape! {
    self_in_words:
    every(skip(self))
    for { shop!(); let shop = Shop { id: 3, ..Shop::default() }; } in [impl Shop] {
        async fn sum(self: &Self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.id + n)
        }
    } => { shop.sum(4).await }
}

shape! {
    without_self:
    every()
    for { shop!(); } in [impl Shop] {
        async fn open(id: u32) -> Reply<Self> {
            tick().await;
            Ok(Self { id, ..Self::default() })
        }
    } => { Shop::open(4).await.unwrap().id }
}

shape! {
    with_constants_and_types_of_self:
    every()
    for { shop!(); impl Shop { const FEE: u32 = 7; } } in [impl Shop] {
        async fn price(_other: Self, n: u32) -> Result<u32, Failure> {
            tick().await;
            let free: fn(u32) -> Self = |id| Self { id, ..Self::default() };
            Ok(n + Self::FEE + free(2).id)
        }
    } => { Shop::price(Shop::default(), 4).await }
}

shape! {
    in_a_generic_type:
    [async_cached(skip(self))] [async_cached(key = self.0.clone()), timeout(1s), retry]
    refusing()
    for {
        struct Holder<T>(T);
        let holder = Holder("x".to_owned());
    } in [impl<T: Clone + Eq + std::hash::Hash + Send + Sync + 'static> Holder<T>] {
        async fn get(&self) -> Reply<T> {
            tick().await;
            Ok(self.0.clone())
        }
    } => { holder.get().await }
}

shape! {
    in_a_type_with_a_lifetime:
    [timeout(1s), retry]
    refusing()
    for {
        struct Text<'t>(&'t str);
        let text = "a b".to_owned();
    } in [impl<'t> Text<'t>] {
        async fn word(&self) -> Option<&'t str> {
            tick().await;
            self.0.split(' ').next()
        }
    } => { Text(&text).word().await.map(str::to_owned) }
}

shape! {
    methods_that_call_each_other:
    every(skip(self))
    for {
        shop!();
        impl Shop {
            async fn inner(&self, n: u32) -> Reply<u32> {
                tick().await;
                Ok(self.id + n)
            }
        }
        let shop = Shop { id: 3, ..Shop::default() };
    } in [impl Shop] {
        async fn outer(&self, n: u32) -> Reply<u32> {
            let one = self.inner(n).await?;
            let two = Self::inner(self, n).await?;
            Ok(one + two)
        }
    } => { shop.outer(4).await }
}

shape! {
    self_in_the_duration_and_in_the_options:
    [retry(attempts = self.attempts, delay = self.patience / 10, when = |error| *error == Failure::Busy(self.attempts))]
    [async_cached(cache = self.cache, ttl = self.patience), timeout(self.patience), retry(attempts = self.attempts)]
    refusing()
    for {
        struct Client {
            patience: std::time::Duration,
            attempts: u32,
            #[allow(dead_code)]
            cache: Cache<u32, u32>,
        }
        let client = Client { patience: std::time::Duration::from_secs(1), attempts: 2, cache: Cache::new(10) };
    } in [impl Client] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            if n == 0 || self.patience.is_zero() { Err(Failure::Busy(self.attempts)) } else { Ok(n) }
        }
    } => { (client.get(4).await, client.get(0).await) }
}

shape! {
    handle_of_an_associated_function:
    [async_cached(skip(self), handle = Self::sums), timeout(1s), retry]
    refusing()
    for { shop!(); let shop = Shop::default(); } in [impl Shop] {
        async fn sum(&self, n: u32) -> Result<u32, Failure> {
            tick().await;
            Ok(self.id + n)
        }
    } => { shop.sum(4).await }
}
