use steadfast::hedge;

#[hedge(after = 5ms)]
async fn consumes(list: Vec<u8>) -> usize {
    let moved = list;
    moved.len()
}

fn main() {}
