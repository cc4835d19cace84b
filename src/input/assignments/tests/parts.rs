//! Rows by the part of their customer, from batches and from lines.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use super::support::{Folder, dates, rows, texts};
use crate::assign::{AssignedIds, Assignments};
use crate::domain::IdType;

/// A row goes to the part of its customer whole, and keeps its place among the part's rows.
#[test]
fn rows_are_partitioned_by_part() {
    let folder = Folder::new();
    let lines = |of: std::ops::Range<i64>| {
        let line = |n: i64| {
            // The last ids and days are larger than most.
            let (id, year) = (n * 37 % 101 + ((n / 120) << 40), if n < 130 { 2024 } else { 2200 });
            format!("{id},{},{year}-01-{:02},{n}\n", if n % 3 == 0 { "a" } else { "b" }, n % 28 + 1)
        };
        of.map(line).collect::<String>()
    };
    folder.write("1.csv", format!("customer_id,arm,assigned_on,cost\n{}", lines(0..60)));
    folder.write("2.csv", format!("customer_id,arm,assigned_on,cost\n{}", lines(60..150)));
    for id in [IdType::Signed(64), IdType::Text] {
        let [whole] = folder.read_parts("*.csv", 1, id).try_into().unwrap();
        let parts = folder.read_parts("*.csv", 8, id);
        assert_eq!((parts.len(), parts.iter().map(|part| part.rows_read).sum::<u64>()), (8, 150));
        let part_of = |row: usize| {
            let hash = match &whole.ids {
                AssignedIds::Int(keys) => crate::bucket::hash_key(keys.at(row)),
                AssignedIds::Text(texts) => crate::bucket::hash_text(texts.get(row)),
            };
            (hash >> 61) as usize
        };
        for (number, part) in parts.iter().enumerate() {
            let all = rows(&whole);
            let own: Vec<String> = (0..whole.len()).filter(|row| part_of(*row) == number).map(|row| all[row].clone()).collect();
            assert_eq!(rows(part), own);
        }
    }
}

/// Whole batches are partitioned as lines are, whether every row counts or some lack what they need; few names and many, short and
/// long.
#[test]
fn batches_are_partitioned_as_lines_are() {
    let folder = Folder::new();
    let long = |n: i64| format!("a name of more than twelve bytes, {n}");
    for (lacks, names) in [(false, 2), (true, 2), (false, 7), (true, 7)] {
        let count = 9_000i64;
        let lacks = |n: i64, every: i64| lacks && n % every == 0;
        let ids: Vec<Option<i64>> = (0..count).map(|n| (!lacks(n, 11)).then_some(n * 37 % 8_009)).collect();
        let name = |n: i64| if n % names > 4 { long(n % names) } else { format!("arm {}", n % names) };
        let arms: Vec<Option<String>> = (0..count).map(|n| (!lacks(n, 13)).then(|| name(n * n / 3))).collect();
        let days: Vec<Option<String>> =
            (0..count).map(|n| (!lacks(n, 17)).then(|| format!("2024-01-{:02}", n / 50 % 28 + 1))).collect();
        let strata: Vec<Option<String>> = (0..count).map(|n| (n % 19 > 0).then(|| name(n / 7))).collect();
        let text = |values: &[Option<String>]| texts(&values.iter().map(Option::as_deref).collect::<Vec<_>>());
        let columns = [
            ("customer_id", Arc::new(Int64Array::from(ids.clone())) as ArrayRef),
            ("arm", text(&arms)),
            ("assigned_on", dates(&days.iter().map(Option::as_deref).collect::<Vec<_>>())),
            ("stratum", text(&strata)),
        ];
        // One row group of two batches.
        folder.parquet_in_groups("a.parquet", &columns, count as usize);
        let mut lines = String::from("customer_id,arm,assigned_on,stratum\n");
        for row in 0..count as usize {
            let id = ids[row].map(|id| id.to_string()).unwrap_or_default();
            let [arm, day, stratum] = [&arms, &days, &strata].map(|column| column[row].clone().unwrap_or_default());
            lines += &format!("{id},\"{arm}\",{day},\"{stratum}\"\n");
        }
        folder.write("a.csv", lines);
        for parts in [1, 8] {
            let read = |file: &str| folder.read_parts(file, parts, IdType::Signed(64));
            let (batches, lines) = (read("a.parquet"), read("a.csv"));
            assert_eq!(batches.len(), parts);
            for (one, other) in batches.iter().zip(&lines) {
                assert!(rows(one) == rows(other));
                assert_eq!((one.rows_read, &one.rejected, &one.arms), (other.rows_read, &other.rejected, &other.arms));
            }
            assert_eq!(batches[0].rows_read, count as u64);
            assert_eq!(batches.iter().map(Assignments::len).sum::<usize>() < count as usize, lacks(0, 1));
        }
    }
}
