//! Runs a job in this process on one changed file after the other, and says what came of each.

use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rfmill::Error;
use rfmill::internals::hash::sha256;
use rfmill::internals::input::damage::panics_are_contained;

use crate::support::run::{Workshop, files_below};

/// Reads all columns of the orders of `tests/data/flips.py`, and shows what it reads in its tables.
pub const JOB: &str = r#"
name = "damage"
[orders]
path = "orders.parquet"
customer_id = "customer_id"
ordered_at = "ordered_at"
amount = "amount"
order_id = "order_id"
category = "order_id"
slice = "region"
discount = "discount"
[periods]
as_of = [2023-12-31, 2024-12-31]
[schemes]
lifecycle = "recency_windows"
[output]
path = "out"
tables = ["customers", "segments", "cutpoints", "ledger"]
columns = ["first_order", "last_order", "frequency", "monetary", "lifetime_monetary", "discount_share", "top_category", "categories"]
report = []
"#;

/// What came of a run.
#[derive(Debug)]
pub enum Came {
    /// The tables of the clean run.
    Same,
    /// Other tables, without a word.
    Wrong,
    /// A refusal.
    Refused(Error),
    /// A panic that nothing contained.
    Panic(String),
}

/// Counts of a campaign.
#[derive(Debug, Default)]
pub struct Counts {
    pub runs: usize,
    pub same: usize,
    pub wrong: Vec<usize>,
    /// By exit code.
    pub refused: BTreeMap<u8, usize>,
    pub panics: Vec<String>,
    /// Panics of libraries that became refusals.
    pub contained: u64,
    pub longest: Duration,
}

impl Counts {
    pub fn share_wrong(&self) -> f64 {
        self.wrong.len() as f64 / self.runs.max(1) as f64
    }

    pub fn refusals(&self) -> usize {
        self.refused.values().sum()
    }

    /// One line for people.
    pub fn line(&self, name: &str) -> String {
        let share = |n: usize| 100.0 * n as f64 / self.runs.max(1) as f64;
        format!(
            "{name}: {} runs, {} refused ({:.2} %), {} the same ({:.2} %), {} silently wrong ({:.4} %), {} panics, {} panics contained, longest {:.0} ms",
            self.runs,
            self.refusals(),
            share(self.refusals()),
            self.same,
            share(self.same),
            self.wrong.len(),
            share(self.wrong.len()),
            self.panics.len(),
            self.contained,
            self.longest.as_secs_f64() * 1e3
        )
    }
}

static CONTAINED: AtomicU64 = AtomicU64::new(0);

/// Counts panics that are contained, and says nothing of them.
pub fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if panics_are_contained() {
                CONTAINED.fetch_add(1, Ordering::Relaxed);
            } else {
                usual(info);
            }
        }));
    });
}

/// The text of a panic.
pub fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a text").to_owned()
}

/// A folder with the job, and what a clean run gives.
pub struct Mill {
    pub shop: Workshop,
    clean: BTreeMap<String, String>,
}

impl Mill {
    /// One whose clean run is of these orders; `extra` stands in the section of the orders.
    pub fn new(orders: &[u8], extra: &str) -> Mill {
        Mill::with(orders, |shop| shop.write("job.toml", &JOB.replace("[orders]\n", &format!("[orders]\n{extra}\n"))))
    }

    /// One whose job is written by `job`.
    pub fn with(orders: &[u8], job: impl Fn(&Workshop)) -> Mill {
        let shop = Workshop::new();
        job(&shop);
        fs::write(shop.path("SHA256SUMS"), format!("{}  orders.parquet\n", sha256(orders))).expect("a list");
        fs::write(shop.path("orders.parquet"), orders).expect("a file");
        shop.run_here(None).expect("a clean run");
        let clean = tables(&shop);
        Mill { shop, clean }
    }

    /// Runs the job on these orders.
    pub fn run(&self, orders: &[u8]) -> Came {
        fs::write(self.shop.path("orders.parquet"), orders).expect("a file");
        let _ = fs::remove_dir_all(self.shop.path("out"));
        match catch_unwind(AssertUnwindSafe(|| self.shop.run_here(None))) {
            Err(panic) => Came::Panic(text_of(&*panic)),
            Ok(Err(error)) => Came::Refused(error),
            Ok(Ok(())) if tables(&self.shop) == self.clean => Came::Same,
            Ok(Ok(())) => Came::Wrong,
        }
    }
}

/// The hash of every table file.
fn tables(shop: &Workshop) -> BTreeMap<String, String> {
    let folder = shop.path("out/latest");
    let files = files_below(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "parquet"));
    files.map(|path| (path.display().to_string(), sha256(&fs::read(&path).expect("a table")))).map(short).collect()
}

/// The path below the run, whose name is another one for every file.
fn short((path, hash): (String, String)) -> (String, String) {
    (path.split_once("latest/").map_or(path.clone(), |(_, below)| below.to_owned()), hash)
}

/// Runs the job on `count` variants of a file, on all processors. A refusal must be of exit 2, 3, 4 or 7.
pub fn campaign(orders: &[u8], extra: &str, count: usize, variant: impl Fn(usize) -> Vec<u8> + Sync) -> Counts {
    campaign_until(orders, extra, count, None, variant)
}

/// The same, until a time has come.
pub fn campaign_until(
    orders: &[u8],
    extra: &str,
    count: usize,
    end: Option<Instant>,
    variant: impl Fn(usize) -> Vec<u8> + Sync,
) -> Counts {
    count_panics();
    let before = CONTAINED.load(Ordering::Relaxed);
    let next = AtomicUsize::new(0);
    let work = || {
        let mill = Mill::new(orders, extra);
        // Threads of their own, so that runs beside each other do not wait for each other.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        let mut counts = Counts::default();
        pool.install(|| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count || end.is_some_and(|end| Instant::now() >= end) {
                    return;
                }
                let bytes = variant(number);
                let began = Instant::now();
                let came = mill.run(&bytes);
                counts.longest = counts.longest.max(began.elapsed());
                counts.runs += 1;
                match came {
                    Came::Same => counts.same += 1,
                    Came::Wrong => counts.wrong.push(number),
                    Came::Refused(error) => {
                        *counts.refused.entry(error.kind().exit_code()).or_default() += 1;
                        if ![2, 3, 4, 7].contains(&error.kind().exit_code()) {
                            counts.panics.push(format!("variant {number}: exit {}: {error}", error.kind().exit_code()));
                        }
                    }
                    Came::Panic(text) => counts.panics.push(format!("variant {number}: {text}")),
                }
            }
        });
        counts
    };
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get());
    let mut all = Counts::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let counts = worker.join().expect("a worker");
            all.runs += counts.runs;
            all.same += counts.same;
            all.wrong.extend(counts.wrong);
            all.panics.extend(counts.panics);
            all.longest = all.longest.max(counts.longest);
            for (code, n) in counts.refused {
                *all.refused.entry(code).or_default() += n;
            }
        }
    });
    all.wrong.sort_unstable();
    all.contained = CONTAINED.load(Ordering::Relaxed) - before;
    all
}
