//! The doctests of the guide: its pages are part of the library's documentation, and this package has what their programs depend on.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[path = "../../runtime/src/guide.rs"]
mod guide;
