use steadfast::{apply, policies};

policies! {
    misspelt_attribute = { #[timout(2s)] };
    misspelt_option = { #[retry(attempt = 3)] };
    of_others = { #[derive(Debug)] #[timeout(2s)] };
    itself = { #[timeout(2s)] #[apply(other)] };
    other = { #[apply(itself)] };
    none = { #[timeout(1s)] };
    empty = {};
    twice = { #[timeout(1s)] };
    twice = { #[timeout(1s)] };
    unnamed = { #[apply] };
}

#[apply(misspelt_option)]
async fn load() -> Option<u32> {
    Some(1)
}

#[apply(misspelt_option)]
async fn again() -> Option<u32> {
    Some(1)
}

fn main() {}
