use steadfast::hedge;

pub struct Counter(u32);

impl Counter {
    #[hedge(after = 5ms)]
    async fn of_self(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

#[hedge(after = 5ms)]
async fn by_reference(list: &mut Vec<u8>, ok: &u8) -> usize {
    list.push(*ok);
    list.len()
}

#[hedge(after = 5ms)]
async fn by_value(mut list: Vec<u8>) -> usize {
    list.push(1);
    list.len()
}

fn main() {}
