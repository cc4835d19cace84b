//! The text of the job file: keys with what was seen and why, and open questions beside the keys that they are about.

mod draft;
mod query;
mod reasons;
mod written;

use rfmill_query_request::Encoding;

use super::columns::Column;
use super::guess::{Amount, RowsAre, USUAL_DIGITS, Unit};
use super::proposals::{self, Lifecycle};
use super::rows::{Content, Size, Stored, Written};
use crate::error::Result;
use written::{comment, list, one_or_many, string, values};

pub use draft::Draft;
pub use query::is_needed as is_queried;

/// Text that grows by sections.
#[derive(Default)]
struct Text(String);

impl Text {
    fn say(&mut self, text: &str) {
        self.0 += &comment("#", text);
    }

    fn ask(&mut self, text: &str) {
        self.0 += &comment("# ?", text);
    }

    fn key(&mut self, key: &str, value: &str) {
        self.0 += &format!("{key} = {value}\n");
    }

    fn section(&mut self, name: &str) {
        self.0 += &format!("\n{name}\n");
    }

    /// The open questions about a key.
    fn questions(&mut self, draft: &Draft<'_>, key: &str) {
        for question in draft.open.iter().filter(|question| question.key == key) {
            let (guess, others) = question
                .options
                .split_first()
                .map_or((String::new(), Vec::new()), |(guess, others)| (guess.clone(), others.to_vec()));
            self.ask(&format!("{} Guess: {guess}; or: {}.", question.text, others.join("; or: ")));
        }
    }
}

/// The job file. `command` is how it was made.
///
/// # Errors
/// A bug: columns that are not there.
pub fn job(draft: &Draft<'_>, name: &str, command: &str) -> Result<String> {
    let mut text = Text::default();
    head(draft, &mut text, command)?;
    text.key("name", &string(name));
    let is_queried = query::is_needed(draft)?;
    if is_queried {
        source(draft, &mut text)?;
    }
    text.section("[orders]");
    match is_queried {
        true => {
            text.say("Columns that the job uses, as it takes them (docs/QUERY.md). It is run by rfmill-query, which lies beside rfmill.");
            text.key("query", &written::lines(&query::sql(draft)?));
        }
        false => text.key("path", &path(&draft.seen.table.written)),
    }
    columns(draft, &mut text)?;
    optional_columns(draft, &mut text)?;
    if let Some(share) = proposals::max_rejected(draft.history) {
        let (rows, of) = (draft.history.rejected, if draft.history.of_rows.is_some() { "Of the rows looked at, " } else { "" });
        text.ask(&format!("{of}{rows} rows of customers lack a date, an amount, an order id or a currency. They are rejected, and a run fails if more than this share of all rows is. Is that right?"));
        text.key("max_rejected", &share.to_string());
    }
    filters(draft, &mut text, is_queried)?;
    periods(draft, &mut text);
    schemes(draft, &mut text);
    text.section("[output]");
    text.key("path", "\"out\"");
    if let Some(code) = draft.history.currencies.keys().next().filter(|_| draft.history.currencies.len() == 1) {
        text.say("Stands beside money in the report.");
        text.key("currency_label", &string(&code.to_uppercase()));
    }
    Ok(text.0)
}

fn head(draft: &Draft<'_>, text: &mut Text, command: &str) -> Result<()> {
    let (table, history, sample) = (draft.seen.table, draft.history, draft.seen.sample);
    text.say(&format!("Written by `{command}`. Each key has its reason above it. Comments that begin with a question mark are questions: read them, and change the key below if the guess is wrong."));
    let files = table.file_count();
    let form = match &table.content {
        Content::Csv { form, .. } => {
            let separator = match form.separator {
                b',' => "commas",
                b';' => "semicolons",
                b'\t' => "tabs",
                _ => "bars",
            };
            format!(" ({}, {separator} between fields)", encoding(form.encoding))
        }
        _ => String::new(),
    };
    let customers =
        format!("{}{}", if history.is_counted { "" } else { "about " }, reasons::count(history.customers, "customer"));
    let about = if matches!(draft.seen.reading.size, Size::Bytes(_)) { "about " } else { "" };
    let (of, sample_says) = match history.of_rows {
        Some(all) => (
            format!(" of {about}{all}"),
            " They lie spread over the table, and these comments speak of them alone; `rfmill init --all-rows` looks at all.",
        ),
        None => (String::new(), ""),
    };
    text.say(&format!(
        "Seen: {}{of} rows of {} {} file{}{form}, {customers}, orders from {} to {}.{sample_says} Shares and numbers of values are those of {}.",
        history.rows,
        files,
        table.format(),
        if files == 1 { "" } else { "s" },
        history.first,
        history.last,
        if sample.is_whole { "all rows".to_owned() } else { format!("the {} rows that were looked at closely", sample.rows) }
    ));
    let rows = match draft.guess.rows {
        RowsAre::Orders => "A row is an order.",
        RowsAre::Lines => "A row is a line of an order.",
        RowsAre::FirstLine => "A row is a line of an order, and what belongs to the whole order stands on its first row.",
        RowsAre::Repeated => "A row is a line of an order, and what belongs to the whole order stands on each of its rows.",
    };
    text.say(rows);
    if history.odd_dates > 0 {
        let first = history.first_odd.filter(|_| history.of_rows.is_none());
        let first = first.map_or_else(String::new, |first| format!(", the first of them row {first},"));
        text.ask(&format!(
            "{}{first} have a date of another form than the others, at which a run stops. Correct them before you run this.",
            history.counted(history.odd_dates)
        ));
    }
    if history.far > 0 {
        text.ask(&format!("{} are dated more than a year after all others. Are these dates right? They are later than the as-of date and do not count.", history.counted(history.far)));
    }
    text.0.push('\n');
    Ok(())
}

fn encoding(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Utf16 => "utf-16",
        Encoding::Gb18030 => "gb18030",
        Encoding::Windows1252 => "windows-1252",
    }
}

fn path(written: &Written) -> String {
    match written {
        Written::Files(paths) => one_or_many(paths),
        Written::Lake { word, path } => format!("{{ {word} = {} }}", string(path)),
    }
}

fn source(draft: &Draft<'_>, text: &mut Text) -> Result<()> {
    text.section("[[source]]");
    text.key("name", &string(query::SOURCE));
    text.key("path", &path(&draft.seen.table.written));
    if let Content::Csv { form, .. } = &draft.seen.table.content {
        text.key("format", "\"csv\"");
        if form.separator != b',' {
            text.key("separator", &string(&char::from(form.separator).to_string()));
        }
        if form.encoding != Encoding::Utf8 {
            text.key("encoding", &string(encoding(form.encoding)));
        }
        let numbers = query::rewritten(draft)?;
        if !numbers.is_empty() {
            let is_comma = numbers.iter().any(|name| {
                let column = draft.seen.sample.columns.iter().find(|column| column.name == *name);
                column.and_then(|column| column.number.as_ref()).is_some_and(|form| form.decimal_comma)
            });
            text.say("Numbers as people write them.");
            text.key("numbers", &list(&numbers));
            if is_comma {
                text.key("decimal_comma", "true");
            }
        }
    }
    Ok(())
}

/// The columns that every job has.
fn columns(draft: &Draft<'_>, text: &mut Text) -> Result<()> {
    let (guess, history) = (draft.guess, draft.history);
    let customer = draft.seen.column(guess.customer)?;
    text.say(&format!("{:?}: {}.", customer.name, reasons::filled(draft, guess.customer)?));
    if history.without_customer > 0 {
        text.say(&format!(
            "Without a customer: {}, which the ledger has as no_customer, and no segment has.",
            history.counted(history.without_customer)
        ));
    }
    text.questions(draft, "customer_id");
    text.key("customer_id", &string(&draft.named(guess.customer)?));
    if !guess.guests.is_empty() {
        text.say("Values that stand for nobody.");
        let is_text_of_floats =
            customer.is_text() && customer.is_whole() && customer.values.iter().all(|value| value.ends_with(".0"));
        let are_floats = customer.stored == Stored::Float || is_text_of_floats;
        let guests: Vec<String> = guess
            .guests
            .iter()
            .map(|guest| if are_floats { guest.trim_end_matches(".0").to_owned() } else { guest.clone() })
            .collect();
        text.key("guests", &values(&guests, if are_floats { &Stored::Integer } else { &customer.stored }, false));
    }
    text.say(&format!("{}.", reasons::date(draft)?));
    text.questions(draft, "ordered_at");
    text.key("ordered_at", &string(&draft.named(guess.date.column)?));
    if let Some(zone) = draft.zone.timezone {
        let sentence = format!("{}.", capitalised(&draft.zone.why));
        if draft.zone.is_open {
            text.ask(&sentence)
        } else {
            text.say(&sentence)
        }
        text.key("timezone", &string(zone));
    }
    if let Some(naive) = draft.zone.naive {
        text.key("naive_timezone", &string(naive));
    }
    text.say(&format!("{}.", reasons::amount(draft)?));
    for at in guess.amount.columns() {
        marks(draft.seen.column(*at)?, text);
    }
    refund(draft, text)?;
    text.questions(draft, "amount");
    match &guess.amount {
        Amount::Column(_) => text.key("amount", &string(&draft.amount_name()?)),
        Amount::Product(columns) => text.key("amount", &one_or_many(&draft.names(columns)?)),
    }
    if guess.unit == Unit::Minor {
        text.questions(draft, "amount_unit");
        text.key("amount_unit", "\"minor\"");
    }
    if guess.digits > USUAL_DIGITS {
        text.say(&format!("Its values have up to {} digits behind the point, and all count.", guess.digits));
        text.key("amount_scale", &guess.digits.to_string());
    }
    if !guess.order.is_empty() {
        let number = guess.order.first().copied().unwrap_or_default();
        let also = if guess.order.len() > 1 {
            ". The number alone is used again by other customers, so these columns tell orders apart together"
        } else {
            ""
        };
        text.say(&format!("{:?}: {}{also}.", draft.seen.column(number)?.name, reasons::filled(draft, number)?));
        text.key("order_id", &one_or_many(&draft.names(&guess.order)?));
        if guess.rows == RowsAre::Repeated {
            let said = "Of the rows of an order one counts, because each has the money of the whole order";
            match draft.seen.sample.is_whole {
                true => text.say(&format!("{said}.")),
                false => text.ask(&format!("{said}, as far as rows were looked at closely. Is that so of all rows?")),
            }
            text.key("dedupe", &list(&draft.names(&guess.order)?));
        }
    } else {
        text.say("No column tells orders apart, so each row is an order. Name one as order_id if rows are lines.");
    }
    Ok(())
}

fn refund(draft: &Draft<'_>, text: &mut Text) -> Result<()> {
    let Some(at) = draft.guess.refund else { return Ok(()) };
    let column = draft.seen.column(at)?;
    let said = format!("{:?} is above zero in {} of the rows", column.name, reasons::share(column.share_where(|n| n > 0.0)));
    match draft.subtracts_refund {
        true => {
            text.say(&format!("{said}: it is taken off on the date of the order, because the file has no other date for it."))
        }
        false => text.ask(&format!(
            "{said}, and is not taken off: the money here is that before refunds. A query can take it off (docs/QUERY.md)."
        )),
    }
    Ok(())
}

/// Asks whether marks stand between thousands or before fractions, where no value tells.
fn marks(column: &Column, text: &mut Text) {
    let Some(form) = column.number.as_ref().filter(|form| form.is_open && column.is_text()) else { return };
    let (mark, guess, other) = match form.is_rewritten {
        true => ("comma", "between thousands (1,234 is 1234)", "before fractions"),
        false => ("point", "before fractions (1.234 is less than 2)", "between thousands"),
    };
    text.ask(&format!(
        "Each {mark} of {:?} has three digits behind it. It is read as standing {guess}. Is that right? If it stands {other}, change how the source or the query reads it (docs/QUERY.md).",
        column.name
    ));
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Columns that a job may have.
fn optional_columns(draft: &Draft<'_>, text: &mut Text) -> Result<()> {
    let guess = draft.guess;
    if let Some(at) = guess.currency {
        text.say(&format!("{:?}: {}.", draft.seen.column(at)?.name, reasons::with_values(draft, at)?));
        text.key("currency", &string(&draft.named(at)?));
    }
    if let Some(at) = guess.cost {
        text.say(&format!(
            "{:?}: {}; it is read as the cost of the whole row.",
            draft.seen.column(at)?.name,
            reasons::range(draft.seen.column(at)?)
        ));
        text.key("cost", &string(&draft.named(at)?));
    }
    if let Some(at) = guess.discount {
        let column = draft.seen.column(at)?;
        let above = reasons::share(column.share_where(|n| n != 0.0));
        match draft.discount {
            Some(_) => {
                text.say(&format!("{:?}: other than zero in {above} of the rows with a value.", column.name));
                text.key("discount", &string(&draft.named(at)?));
            }
            None => text.say(&format!(
                "{:?} looks like a discount, but is below zero, and `discount` counts what is above; a query can turn its sign.",
                column.name
            )),
        }
    }
    if let Some(at) = guess.category {
        text.say(&format!("{:?}: {}.", draft.seen.column(at)?.name, reasons::with_values(draft, at)?));
        text.key("category", &string(&draft.named(at)?));
    }
    Ok(())
}

/// Which rows count, and which are returns.
fn filters(draft: &Draft<'_>, text: &mut Text, is_queried: bool) -> Result<()> {
    let (guess, history) = (draft.guess, draft.history);
    let keep = |text: &mut Text, why: &str, column: &str| {
        text.section("[[orders.keep]]");
        text.say(why);
        text.key("column", &string(column));
    };
    if guess.rows == RowsAre::FirstLine {
        keep(text, "Further rows of an order have no money of their own.", &draft.amount_name()?);
        text.key("not_null", "true");
    }
    let may_have_others = history.of_rows.is_some();
    if (history.currencies.len() > 1 || may_have_others)
        && let Some(at) = guess.currency
        && let Some((code, _)) = history.currencies.iter().max_by_key(|(code, rows)| (**rows, std::cmp::Reverse((*code).clone())))
    {
        let codes: Vec<String> =
            history.currencies.iter().take(10).map(|(code, rows)| format!("{code:?} on {}", history.counted(*rows))).collect();
        let why = match history.currencies.len() {
            1 => format!(
                "A job has one currency. All rows looked at have {code:?}; rows of others would be left out, and the ledger counts them."
            ),
            count => format!(
                "A job has one currency, and there are {count}: {}. The most frequent one is kept; the others need jobs of their own.",
                codes.join(", ")
            ),
        };
        keep(text, &why, &draft.named(at)?);
        text.key("in", &values(std::slice::from_ref(code), &draft.seen.column(at)?.stored, false));
    }
    status(draft, text, is_queried)?;
    if let Some(at) = guess.cancelled_at {
        keep(text, "Only cancelled orders have this date.", &draft.named(at)?);
        text.key("is_null", "true");
    }
    if let Some(returns) = &guess.returns {
        text.section("[orders.returns]");
        text.say("These rows are returns with positive money, which counts below zero.");
        text.key("column", &string(&draft.named(returns.column)?));
        text.key("in", &values(&returns.values, &draft.seen.column(returns.column)?.stored, false));
        text.key("negate", "true");
    }
    Ok(())
}

fn status(draft: &Draft<'_>, text: &mut Text, is_queried: bool) -> Result<()> {
    let Some(rule) = &draft.guess.status else { return Ok(()) };
    let column = draft.seen.column(rule.column)?;
    let counted = |value: &String| match draft.history.statuses.get(value) {
        Some(rows) => format!("{value:?} ({})", draft.history.counted(*rows)),
        None => format!("{value:?}"),
    };
    let listed = |values: &[String]| values.iter().take(12).map(counted).collect::<Vec<_>>().join(", ");
    if rule.dropped.is_empty() {
        text.0.push('\n');
        if !rule.kept.is_empty() {
            text.say(&format!("{:?} holds {}: orders of all of them count.", column.name, listed(&rule.kept)));
        }
        if !rule.unknown.is_empty() {
            text.ask(&format!(
                "{:?} holds {}. Do these orders count? Guess: they do. Drop others by [[orders.keep]].",
                column.name,
                listed(&rule.unknown)
            ));
        }
        return Ok(());
    }
    text.section("[[orders.keep]]");
    text.say(&format!("Orders of {} did not come about, or were paid back.", listed(&rule.dropped)));
    if !rule.kept.is_empty() {
        text.say(&format!("Orders of {} count.", listed(&rule.kept)));
    }
    if !rule.unknown.is_empty() {
        text.ask(&format!("Do orders of {} count? Guess: they do.", listed(&rule.unknown)));
    }
    text.key("column", &string(&draft.named(rule.column)?));
    let is_text = is_queried && column.stored == Stored::Text;
    text.key("not_in", &values(&rule.dropped, &column.stored, is_text));
    // Rows that were not looked at may lack one.
    if !draft.seen.sample.is_whole || lacks_status(draft, column)? {
        text.say("Orders without a value count, too.");
        text.key("is_null", "true");
    }
    Ok(())
}

/// Whether an order has no status; further rows of an order may have none.
fn lacks_status(draft: &Draft<'_>, column: &Column) -> Result<bool> {
    let amount = draft.guess.amount.columns().first().filter(|_| draft.guess.rows == RowsAre::FirstLine);
    let amount = amount.map(|at| draft.seen.column(*at)).transpose()?;
    let is_order = |row: usize| amount.is_none_or(|amount| amount.codes.get(row).is_some_and(|code| *code > 0));
    Ok(column.codes.iter().enumerate().any(|(row, code)| *code == 0 && is_order(row)))
}

fn periods(draft: &Draft<'_>, text: &mut Text) {
    text.section("[periods]");
    text.say(&format!("The last day that counts: {}. Nightly jobs give another with --as-of.", draft.as_of.why));
    text.key("as_of", &format!("[{}]", draft.as_of.date));
    if let Some(months) = proposals::trend_months(draft.history.first, draft.as_of.date) {
        text.say("Computed too, for trends, growth and cohorts: the ends of the months before.");
        text.key("trend", &string(&format!("{months} months")));
    }
}

fn schemes(draft: &Draft<'_>, text: &mut Text) {
    let (lifecycle, why) = proposals::lifecycle(draft.history);
    text.section("[schemes]");
    text.key("segment", "\"standard\"");
    match draft.history.of_rows {
        Some(_) => text.ask(&format!("{why}.")),
        None => text.say(&format!("{why}.")),
    }
    match lifecycle {
        Lifecycle::Cadence => text.key("lifecycle", "\"cadence\""),
        Lifecycle::UsualWindows => text.key("lifecycle", "\"recency_windows\""),
        Lifecycle::Windows(ends) => {
            text.key("lifecycle.use", "\"recency_windows\"");
            for (state, end) in ["active", "silent", "sleeping", "lapsing"].into_iter().zip(ends) {
                text.key(&format!("lifecycle.rules.{state}"), &format!("{{ recency_days = [0, {end}] }}"));
            }
        }
    }
}
