//! Warnings as messages: which sentence each says, with which values.

use std::fmt::{self, Display, Formatter};

use super::measure::{FORMER_NAME, MeasureKind};
use super::message::Message;
use super::orders_warning::OrdersWarning;
use super::scheme_warning::SchemeWarning;
use super::side_table::SideTable;
use super::warning::{Overlapping, StrategyWarning, UnknownDays, Warning};
use super::warning_text::{BETWEEN_PARTS, EMPTY_LIST, PARTS, WARNINGS};

fn percent(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

/// Names in quotes with this between them.
fn quoted(names: &[String], between: &str) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(between)
}

fn or_none(list: String) -> String {
    if list.is_empty() { EMPTY_LIST.into() } else { list }
}

/// Of a job without slices, and of slices.
const NO_FORECAST: [&str; 2] = ["warning.no_forecast", "warning.no_forecast_of_slices"];
const UNPROVEN_FORECAST: [&str; 2] = ["warning.unproven_forecast", "warning.unproven_forecast_of_slices"];

/// The first sentence, of a job without slices, or the second, which names the first of some of all slices.
fn of_slices(keys: [&'static str; 2], slices: Option<&(String, usize, usize)>, least: Option<usize>) -> Message {
    let mut message = match slices {
        None => Message::new(keys[0], &[]),
        Some((first, some, all)) => Message::new(keys[1], &[("first", &format!("{first:?}")), ("slices", some), ("all", all)]),
    };
    message.set("least", least);
    message
}

impl Warning {
    /// The sentence, and the remarks that follow it.
    pub fn messages(&self) -> Vec<Message> {
        let message = match self {
            Warning::Scheme(finding) => return finding.messages(),
            Warning::Orders(finding) => return finding.messages(),
            Warning::PassedOver { folder, count, examples, parquet, linked_folders } => {
                return passed_over(folder, *count, examples, *parquet, *linked_folders);
            }
            Warning::SideTable(table) => table.message(),
            Warning::Strategy { name, finding } => finding.message(name),
            Warning::FormerName => {
                let (former, name) = (format!("{FORMER_NAME:?}"), format!("{:?}", MeasureKind::AnnualValue.name()));
                Message::new("warning.former_name", &[("former", &former), ("name", &name)])
            }
            Warning::EventsNotRead => Message::new("warning.events_not_read", &[]),
            Warning::OrdersBeforeHistory { begins, first } => {
                Message::new("warning.orders_before_history", &[("begins", begins), ("first", first)])
            }
            Warning::TiedScores { slice, share, empty, scores, states } => {
                let key = match (slice, states) {
                    (None, None) => "warning.tied_scores",
                    (Some(_), None) => "warning.tied_scores_of_slice",
                    (None, Some(_)) => "warning.tied_states",
                    (Some(_), Some(_)) => "warning.tied_states_of_slice",
                };
                let mut message = Message::new(key, &[("share", &percent(*share)), ("empty", empty), ("scores", scores)]);
                message.set("slice", slice.as_ref().map(|slice| format!("{slice:?}")));
                if let Some((none, states, column)) = states {
                    message.set("none", Some(none));
                    message.set("states", Some(states));
                    message.set("column", Some(format!("{column:?}")));
                }
                message
            }
            Warning::EmptyIds { orders, column } => {
                Message::new("warning.empty_ids", &[("orders", orders), ("column", &format!("{column:?}"))])
            }
            Warning::RepeatedMoney { orders, repeated, rows, column } => Message::new(
                "warning.repeated_money",
                &[("orders", orders), ("repeated", repeated), ("rows", rows), ("column", &format!("{column:?}"))],
            ),
            Warning::ShortHistory { data_begin, first, dates } => {
                let key = if *dates == 1 { "warning.short_history" } else { "warning.short_histories" };
                Message::new(key, &[("begin", data_begin), ("first", first), ("dates", dates)])
            }
            Warning::NoForecast { slices, least } => of_slices(NO_FORECAST, slices.as_ref(), Some(*least)),
            Warning::UnprovenForecast { slices } => of_slices(UNPROVEN_FORECAST, slices.as_ref(), None),
            Warning::OldOrders { newest, as_of, column } => Message::new(
                "warning.old_orders",
                &[("newest", newest), ("as_of", as_of), ("days", &(as_of.0 - newest.0)), ("column", &format!("{column:?}"))],
            ),
            Warning::ColumnMissing { column, files, all, first } => Message::new(
                "warning.column_missing",
                &[("column", &format!("{column:?}")), ("files", files), ("all", all), ("first", first)],
            ),
            Warning::CustomersWithoutId { rows, column } => {
                Message::new("warning.customers_without_id", &[("rows", rows), ("column", &format!("{column:?}"))])
            }
            Warning::EventsOfUnknownCustomers { events, last, has_customers } => {
                let keys = ["warning.events_of_unknown_customers", "warning.events_of_nobody"];
                Message::new(keys[usize::from(*has_customers)], &[("events", events), ("last", last)])
            }
            Warning::IncompleteEvents { rows, lacking, column } => {
                let key = match *lacking {
                    "customer" => "warning.events_without_customer",
                    "date" => "warning.events_without_date",
                    _ => "warning.events_without_event",
                };
                Message::new(key, &[("rows", rows), ("column", &format!("{column:?}"))])
            }
            Warning::NoEventOfKind { kind, column, other } => Message::new(
                "warning.no_event_of_kind",
                &[("kind", &kind.name()), ("column", &format!("{column:?}")), ("other", &or_none(quoted(other, ", ")))],
            ),
            Warning::SeveralSends { values } => Message::new("warning.several_sends", &[("values", &quoted(values, ", "))]),
        };
        vec![message]
    }
}

/// Files of a folder that are passed over.
fn passed_over(folder: &str, count: u64, examples: &[String], parquet: u64, linked_folders: u64) -> Vec<Message> {
    let more = if count > examples.len() as u64 { ", …" } else { "" };
    let names = format!("{}{more}", quoted(examples, ", "));
    let values: &[(&str, &dyn Display)] = &[("count", &count), ("folder", &folder), ("names", &names)];
    let mut messages = vec![Message::new("warning.passed_over", values)];
    let mut remark = |n: u64, [it, one, some]: [&'static str; 3]| {
        let key = match n {
            0 => return,
            1 if count == 1 => it,
            1 => one,
            _ => some,
        };
        let mut message = Message::new(key, &[]);
        message.set("n", (n > 1).then_some(n));
        messages.push(message);
    };
    remark(linked_folders, ["warning.it_links_folder", "warning.one_links_folder", "warning.some_link_folders"]);
    remark(parquet, ["warning.it_is_parquet", "warning.one_is_parquet", "warning.some_are_parquet"]);
    messages
}

impl SchemeWarning {
    fn messages(&self) -> Vec<Message> {
        match self {
            SchemeWarning::OverlappingRules { scheme, first, second, cells } => vec![Message::new(
                "warning.overlapping_rules",
                &[("scheme", &format!("{scheme:?}")), ("first", first), ("second", second), ("cells", cells)],
            )],
            SchemeWarning::BestTakesRest { scheme, state, nulls } => {
                let keys = ["warning.best_takes_rest", "warning.best_takes_nulls"];
                let values: &[(&str, &dyn Display)] = &[("scheme", &format!("{scheme:?}")), ("state", &format!("{state:?}"))];
                vec![Message::new(keys[usize::from(*nulls)], values)]
            }
            SchemeWarning::CrowdedState { scheme, state, share, better } => {
                let values: &[(&str, &dyn Display)] =
                    &[("share", &percent(*share)), ("scheme", &format!("{scheme:?}")), ("state", &format!("{state:?}"))];
                let remark = match better {
                    Some((name, is_column, most)) => {
                        let keys = ["warning.scheme_divides", "warning.column_divides"];
                        let values: &[(&str, &dyn Display)] = &[("better", &format!("{name:?}")), ("most", &percent(*most))];
                        Message::new(keys[usize::from(*is_column)], values)
                    }
                    None => Message::new("warning.nothing_divides", &[]),
                };
                vec![Message::new("warning.crowded_state", values), remark]
            }
            SchemeWarning::YoungData { scheme, states, days, data_begin, last } => vec![Message::new(
                "warning.young_data",
                &[
                    ("states", &quoted(states, " or ")),
                    ("scheme", &format!("{scheme:?}")),
                    ("days", days),
                    ("begin", data_begin),
                    ("known", &(last.0 - data_begin.0)),
                    ("last", last),
                ],
            )],
        }
    }
}

impl OrdersWarning {
    fn messages(&self) -> Vec<Message> {
        let message = match self {
            OrdersWarning::LongOrders { orders, columns } => {
                Message::new("warning.long_orders", &[("orders", orders), ("columns", &quoted(columns, ", "))])
            }
            OrdersWarning::SharedKeys { keys, columns, customer } => Message::new(
                "warning.shared_keys",
                &[("keys", keys), ("columns", &columns.join(", ")), ("customer", &format!("{customer:?}"))],
            ),
            OrdersWarning::CustomerOnOtherRow { rows, money, is_estimate, customer } => {
                let keys = ["warning.customer_on_other_row", "warning.about_customer_on_other_row"];
                let values: &[(&str, &dyn Display)] = &[("rows", rows), ("money", money), ("customer", &format!("{customer:?}"))];
                Message::new(keys[usize::from(*is_estimate)], values)
            }
            OrdersWarning::RepeatedAmounts { orders, columns } => {
                Message::new("warning.repeated_amounts", &[("orders", orders), ("columns", &quoted(columns, ", "))])
            }
            OrdersWarning::LargeCustomer { id, orders, share } => Message::new(
                "warning.large_customer",
                &[("id", id), ("orders", orders), ("share", &format!("{:.1}", share * 100.0))],
            ),
            OrdersWarning::SimilarIds { ids, example: (one, other), column } => Message::new(
                "warning.similar_ids",
                &[("ids", ids), ("one", one), ("other", other), ("column", &format!("{column:?}"))],
            ),
            OrdersWarning::MovedTotal { file, more_files, exact, rounded, scale, keeping_scale } => {
                let values: &[(&str, &dyn Display)] = &[("file", file), ("exact", exact), ("rounded", rounded), ("scale", scale)];
                let mut messages = vec![Message::new("warning.moved_total", values)];
                messages.extend((*more_files > 0).then(|| Message::new("warning.more_totals", &[("files", more_files)])));
                messages.push(match keeping_scale {
                    Some(scale) => Message::new("warning.scale_keeps", &[("scale", scale)]),
                    None => Message::new("warning.no_scale_keeps", &[]),
                });
                return messages;
            }
            OrdersWarning::FillerDates { rows } => {
                let part =
                    |(day, rows): &(_, u64)| PARTS.text(&Message::new("warning.rows_of_day", &[("rows", rows), ("day", day)]));
                let parts: Vec<String> = rows.iter().map(part).collect();
                Message::new("warning.filler_dates", &[("rows", &parts.join(BETWEEN_PARTS))])
            }
            OrdersWarning::FarDates { customers, example, median } => {
                Message::new("warning.far_dates", &[("customers", customers), ("example", example), ("median", median)])
            }
            OrdersWarning::PositiveReturns { returns, money, negated } => {
                let keys = ["warning.positive_returns", "warning.negated_returns"];
                Message::new(keys[usize::from(*negated)], &[("returns", returns), ("money", money)])
            }
        };
        vec![message]
    }
}

impl SideTable {
    /// The warning that few ids have an order.
    fn message(&self) -> Message {
        let list = |ids: &[String]| or_none(ids.join(", "));
        Message::new(
            "warning.side_table",
            &[
                ("table", &self.name),
                ("met", &self.met),
                ("ids", &self.ids),
                ("share", &format!("{:.1}", self.share())),
                ("without_orders", &list(&self.without_orders)),
                ("without_row", &list(&self.without_row)),
            ],
        )
    }
}

impl StrategyWarning {
    fn message(&self, strategy: &str) -> Message {
        let mut message = match self {
            StrategyWarning::Rejected { rows, read, reasons } => {
                let reasons: Vec<String> = reasons.iter().map(|(reason, rows)| format!("{rows} {reason}")).collect();
                let values: &[(&str, &dyn Display)] = &[("rows", rows), ("read", read), ("reasons", &reasons.join(", "))];
                Message::new("warning.assignments_rejected", values)
            }
            StrategyWarning::OutsidePeriods { rows, read } => {
                Message::new("warning.assignments_outside", &[("rows", rows), ("read", read)])
            }
            StrategyWarning::Repeated { rows } => Message::new("warning.assignments_repeated", &[("rows", rows)]),
            StrategyWarning::WithoutCost { rows } => Message::new("warning.assignments_without_cost", &[("rows", rows)]),
            StrategyWarning::SeveralArms { times } => Message::new("warning.several_arms", &[("times", times)]),
            StrategyWarning::WholeColumn { column } => {
                Message::new("warning.whole_column", &[("column", &format!("{column:?}"))])
            }
            StrategyWarning::WithoutOrders { assignments } => {
                Message::new("warning.assigned_without_orders", &[("assignments", assignments)])
            }
            StrategyWarning::Overlapping { assignments, outcome } => {
                let (key, excluded) = match outcome {
                    Overlapping::Kept => ("warning.overlap_kept", None),
                    Overlapping::Excluded { excluded } => ("warning.overlap_excluded", Some(excluded)),
                    Overlapping::LaterExcluded { excluded } => ("warning.overlap_first", Some(excluded)),
                };
                let mut message = Message::new(key, &[("assignments", assignments)]);
                message.set("excluded", excluded);
                message
            }
            StrategyWarning::FuturePeriod { period, last } => {
                let values: &[(&str, &dyn Display)] = &[("from", &period.start), ("to", &period.last_day()), ("last", last)];
                Message::new("warning.future_period", values)
            }
            StrategyWarning::NoBaseline { period } => {
                Message::new("warning.no_baseline", &[("from", &period.start), ("to", &period.last_day())])
            }
            StrategyWarning::UnknownDays(days) => days.message("warning.unknown_days"),
            StrategyWarning::UnknownBaseline(days) => days.message("warning.unknown_baseline"),
        };
        message.set("strategy", Some(format!("{strategy:?}")));
        message
    }
}

impl UnknownDays {
    fn message(&self, key: &'static str) -> Message {
        let UnknownDays { time, first_order, unknown } = self;
        let values: &[(&str, &dyn Display)] = &[
            ("from", &time.start),
            ("to", &time.last_day()),
            ("first", first_order),
            ("unknown", unknown),
            ("days", &time.days()),
        ];
        Message::new(key, values)
    }
}

impl Display for Warning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.messages().iter().try_for_each(|message| f.write_str(&WARNINGS.text(message)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_warning_is_read_as_it_was_printed() {
        let mut met = BTreeSet::new();
        for warning in Warning::examples() {
            let text = warning.to_string();
            assert!(!text.contains(['{', '}']), "{text}");
            let read = WARNINGS.read(&text).unwrap_or_default();
            let printed: String = read.iter().map(|message| WARNINGS.text(message)).collect();
            let keys = |messages: &[Message]| messages.iter().map(|message| message.key).collect::<Vec<_>>();
            assert_eq!((keys(&read), printed), (keys(&warning.messages()), text));
            for (mut one, mut other) in read.into_iter().zip(warning.messages()) {
                met.insert(one.key);
                // A value that only decides between words for one and for many is not in the text.
                other.values.retain(|(name, _)| one.values.iter().any(|(of, _)| of == name));
                one.values.sort();
                other.values.sort();
                assert_eq!(one, other);
            }
        }
        let declared: BTreeSet<&str> = WARNINGS.all().map(|(key, _)| *key).collect();
        assert_eq!(met, declared, "every message has an example");
        assert_eq!(WARNINGS.read("a warning of another version"), None);
    }
}
