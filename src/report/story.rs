//! What a report says first: answers to the questions that people open it with.

mod answer;
mod period;
mod strategies;
mod tasks;

pub(super) use answer::Story;
use answer::Tile;
pub(super) use tasks::{Evidence, Task};

use super::language::Sentence;
use super::number::NOTHING;
use super::suppress::add_money;
use super::view::{NONE, SchemeView, View};
use crate::domain::{Day, Decimal};
use crate::tables::Value;

/// How many states a sentence names before it stops.
const NAMED: usize = 4;

/// The story of a run.
pub(super) fn tell(view: &View) -> Story {
    let mut story = Story::default();
    story.changed(view);
    story.at_risk(view);
    story.left_best(view);
    strategies::tell(&mut story, view);
    story.tasks = tasks::list(view);
    story
}

impl Story {
    fn changed(&mut self, view: &View) {
        let words = &view.words;
        let Some(now) = view.last() else { return };
        let before = view.before(now);
        self.total_facts(view, now);
        let period = self.period(view);
        let said = if period.is_empty() { self.totals(view, now, before) } else { period };
        let mut moved = Vec::new();
        if let (Some(before), Some(scheme)) = (before, view.schemes.first()) {
            moved = largest_moves(view, scheme, now, before);
        }
        let question = match before {
            Some(before) => words.fill("story.changed.question", &[("before", &view.period(before))]),
            None => words.fill("story.changed.question_first", &[("date", &view.period(now))]),
        };
        self.answer("changed", "trends", question, vec![said, moved]);
    }

    /// All customers at the last date and their revenue, where the run has no periods.
    fn totals(&mut self, view: &View, now: Day, before: Option<Day>) -> Vec<Sentence> {
        let (words, format) = (&view.words, &view.format);
        let total = view.total(now);
        let earlier = before.and_then(|d| view.total(d));
        let mut said = Vec::new();
        if let Some(n) = total.and_then(|t| t.customers) {
            let was = earlier.and_then(|t| t.customers);
            let note = was.map(|was| view.change_of(n as f64, was as f64)).unwrap_or_default();
            let values = [("n", &*format.count(n)), ("date", &*format.date(now)), ("change", &*note)];
            said.push(
                words.say(if was.is_some() { "story.changed.customers" } else { "story.changed.customers_first" }, &values),
            );
            let label = words.text("tile.customers").into();
            self.tiles.push(Tile { label, value: format.count(n), note, section: "segments" });
        }
        if let Some(revenue) = total.and_then(|t| t.revenue) {
            let was = earlier.and_then(|t| t.revenue);
            let note = was.map(|was| view.change_of(revenue.to_f64(), was.to_f64())).unwrap_or_default();
            let values = [("revenue", &*format.money_short(revenue)), ("change", &*note)];
            said.push(words.say(if was.is_some() { "story.changed.revenue" } else { "story.changed.revenue_first" }, &values));
            let label = words.text("tile.revenue").into();
            self.tiles.push(Tile { label, value: format.money_short(revenue), note, section: "segments" });
        }
        said
    }

    fn total_facts(&mut self, view: &View, now: Day) {
        let total = view.total(now);
        if let Some(n) = total.and_then(|t| t.customers) {
            self.fact("customers", Value::Int(n));
        }
        if let Some(revenue) = total.and_then(|t| t.revenue) {
            self.fact("revenue", Value::Money(revenue));
        }
    }

    fn at_risk(&mut self, view: &View) {
        let (words, format) = (&view.words, &view.format);
        let Some(now) = view.last() else { return };
        let Some(scheme) = view.risk_scheme() else { return };
        let sum = |date| {
            let rows: Vec<_> = scheme.at_risk().filter_map(|s| view.segment(date, &scheme.name, &s.name)).collect();
            let customers: i64 = rows.iter().filter_map(|r| r.customers).sum();
            let zero = view.data.segments.iter().flatten().find_map(|r| r.annual_value).map(|m| Decimal { digits: 0, ..m });
            let shown = rows.iter().filter(|r| r.revenue_at_risk.is_some());
            let money = shown.fold(zero, |sum, r| add_money(sum, r.revenue_at_risk));
            (customers, money, rows.iter().any(|r| r.customers.is_none()))
        };
        if view.data.segments.is_none() {
            return;
        }
        let (customers, money, partly) = sum(now);
        self.fact("risk_scheme", Value::Text(scheme.name.clone()));
        self.fact("customers_at_risk", Value::Int(customers));
        self.fact("revenue_at_risk", money.map_or(Value::Null, Value::Money));
        let all = view.total(now).and_then(|t| t.customers).filter(|n| *n > 0);
        let share = all.map_or(NOTHING.into(), |n| format.percent(customers as f64 / n as f64, 1));
        let states: Vec<String> = scheme
            .at_risk()
            .map(|state| {
                let row = view.segment(now, &scheme.name, &state.name);
                let Some((n, money)) = row.and_then(|row| row.customers.zip(row.revenue_at_risk)) else {
                    return state.label.clone();
                };
                let values = [("state", &*state.label), ("n", &*format.count(n)), ("money", &*format.money_short(money))];
                words.fill("story.at_risk.state", &values)
            })
            .collect();
        let count = format.count(customers);
        let money_text = money.map_or(NOTHING.into(), |m| format.money_short(m));
        let values = [
            ("n", &*count),
            ("share", &*share),
            ("scheme", &*scheme.label),
            ("states", &*view.list(&states)),
            ("money", &*money_text),
        ];
        let mut said = vec![words.say("story.at_risk.customers", &values), words.say("story.at_risk.money", &values)];
        if partly {
            said.push(words.say("story.at_risk.partly", &[]));
        }
        let mut note = share.clone();
        if let Some(before) = view.before(now) {
            let (was, _, _) = sum(before);
            let change = view.change_of(customers as f64, was as f64);
            let values = [("change", &*change), ("before", &*view.period(before))];
            said.push(words.say("story.at_risk.change", &values));
            note = words.fill("story.period.against", &values);
        }
        let tiles =
            [("tile.at_risk", count, note), ("tile.revenue_at_risk", money_text, words.text("tile.revenue_at_risk_note").into())];
        for (label, value, note) in tiles {
            self.tiles.push(Tile { label: words.text(label).into(), value, note, section: "segments" });
        }
        self.answer("at_risk", "segments", words.text("story.at_risk.question").into(), vec![said]);
    }

    fn left_best(&mut self, view: &View) {
        let (words, format) = (&view.words, &view.format);
        let Some(now) = view.last() else { return };
        let Some((scheme, best)) = view.schemes.iter().find_map(|s| Some((s, s.best()?))) else { return };
        let rows = view.transitions(now, &scheme.name);
        let Some(from) = view.compared(now, &scheme.name) else { return };
        let before = view.period(from);
        let left: Vec<_> = rows.iter().filter(|r| r.from_state == best.name && r.to_state != best.name).collect();
        let came = rows.iter().filter(|r| r.to_state == best.name && r.from_state != best.name);
        let were = match view.segment(from, &scheme.name, &best.name) {
            Some(row) => row.customers,
            None => rows.iter().filter(|r| r.from_state == best.name).map(|r| r.customers).sum(),
        };
        let n: i64 = left.iter().filter_map(|r| r.customers).sum();
        let came: i64 = came.filter_map(|r| r.customers).sum();
        let partly = left.iter().any(|r| r.customers.is_none());
        let question = words.fill("story.left.question", &[("state", &best.label), ("before", &before)]);
        if partly && n == 0 {
            let hidden = words.say("story.left.hidden", &[("state", &best.label)]);
            self.answer("left_best", "movement", question, vec![vec![hidden]]);
            return;
        }
        self.fact("left_best", Value::Int(n));
        self.fact("came_to_best", Value::Int(came));
        let share = were.filter(|w| *w > 0).map_or(NOTHING.into(), |were| format.percent(n as f64 / were as f64, 1));
        let count = format.count(n);
        let values = [
            ("n", &*count),
            ("state", &*best.label),
            ("share", &*share),
            ("were", &*format.maybe_count(were)),
            ("came", &*format.count(came)),
        ];
        let mut said = vec![words.say("story.left.customers", &values)];
        let mut to: Vec<(i64, String)> =
            left.iter().filter_map(|r| Some((r.customers?, view.side_label(&scheme.name, &r.to_state, false)))).collect();
        to.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        let to: Vec<String> = to
            .iter()
            .take(NAMED)
            .map(|(n, label)| words.fill("story.left.to", &[("state", label), ("n", &format.count(*n))]))
            .collect();
        if !to.is_empty() {
            said.push(words.say("story.left.where", &[("list", &view.list(&to))]));
        }
        if partly {
            said.push(words.say("story.left.partly", &[]));
        }
        let why = self.why(view, scheme, &best.name, from);
        let label = words.fill("tile.left", &[("state", &best.label)]);
        let note = words.fill("tile.left_note", &[("share", &share), ("came", &format.count(came))]);
        self.tiles.push(Tile { label, value: count, note, section: "movement" });
        self.answer("left_best", "movement", question, vec![said, why]);
    }

    /// Why customers left a state.
    fn why(&mut self, view: &View, scheme: &SchemeView, state: &str, from: Day) -> Vec<Sentence> {
        let (words, format) = (&view.words, &view.format);
        let rows = view.data.moves.iter().flatten().filter(|r| {
            Some(r.as_of) == view.last()
                && r.from_as_of == from
                && r.slice == view.slice
                && r.scheme == scheme.name
                && r.from_state == state
                && r.to_state != NONE
        });
        let rows: Vec<_> = rows.collect();
        let count = |reason: &str| -> i64 {
            rows.iter().filter(|r| r.reason.as_deref() == Some(reason)).filter_map(|r| r.customers).sum()
        };
        let (behaviour, cuts) = (count("behaviour"), count("cut_points"));
        if rows.is_empty() {
            return Vec::new();
        }
        if behaviour + cuts == 0 {
            let known = rows.iter().any(|r| r.reason.is_some());
            return if known { Vec::new() } else { vec![words.say("story.left.no_reason", &[])] };
        }
        self.fact("left_best_by_behaviour", Value::Int(behaviour));
        self.fact("left_best_by_cut_points", Value::Int(cuts));
        let share = |n: i64| format.percent(n as f64 / (behaviour + cuts) as f64, 0);
        let mut out = vec![words.say("story.left.behaviour", &[("n", &format.count(behaviour)), ("share", &share(behaviour))])];
        let values = [("n", &*format.count(cuts)), ("share", &*share(cuts))];
        out.push(words.say(if cuts == 0 { "story.left.no_cuts" } else { "story.left.cuts" }, &values));
        out
    }
}

/// The states that gained and lost most.
fn largest_moves(view: &View, scheme: &SchemeView, now: Day, before: Day) -> Vec<Sentence> {
    let customers = |date, state: &str| match view.segment(date, &scheme.name, state) {
        Some(row) => row.customers,
        None => Some(0),
    };
    let changes: Vec<(i64, &str)> = scheme
        .states
        .iter()
        .filter_map(|s| Some((customers(now, &s.name)? - customers(before, &s.name)?, s.label.as_str())))
        .collect();
    let say = |key: &str, found: Option<&(i64, &str)>| {
        let (n, label) = found?;
        let change = view.format.change(*n as f64, |x| view.format.count(x as i64));
        Some(view.words.say(key, &[("state", label), ("change", &change)]))
    };
    let gained = changes.iter().max_by_key(|(n, _)| *n).filter(|(n, _)| *n > 0);
    let lost = changes.iter().min_by_key(|(n, _)| *n).filter(|(n, _)| *n < 0);
    [say("story.changed.gained", gained), say("story.changed.lost", lost)].into_iter().flatten().collect()
}

impl View<'_> {
    /// A change in absolute and relative size: `+120 (+4.1%)`, or only the percentage for money.
    pub fn change_of(&self, now: f64, was: f64) -> String {
        if was == 0.0 {
            return self.format.change(now - was, |x| self.format.float(x, 0));
        }
        self.format.change((now - was) / was.abs(), |x| self.format.percent(x, 1))
    }

    /// A value of an outcome with its unit.
    pub fn outcome(&self, outcome: &str, x: f64) -> String {
        match outcome.trim_end_matches("_winsorised") {
            "revenue" | "margin" | "avg_order_value" => self.format.float_money(x, 2),
            "converted" | "retained" => self.words.fill("strategy.points", &[("x", &self.format.float(x * 100.0, 2))]),
            o if o.starts_with("moved_") || o.starts_with("event:") => {
                self.words.fill("strategy.points", &[("x", &self.format.float(x * 100.0, 2))])
            }
            _ => self.format.float(x, 3),
        }
    }
}
