//! What the definitions of built-in states and `docs/SCHEMES.md` say is true of every customer, written down here once more by hand.

use super::shops::{Customer, Shop};

const MEASURES: [&str; 11] = [
    "recency_days",
    "tenure_days",
    "lifetime_orders",
    "frequency",
    "frequency@365d",
    "mean_gap_days",
    "overdue_ratio",
    "frequency_trend@365d",
    "r_score",
    "f_score",
    "discount_share",
];

const SCHEMES: [&str; 9] = [
    "standard",
    "recency_windows",
    "journey",
    "simple_lifecycle",
    "purchase_stage",
    "loyalty",
    "churn_warning",
    "cadence",
    "discount_only",
];

/// Whether what is said of a state is true of a customer; `None` if nothing is said.
fn is_true(scheme: &str, state: &str, c: &Customer) -> Option<bool> {
    let [silent, tenure, orders] = ["recency_days", "tenure_days", "lifetime_orders"].map(|name| c.number(name));
    let [lookback, year, trend] = ["frequency", "frequency@365d", "frequency_trend@365d"].map(|name| c.number(name));
    let [gap, gaps] = ["mean_gap_days", "overdue_ratio"].map(|name| c.number(name));
    let (one_day, on_sale) = (gap.is_nan(), c.number("discount_share"));
    let between = |low: f64, x: f64, high: f64| low <= x && x <= high;
    Some(match (scheme, state) {
        ("standard", "Champions") => {
            silent <= 30.0 && year >= 3.0 && orders >= 6.0 && c.number("r_score") == 5.0 && c.number("f_score") >= 4.0
        }
        ("standard", "Loyal") => silent <= 90.0 && year >= 3.0,
        ("standard", "Potential Loyalist") => silent <= 90.0 && year == 2.0,
        ("standard", "New") => orders == 1.0 && tenure <= 90.0,
        ("standard", "Promising") => silent <= 90.0 && between(2.0, orders, 5.0),
        ("standard", "Need Attention") => orders >= 3.0 && (between(31.0, silent, 180.0) || (orders >= 6.0 && year == 1.0)),
        ("standard", "About to Sleep") => orders <= 2.0 && between(31.0, silent, 180.0),
        ("standard", "Can't Lose") => orders >= 6.0 && between(91.0, silent, 365.0),
        ("standard", "At Risk") => between(3.0, orders, 5.0) && between(181.0, silent, 365.0),
        ("standard", "Hibernating") => silent > 365.0 || (silent > 180.0 && orders <= 2.0),
        ("recency_windows", "active") => silent <= 90.0,
        ("recency_windows", "silent") => between(91.0, silent, 180.0),
        ("recency_windows", "sleeping") => between(181.0, silent, 270.0),
        ("recency_windows", "lapsing") => between(271.0, silent, 365.0),
        ("recency_windows", "churned") => silent > 365.0,
        ("journey", "mature") => tenure >= 365.0 && orders >= 4.0 && year >= 2.0 && silent <= 180.0,
        ("journey", "growing") => year >= 2.0 && silent <= 180.0 && tenure > 90.0 && !(tenure >= 365.0 && orders >= 4.0),
        ("journey", "new") => tenure <= 90.0,
        ("journey", "occasional") => tenure > 90.0 && silent <= 180.0 && year == 1.0,
        ("journey", "quiet") => between(181.0, silent, 365.0) || (silent > 365.0 && gaps <= 2.0),
        ("journey", "lost") => silent > 365.0 && (one_day || gaps > 2.0),
        ("simple_lifecycle", "active") => tenure > 90.0 && silent <= 180.0,
        ("simple_lifecycle", "new") => tenure <= 90.0,
        ("simple_lifecycle", "quiet") => between(181.0, silent, 365.0),
        ("simple_lifecycle", "lost") => silent > 365.0,
        ("purchase_stage", "many") => orders >= 5.0,
        ("purchase_stage", "repeat") => between(2.0, orders, 4.0),
        ("purchase_stage", "first") => orders == 1.0,
        ("loyalty", "loyal") => tenure >= 365.0 && year >= 4.0 && (gaps <= 2.0 || silent <= 60.0),
        ("loyalty", "potential") => year >= 2.0 && silent <= 90.0,
        ("loyalty", "slipping") => year >= 2.0 && silent > 90.0 && !(tenure >= 365.0 && year >= 4.0 && gaps <= 2.0),
        ("loyalty", "not_loyal") => year <= 1.0,
        ("churn_warning", "on_time") => gaps <= 1.0,
        ("churn_warning", "due") => gaps > 1.0 && gaps <= 2.0,
        ("churn_warning", "slowing") => gaps <= 2.0 && year >= 4.0 && trend < 0.5,
        ("churn_warning", "late") => gaps > 2.0 && (gaps <= 3.0 || silent <= 14.0),
        ("churn_warning", "at_risk") => gaps > 3.0 && silent > 14.0,
        ("churn_warning", "gone") => silent > 365.0 && (one_day || gaps > 2.0),
        ("churn_warning", "unknown") => one_day || gap < 2.0,
        ("cadence", "on_time") => !one_day && (gaps <= 1.5 || silent <= 7.0),
        ("cadence", "slipping") => gaps > 1.5 && gaps <= 3.0 && silent > 7.0,
        ("cadence", "first") => one_day && silent <= 60.0,
        ("cadence", "overdue") => gaps > 3.0 && between(8.0, silent, 365.0),
        ("cadence", "once") => one_day && between(61.0, silent, 365.0),
        ("cadence", "gone") => silent > 365.0 && (one_day || gaps > 3.0),
        ("discount_only", "mostly_full") => lookback >= 2.0 && on_sale < 0.5,
        ("discount_only", "leaning") => lookback >= 2.0 && (0.5..1.0).contains(&on_sale),
        ("discount_only", "discount_only") => lookback >= 2.0 && on_sale == 1.0,
        ("discount_only", "untested") => lookback == 1.0,
        ("discount_only", "idle") => lookback == 0.0,
        _ => return None,
    })
}

/// The table of `docs/SCHEMES.md` on the ways of those who stop ordering: the segments of `standard` by orders in all and silence.
fn ways(orders: f64, silent: f64) -> &'static [&'static str] {
    let row = [3.0, 6.0].iter().filter(|least| orders >= **least).count() + usize::from(orders >= 2.0);
    let column = [30.0, 90.0, 180.0, 365.0].iter().filter(|most| silent > **most).count();
    match (row, column) {
        (_, 4) | (0 | 1, 3) => &["Hibernating"],
        (3, 2 | 3) => &["Can't Lose"],
        (2, 3) => &["At Risk"],
        (2, 2) => &["Need Attention"],
        (0 | 1, 2) => &["About to Sleep"],
        (3, 0) => &["Champions", "Loyal", "Potential Loyalist", "Need Attention"],
        (3, 1) => &["Loyal", "Potential Loyalist", "Need Attention"],
        (2, 0) => &["Loyal", "Potential Loyalist", "Promising"],
        (2, 1) => &["Loyal", "Promising", "Need Attention"],
        (1, 0) => &["Potential Loyalist", "Promising"],
        (1, 1) => &["Promising", "About to Sleep"],
        _ => &["New"],
    }
}

/// Asserts that all sentences are true of all customers, and that all of these states have some.
fn hold(shop: &Shop, seen: &[(&str, &str)]) {
    let has = |name: &&str| shop.has_discounts || !name.starts_with("discount");
    let measures: Vec<&str> = MEASURES.into_iter().filter(has).collect();
    let schemes: Vec<(&str, &str)> = SCHEMES.into_iter().filter(has).map(|scheme| (scheme, scheme)).collect();
    let customers = shop.customers(&measures, &schemes);
    for customer in &customers {
        let told = || measures.iter().map(|name| format!("{name} {}", customer.number(name))).collect::<Vec<_>>().join(", ");
        for (scheme, state) in &customer.states {
            let holds = is_true(scheme, state, customer);
            assert!(holds.unwrap_or_else(|| panic!("nothing is said of {scheme} {state}")), "{scheme} {state}: {}", told());
        }
        let (orders, silent) = (customer.number("lifetime_orders"), customer.number("recency_days"));
        let segment = &customer.states["standard"].as_str();
        assert!(ways(orders, silent).contains(segment), "{segment}: {}", told());
    }
    for (scheme, state) in seen {
        assert!(customers.iter().any(|customer| customer.states[*scheme] == *state), "nobody is {state} in {scheme}");
    }
}

#[test]
fn of_a_grocer() {
    let seen = [
        ("standard", "Champions"),
        ("standard", "Can't Lose"),
        ("loyalty", "loyal"),
        ("journey", "mature"),
        ("churn_warning", "late"),
        ("discount_only", "leaning"),
        ("discount_only", "discount_only"),
    ];
    hold(&Shop::grocer(), &seen);
}

#[test]
fn of_a_furniture_shop() {
    let seen = [("cadence", "once"), ("cadence", "gone"), ("journey", "occasional"), ("churn_warning", "unknown")];
    hold(&Shop::furniture(), &seen);
}

#[test]
fn of_a_shop_at_christmas() {
    let shop = Shop::christmas();
    hold(&shop, &[("standard", "At Risk"), ("cadence", "on_time"), ("churn_warning", "on_time")]);
    // On 30 November, who comes every December is neither lost nor at risk by a rhythm of a year; nor ten days later.
    for days in [0, 10] {
        let customers = Shop { as_of: shop.as_of + days, ..Shop::christmas() }
            .customers(&["lifetime_orders", "recency_days"], &[("warning", "churn_warning"), ("cadence", "cadence")]);
        let yearly: Vec<&Customer> =
            customers.iter().filter(|c| c.number("lifetime_orders") >= 2.0 && c.number("recency_days") < 400.0).collect();
        assert!(yearly.len() > 1_000);
        for customer in yearly {
            assert_eq!(customer.states["cadence"], "on_time");
            assert!(["on_time", "due"].contains(&customer.states["warning"].as_str()), "{:?}", customer.states);
        }
    }
}

#[test]
fn of_a_shop_91_days_old() {
    hold(&Shop::young(), &[("standard", "New"), ("loyalty", "potential"), ("journey", "new"), ("cadence", "first")]);
}

#[test]
fn of_cdnow() {
    if let Some(shop) = Shop::cdnow() {
        hold(&shop, &[("churn_warning", "slowing"), ("journey", "lost"), ("loyalty", "slipping")]);
    }
}

#[test]
fn of_online_retail() {
    if let Some(shop) = Shop::online_retail() {
        hold(&shop, &[("cadence", "overdue"), ("churn_warning", "at_risk"), ("standard", "Need Attention")]);
    }
}
