use steadfast::offload_blocking;

struct Reader<'a>(&'a [u8]);

#[offload_blocking]
fn reader(reader: Reader) -> usize {
    reader.0.len()
}

fn main() {}
