//! A line for each key, as long as it matters.

use std::any::Any;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::line::Line;
use crate::cache::Key;
use crate::clock;

/// The lines of all keys that are in use.
pub(super) struct Keys {
    state: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

struct Shard {
    lines: HashTable<Keyed>,
    /// Idle lines leave when there are so many.
    sweep_at: usize,
}

/// The key is of whatever type the function says; several functions may share a limiter.
struct Keyed {
    hash: u64,
    key: Box<dyn Any + Send + Sync>,
    line: Arc<Line>,
}

const SHARDS: usize = 16;

/// A shard holds no more lines than this: those of the keys that are nearest to being idle are forgotten first.
const MOST: usize = super::MOST_KEYS / SHARDS;

impl Keys {
    pub(super) fn new() -> Self {
        let shard = || Mutex::new(Shard { lines: HashTable::new(), sweep_at: 64 });
        Self { state: RandomState::default(), shards: std::array::from_fn(|_| shard()) }
    }

    /// The line of a key, which `own` makes where it is new.
    pub(super) fn line<K, Q>(&self, query: &Q, own: impl FnOnce() -> K) -> Arc<Line>
    where
        K: Key<Q> + Hash + Eq + Send + Sync + 'static,
        Q: Hash + ?Sized,
    {
        let hash = self.state.hash_one(query);
        let is_same = |keyed: &Keyed| keyed.hash == hash && keyed.key.downcast_ref::<K>().is_some_and(|key| key.matches(query));
        let shard = usize::try_from((hash >> 24) % SHARDS as u64).unwrap_or(0);
        let mut shard = lock(&self.shards[shard]);
        if let Some(known) = shard.lines.find(hash, is_same) {
            return Arc::clone(&known.line);
        }
        shard.make_room();
        let line = Arc::new(Line::new());
        let keyed = Keyed { hash, key: Box::new(own()), line: Arc::clone(&line) };
        shard.lines.insert_unique(hash, keyed, |keyed| keyed.hash);
        line
    }

    /// Calls `change` on each line.
    pub(super) fn for_each(&self, change: impl Fn(&Line)) {
        for shard in &self.shards {
            lock(shard).lines.iter().for_each(|keyed| change(&keyed.line));
        }
    }

    /// The lines in which somebody waits.
    pub(super) fn waited_for(&self) -> Vec<Arc<Line>> {
        let mut waited_for = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            let lines = shard.lines.iter().map(|keyed| &keyed.line).filter(|line| line.is_waited_for());
            waited_for.extend(lines.map(Arc::clone));
        }
        waited_for
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).lines.len()).sum()
    }
}

impl Shard {
    /// Looks for idle lines whenever their number has doubled, so that a new key costs the same however many there are.
    fn make_room(&mut self) {
        if self.lines.len() < self.sweep_at {
            return;
        }
        let now = clock::now();
        let in_use = |keyed: &Keyed| Arc::strong_count(&keyed.line) > 1;
        self.lines.retain(|keyed| in_use(keyed) || !keyed.line.is_idle(now));
        if self.lines.len() >= MOST {
            let mut due: Vec<u64> = self.lines.iter().map(|keyed| keyed.line.turns.due()).collect();
            let (_, &mut soon, _) = due.select_nth_unstable(MOST / 8);
            self.lines.retain(|keyed| in_use(keyed) || keyed.line.turns.due() > soon);
        }
        self.sweep_at = (self.lines.len() * 2).clamp(64, MOST);
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::gcra::Rate;
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn idle_lines_leave() {
        let (keys, rate) = (Keys::new(), Rate::new(1, SECOND));
        for round in 0..20_u64 {
            for key in 0..1_000 {
                assert_eq!(keys.line(&(round * 1_000 + key), || round * 1_000 + key).take(&rate), Ok(()));
            }
            tokio::time::advance(SECOND).await;
        }
        assert!(keys.len() <= 3_000, "{}", keys.len());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_lines_is_bounded_and_the_busiest_stay() {
        let (keys, mut rate) = (Keys::new(), Rate::new(1, SECOND));
        rate.set_burst(10);
        for _ in 0..10 {
            keys.line("busy", || "busy".to_owned()).take(&rate).unwrap();
        }
        for key in 0..200_000_u32 {
            keys.line(&key, || key).take(&rate).unwrap();
        }
        assert!(keys.len() <= super::super::MOST_KEYS, "{}", keys.len());
        assert!(keys.line("busy", || "busy".to_owned()).take(&rate).is_err());
    }
}
