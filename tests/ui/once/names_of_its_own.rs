use steadfast::{circuit_breaker, concurrency_limit, rate_limit};

struct Plan {
    tenant: u32,
}

const PLAN: Plan = Plan { tenant: 3 };

mod tenant {
    pub const LIMIT: u32 = 2;
}

// All of these are as they should be but the last.
#[rate_limit(PLAN.tenant / 1s, burst = tenant::LIMIT)]
async fn of_a_field(tenant: u32) -> Option<u32> {
    Some(tenant)
}

#[concurrency_limit([1, 2].into_iter().map(|tenant| tenant * 2).sum::<usize>(), queue = { let tenant = 2_u32; tenant })]
async fn of_a_closure(tenant: u32) -> Option<u32> {
    Some(tenant)
}

#[circuit_breaker(failures = match PLAN { Plan { tenant } => tenant })]
async fn of_a_pattern(tenant: u32) -> Option<u32> {
    Some(tenant)
}

#[circuit_breaker(failures = format!("{tenant}").len() as u32)]
async fn of_a_format_string(tenant: u32) -> Option<u32> {
    Some(tenant)
}

fn main() {}
