//! The headlines of the last period: who bought, and for how much, beside the period before and the year before.

use super::answer::{Story, Tile};
use crate::domain::{ALL, Day};
use crate::report::data::GrowthRow;
use crate::report::language::Sentence;
use crate::report::view::View;
use crate::tables::Value;

/// A number of a period: its fact and that of the dates it is compared with, its messages, and how it is read and written.
struct Headline {
    facts: [&'static str; 3],
    tile: &'static str,
    sentences: [&'static str; 2],
    number: fn(&GrowthRow) -> Option<f64>,
    fact: fn(&GrowthRow) -> Value,
    text: fn(&View, &GrowthRow) -> Option<String>,
}

const HEADLINES: [Headline; 2] = [
    Headline {
        facts: ["active_customers", "active_customers_before", "active_customers_year_before"],
        tile: "tile.active",
        sentences: ["story.period.active_alone", "story.period.active"],
        number: |row| row.active.map(|n| n as f64),
        fact: |row| row.active.map_or(Value::Null, Value::Int),
        text: |view, row| row.active.map(|n| view.format.count(n)),
    },
    Headline {
        facts: ["period_revenue", "period_revenue_before", "period_revenue_year_before"],
        tile: "tile.period_revenue",
        sentences: ["story.period.revenue_alone", "story.period.revenue"],
        number: |row| row.revenue.map(|money| money.to_f64()),
        fact: |row| row.revenue.map_or(Value::Null, Value::Money),
        text: |view, row| row.revenue.map(|money| view.format.money_short(money)),
    },
];

/// Growth accounting of all customers in the period of a date.
fn row<'a>(view: &View<'a>, date: Day) -> Option<&'a GrowthRow> {
    let mut rows = view.data.growth.iter().flatten();
    rows.rfind(|r| r.as_of == date && r.slice == view.slice && r.scheme == ALL && r.from_state == ALL)
}

impl Story {
    /// Tells of the last period; nothing if the run has none, or may not show it.
    pub(super) fn period(&mut self, view: &View) -> Vec<Sentence> {
        let Some(now) = view.last() else { return Vec::new() };
        let Some(last) = row(view, now).filter(|row| row.active.is_some()) else { return Vec::new() };
        let compared = [view.before(now), view.year_before(now)].map(|date| Some((date?, row(view, date?)?)));
        let period = view.period(now);
        let mut said = Vec::new();
        for headline in &HEADLINES {
            let Some(text) = (headline.text)(view, last) else { continue };
            self.fact(headline.facts[0], (headline.fact)(last));
            let mut notes = Vec::new();
            let keys = ["story.period.against", "story.period.against_year"];
            for ((earlier, key), fact) in compared.iter().zip(keys).zip(&headline.facts[1..]) {
                let Some((date, earlier)) = earlier else { continue };
                self.fact(fact, (headline.fact)(earlier));
                let (Some(is), Some(was)) = ((headline.number)(last), (headline.number)(earlier)) else { continue };
                notes.push(view.words.fill(key, &[("change", &view.change_of(is, was)), ("before", &view.period(*date))]));
            }
            let against = view.list(&notes);
            let key = headline.sentences[usize::from(!notes.is_empty())];
            let values = [("n", &*text), ("period", &*period), ("against", &*against)];
            said.push(view.words.say(key, &values));
            let label = view.words.fill(headline.tile, &[("period", &period)]);
            self.tiles.push(Tile { label, value: text, note: against, section: "growth" });
        }
        said.extend(accounting(view, last));
        said
    }
}

/// Where the active customers come from.
fn accounting(view: &View, row: &GrowthRow) -> Option<Sentence> {
    let count = |n: Option<i64>| Some(view.format.count(n?));
    let before =
        view.before(row.as_of).map_or_else(|| view.words.text("story.period.before").to_owned(), |date| view.period(date));
    let (new, retained) = (count(row.new)?, count(row.retained)?);
    let (back, lapsed) = (count(row.resurrected)?, count(row.lapsed)?);
    let period = view.period(row.as_of);
    let values = [
        ("new", &*new),
        ("retained", &*retained),
        ("back", &*back),
        ("lapsed", &*lapsed),
        ("before", &*before),
        ("period", &*period),
    ];
    let key = if view.new_is_first_seen(row.as_of) { "story.period.growth_first_seen" } else { "story.period.growth" };
    Some(view.words.say(key, &values))
}
