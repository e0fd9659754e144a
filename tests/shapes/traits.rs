//! Methods of traits: provided ones and implementations, with `async fn` and with `#[async_trait]`.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use steadfast::{async_cached, retry, timeout};

use crate::support::{Failure, Reply, tick};

shape! {
    async_fn_in_an_implementation:
    every(skip(self))
    for {
        trait Source { async fn get(&self, n: u32) -> Reply<u32>; }
        struct Db(u32);
    } in [impl Source for Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Db(1).get(4).await }
}

shape! {
    async_fn_provided_by_the_trait:
    alone(skip(self))
    for {
        struct Db;
        impl Source for Db { fn base(&self) -> u32 { 7 } }
    } in [trait Source] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.base() + n)
        }

        fn base(&self) -> u32;
    } => { Db.get(4).await }
}

shape! {
    implementation_of_a_future_returning_method:
    every(skip(self))
    for {
        trait Source { fn get(&self, n: u32) -> impl Future<Output = Reply<u32>> + Send; }
        struct Db(u32);
    } in [impl Source for Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => { Db(1).get(4).await }
}

shape! {
    future_returning_method_provided_by_the_trait:
    every(skip(self))
    for {
        struct Db;
        impl Source for Db { fn base(&self) -> u32 { 7 } }
    } in [trait Source: Sync] {
        fn get(&self, n: u32) -> impl Future<Output = Reply<u32>> + Send {
            async move {
                tick().await;
                Ok(self.base() + n)
            }
        }

        fn base(&self) -> u32;
    } => { (is_send!(Db.get(4)), Db.get(4).await) }
}

shape! {
    boxed_future_in_a_dyn_trait:
    every(skip(self))
    for {
        struct Db(u32);
        trait Source { fn get<'a>(&'a self, n: &'a u32) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send + 'a>>; }
    } in [impl Source for Db] {
        fn get<'a>(&'a self, n: &'a u32) -> Pin<Box<dyn Future<Output = Reply<u32>> + Send + 'a>> {
            Box::pin(async move {
                tick().await;
                Ok(self.0 + n)
            })
        }
    } => {
        let source: Box<dyn Source> = Box::new(Db(1));
        source.get(&4).await
    }
}

shape! {
    generic_trait_with_associated_types:
    every(skip(self))
    for {
        trait Source<K> {
            type Value;
            const FEE: u32;
            async fn get(&self, key: K) -> Result<Self::Value, Failure>;
        }
        struct Db;
    } in [impl Source<u32> for Db] {
        async fn get(&self, key: u32) -> Result<Self::Value, Failure> {
            tick().await;
            let value: Self::Value = key + <Self as Source<u32>>::FEE;
            Ok(value)
        }

        type Value = u32;
        const FEE: u32 = 7;
    } => { Db.get(4).await }
}

shape! {
    trait_method_without_self:
    every()
    for {
        struct Db;
        impl Source for Db {}
    } in [trait Source: Sized] {
        async fn open(n: u32) -> Reply<u32> where Self: Send {
            tick().await;
            Ok(n)
        }
    } => { Db::open(4).await }
}

shape! {
    trait_method_that_is_generic:
    every(skip(self, text))
    for {
        struct Db;
        impl Source for Db {}
    } in [trait Source] {
        async fn len<T: AsRef<str>>(&self, text: T) -> Reply<usize> {
            tick().await;
            Ok(text.as_ref().len())
        }
    } => { (Db.len("abc").await, Db.len("abc".to_owned()).await) }
}

shape! {
    implementation_for_a_reference_and_for_a_generic_type:
    every(skip(self))
    for {
        trait Show { async fn show(&self) -> Reply<String>; }
    } in [impl<T: Debug> Show for &T] {
        async fn show(&self) -> Reply<String> {
            tick().await;
            Ok(format!("{self:?}"))
        }
    } => { (&5).show().await }
}

shape! {
    async_trait_implementation:
    alone(skip(self))
    for {
        #[async_trait]
        trait Source { async fn get(&self, n: u32) -> Reply<u32>; }
        struct Db(u32);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.0 + n)
        }
    } => {
        let source: Box<dyn Source> = Box::new(Db(1));
        (is_send!(source.get(4)), source.get(4).await)
    }
}

shape! {
    async_trait_provided_method:
    every(skip(self))
    for {
        struct Db;
        impl Source for Db {}
    } in [#[async_trait] trait Source: Sync] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Ok(self.base() + n)
        }

        fn base(&self) -> u32 { 7 }
    } => { Db.get(4).await }
}

shape! {
    async_trait_that_is_not_send:
    every(skip(self))
    for {
        #[async_trait(?Send)]
        trait Source { async fn get(&self, n: u32) -> Reply<u32>; }
        struct Db(std::rc::Rc<u32>);
    } in [#[async_trait(?Send)] impl Source for Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            let rc = std::rc::Rc::clone(&self.0);
            tick().await;
            Ok(*rc + n)
        }
    } => { Db(std::rc::Rc::new(3)).get(4).await }
}

shape! {
    async_trait_with_generics_and_lifetimes:
    [timeout(1s)] [retry] [timeout(1s), retry]
    refusing()
    for {
        #[async_trait]
        trait Source<'s, K: Send + Sync + 'static> {
            async fn get<'k, T>(&'s self, key: &'k K, table: &T) -> Result<&'s str, Failure>
            where
                T: Fn(&K) -> bool + Sync;
        }
        struct Db(String);
    } in [#[async_trait] impl<'s, K: Send + Sync + 'static> Source<'s, K> for Db] {
        async fn get<'k, T>(&'s self, key: &'k K, table: &T) -> Result<&'s str, Failure>
        where
            T: Fn(&K) -> bool + Sync,
        {
            tick().await;
            if table(key) { Ok(self.0.as_str()) } else { Err(Failure::Busy(1)) }
        }
    } => {
        let db = Db("text".to_owned());
        let found = db.get(&3, &|n: &i32| *n == 3).await.map(str::to_owned);
        (found, db.get(&4, &|n: &i32| *n == 3).await.map(str::to_owned))
    }
}

shape! {
    async_trait_with_self_by_mutable_reference_and_patterns:
    changing(skip(self))
    for {
        #[async_trait]
        trait Sink { async fn put(&mut self, (a, b): (u32, u32), mut c: u32, _: u32) -> Reply<usize>; }
        struct Db(Vec<u32>);
        let mut db = Db(Vec::new());
    } in [#[async_trait] impl Sink for Db] {
        async fn put(&mut self, (a, b): (u32, u32), mut c: u32, _: u32) -> Reply<usize> {
            self.0.push(a);
            tick().await;
            c += b;
            self.0.push(c);
            Ok(self.0.len())
        }
    } => { (db.put((1, 2), 3, 4).await, db.0) }
}

shape! {
    async_trait_with_self_by_value:
    [async_cached(skip(self)), timeout(1s)]
    refusing()
    for {
        #[async_trait]
        trait Source { async fn into_text(self, more: String) -> Reply<String>; }
        struct Db(String);
    } in [#[async_trait] impl Source for Db] {
        async fn into_text(self, more: String) -> Reply<String> {
            tick().await;
            Ok(self.0 + &more)
        }
    } => { Db("a".to_owned()).into_text("b".to_owned()).await }
}

shape! {
    async_trait_without_a_result:
    [timeout(1s, or_else = |_| 0)] [retry(failure = |n| *n == 0)] [async_cached(skip(self))]
    for {
        #[async_trait]
        trait Source { async fn get(&self, n: u32) -> u32; }
        struct Db(u32);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&self, n: u32) -> u32 {
            tick().await;
            self.0 + n
        }
    } => { Db(1).get(4).await }
}

shape! {
    async_trait_returning_unit:
    [timeout(1s, or_else = |_| ())] [retry(failure = |()| false)] [async_cached(skip(self))]
    for {
        #[async_trait]
        trait Source { async fn touch(&self); }
        struct Db;
    } in [#[async_trait] impl Source for Db] {
        async fn touch(&self) {
            tick().await;
        }
    } => { Db.touch().await }
}

shape! {
    async_trait_without_self:
    every()
    for {
        #[async_trait]
        trait Source { async fn open(n: u32) -> Reply<u32>; }
        struct Db;
    } in [#[async_trait] impl Source for Db] {
        async fn open(n: u32) -> Reply<u32> {
            tick().await;
            Ok(n)
        }
    } => { Db::open(4).await }
}

shape! {
    async_trait_with_self_in_the_options:
    [timeout(self.0)] [retry(delay = self.0, when = |error| *error == Failure::Busy(n))]
    [async_cached(key = (self.0, n)), timeout(self.0 * 100), retry(delay = self.0)]
    refusing()
    for {
        #[async_trait]
        trait Source { async fn get(&self, n: u32) -> Reply<u32>; }
        struct Db(std::time::Duration);
    } in [#[async_trait] impl Source for Db] {
        async fn get(&self, n: u32) -> Reply<u32> {
            tick().await;
            Err(Failure::Busy(n + self.0.subsec_millis()))
        }
    } => { Db(std::time::Duration::from_millis(7)).get(4).await }
}
