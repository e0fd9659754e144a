//! How expansions instrument a call. Without the features, they do not.
//!
//! These are macros because an expansion cannot know the features of the library: without them, they expand to nothing.

/// Declares a function and starts a call of it.
#[cfg(feature = "registry")]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_enter {
    ($site:ident, $seen:ident, $function:tt, [$(($attribute:literal, $settings:literal)),*]) => {
        static $site: $crate::__private::registry::Function = $crate::__private::registry::Function::new(
            $function,
            ::core::module_path!(),
            ::core::file!(),
            ::core::line!(),
            &[$($crate::__private::registry::Policy { attribute: $attribute, settings: $settings }),*],
        );
        let mut $seen = $site.enter();
    };
}

/// Without the feature.
#[cfg(not(feature = "registry"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_enter {
    ($($ignored:tt)*) => {};
}

/// Tracks the polls of what a call awaits.
#[cfg(feature = "registry")]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_watched {
    ($seen:ident, $future:expr) => {
        $seen.state.watch($future)
    };
}

/// Without the feature.
#[cfg(not(feature = "registry"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_watched {
    ($seen:ident, $future:expr) => {
        $future
    };
}

/// Ends a call.
#[cfg(feature = "registry")]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_leave {
    ($seen:ident, $failed:expr) => {
        $seen.leave($failed);
    };
}

/// Without the feature.
#[cfg(not(feature = "registry"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_leave {
    ($($ignored:tt)*) => {};
}

/// Attaches the handle of a policy to its function.
#[cfg(feature = "registry")]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_attach {
    ($site:ident, $policy:expr) => {{
        static ATTACHED: $crate::__private::registry::Attached = $crate::__private::registry::Attached::new();
        ATTACHED.attach(&$site, $policy);
    }};
}

/// Without the feature.
#[cfg(not(feature = "registry"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_attach {
    ($($ignored:tt)*) => {};
}

/// The first statement in the body of a function: injects the faults of `steadfast::chaos`.
#[cfg(feature = "chaos")]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_chaos {
    (asynchronous $function:tt $error:ident $refusal:expr) => {
        if let ::core::option::Option::Some(__fault) = $crate::__private::chaos::fault($function, ::core::module_path!()) {
            if let ::core::option::Option::Some($error) = __fault.strike().await {
                return $refusal;
            }
        }
    };
    (blocking $function:tt $error:ident $refusal:expr) => {
        if let ::core::option::Option::Some(__fault) = $crate::__private::chaos::fault($function, ::core::module_path!()) {
            if let ::core::option::Option::Some($error) = __fault.strike_blocking() {
                return $refusal;
            }
        }
    };
}

/// No faults are injected.
#[cfg(not(feature = "chaos"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __steadfast_chaos {
    ($($ignored:tt)*) => {};
}
