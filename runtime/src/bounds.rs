//! Bounds that an expansion asks for once.
//!
//! A bound that is not met would be reported wherever the expansion relies on it: a dozen errors for one missing `derive`. So an
//! expansion asks for each bound once, at the token where the user can do something about it, and the answer is a type that the compiler
//! has to infer from the impl: [`Satisfied`]. Where no impl fits, it reports the bound, and the answer stays unknown; so does whatever is
//! [passed](Satisfied::gate) through it, and about an unknown type it says no more.
//!
//! For that a bound is a trait `Bound<M>` with two impls, one that says `M = Satisfied` and one that never applies: of a single impl the compiler
//! would take it that it is meant, and report what is missing for it instead of the message of the trait.

/// The answer: the bound is met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Satisfied;

/// What no answer is.
#[derive(Debug, Default)]
pub struct Unsatisfied;

/// What nothing is.
pub trait Uninhabited {}

impl Satisfied {
    /// The answer to this and another question.
    #[inline]
    #[must_use]
    pub fn and<M>(self, next: M) -> M {
        next
    }

    /// The value, of a known type only if the bound is met.
    #[inline]
    pub fn gate<T>(self, value: T) -> T {
        value
    }
}

/// Declares bounds, each with its impls and with the functions that assert it.
///
/// ```ignore
/// bounds! {
///     #[diagnostic::on_unimplemented(..)]
///     trait Sent: [Send + 'static] {        // `?Sized [..]`: also of what is unsized
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
