//! A warning of every kind, for tests.

use super::date::Day;
use super::event::EventKind;
use super::orders_warning::OrdersWarning;
use super::period::Period;
use super::scheme_warning::SchemeWarning;
use super::side_table::SideTable;
use super::warning::{Overlapping, StrategyWarning, UnknownDays, Warning};

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

impl Warning {
    /// A warning of every kind, and of every form that a kind takes.
    pub fn examples() -> Vec<Warning> {
        let day = Day(20_000);
        let mut all = vec![
            Warning::FormerName,
            Warning::EventsNotRead,
            Warning::OrdersBeforeHistory { begins: day, first: Day(19_000) },
            Warning::EmptyIds { orders: 12, column: "id \"x\"".into() },
            Warning::RepeatedMoney { orders: 9, repeated: 8, rows: 17, column: "amount".into() },
            Warning::ShortHistory { data_begin: day, first: Day(20_100), dates: 1 },
            Warning::ShortHistory { data_begin: day, first: Day(20_100), dates: 3 },
            Warning::OldOrders { newest: day, as_of: Day(20_008), column: "at".into() },
            Warning::ColumnMissing { column: "cost".into(), files: 1, all: 3, first: "orders/a of b.parquet".into() },
            Warning::ColumnMissing { column: "cost".into(), files: 2, all: 3, first: "a.parquet".into() },
            Warning::CustomersWithoutId { rows: 1, column: "id".into() },
            Warning::EventsOfUnknownCustomers { events: 7, last: day, has_customers: false },
            Warning::EventsOfUnknownCustomers { events: 7, last: day, has_customers: true },
            Warning::NoEventOfKind { kind: EventKind::Sends, column: "event".into(), other: Vec::new() },
            Warning::NoEventOfKind { kind: EventKind::Opens, column: "event".into(), other: names(&["a", "b, \"c\""]) },
            Warning::SeveralSends { values: names(&["sent", "delivered"]) },
        ];
        for slices in [None, Some(("EU and \"more\"".to_owned(), 2, 7))] {
            all.push(Warning::NoForecast { slices: slices.clone(), least: 30 });
            all.push(Warning::UnprovenForecast { slices });
        }
        let lacking = ["customer", "date", "event"].into_iter();
        all.extend(lacking.map(|lacking| Warning::IncompleteEvents { rows: 4, lacking, column: "c".into() }));
        for slice in [None, Some("EU and \"more\"".to_owned())] {
            for states in [None, Some((6, 10, "segment".to_owned()))] {
                all.push(Warning::TiedScores { slice: slice.clone(), share: 0.6, empty: 3, scores: 5, states });
            }
        }
        for (count, parquet, linked_folders) in [(1, 0, 0), (1, 1, 0), (1, 0, 1), (5, 1, 1), (5, 2, 3), (5, 0, 0)] {
            let examples = names(&["a.csv", "b, \"c\" (d).pq"][..if count == 1 { 1 } else { 2 }]);
            all.push(Warning::PassedOver { folder: "orders".into(), count, examples, parquet, linked_folders });
        }
        for (without_orders, without_row) in
            [(names(&["1001", "1002"]), Vec::new()), (names(&["\"a\""]), names(&["\"b\"", "\"c\""]))]
        {
            let name = "customers".into();
            all.push(Warning::SideTable(SideTable { name, ids: 5, met: 1, without_orders, without_row }));
        }
        all.extend(of_schemes(day).into_iter().map(Warning::Scheme));
        all.extend(of_orders(day).into_iter().map(Warning::Orders));
        let name = "win: \"back\"; 1 of them".to_owned();
        all.extend(of_strategies(day).into_iter().map(|finding| Warning::Strategy { name: name.clone(), finding }));
        all
    }
}

fn of_schemes(day: Day) -> Vec<SchemeWarning> {
    let (scheme, state) = ("tiers".to_owned(), "best".to_owned());
    let mut all = vec![
        SchemeWarning::OverlappingRules { scheme: scheme.clone(), first: 1, second: 3, cells: 1 },
        SchemeWarning::OverlappingRules { scheme: scheme.clone(), first: 1, second: 3, cells: 12 },
        SchemeWarning::BestTakesRest { scheme: scheme.clone(), state: state.clone(), nulls: true },
        SchemeWarning::BestTakesRest { scheme: scheme.clone(), state: state.clone(), nulls: false },
    ];
    for states in [names(&["best"]), names(&["best", "good or \"so\""])] {
        let (scheme, last) = (scheme.clone(), Day(day.0 + 91));
        all.push(SchemeWarning::YoungData { scheme, states, days: 365, data_begin: day, last });
    }
    for better in [None, Some(("value".to_owned(), true, 0.41)), Some(("value_tier".to_owned(), false, 0.4))] {
        all.push(SchemeWarning::CrowdedState { scheme: scheme.clone(), state: state.clone(), share: 0.627, better });
    }
    all
}

fn of_orders(day: Day) -> Vec<OrdersWarning> {
    let customer = || "customer_id".to_owned();
    let mut all = vec![
        OrdersWarning::LongOrders { orders: 1, columns: names(&["order_id"]) },
        OrdersWarning::LongOrders { orders: 2, columns: names(&["order_id", "shop"]) },
        OrdersWarning::SharedKeys { keys: 1, columns: names(&["a", "b"]), customer: customer() },
        OrdersWarning::SharedKeys { keys: 2, columns: names(&["a"]), customer: customer() },
        OrdersWarning::RepeatedAmounts { orders: 7, columns: names(&["price", "tax"]) },
        OrdersWarning::LargeCustomer { id: "\"guest of all\"".into(), orders: 900, share: 0.25 },
        OrdersWarning::LargeCustomer { id: "7".into(), orders: 900, share: 0.25 },
        OrdersWarning::SimilarIds { ids: 3, example: ("\"a\"".into(), "\"A \"".into()), column: customer() },
        OrdersWarning::FillerDates { rows: vec![(day, 1)] },
        OrdersWarning::FillerDates { rows: vec![(day, 2), (Day(0), 3)] },
        OrdersWarning::FarDates { customers: 1, example: Day(0), median: day },
        OrdersWarning::FarDates { customers: 4, example: Day(0), median: day },
    ];
    for (rows, is_estimate) in [(1, false), (12, true)] {
        all.push(OrdersWarning::CustomerOnOtherRow { rows, money: "12.50".into(), is_estimate, customer: customer() });
    }
    for (returns, negated) in [(1, false), (2, true)] {
        all.push(OrdersWarning::PositiveReturns { returns, money: "70.00".into(), negated });
    }
    for (more_files, keeping_scale) in [(0, Some(3)), (1, None), (2, Some(4))] {
        let (file, exact, rounded) = ("orders/a.parquet".into(), "6.018".into(), "6.00".into());
        all.push(OrdersWarning::MovedTotal { file, more_files, exact, rounded, scale: 2, keeping_scale });
    }
    all
}

fn of_strategies(day: Day) -> Vec<StrategyWarning> {
    let period = Period { start: day, end: Day(day.0 + 31) };
    let days = UnknownDays { time: period, first_order: Day(day.0 + 12), unknown: 12 };
    let outcomes = [Overlapping::Kept, Overlapping::Excluded { excluded: 5 }, Overlapping::LaterExcluded { excluded: 6 }];
    let mut all = vec![
        StrategyWarning::Rejected { rows: 3, read: 90, reasons: vec![("null_arm", 1), ("null_customer", 2)] },
        StrategyWarning::OutsidePeriods { rows: 3, read: 90 },
        StrategyWarning::Repeated { rows: 3 },
        StrategyWarning::WithoutCost { rows: 3 },
        StrategyWarning::SeveralArms { times: 3 },
        StrategyWarning::WholeColumn { column: "shop".into() },
        StrategyWarning::WithoutOrders { assignments: 3 },
        StrategyWarning::FuturePeriod { period, last: day },
        StrategyWarning::NoBaseline { period },
        StrategyWarning::UnknownDays(days),
        StrategyWarning::UnknownBaseline(days),
    ];
    all.extend(outcomes.map(|outcome| StrategyWarning::Overlapping { assignments: 9, outcome }));
    all
}
