//! Columns that look like dates and are none, and money in the forms that people write: it is placed, asked about or refused.

use serde_json::json;

use super::{customers, init, job, placed};
use crate::fixture::Bench;
use crate::query::has_program;

/// Writes a file of orders with a date and a money of these texts, and perhaps a further column before them.
fn write(bench: &Bench, file: &str, further: Option<(&str, [&str; 3])>, dates: Option<[&str; 3]>, money: &[&str]) {
    let is_csv = file.ends_with("csv");
    let mut text = String::new();
    for row in 0..money.len() {
        let mut fields = vec![("customer_id", format!("c{row}"))];
        fields.extend(further.map(|(name, values)| (name, values[row].to_owned())));
        fields.extend(dates.map(|dates| ("order_date", dates[row].to_owned())));
        fields.push(("total", money[row].to_owned()));
        if is_csv && row == 0 {
            text += &(fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",") + "\n");
        }
        text += &match is_csv {
            true => fields.iter().map(|(_, value)| format!("\"{value}\"")).collect::<Vec<_>>().join(",") + "\n",
            false => {
                let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
                serde_json::Value::Object(fields.collect()).to_string() + "\n"
            }
        };
    }
    bench.write(file, text);
}

const DATES: [&str; 3] = ["2023-01-31", "2023-07-01", "2023-05-13"];

#[test]
fn numbers_that_look_like_dates_are_none_beside_a_date() {
    if !has_program() {
        return;
    }
    for (name, values) in [
        ("order_no", ["20220301", "20220302", "20220303"]),
        ("order_no", ["20220301120000", "20220301120001", "20220301120002"]),
        ("order_no", ["1646092800", "1646092801", "1646092802"]),
        ("phone", ["13912345678", "13812345678", "13712345678"]),
        ("phone", ["2022030112", "2022030212", "2022030312"]),
        ("batch", ["20220301", "20220301", "20220302"]),
        ("id", ["1646092800123", "1646092800124", "1646092800125"]),
        ("updated_at", ["2024-03-01", "2024-03-01", "2024-03-01"]),
        ("delivery_date", ["2023-02-02", "2023-07-03", "2023-05-15"]),
        ("birthday", ["1980-01-01", "1990-12-31", "1970-06-15"]),
    ] {
        for file in ["a.csv", "a.ndjson"] {
            let bench = Bench::empty();
            write(&bench, file, Some((name, values)), Some(DATES), &["1.50", "2.50", "3.50"]);
            let told = placed(&bench, name, file);
            assert_eq!(told.roles["date"], "order_date", "{name} {values:?} in {file}");
            // 2023-01-31, 2023-07-01 and 2023-05-13 as days since 1970.
            let found: Vec<(i64, i128)> = customers(&bench, "out").into_values().collect();
            assert_eq!(found, [(19_388, 150), (19_539, 250), (19_490, 350)], "{name} in {file}");
        }
    }
}

#[test]
fn numbers_alone_are_no_dates() {
    for values in [["20220301", "20220302", "20220303"], ["20220301120000", "20220301120001", "20220301120002"]] {
        for file in ["a.csv", "a.ndjson"] {
            let bench = Bench::empty();
            write(&bench, file, Some(("order_no", values)), None, &["1.50", "2.50", "3.50"]);
            let ran = bench.rfmill(&["init", file, "--yes"]);
            assert!(ran.code == 3 && ran.err.contains("no column looks like the date of an order"), "{}", ran.err);
        }
    }
}

#[test]
fn money_is_read_as_people_write_it() {
    if !has_program() {
        return;
    }
    for (texts, expected) in [
        (["1.234,56", "12,50", "999,00"], [123_456, 1_250, 99_900]),
        (["1,234.56", "12.50", "999.00"], [123_456, 1_250, 99_900]),
        (["1 234,56", "12,50", "999,00"], [123_456, 1_250, 99_900]),
        (["1\u{a0}234,56", "12,50", "999,00"], [123_456, 1_250, 99_900]),
        (["1\u{202f}234,56", "12,50", "999,00"], [123_456, 1_250, 99_900]),
        (["1'234.56", "12.50", "999.00"], [123_456, 1_250, 99_900]),
        (["¥1,234", "¥950", "¥12,500"], [123_400, 95_000, 1_250_000]),
        (["1,234", "950", "12,500"], [123_400, 95_000, 1_250_000]),
        (["1.234", "950", "12.500"], [123_400, 95_000, 1_250_000]),
        (["1,234,567", "950", "12,500"], [123_456_700, 95_000, 1_250_000]),
        (["1.234.567", "950", "12.500"], [123_456_700, 95_000, 1_250_000]),
        (["1.234,56 €", "12,50 €", "999,00 €"], [123_456, 1_250, 99_900]),
        (["1 234,50 kr", "12,50 kr", "999,00 kr"], [123_450, 1_250, 99_900]),
        (["$1,234.56", "$12.50", "$999.00"], [123_456, 1_250, 99_900]),
        (["￥1,234.00", "￥12.50", "￥999.00"], [123_400, 1_250, 99_900]),
        (["US$ 1,234.56", "US$ 12.50", "US$ 999.00"], [123_456, 1_250, 99_900]),
        (["USD 1234.56", "USD 12.50", "USD 999.00"], [123_456, 1_250, 99_900]),
        (["1.234,56 CHF", "12,50 CHF", "999,00 CHF"], [123_456, 1_250, 99_900]),
        (["1,23,456.00", "12.50", "99,999.00"], [12_345_600, 1_250, 9_999_900]),
        (["₹1,23,45,678", "₹950", "₹12,500"], [1_234_567_800, 95_000, 1_250_000]),
        (["Rs. 1,23,456.50", "Rs. 12.50", "Rs. 7"], [12_345_650, 1_250, 700]),
    ] {
        for file in ["a.csv", "a.ndjson"] {
            let bench = Bench::empty();
            write(&bench, file, None, Some(DATES), &texts);
            placed(&bench, &format!("{texts:?}"), file);
            let money: Vec<i128> = customers(&bench, "out").into_values().map(|(_, money)| money).collect();
            assert_eq!(money, expected, "{texts:?} in {file}:\n{}", job(&bench));
        }
    }
}

/// A customer pays 100.00 and gets 12.50 back, and another one pays 1,000.00.
#[test]
fn money_below_zero_is_read_as_people_write_it() {
    if !has_program() {
        return;
    }
    for texts in [
        ["-12.50", "100.00", "1000.00"],
        ["\u{2212}12.50", "100.00", "1000.00"],
        ["\u{2212}12,50", "100,00", "1.000,00"],
        ["(12.50)", "100.00", "1,000.00"],
        ["(12,50)", "100,00", "1.000,00"],
        ["($12.50)", "$100.00", "$1,000.00"],
        ["($ 12.50)", "$ 100.00", "$ 1000.00"],
        ["12.50-", "100.00", "1,000.00"],
        ["12.50-", "100.00", "1000.00"],
        ["12,50-", "100,00", "1.000,00"],
        ["12,50 -", "100,00", "1 000,00"],
        ["12,50- EUR", "100,00 EUR", "1.000,00 EUR"],
        ["-€12.50", "€100.00", "€1,000.00"],
        ["- 12,50 €", "100,00 €", "1 000,00 €"],
    ] {
        for file in ["a.csv", "a.ndjson"] {
            let bench = Bench::empty();
            write(&bench, file, None, Some(DATES), &texts);
            let text = String::from_utf8(bench.read(file)).expect("UTF-8");
            bench.write(file, text.replace("c1", "c0"));
            placed(&bench, &format!("{texts:?}"), file);
            let money: Vec<i128> = customers(&bench, "out").into_values().map(|(_, money)| money).collect();
            assert_eq!(money, [8_750, 100_000], "{texts:?} in {file}:\n{}", job(&bench));
        }
    }
}

/// Where no value tells marks of thousands from points and commas before fractions, that is a question.
#[test]
fn marks_that_may_be_either_are_asked_about() {
    for (texts, question) in [
        (["1,234", "2,950", "12,500"], "Each comma of \"total\" has three digits behind it."),
        (["1.234", "2.950", "12.500"], "Each point of \"total\" has three digits behind it."),
    ] {
        for file in ["a.csv", "a.ndjson"] {
            let bench = Bench::empty();
            write(&bench, file, None, Some(DATES), &texts);
            let told = init(&bench, &[file, "--yes", "--as-of", "2023-12-31"]);
            assert!(told.questions.iter().any(|asked| asked.contains(question)), "{texts:?}: {:?}", told.questions);
        }
    }
}

/// Forms that nobody reads are refused, never misread.
#[test]
fn money_of_other_forms_is_refused() {
    for texts in [
        ["1.2E+03", "100", "5E1"],
        ["12€50", "100€00", "9€99"],
        ["12.50 or so", "100.00", "9.99"],
        ["€12.50", "$100.00", "€9.99"],
        ["12.50", "12,50", "9.99"],
        ["1,23,456.00", "12.50", "999,999.00"],
    ] {
        for file in ["a.csv", "a.ndjson"] {
            let bench = Bench::empty();
            write(&bench, file, None, Some(DATES), &texts);
            let ran = bench.rfmill(&["init", file, "--yes"]);
            assert!(ran.code == 3 && ran.err.contains("no column looks like an amount"), "{texts:?} in {file}: {}", ran.err);
            assert!(ran.err.contains("Column \"total\" is named like one, but holds \""), "{texts:?} in {file}: {}", ran.err);
        }
    }
}
