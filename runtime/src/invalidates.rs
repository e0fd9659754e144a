//! `#[invalidates]`: a write after which a cache loads again.

// Documented where it is defined, in `macros/src/lib.rs`.
pub use steadfast_macros::invalidates;

#[doc(hidden)]
pub mod private {
    use std::borrow::{Borrow, ToOwned};
    use std::hash::Hash;
    use std::ops::{Deref, DerefMut};

    use crate::bounds::{Satisfied, Uninhabited, Unsatisfied};
    use crate::cache::Cache;
    use crate::contain::catch;
    use crate::key::Key;
    use crate::report;

    /// Bound check: a key of a cache, or its borrowed form.
    #[diagnostic::on_unimplemented(
        message = "this cache has keys of type `{K}`, which cannot be looked up by `{Self}`",
        label = "neither a `{K}` nor its borrowed form",
        note = "write the key as for `Cache::invalidate`: as the cached function is called, `key = id`, `key = (tenant, name)`"
    )]
    pub trait KeyOf<K, M> {}

    #[diagnostic::do_not_recommend]
    impl<K: Key<Q>, Q: Hash + ?Sized> KeyOf<K, Satisfied> for Q {}

    #[diagnostic::do_not_recommend]
    impl<K: Uninhabited, Q: ?Sized> KeyOf<K, Unsatisfied> for Q {}

    /// Checks that a cache can be looked up by the key.
    #[inline]
    pub fn assert_key_of<K, V, Q: KeyOf<K, M> + ?Sized, M: Default>(_: &Cache<K, V>, _: &Q) -> M {
        M::default()
    }

    /// An argument that is part of the key, or a field of one: kept until the body has ended, which may take the argument along.
    /// Autoref specialization (see `crate::specialize`): a reference is kept unchanged, another value is cloned.
    pub struct Named<'e, E>(NamedValue<'e, E>);

    /// One that is not a reference.
    pub struct NamedValue<'e, E>(&'e E);

    impl<'e, E> Named<'e, E> {
        /// Wraps the value of an argument.
        #[inline]
        pub fn new(value: &'e E) -> Self {
            Self(NamedValue(value))
        }
    }

    impl<'a, T: ?Sized> Named<'_, &'a T> {
        /// The reference.
        #[inline]
        pub fn keep(&self) -> Referred<'a, T> {
            Referred(self.0.0)
        }
    }

    impl<E> NamedValue<'_, E> {
        /// A clone.
        #[inline]
        pub fn keep(&self) -> Kept<E>
        where
            E: Clone,
        {
            Kept(self.0.clone())
        }
    }

    impl<'e, E> Deref for Named<'e, E> {
        type Target = NamedValue<'e, E>;

        #[inline]
        fn deref(&self) -> &NamedValue<'e, E> {
            &self.0
        }
    }

    /// A part of the key that an expression computes. If that is a reference, perhaps into an argument, an owned form is kept, by
    /// the same kind of specialization.
    pub struct Computed<E>(ComputedValue<E>);

    /// One that is not a reference.
    pub struct ComputedValue<E>(Option<E>);

    impl<E> Computed<E> {
        /// Wraps the value of an expression.
        #[inline]
        pub fn new(value: E) -> Self {
            Self(ComputedValue(Some(value)))
        }
    }

    impl<'a, T: ToOwned + ?Sized> Computed<&'a T> {
        /// The owned form.
        #[inline]
        pub fn keep(&mut self) -> Owned<'a, T> {
            Owned(self.0.take().to_owned(), std::marker::PhantomData)
        }
    }

    impl<E> ComputedValue<E> {
        /// The value.
        #[inline]
        pub fn keep(&mut self) -> Kept<E> {
            Kept(self.take())
        }

        fn take(&mut self) -> E {
            self.0.take().expect("taken once")
        }
    }

    impl<E> Deref for Computed<E> {
        type Target = ComputedValue<E>;

        #[inline]
        fn deref(&self) -> &ComputedValue<E> {
            &self.0
        }
    }

    impl<E> DerefMut for Computed<E> {
        #[inline]
        fn deref_mut(&mut self) -> &mut ComputedValue<E> {
            &mut self.0
        }
    }

    /// A part of the key, by reference.
    pub struct Referred<'a, T: ?Sized>(&'a T);

    /// A part of the key, by value.
    pub struct Kept<E>(E);

    /// A part of the key, owned, and looked up by its borrowed form.
    pub struct Owned<'a, T: ToOwned + ?Sized>(T::Owned, std::marker::PhantomData<fn(&'a T)>);

    impl<T: ?Sized> Referred<'_, T> {
        /// The reference by which the key is looked up.
        #[inline]
        pub fn part(&self) -> &T {
            self.0
        }
    }

    impl<E> Kept<E> {
        /// The reference by which the key is looked up.
        #[inline]
        pub fn part(&self) -> &E {
            &self.0
        }
    }

    impl<T: ToOwned + ?Sized> Owned<'_, T> {
        /// The reference by which the key is looked up.
        #[inline]
        pub fn part(&self) -> &T {
            self.0.borrow()
        }
    }

    /// An invalidation that follows any end of a call (`always`). It happens when this is dropped, after the body.
    pub struct Always<F: FnOnce()> {
        function: &'static str,
        invalidate: Option<F>,
    }

    impl<F: FnOnce()> Always<F> {
        /// For a new call.
        #[inline]
        pub fn new(function: &'static str, invalidate: F) -> Self {
            Self { function, invalidate: Some(invalidate) }
        }

        /// The call has returned.
        #[inline]
        pub fn end(mut self) {
            if let Some(invalidate) = self.invalidate.take() {
                invalidate();
            }
        }
    }

    impl<F: FnOnce()> Drop for Always<F> {
        fn drop(&mut self) {
            // A listener of the cache that panics must not abort a call that is unwinding.
            if let Some(invalidate) = self.invalidate.take()
                && let Err(payload) = catch(invalidate)
            {
                report::panicked(self.function, payload);
            }
        }
    }
}
