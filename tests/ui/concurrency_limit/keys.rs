use steadfast::{ConcurrencyLimiter, Keyed, concurrency_limit};

static TENANTS: Keyed<String, ConcurrencyLimiter> = Keyed::new(|| ConcurrencyLimiter::new(1));

#[concurrency_limit(8, max_keys = 10)]
async fn no_key(tenant: &str) -> usize {
    tenant.len()
}

#[concurrency_limit(TENANTS, key = tenant, max_keys = 10)]
async fn elsewhere(tenant: &str) -> usize {
    tenant.len()
}

#[concurrency_limit(8, key = tenant.len() + 1, handle = tenants)]
async fn inferred(tenant: &str) -> usize {
    tenant.len()
}

fn main() {}
