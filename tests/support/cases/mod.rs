//! Small random cases for the oracle: a job, its input files and the scheme files it names.
//!
//! Everything follows from the seed. A case has few rows and few customers, many ties, and turns every setting that
//! the oracle understands; most cases are valid jobs, and the rest says which exit code it must end with.

mod draft;
mod orders;
mod reach;
mod rng;
mod schemes;
#[cfg(test)]
mod tests;
mod toml;

use std::fmt::Write;

use super::calendar::{self, TimeUnit};
use super::oracle::*;

pub use rng::Rng;
pub use toml::measure_name;

/// The content of a column, ready to be written as Parquet; `None` is null.
#[derive(Clone, Debug)]
pub enum ColumnData {
    /// Integers of 8, 16, 32 or 64 bits; every value fits.
    Int {
        bits: u8,
        signed: bool,
        values: Vec<Option<i128>>,
    },
    Text {
        encoding: TextEncoding,
        values: Vec<Option<String>>,
    },
    /// Unscaled numbers, 128 bits.
    Decimal {
        precision: u8,
        scale: u8,
        values: Vec<Option<i128>>,
    },
    /// Floats of 32 or 64 bits; a 32-bit value is given widened and narrows exactly.
    Float {
        bits: u8,
        values: Vec<Option<f64>>,
    },
    /// Days since 1970-01-01.
    Date(Vec<Option<i32>>),
    Timestamp {
        unit: TimeUnit,
        zone: Option<String>,
        values: Vec<Option<i64>>,
    },
}

/// A named column of one file.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub data: ColumnData,
}

/// Measures that look ahead: null where fewer than 30 customers have bought on two days, as in every case.
pub const LOOKING_AHEAD: [&str; 5] =
    ["expected_orders", "expected_value", "next_order_low", "next_order_median", "next_order_high"];

/// How the job file names its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStyle {
    Folder,
    Glob,
    /// A list of files in an order that is not that of their names.
    List,
}

/// A job with its input and its answer.
#[derive(Clone, Debug)]
pub struct Case {
    pub seed: u64,
    pub job: Job,
    pub input: Input,
    /// Name and text of the files beside the job file: those of the schemes, then others.
    pub files: Vec<(String, String)>,
    /// The oracle's answer.
    pub answer: Result<Answer, Failure>,
    /// The exit code of a case that must fail; none if it must succeed.
    pub expect_exit: Option<i32>,
    pub path_style: PathStyle,
    /// The axis whose method stands in `[score]`; the others override it where they differ.
    pub base_axis: Axis,
    /// Settings at their defaults are written too.
    pub show_defaults: bool,
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut rng = Rng::new(seed.wrapping_mul(0xA24B_AED4_963E_E407) ^ 0x5EED);
    loop {
        let mut case = draft::draft(seed, &mut rng);
        // A slice that has nobody at the frozen date is left to a test of its own.
        let frozen_nobody = |a: &Answer| a.notes.contains(notes::FROZEN_NOBODY);
        if case.answer.as_ref().is_ok_and(frozen_nobody) {
            case.job.frozen = false;
            case.answer = solve(&case.job, &case.input);
        }
        case.expect_exit = case.answer.as_ref().err().map(|f| f.exit);
        if case.expect_exit.is_none() || rng.chance(20) {
            return case;
        }
    }
}

impl Case {
    /// The columns of one file, in the order of its schema.
    pub fn columns(&self, file: usize) -> Vec<Column> {
        let rows = &self.input.files[file].rows;
        let column = |(i, spec): (usize, &ColumnSpec)| Column {
            name: spec.name.clone(),
            data: column_data(&spec.kind, rows.iter().map(|row| &row[i])),
        };
        self.input.columns.iter().enumerate().map(column).collect()
    }

    /// What `[output] columns` lists, if it is given: every measure, score and state of the oracle's customer rows.
    pub fn output_columns(&self) -> Option<Vec<String>> {
        if !self.job.lists_columns {
            return None;
        }
        let fixed = [
            "first_order",
            "last_order",
            "recency_days",
            "frequency",
            "monetary",
            "avg_order_value",
            "tenure_days",
            "lifetime_orders",
            "lifetime_monetary",
        ];
        let mut list: Vec<String> = fixed.map(String::from).to_vec();
        for lookback in &self.job.extra_lookbacks {
            list.push(measure_name(Measure::Frequency(Some(*lookback))));
            list.push(measure_name(Measure::Monetary(Some(*lookback))));
        }
        if moments(&self.job).iter().any(|m| m.shown && m.period.is_some()) {
            list.extend(Measure::OF_PERIODS.map(measure_name));
        }
        list.extend(self.horizon().iter().flat_map(|_| LOOKING_AHEAD.map(String::from)));
        list.extend(Axis::ALL.map(|axis| format!("{}_score", axis.letter())));
        list.extend(self.job.schemes.iter().flat_map(|s| ["", "_previous", "_since"].map(|end| format!("{}{end}", s.column))));
        list.extend((!self.job.playbook.is_empty()).then(|| "action".to_string()));
        list.push("history_complete".into());
        Some(list)
    }

    /// How far ahead the job looks, if it does: what is forecast changes no other table.
    pub fn horizon(&self) -> Option<&'static str> {
        ["30 days", "1 quarter", "1 year"].get((self.seed % 9) as usize).copied()
    }

    /// A strategy of everybody beyond a cut, if the job has one: too few customers for an estimate, and its dates change no other table. A
    /// measure with a lookback of its own would: `history_complete` looks at all lookbacks.
    pub fn threshold(&self) -> Option<String> {
        let answer = self.answer.as_ref().ok().filter(|_| self.seed % 7 < 2)?;
        let last = answer.snapshots.iter().rfind(|snapshot| snapshot.shown)?;
        let running = ["lifetime_orders", "recency_days", "frequency", "tenure_days"][(self.seed % 4) as usize];
        let from = calendar::date_text(last.as_of - (self.seed % 50) as i64);
        let to = calendar::date_text(last.as_of);
        let mut text = format!(
            "[[strategy]]\nname = \"cut\"\ndesign = \"threshold\"\nrunning = \"{running}\"\ncut = {}\nwindow = 20\n\
             periods = [{{ from = {from}, to = {to} }}]\n",
            1 + self.seed % 5
        );
        if self.job.slice.is_some() {
            let slice = last.slices.first()?.slice.as_ref()?;
            writeln!(text, "slice = {}", toml::quoted(slice)).unwrap();
        }
        Some(text)
    }

    /// All files as text, for the message of a failed comparison.
    pub fn input_text(&self) -> String {
        let mut t = String::new();
        for file in &self.input.files {
            writeln!(t, "{}", file.name).unwrap();
            for row in &file.rows {
                let cell = |(spec, value): (&ColumnSpec, &Value)| format!("{}={value:?}", spec.name);
                let cells: Vec<String> = self.input.columns.iter().zip(row).map(cell).collect();
                writeln!(t, "  {}", cells.join("  ")).unwrap();
            }
        }
        t
    }
}

/// One column of cells.
fn column_data<'a>(kind: &Kind, cells: impl Iterator<Item = &'a Value>) -> ColumnData {
    fn taken<'a, T>(cells: impl Iterator<Item = &'a Value>, of: impl Fn(&Value) -> Option<T>) -> Vec<Option<T>> {
        let one = |v: &Value| {
            if matches!(v, Value::Null) {
                return None;
            }
            Some(of(v).unwrap_or_else(|| panic!("{v:?} is of another type than its column")))
        };
        cells.map(one).collect()
    }
    match kind {
        Kind::Int { bits, signed } => ColumnData::Int {
            bits: *bits,
            signed: *signed,
            values: taken(cells, |v| if let Value::Int(n) = v { Some(*n) } else { None }),
        },
        Kind::Text(encoding) => ColumnData::Text {
            encoding: *encoding,
            values: taken(cells, |v| if let Value::Text(s) = v { Some(s.clone()) } else { None }),
        },
        Kind::Decimal { precision, scale } => ColumnData::Decimal {
            precision: *precision,
            scale: *scale,
            values: taken(cells, |v| if let Value::Decimal(n) = v { Some(*n) } else { None }),
        },
        Kind::Float { bits } => {
            ColumnData::Float { bits: *bits, values: taken(cells, |v| if let Value::Float(x) = v { Some(*x) } else { None }) }
        }
        Kind::Date => ColumnData::Date(taken(cells, |v| if let Value::Date(d) = v { Some(*d as i32) } else { None })),
        Kind::Timestamp { unit, zone } => ColumnData::Timestamp {
            unit: *unit,
            zone: zone.clone(),
            values: taken(cells, |v| if let Value::Timestamp(n) = v { Some(*n) } else { None }),
        },
    }
}
