// As if the attributes were those of another version than the library that they find.
mod other {
    pub use steadfast::*;

    pub mod __private {
        pub use steadfast::__private::*;

        #[allow(dead_code)]
        const fn version_0_1() {}
    }
}

#[steadfast::timeout(1s, crate = crate::other)]
async fn call() -> Option<u32> {
    Some(1)
}

fn main() {}
