//! Schema, tables, comments and indexes: what is there, what is missing, and what does not fit.

use std::collections::BTreeMap;

use postgres::{Client, Transaction};

use super::database::Database;
use crate::error::{Error, Kind, Result};
use crate::export::{AS_OF, Column, Source, SourceTable};
use crate::tables::{ColumnType, identifier, key_of, literal};

/// The table that says which run every as-of date comes from.
pub const RECORD: &str = "rfmill_load";

/// Names of staging tables begin with this.
pub const STAGING: &str = "_rfmill_staging_";

/// A table or view of the schema: its kind (`r`, `v` …) and its columns with their types.
#[derive(Debug, Clone, Default)]
pub struct Relation {
    kind: String,
    columns: Vec<(String, String)>,
}

/// What the schema holds.
#[derive(Debug, Clone, Default)]
pub struct Structure {
    /// Whether there is such a schema.
    pub exists: bool,
    relations: BTreeMap<String, Relation>,
}

/// What a load has to change in the structure.
#[derive(Debug, Clone, Default)]
pub struct Changes<'a> {
    /// Tables to create.
    pub tables: Vec<&'a SourceTable>,
    /// Columns to add.
    pub columns: Vec<(&'a SourceTable, &'a Column)>,
}

impl Changes<'_> {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.columns.is_empty()
    }
}

/// A type as PostgreSQL prints it.
fn printed(kind: ColumnType) -> String {
    kind.sql().to_lowercase().replace(", ", ",")
}

/// Whether a column of this type, as PostgreSQL prints it, takes values of another: it is the same, or has more digits.
fn holds(there: &str, kind: ColumnType) -> bool {
    let wider = |digits| match kind {
        ColumnType::Decimal(_, scale) => there == printed(ColumnType::Decimal(digits, scale)),
        _ => false,
    };
    there == printed(kind) || wider(38)
}

impl Structure {
    /// Looks at the schema of the target.
    ///
    /// # Errors
    /// Exit 6 if the server does not answer.
    pub fn read(client: &mut Client, database: &Database) -> Result<Structure> {
        let schema = &database.target.schema;
        let read = |client: &mut Client| -> std::result::Result<Structure, postgres::Error> {
            let exists = client.query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[schema])?.is_some();
            let rows = client.query(
                "SELECT c.relname::text, c.relkind::text, a.attname::text, format_type(a.atttypid, a.atttypmod)
                 FROM pg_class AS c
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace
                 LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                 ORDER BY c.relname, a.attnum",
                &[schema],
            )?;
            let mut relations: BTreeMap<String, Relation> = BTreeMap::new();
            for row in rows {
                let relation = relations.entry(row.try_get(0)?).or_default();
                relation.kind = row.try_get(1)?;
                if let (Some(name), Some(kind)) = (row.try_get(2)?, row.try_get(3)?) {
                    relation.columns.push((name, kind));
                }
            }
            Ok(Structure { exists, relations })
        };
        read(client).map_err(|e| database.failed("look at the schema", e))
    }

    /// Whether the table is there.
    pub fn has(&self, table: &str) -> bool {
        self.relations.contains_key(table)
    }

    /// Whether the table is there with the column `as_of`.
    pub fn has_as_of(&self, table: &str) -> bool {
        self.relations.get(table).is_some_and(|there| there.columns.iter().any(|(name, _)| name == AS_OF))
    }

    /// Staging tables that a killed load left behind.
    pub fn leftovers(&self) -> impl Iterator<Item = &str> {
        self.relations.keys().map(String::as_str).filter(|name| name.starts_with(STAGING))
    }

    /// What is missing for the tables of a source.
    ///
    /// # Errors
    /// Exit 5 if something of the name of a table is not ours, or if a column has another type.
    pub fn changes<'a>(&self, source: &'a Source, database: &Database) -> Result<Changes<'a>> {
        let place = || format!("the schema {} of {}", database.target.schema, database.target.place());
        let mut changes = Changes::default();
        for table in source.tables.iter().filter(|t| !t.columns.is_empty()) {
            if let Some(column) = table.columns.iter().find(|c| c.name.len() > 63) {
                return Err(Error::usage(format!(
                    "the column {:?} of {} has a name of {} bytes, but PostgreSQL keeps 63; give the scheme or measure a shorter one",
                    column.name,
                    table.name,
                    column.name.len()
                )));
            }
            let Some(there) = self.relations.get(&table.name) else {
                changes.tables.push(table);
                continue;
            };
            // Without the record, somebody else made this table, and its rows are not ours to replace.
            if !self.has(RECORD) || there.kind != "r" {
                return Err(Error::new(
                    Kind::State,
                    format!(
                        "{} holds {:?}, which rfmill did not make; load into a schema of its own with &schema=",
                        place(),
                        table.name
                    ),
                ));
            }
            for column in &table.columns {
                match there.columns.iter().find(|(name, _)| *name == column.name) {
                    None => changes.columns.push((table, column)),
                    Some((_, kind)) if holds(kind, column.kind) => {}
                    Some((_, kind)) => {
                        return Err(Error::new(
                            Kind::State,
                            format!(
                                "the column {:?} of {} is {kind} in {}, but {} in the run: the job changed its type; load into another schema with &schema=, or drop the table there and load again",
                                column.name,
                                table.name,
                                place(),
                                printed(column.kind)
                            ),
                        ));
                    }
                }
            }
        }
        Ok(changes)
    }

    /// The columns of a table after these changes, ascending by name; `None` without such a table.
    pub fn columns_after<'a>(&'a self, table: &str, changes: &'a Changes<'_>) -> Option<Vec<&'a str>> {
        let made = changes.tables.iter().find(|made| made.name == table);
        let there = self.relations.get(table).filter(|there| there.kind == "r");
        if made.is_none() && there.is_none() {
            return None;
        }
        let of_made = made.into_iter().flat_map(|made| {
            let as_of = made.is_dated().then_some(AS_OF);
            as_of.into_iter().chain(made.columns.iter().map(|column| column.name.as_str()))
        });
        let of_there = there.into_iter().flat_map(|there| there.columns.iter().map(|(name, _)| name.as_str()));
        let added = changes.columns.iter().filter(|(to, _)| to.name == table).map(|(_, column)| column.name.as_str());
        let mut all: Vec<&str> = of_made.chain(of_there).chain(added).collect();
        all.sort_unstable();
        Some(all)
    }
}

/// The columns of a table with their types, the as-of date first, if it has that.
pub fn column_list(table: &SourceTable, has_as_of: bool) -> String {
    let as_of = has_as_of.then(|| format!("{AS_OF} DATE NOT NULL"));
    let columns = table.columns.iter().map(|c| format!("{} {}", identifier(&c.name), c.kind.sql()));
    as_of.into_iter().chain(columns).collect::<Vec<_>>().join(", ")
}

/// Creates the record of loads, unless it is there.
pub fn create_record(transaction: &mut Transaction<'_>) -> std::result::Result<(), postgres::Error> {
    transaction.batch_execute(&format!(
        "CREATE TABLE IF NOT EXISTS {RECORD} (
             table_name TEXT NOT NULL,
             {AS_OF} DATE NOT NULL,
             job TEXT NOT NULL,
             run_id TEXT NOT NULL,
             row_count BIGINT NOT NULL,
             fingerprint TEXT NOT NULL,
             loaded_at TIMESTAMPTZ NOT NULL DEFAULT now(),
             PRIMARY KEY (table_name, {AS_OF})
         );
         COMMENT ON TABLE {RECORD} IS 'One row per table and as-of date: the run of rfmill that its rows come from. Without its row here, a date is loaded anew.';"
    ))
}

/// Creates tables and adds columns, with their comments. Indexes come after the rows.
pub fn create_tables(transaction: &mut Transaction<'_>, changes: &Changes<'_>) -> std::result::Result<(), postgres::Error> {
    for table in &changes.tables {
        let name = identifier(&table.name);
        let about = format!("One row per {}.", table.one_row_per);
        transaction.batch_execute(&format!(
            "CREATE TABLE {name} ({}); COMMENT ON TABLE {name} IS {};",
            column_list(table, table.is_dated()),
            literal(&about)
        ))?;
        if table.is_dated() {
            let about = "Last date counted, inclusive; in a table without one, the last as-of date of the run that wrote it.";
            transaction.batch_execute(&format!("COMMENT ON COLUMN {name}.{AS_OF} IS {}", literal(about)))?;
        }
        for column in &table.columns {
            comment(transaction, table, column)?;
        }
    }
    for (table, column) in &changes.columns {
        let (name, own) = (identifier(&table.name), identifier(&column.name));
        transaction.batch_execute(&format!("ALTER TABLE {name} ADD COLUMN {own} {}", column.kind.sql()))?;
        comment(transaction, table, column)?;
    }
    Ok(())
}

fn comment(transaction: &mut Transaction<'_>, table: &SourceTable, column: &Column) -> std::result::Result<(), postgres::Error> {
    let (name, own) = (identifier(&table.name), identifier(&column.name));
    transaction.batch_execute(&format!("COMMENT ON COLUMN {name}.{own} IS {}", literal(&column.doc)))
}

/// Indexes of new tables: by their key where they are one file over all dates, else by as-of date, and by customer within it
/// where there are customers.
pub fn create_indexes(transaction: &mut Transaction<'_>, changes: &Changes<'_>) -> std::result::Result<(), postgres::Error> {
    for table in &changes.tables {
        if let Some(key) = key_of(&table.name).filter(|_| table.is_whole) {
            transaction.batch_execute(&format!("CREATE UNIQUE INDEX ON {} ({})", identifier(&table.name), key.join(", ")))?;
            continue;
        }
        let by_customer = if table.columns.iter().any(|c| c.name == "customer_id") { ", customer_id" } else { "" };
        transaction.batch_execute(&format!("CREATE INDEX ON {} ({AS_OF}{by_customer})", identifier(&table.name)))?;
    }
    Ok(())
}
