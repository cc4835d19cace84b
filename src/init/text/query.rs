//! The query that makes orders of what is no Parquet, or of Parquet whose columns have other types than a job takes.

use super::draft::Draft;
use super::written::{self, quoted};
use crate::error::Result;
use crate::init::columns::Column;
use crate::init::date_form::{DateForm, Rewriting};
use crate::init::guess::{Amount, DateKind, SERIAL_1970, Unit};
use crate::init::number_form::{Negative, NumberForm};
use crate::init::rows::{Content, Stored};

/// The name of the source in SQL.
pub const SOURCE: &str = "orders";

/// Digits behind the point with which money is subtracted.
const DIGITS: u32 = 4;

/// Whether orders need a query.
pub fn is_needed(draft: &Draft<'_>) -> Result<bool> {
    if !matches!(draft.seen.table.content, Content::Parquet(_)) {
        return Ok(true);
    }
    let guess = draft.guess;
    let is_text = |at: &usize| draft.seen.column(*at).map(|column| column.is_text());
    let money = guess.amount.columns().iter().chain(&guess.cost).chain(&guess.discount);
    let is_float = draft.seen.column(guess.customer)?.stored == Stored::Float;
    let is_written = match &guess.date.kind {
        DateKind::Stored(_) => false,
        // A date in a path is read as one.
        DateKind::Text(form) => draft.seen.column(guess.date.column)?.stored != Stored::Path || form.pattern != "%Y-%m-%d",
        DateKind::Epoch(_) | DateKind::Serial => true,
    };
    Ok(is_float || is_written || draft.subtracts_refund || money.map(is_text).collect::<Result<Vec<_>>>()?.contains(&true))
}

/// The columns whose numbers the source rewrites.
pub fn rewritten(draft: &Draft<'_>) -> Result<Vec<String>> {
    let guess = draft.guess;
    let refund = guess.refund.filter(|_| draft.subtracts_refund);
    let money = guess.amount.columns().iter().chain(&refund).chain(&guess.cost).chain(&guess.discount);
    let mut names = Vec::new();
    for at in money {
        let column = draft.seen.column(*at)?;
        let is_rewritten = column.number.as_ref().is_some_and(|form| form.is_rewritten && !form.is_for_sql());
        if is_rewritten && column.stored == Stored::Text && !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    Ok(names)
}

/// The SQL.
pub fn sql(draft: &Draft<'_>) -> Result<String> {
    let guess = draft.guess;
    let mut lines: Vec<String> = Vec::new();
    let mut add = |name: &str, expression: String| {
        let name = quoted(name);
        let line = if expression == name { name } else { format!("{expression} AS {name}") };
        if !lines.contains(&line) {
            lines.push(line);
        }
    };
    let customer = draft.seen.column(guess.customer)?;
    add(&draft.named(guess.customer)?, id(customer));
    let date = draft.seen.column(guess.date.column)?;
    add(&draft.named(guess.date.column)?, self::date(draft, date));
    match &guess.amount {
        Amount::Column([at]) => add(&draft.amount_name()?, amount(draft, *at)?),
        Amount::Product(columns) => {
            for at in columns {
                add(&draft.named(*at)?, plain_number(draft, draft.seen.column(*at)?));
            }
        }
    }
    let order = guess.order.iter().filter(|at| **at != guess.date.column);
    let status = guess.status.iter().map(|rule| rule.column);
    let returns = guess.returns.iter().map(|returns| returns.column);
    let plain: Vec<usize> = order
        .copied()
        .chain(status)
        .chain(guess.cancelled_at)
        .chain(returns)
        .chain(guess.currency)
        .chain(guess.category)
        .collect();
    for at in plain {
        add(&draft.named(at)?, written_column(draft.seen.column(at)?));
    }
    for at in guess.cost.iter().chain(&draft.discount) {
        let column = draft.seen.column(*at)?;
        let is_boolean = column.stored == Stored::Boolean;
        let number = plain_number(draft, column);
        let decimal = if column.is_text() { format!("CAST({number} AS DECIMAL(38, {DIGITS}))") } else { number.clone() };
        let is_turned = draft.discount == Some(*at) && draft.discount_is_negative;
        let expression = match (is_boolean, is_turned) {
            (true, _) => number,
            (false, true) => format!("0 - {decimal}"),
            (false, false) => decimal,
        };
        add(&draft.named(*at)?, expression);
    }
    let select = lines.join(",\n       ");
    Ok(format!("SELECT {select}\nFROM {SOURCE}"))
}

fn written_column(column: &Column) -> String {
    written::column(&column.name, column.is_field)
}

/// The id of a customer: a whole number that was stored as a float is an integer.
fn id(column: &Column) -> String {
    let name = written_column(column);
    let is_float_text = column.is_text() && column.is_whole() && column.values.iter().all(|value| value.ends_with(".0"));
    match column.stored {
        Stored::Float => format!("CAST({name} AS BIGINT)"),
        _ if is_float_text => format!("CAST(CAST({name} AS DOUBLE) AS BIGINT)"),
        _ => name,
    }
}

fn date(draft: &Draft<'_>, column: &Column) -> String {
    let name = written_column(column);
    let has_spaces = column.values.iter().any(|value| value.trim() != value);
    let text = match column.stored {
        Stored::Integer => format!("CAST({name} AS VARCHAR)"),
        _ if has_spaces => format!("TRIM({name})"),
        _ => name.clone(),
    };
    let nulls = draft.history.null_dates.iter();
    let text = nulls.fold(text, |text, none| format!("NULLIF({text}, '{}')", none.replace('\'', "''")));
    let has_fraction = column.stored == Stored::Float || column.values.iter().any(|value| value.contains('.'));
    match &draft.guess.date.kind {
        DateKind::Stored(_) => name,
        DateKind::Text(form) => of_text(&text, form),
        DateKind::Epoch(per_second) => {
            let whole = match has_fraction {
                true => format!("CAST(FLOOR(CAST({text} AS DOUBLE)) AS BIGINT)"),
                false => format!("CAST({text} AS BIGINT)"),
            };
            match per_second {
                1 => format!("CAST({whole} * 1000000 AS TIMESTAMP)"),
                1_000 => format!("CAST({whole} * 1000 AS TIMESTAMP)"),
                1_000_000 => format!("CAST({whole} AS TIMESTAMP)"),
                _ => format!("CAST({whole} AS TIMESTAMP(9))"),
            }
        }
        DateKind::Serial if has_fraction => {
            format!("CAST(CAST(FLOOR((CAST({text} AS DOUBLE) - {SERIAL_1970}) * 86400) AS BIGINT) * 1000000 AS TIMESTAMP)")
        }
        DateKind::Serial => format!("CAST((CAST({text} AS BIGINT) - {SERIAL_1970}) * 86400000000 AS TIMESTAMP)"),
    }
}

/// A date or a timestamp of text.
fn of_text(text: &str, form: &DateForm) -> String {
    let text = match form.rewriting {
        Rewriting::None => text.to_owned(),
        Rewriting::BeforeBracket => format!("SPLIT_PART({text}, ' (', 1)"),
        Rewriting::Months(names) => {
            let months = (1..).zip(names).flat_map(|(number, names)| names.iter().map(move |name| (number, name)));
            months.fold(format!("LOWER({text})"), |text, (number, name)| format!("REPLACE({text}, '{name}', '{number:02}')"))
        }
    };
    match (form.sql_pattern().as_str(), form.has_time()) {
        ("%Y-%m-%d", _) => format!("CAST({text} AS DATE)"),
        (pattern, false) => format!("DATE({text}, '{pattern}')"),
        (pattern, true) => format!("STRPTIME({text}, '{pattern}')"),
    }
}

/// The money of an order, less what was paid back.
fn amount(draft: &Draft<'_>, at: usize) -> Result<String> {
    let column = draft.seen.column(at)?;
    let number = plain_number(draft, column);
    let is_minor = draft.guess.unit == Unit::Minor;
    let exact = |number: &str| match is_minor {
        // Minor units are whole.
        true => format!("CAST({number} AS BIGINT)"),
        false => format!("CAST({number} AS DECIMAL(38, {DIGITS}))"),
    };
    let Some(refund) = draft.guess.refund.filter(|_| draft.subtracts_refund) else {
        return Ok(if is_minor && column.is_text() { exact(&number) } else { number });
    };
    let refund = plain_number(draft, draft.seen.column(refund)?);
    Ok(format!("{} - COALESCE({}, 0)", exact(&number), exact(&refund)))
}

/// A number as SQL reads it: without what stands beside money, with its minus before it, and where the source does not do it, without
/// marks of thousands and with a point before the fraction.
fn plain_number(draft: &Draft<'_>, column: &Column) -> String {
    let name = written_column(column);
    let is_csv = matches!(draft.seen.table.content, Content::Csv { .. });
    let has = |part: &str| column.values.iter().any(|value| value.contains(part));
    let is_rewritten_here = |form: &NumberForm| form.is_rewritten && (form.is_for_sql() || !is_csv);
    let has_long_minus = |form: &NumberForm| has(LONG_MINUS) && (form.is_for_sql() || !form.is_rewritten || !is_csv);
    let needs = |form: &&NumberForm| column.is_text() && (form.is_for_sql() || is_rewritten_here(form) || has_long_minus(form));
    let Some(form) = column.number.as_ref().filter(needs) else { return name };
    let mut text = name;
    let mut replace = |from: &str, to: &str| text = format!("REPLACE({text}, '{}', '{to}')", from.replace('\'', "''"));
    if let Some(sign) = &form.sign {
        replace(sign, "");
    }
    if has_long_minus(form) {
        replace(LONG_MINUS, "-");
    }
    if form.negative == Negative::Brackets {
        replace("(", "-");
        replace(")", "");
    }
    if form.is_rewritten {
        replace(if form.decimal_comma { "." } else { "," }, "");
    }
    // A number with something beside it may have blanks before or behind that.
    let marks = if form.is_rewritten { MARKS.as_slice() } else { BLANKS };
    marks.iter().filter(|mark| has(mark)).for_each(|mark| replace(mark, ""));
    if form.decimal_comma {
        replace(",", ".");
    }
    let number = format!("TRIM({text})");
    match form.negative {
        Negative::Behind => {
            format!("CASE WHEN ENDS_WITH({number}, '-') THEN CONCAT('-', REPLACE({number}, '-', '')) ELSE {number} END")
        }
        _ => number,
    }
}

/// The sign of typesetters.
const LONG_MINUS: &str = "\u{2212}";

/// What may stand between thousands beside points and commas.
const MARKS: [&str; 5] = [" ", "\u{a0}", "\u{202f}", "'", "\u{2019}"];

/// Blanks among them.
const BLANKS: &[&str] = &[" ", "\u{a0}", "\u{202f}"];
