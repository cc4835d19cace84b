//! What a report says, sentence by sentence, beside what the tables of its run say: random jobs with schemes of all shapes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value as Json;

use crate::invariants::shop::{Line, Shop, write};
use crate::support::calendar::{date_text, days_from_civil};
use crate::support::cases::Rng;
use crate::support::run::{Cell, Workshop, read_file, said};

/// Jobs of a run of the test; `RFMILL_CLAIMS` asks for another number.
const JOBS: u64 = 200;

/// Names that states get: such as speak of risk without a mark, numbers, long ones, and such as would break a sentence.
const NAMES: [&str; 12] = [
    "At risk",
    "Lost",
    "New",
    "7",
    "Zed, or not",
    "金卡会员",
    "A<b>&c",
    "best of the best of all customers of this shop",
    "(odd)",
    "churned",
    "Loyal",
    "O'Neil \"x\"",
];

/// A scheme by days since the last order and orders: a ladder in any order, or none, and any state may be at risk.
fn scheme(rng: &mut Rng, name: &str) -> String {
    let mut names: Vec<&str> = NAMES.iter().filter(|name| !name.starts_with('(')).copied().collect();
    rng.shuffle(&mut names);
    let states = &names[..rng.between(2, 6) as usize];
    let mut out = format!("name = \"{name}\"\nsummary = \"One of many.\"\n");
    if rng.chance(70) {
        let mut ladder = states.to_vec();
        rng.shuffle(&mut ladder);
        let quoted: Vec<String> = ladder.iter().map(|state| format!("'{state}'")).collect();
        writeln!(out, "ladder = [{}]", quoted.join(", ")).expect("text");
    }
    for state in states {
        writeln!(out, "[[states]]\nname = '{state}'\ndefinition = \"Some.\"\nat_risk = {}", rng.chance(40)).expect("text");
    }
    // Later rules take more, so that each has customers of its own.
    let (mut days, mut orders) = (0, 40);
    for (place, state) in states.iter().enumerate() {
        writeln!(out, "[[rules]]\nstate = '{state}'").expect("text");
        if place + 1 < states.len() {
            days += rng.between(2, 120);
            orders -= rng.between(1, 7);
            let by_recency = rng.chance(50);
            let when =
                if by_recency { format!("recency_days = [0, {days}]") } else { format!("lifetime_orders = [{orders}, inf]") };
            writeln!(out, "when = {{ {when} }}").expect("text");
        }
    }
    // O'Neil has a quote of its own.
    out.replace("'O'Neil \"x\"'", "\"O'Neil \\\"x\\\"\"")
}

/// A random job over a random shop, run, and what the console said.
fn job(seed: u64) -> (Workshop, String) {
    let shop = lay_out(seed);
    let ran = shop.run(&[]);
    assert!(ran.status.success(), "seed {seed}: {}", said(&ran));
    (shop, String::from_utf8(ran.stderr).expect("UTF-8"))
}

/// A random job over a random shop.
pub fn lay_out(seed: u64) -> Workshop {
    let mut rng = Rng::new(seed ^ 0xc1a1);
    let shop = Workshop::new();
    let mut orders = Shop::new(seed);
    shop.write("one.toml", &scheme(&mut rng, "one"));
    shop.write("two.toml", &scheme(&mut rng, "two"));
    let periods = [
        "every = \"quarter\"\nfrom = 2022-04-01\nto = 2023-12-31",
        "as_of = [2023-12-15]\ntrend = \"5 quarters\"",
        "as_of = [2023-03-31, 2023-09-30, 2023-12-31]",
        "every = \"month\"\nfrom = 2023-01-01\nto = 2023-11-30",
    ];
    let schemes = [
        "segment = \"standard\"\nown = \"one.toml\"",
        "own = \"one.toml\"\nother = \"two.toml\"",
        "other = \"two.toml\"\nlifecycle = \"recency_windows\"",
    ];
    let mut text = format!(
        "name = \"claims\"\n[orders]\npath = \"data/*.parquet\"\ncustomer_id = \"customer_id\"\nordered_at = \"ordered_at\"\namount = \"amount\"\n\
         order_id = \"order_id\"\n[periods]\n{}\n[score]\nlookback = \"{}\"\n[schemes]\n{}\n[output]\npath = \"out\"\nreport = [\"json\", \"html\", \"xlsx\", \"crm\"]\ncurrency_label = \"£\"\n",
        rng.pick(&periods),
        rng.pick(&["365d", "90d", "12 months"]),
        rng.pick(&schemes),
    );
    if rng.chance(60) {
        let (scale, margin) = (rng.between(1, 400), rng.between(1, 9));
        text += "[[strategy]]\nname = \"mail, and <more>\"\ndesign = \"randomised\"\nassignments = \"arms.csv\"\ncontrol = \"control\"\nsplit = { control = 0.5, mail = 0.5 }\n";
        text += "periods = [{ from = 2023-04-01, to = 2023-06-30 }, { from = 2023-07-01, to = 2023-09-30 }]\n";
        if rng.chance(60) {
            writeln!(text, "cost_per_customer = \"0.{scale:03}\"\nmargin_rate = 0.{margin}").expect("text");
        }
        let by = if text.contains("\nown = ") { "own" } else { "other" };
        writeln!(text, "by = [\"{by}\"]").expect("text");
        let mut arms = "customer_id,arm,assigned_on\n".to_owned();
        let mut customers: Vec<i64> = orders.lines.iter().map(|line| line.customer).collect();
        customers.dedup();
        customers.sort_unstable();
        customers.dedup();
        for day in ["2023-04-01", "2023-07-01"] {
            for customer in &customers {
                let arm = if rng.chance(50) { "mail" } else { "control" };
                writeln!(arms, "{customer},{arm},{day}").expect("text");
            }
        }
        shop.write("arms.csv", &arms);
    }
    if rng.chance(60) {
        text += &matched(&mut rng, &shop, &mut orders, if text.contains("\nown = ") { "own" } else { "other" });
    }
    if rng.chance(30) {
        text += "[forecast]\nhorizon = \"1 quarter\"\n";
        let columns = ["recency_days", "next_order_low", "next_order_median", "next_order_high", "expected_value@90d"];
        text = text.replace("path = \"out\"\n", &format!("path = \"out\"\ncolumns = {columns:?}\n"));
    }
    if rng.chance(25) {
        let (running, cut) = *rng.pick(&[("lifetime_monetary", 300), ("lifetime_orders", 6), ("recency_days", 60)]);
        writeln!(text, "[[strategy]]\nname = \"{CUT}\"\ndesign = \"threshold\"\nrunning = \"{running}\"\ncut = {cut}")
            .expect("text");
        text += "periods = [{ from = 2023-04-01, to = 2023-06-30 }, { from = 2023-07-01, to = 2023-09-30 }]\n";
    }
    write(&shop, "data", &orders.lines, seed);
    shop.write("job.toml", &text);
    shop
}

/// A strategy whose customers somebody chose, among those of a scheme's states; in most jobs they buy more afterwards, in some less.
fn matched(rng: &mut Rng, shop: &Workshop, orders: &mut Shop, scheme: &str) -> String {
    let (from, to) = (days_from_civil(2023, 7, 1), days_from_civil(2023, 9, 30));
    let mut customers: BTreeMap<i64, u32> = BTreeMap::new();
    for line in orders.lines.iter().filter(|line| line.date < from) {
        *customers.entry(line.customer).or_default() += 1;
    }
    // Where only who seldom buys buys more, it is states with little money that the strategy is kept for.
    let most_lines = if rng.chance(50) { u32::MAX } else { 30 };
    let mut arms = "customer_id,arm,assigned_on\n".to_owned();
    let sign = *rng.pick(&[1, 1, 0, -1]);
    for (place, (customer, lines)) in (0i64..).zip(customers) {
        let is_called = rng.chance(50);
        writeln!(arms, "{customer},{},2023-07-01", if is_called { "call" } else { "alike" }).expect("text");
        // Beside what either side buys anyhow, some hundred pounds are seen in few customers.
        if sign != 0 && is_called == (sign > 0) && lines <= most_lines {
            let (date, cents) = (rng.between(from, to), rng.between(60_000, 90_000));
            orders.lines.push(Line { customer, order: 1_000_000 + place, date, cents, region: "north" });
        }
    }
    shop.write("chosen.csv", &arms);
    let mut out = format!(
        "[[strategy]]\nname = \"calls\"\ndesign = \"matched\"\nassignments = \"chosen.csv\"\ncontrol = \"alike\"\n\
         periods = [{{ from = 2023-07-01, to = 2023-09-30 }}]\nmatch_on = [\"{scheme}\"]\nby = [\"{scheme}\"]\noutcomes = [\"revenue\"]\n"
    );
    if rng.chance(50) {
        out += "cost_per_customer = \"1.5\"\nmargin_rate = 0.4\n";
    }
    out
}

type Row = BTreeMap<String, Cell>;

/// The tables of a run, and the report over them.
struct Told {
    run: std::path::PathBuf,
    report: Json,
    /// As-of dates with those of the trend, ascending.
    dates: Vec<i64>,
}

impl Told {
    fn new(shop: &Workshop) -> Told {
        let run = shop.path("out/latest");
        let report = std::fs::read(run.join("report/report.json")).expect("a report");
        let report: Json = serde_json::from_slice(&report).expect("JSON");
        let mut told = Told { run, report, dates: Vec::new() };
        let shown = told.rows("dim_period").into_iter().filter(|row| row["role"] != Cell::Text("comparison".into()));
        told.dates = shown.map(|row| row["as_of"].date()).collect();
        told.dates.sort_unstable();
        told
    }

    fn rows(&self, table: &str) -> Vec<Row> {
        let path = self.run.join(format!("{table}.parquet"));
        if !path.exists() {
            return Vec::new();
        }
        let table = read_file(&path);
        table
            .records()
            .into_iter()
            .map(|row| row.into_iter().map(|(name, cell)| (name.to_owned(), cell.clone())).collect())
            .collect()
    }

    fn last(&self) -> i64 {
        *self.dates.last().expect("a date")
    }

    fn period(&self, date: i64) -> Row {
        self.rows("dim_period").into_iter().find(|row| row["as_of"].date() == date).expect("a period")
    }

    fn before(&self) -> Option<i64> {
        match &self.period(self.last())["period_before"] {
            Cell::Date(date) => Some(*date),
            _ => self.dates.iter().rev().nth(1).copied(),
        }
    }

    /// What a period is called: a month or a day with the name of the month, others as in the table.
    fn label(&self, date: i64) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let period = self.period(date);
        let label = period["label"].text();
        let parts: Vec<&str> = label.split('-').collect();
        let month = |month: &str| MONTHS[month.parse::<usize>().expect("a month") - 1];
        match parts[..] {
            [year, of_year] if label.len() == 7 => format!("{} {year}", month(of_year)),
            [year, of_year, day] if label.len() == 10 => format!("{} {} {year}", day.trim_start_matches('0'), month(of_year)),
            _ => label.to_owned(),
        }
    }

    /// States of `segments` for everybody at a date.
    fn segments(&self, date: i64, scheme: &str) -> Vec<Row> {
        let of = |row: &Row| row["as_of"].date() == date && row["dimension"].text() == "(all)" && row["scheme"].text() == scheme;
        self.rows("segments").into_iter().filter(of).collect()
    }

    /// Schemes in the order of the job, with their states, best first, and whether these are on a ladder and at risk.
    fn schemes(&self) -> Vec<(String, Vec<(String, bool, bool)>)> {
        let mut out: Vec<(String, Vec<(Option<i128>, String, bool)>)> = Vec::new();
        for row in self.rows("dim_state") {
            let scheme = row["scheme"].text();
            if !out.iter().any(|(name, _)| name == scheme) {
                out.push((scheme.to_owned(), Vec::new()));
            }
            let rank = match &row["rank"] {
                Cell::Int(rank) => Some(*rank),
                _ => None,
            };
            let states = &mut out.iter_mut().find(|(name, _)| name == scheme).expect("the scheme").1;
            states.push((rank, row["state"].text().to_owned(), row["is_at_risk"] == Cell::Bool(true)));
        }
        for (_, states) in &mut out {
            states.sort_by_key(|(rank, state, _)| (state.starts_with('('), rank.unwrap_or(i128::MAX)));
        }
        let without_rank = |states: Vec<(Option<i128>, String, bool)>| {
            states.into_iter().map(|(rank, state, risk)| (state, rank.is_some(), risk)).collect()
        };
        out.into_iter().map(|(name, states)| (name, without_rank(states))).collect()
    }

    /// Paragraphs of an answer.
    fn answer(&self, key: &str) -> Option<Vec<String>> {
        let answers = self.report["answers"].as_array().expect("answers");
        let answer = answers.iter().find(|answer| answer["key"] == key)?;
        Some(
            answer["answer"].as_array().expect("paragraphs").iter().map(|text| text.as_str().expect("text").to_owned()).collect(),
        )
    }
}

/// A count with commas.
fn count(n: i128) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if n < 0 { format!("−{out}") } else { out }
}

fn percent(share: f64, digits: usize) -> String {
    format!("{:.digits$}%", share * 100.0)
}

/// Money in a few digits, with the pound.
fn pounds(cents: i128) -> String {
    pounds_of(cents as f64 / 100.0)
}

/// The same of an estimate, which is no whole number of cents.
fn pounds_of(money: f64) -> String {
    let text = match money.abs() {
        x if x >= 1e7 => panic!("{x} is more than these shops turn over"),
        x if x >= 1e6 => format!("{:.2} M", x / 1e6),
        x if x >= 1e5 => format!("{:.0} k", x / 1e3),
        x if x >= 1e4 => format!("{:.1} k", x / 1e3),
        x => count(format!("{x:.0}").parse().expect("a number")),
    };
    if money < 0.0 { format!("−£{text}") } else { format!("£{text}") }
}

/// A relative change with its sign; an absolute one from nothing.
fn change(now: f64, was: f64) -> String {
    let (x, text) = match was {
        0.0 => (now - was, count((now - was).abs().round() as i128)),
        was => ((now - was) / was.abs(), percent(((now - was) / was).abs(), 1)),
    };
    match x {
        x if x > 0.0 => format!("+{text}"),
        x if x < 0.0 && text.contains(|c: char| ('1'..='9').contains(&c)) => format!("−{text}"),
        _ => text,
    }
}

fn is_or_are<'a>(n: i128, one: &'a str, many: &'a str) -> &'a str {
    if n == 1 { one } else { many }
}

/// What a scheme is called.
fn called(scheme: &str) -> String {
    let (first, rest) = scheme.split_at(1);
    first.to_uppercase() + rest
}

/// What a state is called where customers go to it; these schemes have no other English labels.
fn label(state: &str) -> String {
    if state == "(none)" { "No longer listed".into() } else { state.to_owned() }
}

/// How many are at risk: only what a scheme marks, the first that marks any, and its numbers.
fn at_risk(told: &Told) -> Option<Vec<String>> {
    let (scheme, states) = told.schemes().into_iter().find(|(_, states)| states.iter().any(|state| state.2))?;
    let marked: Vec<&str> = states.iter().filter(|state| state.2).map(|state| state.0.as_str()).collect();
    let of = |date: i64| -> Vec<Row> {
        told.segments(date, &scheme).into_iter().filter(|row| marked.contains(&row["state"].text())).collect()
    };
    let customers = |rows: &[Row]| rows.iter().map(|row| row["customers"].int()).sum::<i128>();
    let now = of(told.last());
    let all = customers(&told.segments(told.last(), &scheme));
    let n = customers(&now);
    let money: i128 = now.iter().map(|row| row["annual_value"].minor()).sum();
    let parts: Vec<String> = marked
        .iter()
        .map(|state| match now.iter().find(|row| row["state"].text() == *state) {
            None => label(state),
            Some(row) => {
                let (customers, money) = (row["customers"].int(), row["annual_value"].minor());
                format!("{} {} ({})", label(state), count(customers), pounds(money))
            }
        })
        .collect();
    let mut first = format!(
        "By the scheme {}, {} {} at risk, {} of all: {}. {} of revenue depends on them: what they spent in the year up to their last order, less later returns.",
        called(&scheme),
        count(n),
        is_or_are(n, "customer is", "customers are"),
        percent(n as f64 / all as f64, 1),
        parts.join(", "),
        pounds(money),
    );
    if let Some(before) = told.before() {
        let was = customers(&of(before));
        write!(first, " Their number changed by {} against {}.", change(n as f64, was as f64), told.label(before)).expect("text");
    }
    Some(vec![first])
}

/// Who left the best state: of the first scheme with a ladder, to where, and why.
fn left_best(told: &Told) -> Option<Vec<String>> {
    let schemes = told.schemes();
    let (scheme, best) = schemes.iter().find_map(|(scheme, states)| Some((scheme, &states.iter().find(|state| state.1)?.0)))?;
    let last = told.last();
    let of_scheme =
        |row: &Row| row["as_of"].date() == last && row["scheme"].text() == scheme && row["dimension"].text() == "(all)";
    let steps: Vec<Row> = told.rows("transitions").into_iter().filter(of_scheme).collect();
    let from = steps.iter().map(|row| row["from_as_of"].date()).max()?;
    let steps: Vec<Row> = steps.into_iter().filter(|row| row["from_as_of"].date() == from).collect();
    let sum = |of: &dyn Fn(&Row) -> bool| steps.iter().filter(|row| of(row)).map(|row| row["customers"].int()).sum::<i128>();
    let (is_from, is_to) = (|row: &Row| row["from_state"].text() == best, |row: &Row| row["to_state"].text() == best);
    let (were, left, came) = (sum(&is_from), sum(&|row| is_from(row) && !is_to(row)), sum(&|row| is_to(row) && !is_from(row)));
    let share = if were > 0 { percent(left as f64 / were as f64, 1) } else { "–".into() };
    let mut first = format!(
        "{} of the {} customers who were {} then no longer are ({share}); {} came in.",
        count(left),
        count(were),
        label(best),
        count(came)
    );
    let mut to: Vec<(i128, String)> = steps
        .iter()
        .filter(|row| is_from(row) && !is_to(row))
        .map(|row| (row["customers"].int(), label(row["to_state"].text())))
        .collect();
    to.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
    let to: Vec<String> = to.iter().take(4).map(|(n, state)| format!("{state} ({})", count(*n))).collect();
    if !to.is_empty() {
        write!(first, " They are now {}.", to.join(", ")).expect("text");
    }
    let mut reasons = [0i128; 2];
    let folder = told.run.join(format!("movers/as_of={}", date_text(last)));
    for row in crate::support::run::read_folder(&folder).records() {
        if row["scheme"].text() == scheme
            && row["from_as_of"].date() == from
            && row["from_state"].text() == best
            && row["to_state"].text() != "(none)"
        {
            reasons[usize::from(*row["reason"] == Cell::Text("cut_points".into()))] += 1;
        }
    }
    let mut out = vec![first];
    let [own, cuts] = reasons;
    if own + cuts > 0 {
        let share = |n: i128| percent(n as f64 / (own + cuts) as f64, 0);
        let by_cuts = match cuts {
            0 => "Nobody moved only because the cut points moved.".to_owned(),
            cuts => format!(
                "{} ({}) moved only because the cut points moved: their own buying would have kept them where they were.",
                count(cuts),
                share(cuts)
            ),
        };
        out.push(format!(
            "{} of them ({}) moved by what they themselves bought or did not buy: the earlier cut points would have moved them as well. {by_cuts}",
            count(own),
            share(own)
        ));
    }
    Some(out)
}

/// The headlines of the last period, where the job has periods.
fn headlines(told: &Told) -> Option<String> {
    let growth = |date: i64| {
        let mut rows = told.rows("growth").into_iter();
        rows.find(|row| row["as_of"].date() == date && row["scheme"].text() == "(all)")
    };
    let last = growth(told.last())?;
    let period = told.label(told.last());
    let mut dates = vec![(told.before(), "")];
    if let Cell::Date(year_before) = told.period(told.last())["same_period_last_year"] {
        dates.push((Some(year_before), " a year before"));
    }
    let against = |of: &dyn Fn(&Row) -> f64| {
        let notes: Vec<String> = dates
            .iter()
            .filter_map(|(date, word)| Some((growth((*date)?)?, (*date)?, word)))
            .map(|(row, date, word)| format!("{} against {}{word}", change(of(&last), of(&row)), told.label(date)))
            .collect();
        if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) }
    };
    let active = last["active"].int();
    Some(format!(
        "{} {} bought in {period}{}. Revenue of {period} is {}{}.",
        count(active),
        is_or_are(active, "customer", "customers"),
        against(&|row| row["active"].int() as f64),
        pounds(last["revenue"].minor()),
        against(&|row| row["revenue"].minor() as f64 / 100.0),
    ))
}

/// Where the active customers come from, in words.
fn accounting(told: &Told) -> Option<String> {
    let last = told.last();
    let rows = told.rows("growth");
    let row = rows.iter().find(|row| row["as_of"].date() == last && row["scheme"].text() == "(all)")?;
    let n = |name: &str| match row[name] {
        Cell::Int(n) => Some(n),
        _ => None,
    };
    let (new, retained, back, lapsed) = (n("new")?, n("retained")?, n("resurrected")?, n("lapsed")?);
    let before = told.before().map_or("the period before".to_owned(), |date| told.label(date));
    let first = match told.period(last)["new_is_first_seen"] == Cell::Bool(true) {
        true => format!("{} {} first seen in the data", count(new), is_or_are(new, "is", "are")),
        false => format!("{} bought for the first time", count(new)),
    };
    Some(format!(
        "{} of them had bought in {before} as well, {first}, {} came back after a pause; {} who bought in {before} did not buy again.",
        count(retained),
        count(back),
        count(lapsed)
    ))
}

/// The states that gained and lost most, of the first scheme.
fn largest_moves(told: &Told) -> Option<String> {
    let before = told.before()?;
    let (scheme, states) = told.schemes().into_iter().next()?;
    let customers = |date: i64| -> BTreeMap<String, i128> {
        told.segments(date, &scheme).iter().map(|row| (row["state"].text().to_owned(), row["customers"].int())).collect()
    };
    let (now, was) = (customers(told.last()), customers(before));
    let mut names: Vec<String> = states.into_iter().map(|state| state.0).collect();
    names.extend(now.keys().chain(was.keys()).filter(|state| state.starts_with('(')).cloned());
    let of = |found: &BTreeMap<String, i128>, state: &String| found.get(state).copied().unwrap_or(0);
    let moves: Vec<i128> = names.iter().map(|state| of(&now, state) - of(&was, state)).collect();
    let (most, least) = (moves.iter().max()?, moves.iter().min()?);
    let mut said = Vec::new();
    if *most > 0 {
        said.push(format!(" gained most (+{} customers).", count(*most)));
    }
    if *least < 0 {
        said.push(format!(" lost most ({} customers).", count(*least)));
    }
    (!said.is_empty()).then(|| said.concat())
}

/// The strategies of a job, in its order: the name, and whether it is held against alike customers.
fn strategies(told: &Told) -> Vec<(String, bool)> {
    let mut out: Vec<(String, bool)> = Vec::new();
    for row in told.rows("effects") {
        let name = row["strategy"].text();
        if !out.iter().any(|(known, _)| known == name) {
            out.push((name.to_owned(), row["design"] == Cell::Text("matched".into())));
        }
    }
    out.sort_by_key(|(name, is_matched)| (name == CUT, *is_matched));
    out
}

/// Which verdicts on a strategy a reader is told of: over all periods where several have an estimate, else those of the last period.
fn decided(told: &Told, strategy: &str) -> Vec<Row> {
    let of_strategy =
        |table: &str| -> Vec<Row> { told.rows(table).into_iter().filter(|row| row["strategy"].text() == strategy).collect() };
    let effects = of_strategy("effects");
    let known = effects
        .iter()
        .filter(|row| row["headline"] == Cell::Bool(true) && row["state"].text() == "(all)" && row["difference"] != Cell::Null);
    let several = known.count() > 1;
    let verdicts = of_strategy("verdicts");
    let last = verdicts.iter().filter_map(|row| if let Cell::Date(day) = row["period_start"] { Some(day) } else { None }).max();
    let mut out: Vec<Row> = Vec::new();
    let pooled = verdicts.iter().filter(|row| several && row["period_start"] == Cell::Null);
    let of_last = verdicts.iter().filter(|row| last.is_some_and(|day| row["period_start"] == Cell::Date(day)));
    for row in pooled.chain(of_last) {
        if !out.iter().any(|known| known["state"] == row["state"]) {
            out.push(row.clone());
        }
    }
    out
}

/// The strategy of everybody beyond a cut.
const CUT: &str = "tier";

const MORE: &str = "The treated bought more than alike customers:";
const LESS: &str = "The treated bought less than alike customers:";

/// What is said of every tier of the strategy, by its verdict and its intervals.
fn tiers(told: &Told, strategy: &str, is_matched: bool) -> BTreeMap<&'static str, Vec<String>> {
    let mut out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in decided(told, strategy).iter().filter(|row| row["state"].text() != "(all)") {
        let ends = |low: &str, high: &str| match (&row[low], &row[high]) {
            (Cell::Double(low), Cell::Double(high)) => Some((*low, *high)),
            _ => None,
        };
        let money = ends("net_margin_low_adjusted", "net_margin_high_adjusted");
        let outcome = ends("ci_low_adjusted", "ci_high_adjusted");
        let kind = match (row["verdict"].text(), money, outcome) {
            ("cannot_say", ..) => "Nothing can be said for",
            // Beside alike customers, a verdict says which side bought more, and never why.
            ("keep", ..) if is_matched => MORE,
            ("test_longer", ..) if is_matched => LESS,
            (verdict, ..) if is_matched => panic!("{verdict} on a matched strategy"),
            (_, Some((low, _)), _) if low > 0.0 => "It earned money for",
            (_, Some((_, high)), _) if high < 0.0 => "It lost money for",
            (_, Some(_), Some((low, _))) if low > 0.0 => "It works for",
            (_, Some(_), _) => "Open, because the interval holds zero:",
            (_, None, Some((low, _))) if low > 0.0 => "It works for",
            (_, None, Some((_, high))) if high < 0.0 => "It does harm for",
            (_, None, Some(_)) => "Open, because the interval holds zero:",
            (_, None, None) => "Nothing can be said for",
        };
        out.entry(kind).or_default().push(row["state"].text().to_owned());
    }
    out
}

/// The verdict on each strategy over all customers, and every tier in the sentence that its numbers allow and in no other.
fn strategy_answers(told: &Told, seed: u64) {
    let strategies = strategies(told);
    let Some(said) = told.answer("strategies") else {
        assert!(told.rows("verdicts").is_empty(), "seed {seed}: verdicts of which nothing is said");
        return;
    };
    assert_eq!(said.len(), strategies.len(), "seed {seed}: a paragraph per strategy: {said:?}");
    for ((name, is_matched), said) in strategies.iter().zip(&said) {
        let arm = if *is_matched { "call" } else { "mail" };
        // A cut has no arms.
        let several = strategies.iter().filter(|(name, _)| name != CUT).count() > 1;
        let called = if several && name != CUT { format!("{name}, {arm}") } else { name.clone() };
        strategy(told, (name, *is_matched), &called, said, seed);
    }
}

fn strategy(told: &Told, (name, is_matched): (&str, bool), called: &str, said: &str, seed: u64) {
    let words =
        [("scale", "Scale"), ("keep", "Keep"), ("stop", "Stop"), ("test_longer", "Test longer"), ("cannot_say", "Cannot say")];
    let rows = decided(told, name);
    let overall = rows.iter().find(|row| row["state"].text() == "(all)").expect("a verdict over all customers");
    let word = words.iter().find(|(name, _)| *name == overall["verdict"].text()).expect("a verdict").1;
    assert!(said.starts_with(&format!("{called}: {word}")), "seed {seed}: {word}, not {said}");
    if is_matched {
        for claim in ["earned", "lost money", "works for", "does harm", "pays is", "per treated"] {
            assert!(!said.contains(claim), "seed {seed}: {claim:?} of a matched strategy: {said}");
        }
        assert!(!["Scale", "Stop"].contains(&word), "seed {seed}: {said}");
    }
    if word == "Cannot say" {
        return;
    }
    let of_tiers = tiers(told, name, is_matched);
    let kinds = [
        "It earned money for",
        "It works for",
        "It lost money for",
        "It does harm for",
        MORE,
        LESS,
        "Open, because the interval holds zero:",
        "Nothing can be said for",
    ];
    for kind in kinds {
        let expected = of_tiers.get(kind).cloned().unwrap_or_default();
        let sentence = said.split(kind).nth(1).map(|rest| rest.split(". ").next().unwrap_or(rest));
        match sentence {
            None => assert!(expected.is_empty(), "seed {seed}: {kind} {expected:?} is not said in {said}"),
            Some(sentence) => {
                assert!(!expected.is_empty(), "seed {seed}: {kind}{sentence}, which no table says");
                for state in &expected {
                    let name = if state == "(none)" { "No order yet" } else { state };
                    assert!(sentence.contains(name), "seed {seed}: {kind} {name}, not{sentence}");
                }
            }
        }
    }
}

/// What is known of acting on a state.
struct Evidence {
    strategy: String,
    verdict: String,
    /// Its place in the order of tasks: what is shown to work, what is open, what should stop.
    standing: u8,
    /// The least net margin per customer, of what is shown to work.
    low: f64,
}

const OPEN: u8 = 2;

/// What each strategy has shown for a state. A comparison with alike customers shows nothing.
fn evidence(told: &Told, scheme: &str, state: &str) -> Vec<Evidence> {
    let mut out = Vec::new();
    for (strategy, is_matched) in strategies(told) {
        let rows = decided(told, &strategy);
        let row = rows.into_iter().find(|row| row["scheme"].text() == scheme && row["state"].text() == state);
        out.extend(row.map(|row| {
            let verdict = row["verdict"].text().to_owned();
            let standing = match verdict.as_str() {
                _ if is_matched => OPEN,
                "scale" => 0,
                "keep" => 1,
                "stop" => 3,
                _ => OPEN,
            };
            let low = match row["net_margin_low_adjusted"] {
                Cell::Double(low) if standing < OPEN => low,
                _ => 0.0,
            };
            Evidence { strategy, verdict, standing, low }
        }));
    }
    out
}

/// Tasks have the numbers of their states, stand in the order that the page promises, and name files that are there.
fn tasks(told: &Told, shop: &Workshop, seed: u64) {
    let last = told.last();
    let tasks = told.report["tasks"].as_array().expect("tasks");
    let mut before: Option<(u8, f64, f64)> = None;
    for task in tasks {
        let (scheme, state) = (task["scheme"].as_str().expect("a scheme"), task["state"].as_str().expect("a state"));
        let rows = told.segments(last, scheme);
        let row = rows.iter().find(|row| row["state"].text() == state).expect("a state of segments");
        assert_eq!(i128::from(task["customers"].as_i64().expect("a count")), row["customers"].int(), "seed {seed}");
        let money: f64 = task["annual_value"].as_str().expect("money").parse().expect("a number");
        assert_eq!((money * 100.0).round() as i128, row["annual_value"].minor(), "seed {seed}");
        let known = evidence(told, scheme, state);
        let named = known.iter().find(|of| Some(of.strategy.as_str()) == task["evidence"]["strategy"].as_str());
        assert_eq!(named.map(|of| of.verdict.as_str()), task["evidence"]["verdict"].as_str(), "seed {seed}: {state}");
        let (standing, low) = named.map_or((OPEN, 0.0), |of| (of.standing, of.low));
        // Of several strategies, the one that tells most is named.
        assert_eq!(standing, known.iter().map(|of| of.standing).min().unwrap_or(OPEN), "seed {seed}: {state}");
        let order = (standing, -low * row["customers"].int() as f64, -money);
        if let Some(before) = before {
            let is_tie = (before.1 - order.1).abs() < 1e-3;
            assert!(
                before.0 < order.0 || before.0 == order.0 && (if is_tie { before.2 <= order.2 } else { before.1 < order.1 }),
                "seed {seed}: {before:?}, then {order:?}"
            );
        }
        before = Some(order);
    }
    let page = std::fs::read_to_string(told.run.join("report/index.html")).expect("a page");
    let of_matched = strategies(told).into_iter().filter(|(_, is_matched)| *is_matched).map(|(name, _)| name);
    let matched = of_matched.collect::<BTreeSet<String>>();
    let is_of_matched = |task: &&Json| task["evidence"]["strategy"].as_str().is_some_and(|name| matched.contains(name));
    let marks = page.matches("open: beside alike customers, which shows no cause").count();
    assert_eq!(marks, tasks.iter().filter(is_of_matched).count(), "seed {seed}: tasks by a matched strategy say so");
    for link in page.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|link| !link.starts_with('#')) {
        assert!(shop.path("out/latest/report").join(link).is_file(), "seed {seed}: {link} does not lie beside the page");
    }
    let marked = told.schemes().into_iter().find(|(_, states)| states.iter().any(|state| state.2));
    for (scheme, states) in marked.iter() {
        for (state, ..) in states.iter().filter(|state| state.2) {
            let present =
                told.segments(last, scheme).iter().any(|row| row["state"].text() == state && row["customers"].int() > 0);
            let listed = tasks.iter().any(|task| task["scheme"] == **scheme && task["state"] == **state);
            assert_eq!(present, listed, "seed {seed}: {scheme} {state}");
        }
    }
}

/// The console lists the states of the last date with their customers, shares and revenue.
fn on_the_console(told: &Told, console: &str, seed: u64) {
    let last = told.last();
    for (scheme, _) in told.schemes() {
        let head = format!("{scheme} at {}", date_text(last));
        let lines: Vec<&str> = console.lines().skip_while(|line| !line.trim_start().starts_with(&head)).skip(1).collect();
        let lines: Vec<&str> = lines.into_iter().take_while(|line| !line.trim().is_empty()).collect();
        let rows = told.segments(last, &scheme);
        assert_eq!(lines.len(), rows.len(), "seed {seed}: {head}: {lines:?}");
        let all: i128 = rows.iter().map(|row| row["customers"].int()).sum();
        for row in rows {
            let (n, cents) = (row["customers"].int(), row["revenue"].minor());
            let sign = if cents < 0 { "-" } else { "" };
            let money = format!("{sign}{}.{:02}", count((cents.unsigned_abs() / 100) as i128), cents.unsigned_abs() % 100);
            let numbers = [count(n), format!("{:.1}", n as f64 / all as f64 * 100.0), money];
            let state = row["state"].text();
            let line = lines.iter().find(|line| line.trim_start().starts_with(&format!("{state} "))).expect(state);
            let words: Vec<&str> = line.trim_start()[state.len()..].split_whitespace().collect();
            for number in &numbers {
                assert!(words.contains(&number.as_str()), "seed {seed}: {state}: {number}, not {line}");
            }
        }
    }
}

/// The workbook has the answers of the page, word for word.
fn in_the_workbook(told: &Told, seed: u64) {
    let book = crate::report::archive::unzip(&std::fs::read(told.run.join("report/workbook.xlsx")).expect("a workbook"));
    let texts: String = book.values().map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    for answer in told.report["answers"].as_array().expect("answers") {
        for paragraph in answer["answer"].as_array().expect("paragraphs") {
            let text = paragraph.as_str().expect("text");
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            assert!(texts.contains(&escaped) || texts.contains(&escaped.replace('"', "&quot;")), "seed {seed}: {text}");
        }
    }
}

/// The text of the page, without its marks.
fn page_text(told: &Told) -> String {
    let html = std::fs::read_to_string(told.run.join("report/index.html")).expect("a page");
    let mut text = String::new();
    for part in html.split('<') {
        text += part.split_once('>').map_or(part, |(_, after)| after);
    }
    let text =
        text.replace('\u{2060}', "").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

/// What each strategy has brought so far: said once two periods have ended, in the words that its last interval allows.
fn so_far(told: &Told, seed: u64) -> Option<&'static str> {
    let mut heard = None;
    let text = page_text(told);
    for (name, is_matched) in &strategies(told) {
        let decided = decided(told, name);
        let overall = decided.iter().find(|row| row["state"].text() == "(all)").expect("a verdict over all customers");
        let is_money = overall["net_margin_per_customer"] != Cell::Null;
        let outcome = if is_money { "net" } else { "revenue" };
        let of_curve = |row: &Row| row["strategy"].text() == name && row["outcome"].text() == outcome;
        let rows: Vec<Row> = told.rows("effects_to_date").into_iter().filter(of_curve).collect();
        let all = [
            format!(": “{name}” brought "),
            format!(": “{name}” cost "),
            format!(": whether “{name}” brought "),
            format!(": “{name}” raised "),
            format!(": “{name}” lowered "),
            format!(": whether “{name}” changed "),
        ];
        let is_told =
            !is_matched && rows.len() > 1 && overall["period_start"] == Cell::Null && overall["verdict"].text() != "cannot_say";
        let said: Vec<usize> = (0..all.len()).filter(|at| text.contains(&all[*at])).collect();
        if !is_told {
            assert!(said.is_empty(), "seed {seed}: {said:?} of {name} is said");
            continue;
        }
        let last = rows.last().expect("a row");
        let number = |column: &str| last[column].double();
        let (value, low, high) = (number("incremental"), number("incremental_low_adjusted"), number("incremental_high_adjusted"));
        let money = pounds_of;
        let (kind, sentence) = match (is_money, low > 0.0, high < 0.0) {
            (true, true, _) => {
                (0, format!("brought {} ({} to {}) more margin than it cost", money(value), money(low), money(high)))
            }
            (true, _, true) => {
                (1, format!("cost {} ({} to {}) more than it brought in margin", money(-value), money(-high), money(-low)))
            }
            (true, ..) => (2, format!("is not shown; the estimate is {} ({} to {})", money(value), money(low), money(high))),
            (false, true, _) => (3, format!("raised revenue by {} ({} to {}) in all", money(value), money(low), money(high))),
            (false, _, true) => (4, format!("lowered revenue by {} ({} to {}) in all", money(-value), money(-high), money(-low))),
            (false, ..) => {
                (5, format!("is not shown; the estimate is {} ({} to {}) in all", money(value), money(low), money(high)))
            }
        };
        assert_eq!(said, [kind], "seed {seed}: {sentence}");
        assert!(text.contains(&sentence), "seed {seed}: {sentence}");
        // Days that are a period of the job are called as that.
        let days = [days_from_civil(2023, 4, 1), days_from_civil(2023, 9, 30)].map(Cell::Date);
        let is_period = |row: &Row| [&row["period_start"], &row["period_end"]] == [&days[0], &days[1]];
        let named = format!("1 Apr 2023 to 30 Sep 2023{}", all[kind]);
        assert!(text.contains(&named) || told.rows("dim_period").iter().any(is_period), "seed {seed}: the days of {sentence}");
        heard = Some(["earned", "lost", "open money", "rises", "falls", "flat"][kind]);
    }
    heard
}

#[test]
fn what_a_report_says_is_what_its_tables_say() {
    let jobs = std::env::var("RFMILL_CLAIMS").ok().and_then(|n| n.parse().ok()).unwrap_or(JOBS);
    let mut heard: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..jobs {
        let (shop, console) = job(seed);
        let told = Told::new(&shop);
        assert_eq!(told.answer("at_risk"), at_risk(&told), "seed {seed}");
        assert_eq!(told.answer("left_best"), left_best(&told), "seed {seed}");
        if let Some(headlines) = headlines(&told) {
            let said = told.answer("changed").expect("what changed").join(" ");
            assert!(said.starts_with(&headlines), "seed {seed}: {headlines}\nnot {said}");
            let accounting = accounting(&told);
            assert!(
                accounting.iter().all(|sentence| said.contains(sentence.as_str())),
                "seed {seed}: {accounting:?}\nnot {said}"
            );
            *heard.entry("headlines".into()).or_default() += 1;
        }
        // Which of equal moves is named is left to the page; how large the largest are is not.
        if let Some(moves) = largest_moves(&told) {
            let said = told.answer("changed").expect("what changed").join(" ");
            for sentence in moves.split_inclusive(").") {
                assert!(said.contains(sentence), "seed {seed}: {sentence}\nnot {said}");
            }
        }
        strategy_answers(&told, seed);
        if !strategies(&told).is_empty() {
            crate::to_date::check(&told.run);
            if let Some(kind) = so_far(&told, seed) {
                *heard.entry(kind.into()).or_default() += 1;
            }
        }
        tasks(&told, &shop, seed);
        on_the_console(&told, &console, seed);
        in_the_workbook(&told, seed);
        for answer in told.report["answers"].as_array().expect("answers") {
            *heard.entry(answer["key"].as_str().expect("a key").to_owned()).or_default() += 1;
        }
        for (name, is_matched) in strategies(&told) {
            for kind in tiers(&told, &name, is_matched).keys() {
                *heard.entry((*kind).to_owned()).or_default() += 1;
            }
        }
    }
    for kind in
        ["headlines", "changed", "at_risk", "left_best", "strategies", MORE, LESS, "Open, because the interval holds zero:"]
    {
        assert!(heard.contains_key(kind), "no job of these says {kind:?}: {heard:?}");
    }
}
