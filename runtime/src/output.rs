//! `run!`: attributes around an expression. Here is how its expansion refers to the type of the output, which is not written anywhere.

use std::marker::PhantomData;

/// Stands for the type `R` where an expansion cannot write it.
pub struct Output<R>(PhantomData<fn() -> R>);

impl<R> Clone for Output<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Output<R> {}

/// The output of an async closure. It is only looked at.
#[inline]
pub fn of_async<F: AsyncFnOnce() -> R, R>(_: &F) -> Output<R> {
    Output(PhantomData)
}

/// The output of a blocking closure.
#[inline]
pub fn of_blocking<F: FnOnce() -> R, R>(_: &F) -> Output<R> {
    Output(PhantomData)
}

/// The closure of a `run!` on its way into the future. It is not `Copy`, so that a block which borrows what it names still takes this along.
pub struct Closure<F>(F);

impl<F> Closure<F> {
    /// Of any closure.
    #[inline]
    pub fn new(closure: F) -> Self {
        Self(closure)
    }

    /// The closure itself.
    #[inline]
    pub fn taken(self) -> F {
        self.0
    }
}
