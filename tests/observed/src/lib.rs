//! Tests of the library with all that watches it and meddles with it: see the `tests` folder.
