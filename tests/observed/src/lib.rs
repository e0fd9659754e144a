//! Tests of the library with all instrumentation: see the `tests` folder.
