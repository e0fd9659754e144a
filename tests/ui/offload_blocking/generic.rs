use steadfast::offload_blocking;

#[offload_blocking]
fn show<T: ToString>(value: T) -> String {
    value.to_string()
}

#[offload_blocking]
fn anonymous(value: impl ToString) -> String {
    value.to_string()
}

#[offload_blocking]
fn returned<T: Default>() -> T {
    T::default()
}

fn main() {}
