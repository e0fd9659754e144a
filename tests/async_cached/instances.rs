//! Which calls share a cache.

use super::*;

struct Repo<T>(std::marker::PhantomData<T>);

impl<T: Default + std::fmt::Display + Send + Sync> Repo<T> {
    #[async_cached]
    async fn name(n: u8) -> String {
        format!("{n}{}{}", T::default(), size_of::<T>())
    }

    #[async_cached(handle = Self::cache)]
    async fn size(n: u8) -> usize {
        size_of::<T>() + usize::from(n)
    }
}

#[tokio::test]
async fn one_cache_for_each_instantiation_of_a_generic_impl() {
    assert_eq!(Repo::<u8>::name(1).await, "101");
    assert_eq!(Repo::<u64>::name(1).await, "108");
    assert_eq!(Repo::<String>::name(1).await, "124");
    assert_eq!(Repo::<u8>::name(1).await, "101");
    assert_eq!((Repo::<u8>::size(1).await, Repo::<u64>::size(1).await, Repo::<u16>::size(1).await), (2, 9, 3));
    assert_eq!((Repo::<u8>::cache().get(&1), Repo::<u64>::cache().get(&1)), (Some(2), Some(9)));
}

#[tokio::test]
async fn generic_functions_and_their_handles() {
    #[async_cached(handle = sizes)]
    async fn size<T, const N: usize>(n: u8) -> usize
    where
        T: Send + Sync + 'static,
    {
        size_of::<[T; N]>() + usize::from(n)
    }
    assert_eq!((size::<u8, 2>(0).await, size::<u64, 2>(0).await, size::<u8, 3>(0).await), (2, 16, 3));
    assert_eq!((sizes::<u8, 2>().len(), sizes::<u8, 9>().len()), (1, 0));
}

mod one {
    #[steadfast::async_cached]
    pub(super) async fn same(n: u8) -> &'static str {
        let _ = n;
        "one"
    }
}

mod two {
    #[steadfast::async_cached]
    pub(super) async fn same(n: u8) -> &'static str {
        let _ = n;
        "two"
    }
}

#[tokio::test]
async fn functions_of_one_name_have_caches_of_their_own() {
    assert_eq!((one::same(1).await, two::same(1).await), ("one", "two"));
    assert_eq!((one::same(1).await, two::same(1).await), ("one", "two"));
}

static SHARED: Cache<u64, u64> = Cache::new(100);

#[async_cached(cache = SHARED)]
async fn double(n: u64) -> u64 {
    n * 2
}

#[async_cached(cache = SHARED)]
async fn fallible(n: u64) -> Result<u64, io::Error> {
    Err(io::Error::other(n.to_string()))
}

#[tokio::test]
async fn a_static_is_shared_by_functions() {
    assert!(fallible(4).await.is_err());
    assert_eq!(double(4).await, 8);
    assert_eq!(fallible(4).await.unwrap(), 8);
    assert_eq!(SHARED.stats().hits, 1);
}
