//! Loads the tables of an output folder into PostgreSQL.
//!
//! Every table of a schema but the dimensions has the column `as_of`, and a load replaces whole as-of dates, and dimensions whole:
//!
//! 1. Every as-of date in view is compared with the table `rfmill_load`, which records what every as-of date of every table
//!    came from. What is there already is left alone, so a repeat changes nothing. Dates that were dropped go.
//! 2. The files of the other dates are copied into staging tables over several connections, in binary and without being
//!    logged by the server; rows are counted against the manifest.
//! 3. One transaction creates what is missing (tables, columns, comments, indexes), deletes the old rows of these dates,
//!    inserts the staged ones, records the run, drops the staging tables, and makes or replaces views ([`views`]).
//!
//! Readers are never locked out and see either all old or all new rows. Whatever happens before the commit, the old rows
//! stay; the next load drops the staging tables that a killed one left. Delete and insert, rather than partitions that are
//! attached: attaching needs a lock that waits for every reader (and makes new readers wait), grants and BI tools would
//! see a table per date, and the insert costs seconds for a million customers.

mod binary;
mod database;
mod stage;
mod structure;
mod target;
mod tls;
mod views;

use std::collections::{BTreeMap, BTreeSet};

use postgres::{Client, Transaction};

use crate::domain::Day;
use crate::error::{Error, Kind, Result};
use crate::export::{self, AS_OF, Part, Source, SourceTable};
use crate::progress::Progress;
use crate::storage::Place;
use crate::tables::{identifier, key_of, literal};
use database::{Database, cause};
use structure::{Changes, RECORD, STAGING, Structure};
use target::Target;

pub use views::KeptView;

/// What to load, and where.
#[derive(Debug, Clone)]
pub struct LoadSpec<'a> {
    /// The output folder.
    pub output: &'a Place,
    /// The URL of the database; it may hold a password and is never shown.
    pub to: &'a str,
    /// Connections that copy at the same time.
    pub connections: usize,
}

/// What a load did.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The run that `latest` names.
    pub run_id: String,
    /// `user@host:port/database`.
    pub place: String,
    /// The schema.
    pub schema: String,
    /// Tables with replaced as-of dates: name, dates and rows.
    pub tables: Vec<(String, usize, u64)>,
    /// Tables and columns that were made, and views that were made or replaced.
    pub made: usize,
    /// Views that are not as this version makes them.
    pub kept: Vec<KeptView>,
    /// As-of dates that were taken out of some table.
    pub gone: usize,
}

impl Loaded {
    /// Whether everything was there already.
    pub fn is_repeat(&self) -> bool {
        self.tables.is_empty() && self.made == 0 && self.gone == 0
    }
}

/// What the database says of a table at an as-of date.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    job: String,
    run_id: String,
    fingerprint: String,
}

/// A table whose as-of dates are to be replaced, with those dates.
type Pending<'a> = (&'a SourceTable, Vec<Day>);

/// Loads an output folder into a database.
///
/// # Errors
/// Exit 2 if the URL is wrong or the server does not let the user in; 4 or 5 if the output folder is not whole; 5 also if
/// the schema holds something else; 6 or 7 if the server fails; 8 if another load is at it; 9 if the outcome of the commit
/// is unknown. Until the commit, the rows of the load before stay as they are.
pub fn load(spec: &LoadSpec<'_>, progress: &dyn Progress) -> Result<Loaded> {
    let (target, warning) = Target::parse(spec.to)?;
    if let Some(warning) = warning {
        progress.warn(&warning);
    }
    let source = export::view(spec.output, None)?;
    if let Some(warning) = source.warning(spec.output) {
        progress.warn(&warning);
    }
    let database = Database::new(target)?;
    let mut client = database.connect()?;
    if !database.target.is_local() && !database.is_encrypted(&mut client) {
        progress
            .warn(&format!("the connection to {} is not encrypted; add sslmode=verify-full to --to", database.target.place()));
    }
    database.lock(&mut client)?;
    let structure = Structure::read(&mut client, &database)?;
    let changes = structure.changes(&source, &database)?;
    let records = if structure.has(RECORD) { read_records(&mut client, &database)? } else { BTreeMap::new() };
    only_this_job(&source, &records, &database)?;
    let views = views::plan(&mut client, &database, &structure, &changes)?;
    let (pending, restamped) = compare(&source, &structure, &records);
    let gone = gone(&source, &structure, &records);
    let mut loaded = Loaded {
        run_id: source.run_id.clone(),
        place: database.target.place(),
        schema: database.target.schema.clone(),
        tables: Vec::new(),
        made: changes.tables.len() + changes.columns.len(),
        kept: views.kept.clone(),
        gone: gone.values().flatten().collect::<BTreeSet<_>>().len(),
    };
    stage::remove(&mut client, &database, structure.leftovers())?;
    if pending.is_empty() && restamped.is_empty() && changes.is_empty() && views.is_empty() && gone.is_empty() {
        return Ok(loaded);
    }

    if !structure.exists {
        client
            .batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(&database.target.schema)))
            .map_err(|e| database.failed("create the schema", e))?;
    }
    let tables: Vec<&SourceTable> = pending.iter().map(|(table, _)| *table).filter(|t| !t.columns.is_empty()).collect();
    let shape = Shape { there: &structure, changes: &changes, views: &views };
    let mut replace = || -> Result<(usize, Vec<KeptView>)> {
        stage::create(&mut client, &database, &tables)?;
        let rows: u64 = pending.iter().map(rows_of).sum();
        progress.begin("copying", rows);
        stage::copy(&database, &pending, spec.connections, progress)?;
        progress.end(&format!("{rows} rows into staging tables"));
        progress.begin("swapping", 0);
        let dates = Dates { pending: &pending, restamped: &restamped, gone: &gone };
        let views = swap(&mut client, &database, &source, &shape, &records, &dates)?;
        progress.end(&format!("{} tables", pending.len()));
        Ok(views)
    };
    let (made, kept) = match replace() {
        Ok(views) => views,
        Err(error) => {
            // If this fails, too, the next load removes them.
            let names: Vec<String> = tables.iter().map(|table| format!("{STAGING}{}", table.name)).collect();
            let _ = stage::remove(&mut client, &database, names.iter().map(String::as_str));
            return Err(error);
        }
    };
    loaded.made += made;
    loaded.kept.extend(kept);
    loaded.tables = pending.iter().map(|p| (p.0.name.clone(), p.1.len(), rows_of(p))).collect();
    Ok(loaded)
}

fn rows_of((table, days): &Pending<'_>) -> u64 {
    days.iter().filter_map(|day| table.parts.get(day)).map(Part::rows).sum()
}

type Records = BTreeMap<(String, Day), Record>;

fn read_records(client: &mut Client, database: &Database) -> Result<Records> {
    let read = |client: &mut Client| -> std::result::Result<Vec<(String, String, Record)>, postgres::Error> {
        let statement = format!(
            "SELECT table_name, {AS_OF}::text, job, run_id, fingerprint FROM {}.{RECORD}",
            identifier(&database.target.schema)
        );
        let rows = client.query(statement.as_str(), &[])?;
        let record = |row: &postgres::Row| {
            let record = Record { job: row.try_get(2)?, run_id: row.try_get(3)?, fingerprint: row.try_get(4)? };
            Ok((row.try_get(0)?, row.try_get(1)?, record))
        };
        rows.iter().map(record).collect()
    };
    let rows = read(client).map_err(|e| database.failed(&format!("read {RECORD}"), e))?;
    Ok(rows.into_iter().filter_map(|(table, date, record)| Some(((table, Day::parse(&date)?), record))).collect())
}

/// A schema holds the tables of one job.
fn only_this_job(source: &Source, records: &Records, database: &Database) -> Result<()> {
    match records.values().find(|record| record.job != source.job) {
        None => Ok(()),
        Some(other) => Err(Error::new(
            Kind::State,
            format!(
                "the schema {} of {} holds the tables of the job {:?}, not of {:?}; load every job into a schema of its own with &schema=",
                database.target.schema,
                database.target.place(),
                other.job,
                source.job
            ),
        )),
    }
}

/// The as-of dates whose rows differ from those of the database, and those that only another run wrote, with equal rows.
fn compare<'a>(source: &'a Source, structure: &Structure, records: &Records) -> (Vec<Pending<'a>>, Vec<Pending<'a>>) {
    let (mut pending, mut restamped) = (Vec::new(), Vec::new());
    for table in &source.tables {
        // A table that never had a row has no columns yet.
        if table.columns.is_empty() && !structure.has(&table.name) {
            continue;
        }
        let (mut differing, mut stamps) = (Vec::new(), Vec::new());
        for (day, part) in &table.parts {
            if table.is_whole {
                let there: Vec<_> = records.iter().filter(|((name, _), _)| *name == table.name).collect();
                match there.as_slice() {
                    [((_, of), record)] if structure.has(&table.name) && record.fingerprint == part.fingerprint() => {
                        stamps.extend(Some(*day).filter(|day| day != of || record.run_id != part.run_id));
                    }
                    _ => differing.push(*day),
                }
                continue;
            }
            let there = records.get(&(table.name.clone(), *day)).filter(|_| structure.has(&table.name));
            match there {
                Some(record) if record.fingerprint != part.fingerprint() => differing.push(*day),
                Some(record) if record.run_id != part.run_id => stamps.push(*day),
                Some(_) => {}
                None => differing.push(*day),
            }
        }
        for (days, list) in [(differing, &mut pending), (stamps, &mut restamped)] {
            if !days.is_empty() {
                list.push((table, days));
            }
        }
    }
    (pending, restamped)
}

/// The as-of dates that the database has and the view no longer, by table: those that were dropped, and those whose run wrote
/// no such table. Dates that the output never had are left alone.
fn gone(source: &Source, structure: &Structure, records: &Records) -> BTreeMap<String, Vec<Day>> {
    let mut gone: BTreeMap<String, Vec<Day>> = BTreeMap::new();
    let is_whole = |table: &str| source.tables.iter().any(|shown| shown.name == table && shown.is_whole);
    for (table, day) in records.keys().filter(|(table, _)| structure.has(table) && !is_whole(table)) {
        let is_shown = || source.tables.iter().any(|shown| shown.name == *table && shown.parts.contains_key(day));
        if source.dropped.contains(day) || (source.dates.contains(day) && !is_shown()) {
            gone.entry(table.clone()).or_default().push(*day);
        }
    }
    gone
}

/// What the schema holds, and what a load changes of that.
struct Shape<'a> {
    there: &'a Structure,
    changes: &'a Changes<'a>,
    views: &'a views::Plan,
}

/// What a load changes.
struct Dates<'a> {
    /// Dates whose rows are replaced.
    pending: &'a [Pending<'a>],
    /// Dates that another run wrote, with equal rows.
    restamped: &'a [Pending<'a>],
    /// Dates that go.
    gone: &'a BTreeMap<String, Vec<Day>>,
}

/// The dates as a list in SQL.
fn in_list(days: &[Day]) -> String {
    days.iter().map(|day| format!("DATE {}", literal(&day.to_string()))).collect::<Vec<_>>().join(", ")
}

/// Takes dates out of a table.
fn remove(transaction: &mut Transaction<'_>, table: &str, days: &[Day]) -> std::result::Result<(), postgres::Error> {
    let (name, dates) = (identifier(table), in_list(days));
    transaction.batch_execute(&format!(
        "DELETE FROM {name} WHERE {AS_OF} IN ({dates}); DELETE FROM {RECORD} WHERE table_name = {} AND {AS_OF} IN ({dates})",
        literal(table)
    ))
}

/// The one transaction that readers see. Returns how many views were made, and those that had to be left.
fn swap(
    client: &mut Client,
    database: &Database,
    source: &Source,
    shape: &Shape<'_>,
    records: &Records,
    dates: &Dates<'_>,
) -> Result<(usize, Vec<KeptView>)> {
    let Dates { pending, restamped, gone } = dates;
    let Shape { there, changes, views } = *shape;
    let failed = |what: &str| {
        let what = what.to_owned();
        move |e: postgres::Error| database.failed(&what, e)
    };
    let mut transaction = client.transaction().map_err(failed("begin the transaction"))?;
    views::settle(&mut transaction, database).map_err(failed("choose the schema"))?;
    structure::create_record(&mut transaction).map_err(failed(&format!("create {RECORD}")))?;
    structure::create_tables(&mut transaction, changes).map_err(failed("create the tables"))?;
    for (table, days) in *pending {
        let has_as_of = table.is_dated() || there.has_as_of(&table.name);
        let way = if table.is_whole { way_of(table, source, records) } else { Way::Dates };
        let arrived = replace(&mut transaction, database, table, days, has_as_of, way)
            .map_err(failed(&format!("replace the rows of {}", table.name)))?;
        let expected = rows_of(&(table, days.clone()));
        if arrived != expected {
            return Err(Error::bug(format!("{expected} rows of {} were staged, but {arrived} inserted", table.name)));
        }
    }
    for (table, days) in *gone {
        remove(&mut transaction, table, days).map_err(failed(&format!("take dates out of {table}")))?;
    }
    for (table, days) in pending.iter().chain(*restamped) {
        record(&mut transaction, source, table, days).map_err(failed(&format!("write {RECORD}")))?;
    }
    structure::create_indexes(&mut transaction, changes).map_err(failed("create the indexes"))?;
    let made = views::make(&mut transaction, database, views).map_err(failed("make the views"))?;
    transaction.commit().map_err(|e| {
        let is_refused = e.code().is_some_and(|code| !code.code().starts_with("57") && !code.code().starts_with("08"));
        if is_refused {
            return database.failed("commit", e);
        }
        Error::new(
            Kind::Unknown,
            format!(
                "it cannot be told whether run {} was committed on {}: {}; load again, which changes nothing if it was",
                source.run_id,
                database.target.place(),
                cause(&e)
            ),
        )
        .caused_by(e)
    })?;
    Ok(made)
}

/// Which rows go before others come.
enum Way {
    /// Those of the same dates.
    Dates,
    /// All.
    Whole,
    /// Those with the same key, and those of dropped dates.
    Keys { key: &'static [&'static str], dropped: Vec<Day> },
}

/// A table over all dates is replaced whole, unless the database has dates of another output: its rows stay then.
fn way_of(table: &SourceTable, source: &Source, records: &Records) -> Way {
    let is_whole = |name: &str| source.tables.iter().any(|shown| shown.name == name && shown.is_whole);
    let is_other = |day: &Day| !source.dates.contains(day) && !source.dropped.contains(day);
    let has_others = records.keys().any(|(name, day)| !is_whole(name) && is_other(day));
    // A version before loaded it by date, so that no key is unique.
    let was_whole = records.keys().filter(|(name, _)| *name == table.name).count() == 1;
    match key_of(&table.name).filter(|_| has_others && was_whole) {
        Some(key) => Way::Keys { key, dropped: source.dropped.iter().copied().filter(|_| table.says_dates).collect() },
        None => Way::Whole,
    }
}

/// Replaces the rows of these dates, or all rows of a table that is one file over all dates, by the staged ones; returns how many
/// those are.
fn replace(
    transaction: &mut Transaction<'_>,
    database: &Database,
    table: &SourceTable,
    days: &[Day],
    has_as_of: bool,
    way: Way,
) -> std::result::Result<u64, postgres::Error> {
    let name = identifier(&table.name);
    let staging = stage::staging(database, &table.name);
    let which = match way {
        Way::Dates => format!(" WHERE {AS_OF} IN ({})", in_list(days)),
        Way::Whole => String::new(),
        Way::Keys { key, dropped } => {
            if !dropped.is_empty() {
                transaction.batch_execute(&format!("DELETE FROM {name} WHERE {AS_OF} IN ({})", in_list(&dropped)))?;
            }
            let equal: Vec<String> = key.iter().map(|column| format!("here.{column} = new.{column}")).collect();
            format!(" AS here USING {staging} AS new WHERE {}", equal.join(" AND "))
        }
    };
    transaction.batch_execute(&format!("DELETE FROM {name}{which}"))?;
    if table.columns.is_empty() {
        return Ok(0);
    }
    let columns = table.columns.iter().map(|c| identifier(&c.name));
    let columns = has_as_of.then(|| AS_OF.to_owned()).into_iter().chain(columns).collect::<Vec<_>>().join(", ");
    let rows = transaction.execute(&format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {staging}"), &[])?;
    transaction.batch_execute(&format!("DROP TABLE {staging}; ANALYZE {name}"))?;
    Ok(rows)
}

/// Records which run the rows of these dates come from.
fn record(
    transaction: &mut Transaction<'_>,
    source: &Source,
    table: &SourceTable,
    days: &[Day],
) -> std::result::Result<(), postgres::Error> {
    let statement = transaction.prepare(&format!(
        "INSERT INTO {RECORD} (table_name, {AS_OF}, job, run_id, row_count, fingerprint)
         VALUES ($1, $2::text::date, $3, $4, $5, $6)
         ON CONFLICT (table_name, {AS_OF}) DO UPDATE
         SET job = excluded.job, run_id = excluded.run_id, row_count = excluded.row_count,
             fingerprint = excluded.fingerprint, loaded_at = now()"
    ))?;
    if table.is_whole {
        transaction.execute(&format!("DELETE FROM {RECORD} WHERE table_name = $1"), &[&table.name])?;
    }
    for (day, part) in days.iter().filter_map(|day| Some((day, table.parts.get(day)?))) {
        let (day, rows) = (day.to_string(), part.rows().min(i64::MAX as u64) as i64);
        transaction.execute(&statement, &[&table.name, &day, &source.job, &part.run_id, &rows, &part.fingerprint()])?;
    }
    Ok(())
}
