//! The text of a query: one SELECT over the job's sources, whose result is the same whenever and wherever it runs.
//!
//! The engine parses the text again; what is refused here would read other files, ask the clock, or depend on the order in
//! which threads come to the rows.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use rfmill_query_request::{ROW_COLUMN, Request};
use sqlparser::ast::*;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};

use crate::failure::{Result, usage};

/// What the text of a query says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Whether it joins tables.
    pub joins: bool,
    /// Whether it names the column of row numbers.
    pub names_rows: bool,
    /// The tables that it names.
    pub names: BTreeSet<String>,
}

/// Functions whose result is another one each time.
const UNSTEADY: [&str; 14] = [
    "now",
    "today",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "getdate",
    "random",
    "rand",
    "uuid",
    "gen_random_uuid",
    "newid",
    "sysdate",
];

/// Aggregates that add floats, whose last digits depend on the order of additions.
const ADDS_FLOATS: [&str; 13] = [
    "avg",
    "total",
    "stddev",
    "stddev_samp",
    "stdev",
    "stdev_samp",
    "var",
    "var_samp",
    "variance",
    "corr",
    "covar",
    "covar_samp",
    "covar_pop",
];

/// Aggregates that take the rows as they come.
const TAKES_ANY: [&str; 2] = ["first", "last"];

/// Aggregates that keep the order of the rows.
const KEEPS_ORDER: [&str; 4] = ["array_agg", "string_agg", "listagg", "group_concat"];

/// Window functions to which rows of equal rank are alike.
const RANKS: [&str; 2] = ["rank", "dense_rank"];

/// Functions that guess the form of a date from the first one they see, unless they are told.
const GUESSES: [&str; 4] = ["date", "datetime", "time", "timestamp"];

/// Functions that read files.
const READS_FILES: [&str; 8] =
    ["read_csv", "read_parquet", "read_ipc", "read_json", "read_ndjson", "scan_csv", "scan_parquet", "glob"];

/// Checks the SQL of a request.
///
/// # Errors
/// It cannot be parsed (with line and column), is no single SELECT, names no source, or depends on more than its sources.
pub fn check(request: &Request) -> Result<Checked> {
    let key = &request.key;
    let query = parse(key, &request.sql)?;
    let mut names: BTreeSet<String> = request.sources.iter().map(|source| source.name.clone()).collect();
    let mut tables = CommonTables::default();
    let _ = query.visit(&mut tables);
    names.extend(tables.0);
    let mut visitor = Checker { key, names, checked: Checked::default() };
    match query.visit(&mut visitor) {
        ControlFlow::Break(sentence) => Err(usage(sentence)),
        ControlFlow::Continue(()) => Ok(visitor.checked),
    }
}

/// The one SELECT of a text.
fn parse(key: &str, sql: &str) -> Result<Box<Query>> {
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let parsed =
        Parser::new(&GenericDialect).with_options(options).try_with_sql(sql).and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| {
        let what = match error {
            ParserError::TokenizerError(what) | ParserError::ParserError(what) => what,
            ParserError::RecursionLimitExceeded => "it is nested too deeply".into(),
        };
        usage(format!("{key} is no SQL: {}", what.replace(" at Line: ", ", at line ").replace(", Column: ", ", column ")))
    })?;
    match (statements.pop(), statements.pop()) {
        (Some(Statement::Query(query)), None) => Ok(query),
        (Some(_), None) => Err(usage(format!("{key} is no SELECT; a query only reads, so begin it with SELECT or WITH"))),
        (None, _) => Err(usage(format!("{key} has no statement; write SELECT … FROM a source"))),
        (Some(_), Some(_)) => Err(usage(format!("{key} has several statements; keep one SELECT"))),
    }
}

/// The names that WITH gives to tables.
#[derive(Default)]
struct CommonTables(BTreeSet<String>);

impl Visitor for CommonTables {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.extend(tables.map(|table| table.alias.name.value.clone()));
        ControlFlow::Continue(())
    }
}

struct Checker<'a> {
    key: &'a str,
    /// Sources, and tables of WITH.
    names: BTreeSet<String>,
    checked: Checked,
}

impl Checker<'_> {
    fn refuse(&self, what: impl std::fmt::Display, place: &impl Spanned, instead: &str) -> ControlFlow<String> {
        let start = place.span().start;
        let at =
            if start.line > 0 { format!(", line {}, column {} of the SQL", start.line, start.column) } else { String::new() };
        ControlFlow::Break(format!("{}{at}: {what}; {instead}", self.key))
    }

    /// Checks what a function may depend on.
    fn function(&self, function: &Function) -> ControlFlow<String> {
        let name = function.name.to_string().to_lowercase();
        let is_in = |list: &[&str]| list.contains(&name.as_str());
        if is_in(&UNSTEADY) {
            let what = format!("{name}() gives another value each time");
            return self.refuse(what, function, "write the date or number itself");
        }
        if is_in(&ADDS_FLOATS) {
            let what = format!("{name}() adds floats, whose last digits depend on the order of the rows");
            return self.refuse(what, function, "use SUM over integers or decimals, and divide by COUNT");
        }
        if is_in(&READS_FILES) {
            return self.refuse(format!("{name}() reads a file"), function, "give the file a [[source]] and name that");
        }
        if is_in(&TAKES_ANY) && function.over.is_none() {
            let what = format!("{name}() takes whichever row comes first");
            return self.refuse(what, function, "use MIN, MAX or ROW_NUMBER");
        }
        if is_in(&GUESSES) && arguments(function) == 1 {
            let what = format!("{name}() guesses how dates are written");
            return self.refuse(
                what,
                function,
                "add how as its second argument, such as '%d.%m.%Y', or write CAST(… AS DATE) for 2024-12-31",
            );
        }
        let order = within(function);
        if is_in(&KEEPS_ORDER) && !order.iter().any(|by| is_row(&by.expr)) {
            return self.refuse(format!("{name}() keeps rows as they come"), function, TOTAL);
        }
        match &function.over {
            Some(WindowType::NamedWindow(_)) => self.refuse("a named window", function, "write OVER (…) in full"),
            Some(WindowType::WindowSpec(window)) if !is_in(&RANKS) => {
                let is_ordered = !window.order_by.is_empty();
                let needs_order = matches!(name.as_str(), "row_number" | "first_value" | "last_value" | "lag" | "lead");
                let is_total = window.order_by.iter().any(|by| is_row(&by.expr));
                match (is_ordered || needs_order) && !is_total {
                    true => self.refuse(format!("{name}() OVER has no total order"), function, TOTAL),
                    false => ControlFlow::Continue(()),
                }
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// How to make an order total.
const TOTAL: &str = "end its ORDER BY with _row, the number of the row in its source, so that no two rows are alike";

fn arguments(function: &Function) -> usize {
    match &function.args {
        FunctionArguments::List(list) => list.args.len(),
        _ => 0,
    }
}

/// The ORDER BY within the arguments of a function.
fn within(function: &Function) -> Vec<&OrderByExpr> {
    let mut out: Vec<&OrderByExpr> = function.within_group.iter().collect();
    if let FunctionArguments::List(list) = &function.args {
        for clause in &list.clauses {
            if let FunctionArgumentClause::OrderBy(by) = clause {
                out.extend(by);
            }
        }
    }
    out
}

/// Whether an expression is the column of row numbers.
fn is_row(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(name) => name.value == ROW_COLUMN,
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|name| name.value == ROW_COLUMN),
        _ => false,
    }
}

/// Whether an expression is the ALL of ORDER BY ALL: rows that are then alike are equal.
fn is_all(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all"))
}

impl Visitor for Checker<'_> {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        let is_total = query.order_by.as_ref().is_some_and(|order| match &order.kind {
            OrderByKind::All(_) => true,
            OrderByKind::Expressions(by) => by.iter().any(|by| is_row(&by.expr) || is_all(&by.expr)),
        });
        if (query.limit_clause.is_some() || query.fetch.is_some()) && !is_total {
            return self.refuse("LIMIT without a total order takes whichever rows come first", query, TOTAL);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        self.checked.joins |= select.from.len() > 1 || select.from.iter().any(|from| !from.joins.is_empty());
        if select.top.is_some() {
            return self.refuse("TOP takes whichever rows come first", select, "use ORDER BY … LIMIT");
        }
        if matches!(select.distinct, Some(Distinct::On(_))) {
            return self.refuse(
                "DISTINCT ON keeps whichever row comes first",
                select,
                "use ROW_NUMBER() OVER (PARTITION BY … ORDER BY …, _row)",
            );
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<String> {
        match factor {
            TableFactor::Table { name, args, sample, .. } => {
                let written = name.to_string();
                if args.is_some() {
                    return self.refuse(
                        format!("{written}(…) is a table function"),
                        factor,
                        "give the file a [[source]] and name that",
                    );
                }
                if sample.is_some() {
                    return self.refuse("TABLESAMPLE takes other rows each time", factor, "filter with WHERE");
                }
                let plain = match name.0.as_slice() {
                    [ObjectNamePart::Identifier(ident)] => ident.value.clone(),
                    _ => written,
                };
                match self.names.contains(&plain) {
                    true => {
                        self.checked.names.insert(plain);
                        ControlFlow::Continue(())
                    }
                    false => {
                        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
                        let instead = format!("name one of {}, or add a [[source]]", names.join(", "));
                        self.refuse(format!("there is no source {plain:?}"), factor, &instead)
                    }
                }
            }
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } | TableFactor::UNNEST { .. } => {
                ControlFlow::Continue(())
            }
            other => self.refuse("this is no table", other, "name a source, or write a SELECT in brackets"),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        self.checked.names_rows |= is_row(expr);
        match expr {
            Expr::Function(function) => self.function(function),
            _ => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rfmill_query_request::{CsvFormat, Encoding, Format, Source, Task, VERSION};

    fn checked(sql: &str) -> Result<Checked> {
        let csv = CsvFormat {
            separator: b',',
            decimal_comma: false,
            encoding: Encoding::Utf8,
            header: true,
            null_values: Vec::new(),
            numbers: Vec::new(),
        };
        let source = |name: &str| Source { name: name.into(), format: Format::Csv, files: Vec::new(), csv: csv.clone() };
        check(&Request {
            version: VERSION,
            task: Task::Run,
            key: "orders.query".into(),
            sql: sql.into(),
            sources: vec![source("a"), source("b")],
            columns: Vec::new(),
            amount_scale: 2,
            orders: None,
            output: "out".into(),
            scratch: "scratch".into(),
            memory_limit: None,
        })
    }

    #[test]
    fn steady_queries_pass() {
        for (sql, joins, names_rows) in [
            ("SELECT x FROM a", false, false),
            ("SELECT a.x, b.y FROM a JOIN b ON a.id = b.id WHERE a.x > 1", true, false),
            ("WITH t AS (SELECT * FROM a) SELECT id, SUM(x) FROM t GROUP BY id", false, false),
            ("SELECT * FROM a ORDER BY x, _row LIMIT 5", false, true),
            ("SELECT x, ROW_NUMBER() OVER (PARTITION BY y ORDER BY z DESC, _row) AS n FROM a", false, true),
            ("SELECT x FROM a ORDER BY ALL LIMIT 3", false, false),
            ("SELECT DATE(x, '%d.%m.%Y') FROM a", false, false),
            ("SELECT x, RANK() OVER (PARTITION BY y ORDER BY z) AS n FROM a", false, false),
            ("SELECT x FROM a WHERE id IN (SELECT id FROM b)", false, false),
        ] {
            let found = checked(sql).expect(sql);
            assert_eq!((found.joins, found.names_rows), (joins, names_rows), "{sql}");
            assert!(found.names.contains("a"), "{sql}");
        }
    }

    #[test]
    fn unsteady_queries_are_refused_with_their_place() {
        for (sql, said) in [
            ("SELEC x FROM a", "is no SQL"),
            ("SELECT x,\n FROM a WHERE )", "line 2"),
            ("SELECT 1; SELECT 2", "several statements"),
            ("DROP TABLE a", "is no SELECT"),
            ("SELECT x FROM c", "there is no source \"c\"; name one of a, b"),
            ("SELECT x FROM read_csv('x.csv')", "table function"),
            ("SELECT x FROM 'x.parquet'", "there is no source"),
            ("SELECT CURRENT_DATE FROM a", "current_date() gives another value"),
            ("SELECT now() FROM a", "another value each time"),
            ("SELECT x FROM a LIMIT 3", "LIMIT without a total order"),
            ("SELECT x FROM a ORDER BY x LIMIT 3", "LIMIT without a total order"),
            ("SELECT ROW_NUMBER() OVER (ORDER BY x) FROM a", "no total order"),
            ("SELECT ROW_NUMBER() OVER () FROM a", "no total order"),
            ("SELECT SUM(x) OVER (ORDER BY y) FROM a", "no total order"),
            ("SELECT FIRST(x) FROM a GROUP BY y", "whichever row comes first"),
            ("SELECT AVG(x) FROM a", "adds floats"),
            ("SELECT DATE(x) FROM a", "guesses how dates are written"),
            ("SELECT DISTINCT ON (x) x, y FROM a", "DISTINCT ON"),
        ] {
            let failure = checked(sql).expect_err(sql);
            assert!(failure.sentence.contains(said), "{sql}: {}", failure.sentence);
        }
        let failure = checked("SELECT x,\n  now() AS y FROM a").expect_err("a clock");
        assert!(failure.sentence.starts_with("orders.query, line 2, column 3 of the SQL: now()"), "{}", failure.sentence);
    }
}
