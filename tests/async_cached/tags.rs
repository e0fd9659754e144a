//! Tags: groups of entries.

use super::*;

#[tokio::test]
async fn a_tag_forgets_its_entries_and_no_others() {
    #[async_cached(tags = ["pages", format!("tenant:{tenant}")], handle = pages)]
    async fn page(tenant: u32, path: &str) -> String {
        format!("{tenant}{path}")
    }
    for tenant in 0..3 {
        for path in ["/", "/a"] {
            page(tenant, path).await;
        }
    }
    pages().invalidate_tag("tenant:1");
    assert_eq!(pages().len(), 4);
    assert!(!pages().contains(&(1, "/a")) && pages().contains(&(2, "/a")));
    pages().invalidate_tag("nobody has it");
    pages().insert_tagged((9, "/".to_owned()), "by hand".to_owned(), ["tenant:9"]);
    pages().invalidate_tag("tenant:9");
    assert_eq!(pages().len(), 4);
    pages().invalidate_tag("pages");
    assert_eq!(pages().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_tag_wins_over_computations_that_have_it() {
    #[async_cached(tags = [tag], handle = loads)]
    async fn load(tag: String, id: u32) -> u32 {
        sleep(SECOND).await;
        id
    }
    let calls: Vec<_> = [("a", 1), ("b", 2)].map(|(tag, id)| tokio::spawn(load(tag.to_owned(), id))).into();
    sleep(SECOND / 2).await;
    loads().invalidate_tag("a");
    assert_eq!(loads().in_flight(), 2, "both run to their end");
    let values: Vec<u32> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(values, [1, 2]);
    assert_eq!((loads().contains(&("a", 1)), loads().contains(&("b", 2))), (false, true));
}

#[tokio::test(start_paused = true)]
async fn chosen_entries_and_whatever_is_under_way() {
    #[async_cached(handle = loads)]
    async fn load(id: u32) -> u32 {
        sleep(SECOND).await;
        id * 10
    }
    for id in 0..10 {
        load(id).await;
    }
    let running = tokio::spawn(load(11));
    sleep(SECOND / 2).await;
    loads().invalidate_if(|id, value| id % 2 == 0 && *value < 50);
    assert_eq!((0..10).filter(|id| loads().contains(id)).collect::<Vec<_>>(), [1, 3, 5, 6, 7, 8, 9]);
    assert_eq!(running.await.unwrap(), 110);
    assert!(!loads().contains(&11), "its value was not known when it was asked for");
}
