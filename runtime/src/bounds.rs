//! Bounds that an expansion asserts once.
//!
//! An unmet bound would be reported wherever the expansion relies on it: a dozen errors for one missing `derive`. An expansion
//! therefore asserts each bound once, at the token where the user can fix it, and the assertion returns a type that the compiler
//! has to infer from the impl: [`Satisfied`]. If no impl applies, the compiler reports the bound, and the type remains unknown, as
//! does that of everything [passed](Satisfied::gate) through it; about an unknown type the compiler reports nothing more.
//!
//! This requires a trait `Bound<M>` with two impls, one with `M = Satisfied`, and one that never applies: with a single impl, the
//! compiler would assume that it is meant, and report that impl's unmet condition instead of the trait's message.

/// The result of an assertion: the bound is met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Satisfied;

/// Never the result of an assertion.
#[derive(Debug, Default)]
pub struct Unsatisfied;

/// Implemented by no type.
pub trait Uninhabited {}

impl Satisfied {
    /// Combines the results of two assertions.
    #[inline]
    #[must_use]
    pub fn and<M>(self, next: M) -> M {
        next
    }

    /// Returns the value, with a known type only if the bound is met.
    #[inline]
    pub fn gate<T>(self, value: T) -> T {
        value
    }
}

/// Declares bounds, each with its impls and the functions that assert it.
///
/// ```ignore
/// bounds! {
///     #[diagnostic::on_unimplemented(..)]
///     trait Sent: [Send + 'static] {        // `?Sized [..]`: also for unsized types
///         fn assert_send[T: Sent<M>]();
///     }
/// }
/// // Output: pub trait Sent<M> {}, its two impls, pub fn assert_send<T: Sent<M>, M: Default>() -> M
/// ```
macro_rules! bounds {
    ($(
        $(#[$attribute:meta])*
        trait $Bound:ident: $(?$Sized:ident)? [$($condition:tt)*] {
            $($(#[$doc:meta])* fn $assert:ident[$($generics:tt)*]($($argument:tt)*);)*
        }
    )*) => {$(
        $(#[$attribute])*
        pub trait $Bound<M> {}

        #[diagnostic::do_not_recommend]
        impl<T: $($condition)* $(+ ?$Sized)?> $Bound<$crate::bounds::Satisfied> for T {}

        #[diagnostic::do_not_recommend]
        impl<T: $crate::bounds::Uninhabited $(+ ?$Sized)?> $Bound<$crate::bounds::Unsatisfied> for T {}

        $(
            $(#[$doc])*
            #[inline]
            pub fn $assert<$($generics)*, M: Default>($($argument)*) -> M {
                M::default()
            }
        )*
    )*};
}

pub(crate) use bounds;
