use steadfast::hedge;

#[hedge(after = 50ms, key = host)]
async fn no_percentile(host: &str) -> Option<u32> {
    None
}

#[hedge(after = p95, max_keys = 10)]
async fn no_key(host: &str) -> Option<u32> {
    None
}

#[hedge(after = p95, key = host, max_keys = most)]
async fn of_the_call(host: &str, most: usize) -> Option<u32> {
    None
}

fn main() {}
