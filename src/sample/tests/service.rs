//! Service tickets and answers beside orders that stay as they are.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal64Type, Int32Type, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::support::{DAY_MICROS, bytes, read_all, sample, spec};
use crate::sample::SampleSpec;

/// Customer, event, microseconds, cents and score.
type Event = (String, String, i64, Option<i64>, Option<i32>);

/// The rows of a file.
fn events(path: &Path) -> Vec<Event> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let text = |name: &str, row| array_value_to_string(column(name), row).unwrap();
        let at = column("at").as_primitive::<TimestampMicrosecondType>();
        let costs = arrow::compute::cast(column("cost"), &arrow::datatypes::DataType::Decimal64(12, 2)).unwrap();
        let (costs, scores) = (costs.as_primitive::<Decimal64Type>(), column("score").as_primitive::<Int32Type>());
        rows.extend((0..batch.num_rows()).map(|row| {
            let cost = costs.is_valid(row).then(|| costs.value(row));
            let score = scores.is_valid(row).then(|| scores.value(row));
            (text("customer_id", row), text("event", row), at.value(row), cost, score)
        }));
    }
    rows
}

#[test]
fn tickets_cost_and_answers_score() {
    let with = SampleSpec { service: true, ..spec(20_000) };
    let (_plain_folder, plain) = sample(&spec(20_000));
    let (_folder, summary) = sample(&with);
    assert_eq!(bytes(&summary), bytes(&plain));
    let rows = events(summary.service.as_ref().unwrap());
    assert_eq!((rows.len() as u64, plain.service, plain.events), (summary.events, None, 0));
    let customers: HashSet<String> = read_all(&summary).into_iter().filter_map(|row| row.customer).collect();
    let first_day = 19_358;
    for (customer, event, at, cost, score) in &rows {
        assert!((first_day..first_day + 731).contains(&at.div_euclid(DAY_MICROS)), "{customer} at {at}");
        assert!(customers.contains(customer), "{customer} has no order");
        match event.as_str() {
            "ticket" => assert!(cost.is_some_and(|cost| cost > 0) && score.is_none()),
            _ => assert!(event == "survey" && cost.is_none() && score.is_some_and(|score| (0..=10).contains(&score))),
        }
    }
    let tickets = rows.iter().filter(|row| row.1 == "ticket").count();
    let answers = rows.len() - tickets;
    assert!(tickets > 300 && answers > tickets / 4 && answers < tickets / 2, "{tickets} tickets, {answers} answers");
    // The same again, and with ids of text.
    let (_again_folder, again) = sample(&with);
    assert_eq!(events(again.service.as_ref().unwrap()), rows);
    let (_text_folder, text) = sample(&SampleSpec { string_ids: true, ..with });
    let of_text = events(text.service.as_ref().unwrap());
    assert!(of_text.iter().zip(&rows).all(|(text, row)| text.0 == format!("C{:0>7}", row.0) && text.2 == row.2));
}
