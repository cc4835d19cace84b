//! The tables of a job as text: `CREATE TABLE` statements, dbt sources and a data dictionary.

use super::catalog::key_of;
use super::definition::{ColumnType, TableDefinition};
use crate::domain::IdType;

/// A name as an SQL identifier.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Text as an SQL literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What a table is, in one sentence.
fn sentence(table: &TableDefinition) -> String {
    format!("One row per {}.", table.one_row_per)
}

/// The tables as `CREATE TABLE` and `COMMENT ON` statements for PostgreSQL and DuckDB.
pub fn ddl(tables: &[TableDefinition]) -> String {
    let mut out = String::new();
    for table in tables {
        let key = key_of(table.name).map(|key| format!("    PRIMARY KEY ({})", key.join(", ")));
        let columns: Vec<String> =
            table.columns.iter().map(|f| format!("    {} {}", identifier(&f.name), f.kind.sql())).chain(key).collect();
        out.push_str(&format!("CREATE TABLE {} (\n{}\n);\n", table.name, columns.join(",\n")));
        out.push_str(&format!("COMMENT ON TABLE {} IS {};\n", table.name, literal(&sentence(table))));
        for field in &table.columns {
            let column = identifier(&field.name);
            out.push_str(&format!("COMMENT ON COLUMN {}.{column} IS {};\n", table.name, literal(field.doc)));
        }
        out.push('\n');
    }
    out
}

/// The tables as `sources.yml` of a dbt project, for PostgreSQL (after `rfmill load`) and DuckDB (on the files).
pub fn dbt(tables: &[TableDefinition], job: &str) -> String {
    // Every JSON string is a YAML string.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = format!(
        "# Tables of rfmill for dbt. In PostgreSQL they lie in the schema of `rfmill load` (var rfmill_schema); dbt-duckdb\n\
         # reads them from the files below the output folder (var rfmill_output).\n\
         version: 2\n\n\
         sources:\n\
         \x20 - name: rfmill\n\
         \x20   description: {}\n\
         \x20   schema: \"{{{{ var('rfmill_schema', 'rfmill') }}}}\"\n\
         \x20   config:\n\
         \x20     meta:\n\
         \x20       external_location: \"read_parquet('{{{{ var('rfmill_output', 'out') }}}}/tables/{{name}}/*/*.parquet', hive_partitioning = true)\"\n\
         \x20   tables:\n",
        quoted(&format!("Tables of the rfmill job {job:?}."))
    );
    for table in tables {
        out.push_str(&format!("      - name: {}\n        description: {}\n", table.name, quoted(&sentence(table))));
        let key = key_of(table.name).unwrap_or_default();
        if !key.is_empty() {
            out.push_str(
                "        config:\n          meta:\n            external_location: \"read_parquet('{{ var('rfmill_output', 'out') }}/tables/{name}/*.parquet')\"\n",
            );
        }
        out.push_str("        columns:\n");
        for field in &table.columns {
            out.push_str(&format!(
                "          - name: {}\n            description: {}\n            data_type: {}\n            quote: true\n",
                quoted(&field.name),
                quoted(field.doc),
                quoted(&field.kind.sql().to_lowercase())
            ));
            let is_never_null = field.name == "as_of" || field.name == "customer_id";
            match key {
                [alone] if *alone == field.name => out.push_str("            data_tests: [not_null, unique]\n"),
                _ if is_never_null || key.contains(&field.name.as_str()) => out.push_str("            data_tests: [not_null]\n"),
                _ => {}
            }
        }
    }
    out
}

/// The name of a type as the docs have it: that of Parquet.
fn type_name(kind: ColumnType) -> String {
    match kind {
        ColumnType::Id(IdType::Text) | ColumnType::Text | ColumnType::State => "string".into(),
        ColumnType::Id(IdType::Signed(bits)) => format!("INT{bits}"),
        ColumnType::Id(IdType::Unsigned(bits)) => format!("UINT{bits}"),
        ColumnType::Date => "DATE".into(),
        ColumnType::Int32 => "INT32".into(),
        ColumnType::Int64 => "INT64".into(),
        ColumnType::Double => "DOUBLE".into(),
        ColumnType::Boolean => "BOOLEAN".into(),
        ColumnType::Id(IdType::Decimal(precision)) => format!("DECIMAL({precision}, 0)"),
        ColumnType::Decimal(precision, scale) => format!("DECIMAL({precision}, {scale})"),
    }
}

/// The data dictionary: per table a heading, what a row is, and a table of columns.
pub fn markdown(tables: &[TableDefinition]) -> String {
    // A pipe would end the cell.
    let cell = |text: &str| text.replace('|', "\\|");
    let mut out = String::new();
    for table in tables {
        out.push_str(&format!("## {}\n\n{}\n\n", table.name, sentence(table)));
        out.push_str("| column | type | meaning |\n|---|---|---|\n");
        for field in &table.columns {
            out.push_str(&format!("| `{}` | {} | {} |\n", cell(&field.name), type_name(field.kind), cell(field.doc)));
        }
        out.push('\n');
    }
    out
}
