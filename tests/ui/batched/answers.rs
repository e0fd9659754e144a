use steadfast::batched;

#[batched]
async fn nothing(_ids: Vec<u32>) {}

#[batched]
async fn one_answer(_ids: Vec<u32>) -> u32 {
    0
}

#[batched]
async fn borrowed(_ids: Vec<u32>) -> Vec<&'static str> {
    Vec::new()
}

#[batched]
async fn returned_borrow<'a>(_ids: Vec<u32>) -> Result<Vec<&'a str>, ()> {
    Ok(Vec::new())
}

#[batched]
fn returned(ids: Vec<u32>) -> impl Future<Output = Vec<u32>> {
    async move {
        drop(ids);
        Vec::new()
    }
}

fn main() {}
