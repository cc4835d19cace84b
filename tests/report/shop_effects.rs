//! Effects of two made-up strategies: a mail that wins some states back, and an event that cannot be judged.

use rfmill::internals::domain::Day;

use super::shop::{Sheet, V};

fn t(text: impl Into<String>) -> V {
    V::T(text.into())
}

fn f(x: Option<f64>) -> V {
    x.map_or(V::Null, V::F)
}

/// Effect per customer by state: treated and control, difference, standard error; none where the group is too small.
const MAIL: [(i64, Option<[f64; 2]>); 11] = [
    (4800, Some([2.35, 0.52])),
    (520, Some([0.4, 1.9])),
    (910, Some([0.9, 1.5])),
    (440, Some([1.3, 1.4])),
    (390, Some([-0.2, 1.1])),
    (350, Some([1.6, 1.3])),
    (610, Some([3.1, 1.1])),
    (520, Some([2.9, 1.25])),
    (270, Some([8.6, 1.9])),
    (420, Some([5.2, 1.2])),
    (370, Some([-1.9, 0.7])),
];

const EFFECTS: &str = "strategy:t period_start:d period_end:d phase:s arm:s outcome:s scheme:s state:s method:s design:s \
    headline:b n_treated:i n_control:i mean_treated:f mean_control:f difference:f ci_low:f ci_high:f p_value:f p_adjusted:f \
    family_size:i lift:f lift_low:f lift_high:f mde:f srm_p:f incremental:f cost:f roi:f roi_low:f roi_high:f \
    net_margin_per_customer:f net_margin_low:f net_margin_high:f excluded:i not_estimable:t against:s ci_low_adjusted:f \
    ci_high_adjusted:f mde_loss:f net_margin_low_adjusted:f net_margin_high_adjusted:f";

fn day(text: &str) -> Day {
    Day::parse(text).expect("a date")
}

/// Quarters of 2024, and the last one of 2023, as far as the shop has them.
fn quarters(periods: usize) -> Vec<(Day, Day)> {
    let spring = ("2024-04-01", "2024-06-30");
    let long = [("2023-10-01", "2023-12-31"), spring, ("2024-07-01", "2024-09-30"), ("2024-10-01", "2024-12-31")];
    let all = if periods >= 8 { &long[..] } else { &[spring] };
    all.iter().map(|(from, to)| (day(from), day(to))).collect()
}

/// How much wider adjusted intervals are.
const WIDER: f64 = 1.25;

/// One row of effects from a difference and its standard error.
fn row(names: [&str; 5], period: (Day, Day), n: i64, estimate: Option<[f64; 2]>, headline: bool) -> Vec<V> {
    let [strategy, outcome, scheme, state, method] = names;
    let z = 1.96;
    let cost = 0.35;
    let margin = 0.4;
    let end = |k: f64| estimate.map(|[d, se]| d + k * z * se);
    let net = |x: Option<f64>| x.map(|d| d * margin - cost);
    let roi = |x: Option<f64>| x.map(|d| (d * margin - cost) / cost);
    let control = 21.4;
    let lift = |x: Option<f64>| x.map(|d| d / control);
    let p = estimate.map(|[d, se]| (-0.717 * (d / se).abs() - 0.416 * (d / se).powi(2)).exp());
    let n_known = estimate.is_some();
    vec![
        t(strategy),
        V::D(period.0),
        V::D(period.1),
        t("during"),
        t("treatment"),
        t(outcome),
        t(scheme),
        t(state),
        t(method),
        t(if strategy.contains("event") { "matched" } else { "randomised" }),
        V::B(headline),
        V::I(n),
        V::I(if n_known { n - 7 } else { 1 }),
        f(estimate.map(|[d, _]| control + d)),
        f(estimate.map(|_| control)),
        f(end(0.0)),
        f(end(-1.0)),
        f(end(1.0)),
        f(p),
        f(p.map(|p| (p * 2.0).min(1.0))),
        V::I(33),
        f(lift(end(0.0))),
        f(lift(end(-1.0))),
        f(lift(end(1.0))),
        f(estimate.map(|[_, se]| 2.8 * se)),
        V::F(0.41),
        f(estimate.map(|[d, _]| d * n as f64)),
        f(estimate.map(|_| cost * n as f64)),
        f(roi(end(0.0))),
        f(roi(end(-1.0))),
        f(roi(end(1.0))),
        f(net(end(0.0))),
        f(net(end(-1.0))),
        f(net(end(1.0))),
        V::I(12),
        if n_known { V::Null } else { t("arm \"control\" has one customer here, and one has no variance") },
        t("control"),
        f(end(-WIDER)),
        f(end(WIDER)),
        f(estimate.map(|[_, se]| 2.8 * se)),
        f(net(end(-WIDER))),
        f(net(end(WIDER))),
    ]
}

/// `effects`, `effects_over_time`, `effects_to_date`, `verdicts`, `before_after`.
pub fn tables(name: &dyn Fn(&'static str) -> String, states: &[String], periods: usize) -> [Sheet; 5] {
    let mut effects = Sheet::new(EFFECTS);
    let (mail, event) = (name("winback-mail"), name("vip-event"));
    let periods = quarters(periods);
    for (number, period) in periods.iter().enumerate() {
        let shift = if periods.len() > 1 { [0.9, 0.7, 1.15, 1.0][number] } else { 0.7 };
        for (place, (n, estimate)) in MAIL.iter().enumerate() {
            let (scheme, state) = if place == 0 { ("(all)", "(all)") } else { ("segment", states[place - 1].as_str()) };
            let estimate = estimate.map(|[d, se]| [d * shift, se]);
            effects.row(row([&mail, "revenue", scheme, state, "cuped"], *period, *n, estimate, true));
            if place == 0 {
                effects.row(row(
                    [&mail, "revenue", scheme, state, "welch"],
                    *period,
                    *n,
                    estimate.map(|[d, se]| [d, se * 1.3]),
                    false,
                ));
                effects.row(row([&mail, "converted", scheme, state, "welch"], *period, *n, Some([0.021 * shift, 0.006]), false));
            }
        }
    }
    let last = *periods.last().expect("a period");
    effects.row(row([&event, "revenue", "(all)", "(all)", "matched"], last, 310, Some([4.4, 3.9]), true));
    effects.row(row([&event, "revenue", "segment", &states[0], "matched"], last, 220, Some([5.0, 4.4]), true));
    effects.row(row([&event, "revenue", "segment", &states[1], "matched"], last, 90, None, true));
    let mut pooled = Sheet::new(
        "strategy:t phase:s arm:s outcome:s scheme:s state:s method:s periods:i n_treated:i n_control:i mean_control:f \
         difference:f ci_low:f ci_high:f p_value:f lift:f lift_low:f lift_high:f q_difference:f q_difference_p:f q_lift:f \
         q_lift_p:f recurring_share:f clustered:b not_estimable:t against:s covered_share:f ci_low_adjusted:f ci_high_adjusted:f \
         p_adjusted:f family_size:i looks:i best_period:d best_difference:f worst_period:d worst_difference:f incremental:f \
         cost:f net_margin_per_customer:f net_margin_low:f net_margin_high:f",
    );
    if periods.len() > 1 {
        for (place, (n, estimate)) in MAIL.iter().enumerate() {
            let (scheme, state) = if place == 0 { ("(all)", "(all)") } else { ("segment", states[place - 1].as_str()) };
            let [d, se] = estimate.expect("an estimate");
            let se = se / 1.7;
            let all = [d, d - 1.96 * se, d + 1.96 * se];
            let mut cells =
                vec![t(mail.clone()), t("during"), t("treatment"), t("revenue"), t(scheme), t(state), t("cuped"), V::I(3)];
            cells.extend([V::I(n * 3), V::I((n - 7) * 3), V::F(21.4)]);
            cells.extend(all.map(V::F));
            cells.push(V::F(0.004));
            cells.extend(all.map(|x| V::F(x / 21.4)));
            cells.extend([V::F(2.1), V::F(0.35), V::F(1.9), V::F(0.39), V::F(0.004), V::B(false), V::Null]);
            cells.extend([t("control"), V::F(1.0), V::F(d - 1.96 * WIDER * se), V::F(d + 1.96 * WIDER * se), V::F(0.008)]);
            cells.extend([V::I(11), V::I(4), V::D(day("2024-07-01")), V::F(d * 1.15), V::D(day("2024-04-01")), V::F(d * 0.7)]);
            cells.extend([V::F(d * (n * 3) as f64), V::F(0.35 * (n * 3) as f64)]);
            cells.extend(all.map(|x| V::F(x * 0.4 - 0.35)));
            pooled.row(cells);
        }
    }
    let mut verdicts = Sheet::new(
        "strategy:t arm:s period_start:d period_end:d scheme:s state:s verdict:s reason:t outcome:s method:s difference:f \
         shrunk_difference:f shrunk_low:f rank:i against:s ci_low_adjusted:f ci_high_adjusted:f p_adjusted:f \
         net_margin_per_customer:f net_margin_low_adjusted:f net_margin_high_adjusted:f ranked_by:s",
    );
    let mut verdict = |strategy: &str,
                       period: Option<(Day, Day)>,
                       scheme: &str,
                       state: &str,
                       word: &str,
                       reason: String,
                       estimate: Option<[f64; 2]>| {
        let day = |d: Option<Day>| d.map_or(V::Null, V::D);
        let mut cells = vec![t(strategy), t("treatment"), day(period.map(|p| p.0)), day(period.map(|p| p.1))];
        cells.extend([t(scheme), t(state), t(word), t(reason), t("revenue"), t("cuped")]);
        let end = |k: f64| estimate.map(|[d, se]| d + k * 1.96 * se);
        let net = |k: f64| f(end(k).map(|d| d * 0.4 - 0.35));
        cells.extend([f(end(0.0)), f(end(0.0).map(|d| d * 0.9)), f(end(-1.0).map(|d| d * 0.9))]);
        cells.push(estimate.map_or(V::Null, |_| V::I(1)));
        cells.extend([t("control"), f(end(-WIDER)), f(end(WIDER)), V::F(0.02), net(0.0), net(-WIDER), net(WIDER), t("net")]);
        verdicts.row(cells);
    };
    for period in [None, Some(last)] {
        let why = "revenue rises by 2.350 per customer (1.331 to 3.369, adjusted p < 0.0001); net margin per customer 0.5900 (0.1824 to 0.9976): it pays even at the low end";
        // Over all periods errors are smaller.
        let narrower = if period.is_none() { 1.7 } else { 1.0 };
        verdict(&mail, period, "(all)", "(all)", "scale", why.into(), MAIL[0].1.map(|[d, se]| [d, se / narrower]));
        for (place, (_, estimate)) in MAIL.iter().enumerate().skip(1) {
            let [d, se] = estimate.map(|[d, se]| [d, se / narrower]).expect("an estimate");
            let net = |k: f64| (d + k * WIDER * 1.96 * se) * 0.4 - 0.35;
            let effect =
                format!("revenue rises by {d:.3} per customer ({:.3} to {:.3}, adjusted p 0.0214)", d - 1.96 * se, d + 1.96 * se);
            let money = format!("net margin per customer {:.3} ({:.3} to {:.3})", net(0.0), net(-1.0), net(1.0));
            let (word, why) = match () {
                () if net(-1.0) > 0.0 => ("scale", format!("{effect}; {money}: it pays even at the low end")),
                () if net(1.0) < 0.0 => ("stop", format!("{effect}; {money}: it costs more than it brings even at the high end")),
                () => (
                    "test_longer",
                    format!("{effect}: no effect is shown; one of {:.3} would be found four times in five", 2.8 * se),
                ),
            };
            verdict(&mail, period, "segment", &states[place - 1], word, why, Some([d, se]));
        }
    }
    let why = "beside alike customers revenue differs by 4.400 per customer and its change since the baseline by 3.200; beyond what \
               differed before anybody was treated, 0.3000 (-3.500 to 4.100) and -0.9000 (-6.100 to 4.300), which do not all lie on \
               one side of 0: nothing is claimed of customers whom somebody chose, and who was chosen because they were about to buy \
               cannot be seen";
    verdict(&event, Some(last), "(all)", "(all)", "cannot_say", why.into(), None);
    let mut before_after = Sheet::new(
        "strategy:t period_start:d period_end:d arm:t outcome:s scheme:s state:s customers:i mean_before:f mean_after:f \
         change:f expected_change:f note:t",
    );
    for (arm, n, state, after) in
        [("treatment", 310, None, 61.5), ("treatment", 307, Some(0), 70.1), ("treatment", 3, Some(1), 20.0)]
    {
        let state = state.map_or("(all)", |s: usize| states[s].as_str());
        let scheme = if state == "(all)" { "(all)" } else { "segment" };
        let mut cells = vec![t(event.clone()), V::D(last.0), V::D(last.1), t(arm), t("revenue"), t(scheme), t(state), V::I(n)];
        cells.extend([V::F(55.0), V::F(after), V::F(after - 55.0), V::F(-4.2)]);
        cells.push(t("regression to the mean of all 6000 customers, slope 0.412"));
        before_after.row(cells);
    }
    [effects, pooled, to_date(&mail, &periods), verdicts, before_after]
}

/// `effects_to_date` of the mail: a little more with every period, up to what `effects_over_time` says.
fn to_date(mail: &str, periods: &[(Day, Day)]) -> Sheet {
    let mut sheet = Sheet::new(
        "strategy:t phase:s arm:s against:s outcome:s method:s through_start:d through_end:d periods:i n_treated:i n_control:i \
         covered_share:f difference:f ci_low:f ci_high:f ci_low_adjusted:f ci_high_adjusted:f looks:i incremental:f \
         incremental_low_adjusted:f incremental_high_adjusted:f cost:f net:f net_low_adjusted:f net_high_adjusted:f not_estimable:t",
    );
    let (n, estimate) = MAIL[0];
    let [d, se] = estimate.expect("an estimate");
    for outcome in ["revenue", "net"].into_iter().filter(|_| periods.len() > 1) {
        for (at, (start, end)) in periods.iter().enumerate() {
            let all = n * (at as i64 + 1);
            let se = se / 1.7 * (periods.len() as f64 / (at + 1) as f64).sqrt();
            let net = |x: f64| x * 0.4 - 0.35;
            let own = |x: f64| if outcome == "net" { net(x) } else { x };
            let ends = [0.0, -1.0, 1.0].map(|k| d + k * 1.96 * WIDER * se);
            let mut cells =
                vec![t(mail), t("during"), t("treatment"), t("control"), t(outcome), t("cuped"), V::D(*start), V::D(*end)];
            cells.extend([V::I(at as i64 + 1), V::I(all), V::I(all - 7), V::F(1.0), V::F(own(d))]);
            cells.extend([V::F(own(d - 1.96 * se)), V::F(own(d + 1.96 * se)), V::F(own(ends[1])), V::F(own(ends[2])), V::I(4)]);
            cells.extend(ends.map(|x| V::F(own(x) * all as f64)));
            cells.push(V::F(0.35 * all as f64));
            cells.extend(ends.map(|x| V::F(net(x) * all as f64)));
            cells.push(V::Null);
            sheet.row(cells);
        }
    }
    sheet
}
