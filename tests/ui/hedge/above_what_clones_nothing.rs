use steadfast::{hedge, offload_blocking};

pub struct Job(Vec<u8>);

#[hedge(after = 5ms)]
#[offload_blocking]
fn spawned(job: Job) -> Option<usize> {
    Some(job.0.len())
}

fn main() {}
