//! The tables about movement against the oracle, row for row.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::Path;

use super::{Comparison, Record};
use crate::support::calendar::date_text;
use crate::support::oracle::*;
use crate::support::run::{Cell, Table, read_file, read_folder};

/// What identifies a row.
type Key = Vec<String>;

fn some_date(days: Option<i64>) -> Cell {
    days.map_or(Cell::Null, Cell::Date)
}

fn some_text(text: &Option<String>) -> Cell {
    text.clone().map_or(Cell::Null, Cell::Text)
}

/// The value that a column must hold.
enum Want {
    /// Exactly this.
    Exact(Cell),
    /// This up to rounding; null without.
    About(Option<f64>),
}

impl Comparison<'_> {
    /// Compares the tables about movement.
    pub(super) fn movement(&mut self, answer: &Answer, run: &Path) {
        let movement = &answer.movement;
        let of_run = |name: &str| read_file(&run.join(format!("{name}.parquet")));
        self.transitions(&movement.transitions, &of_run("transitions"));
        let days: Vec<i64> = answer.snapshots.iter().filter(|s| s.shown).map(|s| s.as_of).collect();
        for as_of in days {
            let movers: Vec<Mover> = movement.movers.iter().filter(|m| m.as_of == as_of).cloned().collect();
            self.movers(&movers, &read_folder(&run.join(format!("movers/as_of={}", date_text(as_of)))));
        }
        self.stays(&movement.stays, &read_folder(&run.join("state_history")));
        self.growth(&movement.growth, &of_run("growth"));
        self.cohorts(&movement.cohorts, &of_run("cohorts"));
        self.concentration(&movement.concentration, &of_run("concentration"));
    }

    /// Compares rows by their keys: none twice, none missing, none too many, all other columns as wanted.
    fn rows(&mut self, table_name: &str, table: &Table, key: &[&str], wanted: Vec<(Key, Vec<(&str, Want)>)>) {
        let mut found: BTreeMap<Key, Record> = BTreeMap::new();
        for row in table.records() {
            let of_row: Key = key.iter().map(|column| row[column].key()).collect();
            if found.insert(of_row.clone(), row).is_some() {
                self.differences.push(format!("{table_name}: {of_row:?} stands twice"));
            }
        }
        for (key, columns) in wanted {
            let Some(row) = found.remove(&key) else {
                self.differences.push(format!("{table_name}: {key:?} is missing"));
                continue;
            };
            for (column, want) in columns {
                let what = || format!("{table_name}: {column} of {key:?}");
                match want {
                    Want::Exact(cell) => self.equal(what, row[column].clone(), cell),
                    Want::About(number) => self.number(what, row[column], number),
                }
            }
        }
        let extra: Vec<_> = found.keys().cloned().collect();
        self.equal(|| format!("{table_name}: rows too many"), extra, Vec::new());
    }

    /// The text of an id, as the table has it.
    fn id(id: &Id) -> String {
        match id {
            Id::Int(n) => n.to_string(),
            Id::Text(text) => text.clone(),
        }
    }

    /// The columns of a customer: the id, and the slice where the job has one.
    fn who(&self) -> Vec<&'static str> {
        if self.case.job.slice.is_some() { vec!["customer_id", "slice"] } else { vec!["customer_id"] }
    }

    /// Their values.
    fn whose(&self, id: &Id, slice: &str) -> Key {
        let mut key = vec![Self::id(id)];
        key.extend(self.case.job.slice.is_some().then(|| slice.to_string()));
        key
    }

    fn transitions(&mut self, wanted: &[Transition], table: &Table) {
        let key = ["as_of", "slice", "dimension", "dimension_value", "scheme", "from_state", "to_state", "from_as_of"];
        let row = |t: &Transition| {
            let of_row = [
                &date_text(t.as_of),
                &t.slice,
                "(all)",
                "(all)",
                &t.scheme,
                &t.from_state,
                &t.to_state,
                &date_text(t.from_as_of),
            ];
            let columns = vec![
                ("customers", Want::Exact(Cell::Int(t.customers))),
                ("rate", Want::About(Some(t.rate))),
                ("rate_low", Want::About(Some(t.interval.0))),
                ("rate_high", Want::About(Some(t.interval.1))),
                ("revenue", Want::Exact(self.money(t.revenue))),
            ];
            (of_row.map(String::from).to_vec(), columns)
        };
        let wanted = wanted.iter().map(row).collect();
        self.rows("transitions", table, &key, wanted);
        let column = |name: &str| table.column(name);
        let order = |row: &[Cell]| (row[column("as_of")].date(), row[column("slice")].key());
        self.ascending("transitions", table, order);
    }

    fn movers(&mut self, wanted: &[Mover], table: &Table) {
        let mut key = self.who();
        key.extend(["scheme", "from_as_of"]);
        let row = |m: &Mover| {
            let mut of_row = self.whose(&m.id, &m.slice);
            of_row.extend([m.scheme.clone(), date_text(m.from_as_of)]);
            let columns = vec![
                ("from_state", Want::Exact(Cell::Text(m.from_state.clone()))),
                ("to_state", Want::Exact(Cell::Text(m.to_state.clone()))),
                ("reason", Want::Exact(some_text(&m.reason))),
            ];
            (of_row, columns)
        };
        let wanted = wanted.iter().map(row).collect();
        self.rows("movers", table, &key, wanted);
    }

    fn stays(&mut self, wanted: &[Stay], table: &Table) {
        let mut key = self.who();
        key.extend(["scheme", "valid_from"]);
        let row = |s: &Stay| {
            let mut of_row = self.whose(&s.id, &s.slice);
            of_row.extend([s.scheme.clone(), date_text(s.valid_from)]);
            let columns =
                vec![("state", Want::Exact(Cell::Text(s.state.clone()))), ("valid_to", Want::Exact(some_date(s.valid_to)))];
            (of_row, columns)
        };
        let wanted = wanted.iter().map(row).collect();
        self.rows("state_history", table, &key, wanted);
    }

    fn growth(&mut self, wanted: &[Growth], table: &Table) {
        let share = |part: i128, whole: i128| Want::About((whole > 0).then(|| part as f64 / whole as f64));
        let row = |g: &Growth| {
            let of_row = [&date_text(g.as_of), &g.slice, &g.scheme, &g.from_state].map(|s| s.to_string()).to_vec();
            let active = g.new + g.retained + g.resurrected;
            let previous = g.retained + g.lapsed;
            let count = |n: i128| Want::Exact(Cell::Int(n));
            let columns = vec![
                ("from_as_of", Want::Exact(some_date(g.from_as_of))),
                ("customers", count(active + g.lapsed + g.inactive)),
                ("active", count(active)),
                ("new", count(g.new)),
                ("retained", count(g.retained)),
                ("resurrected", count(g.resurrected)),
                ("lapsed", count(g.lapsed)),
                ("inactive", count(g.inactive)),
                ("previous_active", count(previous)),
                ("change", count(active - previous)),
                ("retention_rate", share(g.retained, previous)),
                ("churn_rate", share(g.lapsed, previous)),
                ("reactivation_rate", share(g.resurrected, g.resurrected + g.inactive)),
                ("revenue", Want::Exact(self.money(g.revenue))),
            ];
            (of_row, columns)
        };
        let wanted = wanted.iter().map(row).collect();
        self.rows("growth", table, &["as_of", "slice", "scheme", "from_state"], wanted);
    }

    fn cohorts(&mut self, wanted: &[Cohort], table: &Table) {
        let unit = ten_to(self.case.job.amount_scale) as f64;
        let row = |c: &Cohort| {
            let start = c.period.map_or("null".to_string(), |p| date_text(p.0));
            let of_row = [&date_text(c.as_of), &c.slice, &start].map(|s| s.to_string()).to_vec();
            let share = |n: i128| Want::About(Some(n as f64 / c.customers as f64));
            let count = |n: i128| Want::Exact(Cell::Int(n));
            let columns = vec![
                ("cohort_end", Want::Exact(some_date(c.period.map(|p| p.1)))),
                ("periods_since", Want::Exact(c.periods_since.map_or(Cell::Null, Cell::Int))),
                ("customers", count(c.customers)),
                ("active_customers", count(c.active)),
                ("retention_rate", share(c.active)),
                ("repeat_customers", count(c.repeat)),
                ("repeat_rate", share(c.repeat)),
                ("orders", count(c.orders)),
                ("revenue", Want::Exact(self.money(c.revenue))),
                ("revenue_to_date", Want::Exact(self.money(c.revenue_to_date))),
                ("spend", Want::Exact(c.spend.map_or(Cell::Null, |s| self.money(s)))),
                ("cac", Want::About(c.spend.map(|s| s as f64 / unit / c.customers as f64))),
                ("payback_ratio", Want::About(c.spend.filter(|s| *s > 0).map(|s| c.revenue_to_date as f64 / s as f64))),
            ];
            (of_row, columns)
        };
        let wanted = wanted.iter().map(row).collect();
        self.rows("cohorts", table, &["as_of", "slice", "cohort_start"], wanted);
    }

    fn concentration(&mut self, wanted: &[Concentration], table: &Table) {
        let row = |c: &Concentration| {
            let columns = vec![
                ("customers", Want::Exact(Cell::Int(c.customers))),
                ("revenue", Want::Exact(self.money(c.revenue))),
                ("top_1_share", Want::About(c.top[0])),
                ("top_10_share", Want::About(c.top[1])),
                ("top_20_share", Want::About(c.top[2])),
                ("gini", Want::About(c.gini)),
            ];
            (vec![date_text(c.as_of), c.slice.clone()], columns)
        };
        let wanted = wanted.iter().map(row).collect();
        self.rows("concentration", table, &["as_of", "slice"], wanted);
    }

    /// The rows stand in the order of a key.
    fn ascending<K: Ord + Debug>(&mut self, name: &str, table: &Table, key: impl Fn(&[Cell]) -> K) {
        let keys: Vec<K> = table.rows.iter().map(|row| key(row)).collect();
        self.equal(|| format!("{name}: rows are in order"), keys.is_sorted(), true);
    }
}
