use steadfast::policies;

policies! { warehouse { #[timeout(2s)] } }

policies! { warehouse = #[timeout(2s)]; }

policies! { warehouse = { timeout(2s) }; }

policies! { first = { #[timeout(2s)] } second = { #[timeout(2s)] }; }

policies! { #[timeout(2s)] async fn stock() {} }

fn main() {}
