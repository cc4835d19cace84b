//! The views to start from, one file each in `sql/views`; DuckDB and PostgreSQL read them alike.

/// A view over the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// The whole file: comments and one `CREATE OR REPLACE VIEW` statement.
    pub sql: &'static str,
    /// The files of earlier versions that recorded nothing of what they made.
    pub earlier: &'static [&'static str],
}

macro_rules! files {
    ($($name:literal $(was in $version:literal)?),* $(,)?) => {
        &[$(View {
            name: $name,
            sql: include_str!(concat!("../../sql/views/", $name, ".sql")),
            earlier: &[$(include_str!(concat!("../../sql/views/", $version, "/", $name, ".sql")))?],
        }),*]
    };
}

/// Every view, each after those that it uses.
const VIEWS: &[View] = files![
    "current_customers",
    "current_segments" was in "0.1.0",
    "segment_history",
    "movement" was in "0.1.0",
    "headline_effects" was in "0.1.0",
    "kpis" was in "0.1.0",
    "year_over_year" was in "0.1.0",
];

/// What a file of a view shows, in one sentence: its first line.
pub fn doc_of(sql: &str) -> &str {
    sql.lines().next().unwrap_or_default().trim_start_matches("-- ")
}

impl View {
    /// What it shows, in one sentence: the first line of its file.
    pub fn doc(&self) -> &'static str {
        doc_of(self.sql)
    }

    /// The tables that it reads: the second line of its file.
    pub fn tables(&self) -> impl Iterator<Item = &'static str> {
        let list = self.sql.lines().nth(1).and_then(|line| line.strip_prefix("-- tables: ")).unwrap_or_default();
        list.split(", ")
    }

    /// Whether it reads the table or view of this name.
    pub fn reads(&self, name: &str) -> bool {
        let words: Vec<&str> = self.sql.split_whitespace().collect();
        words
            .windows(2)
            .any(|pair| matches!(pair, ["FROM" | "JOIN" | "(FROM", read] if read.trim_end_matches([')', ';']) == name))
    }

    /// The query of one of its files.
    pub fn query<'a>(&self, sql: &'a str) -> &'a str {
        sql.split_once(&format!("\nCREATE OR REPLACE VIEW {} AS\n", self.name)).map_or("", |(_, query)| query)
    }
}

/// The views that these tables allow, each after those that it uses.
pub fn views<'a>(has_table: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'static View> + 'a {
    VIEWS.iter().filter(move |view| view.tables().all(&has_table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_says_what_it_shows_and_reads() {
        for view in VIEWS {
            assert!(view.doc().ends_with('.') && !view.doc().contains("--"), "{}: {:?}", view.name, view.doc());
            assert!(view.tables().all(|t| !t.is_empty()), "{}", view.name);
            assert!(view.sql.contains(&format!("\nCREATE OR REPLACE VIEW {} AS\n", view.name)), "{}", view.name);
            assert_eq!(view.sql.matches(";\n").count(), 1, "{}: one statement", view.name);
            assert!(view.earlier.iter().all(|sql| !view.query(sql).is_empty() && *sql != view.sql), "{}", view.name);
            // What follows FROM and JOIN is a table that is listed, or a view that comes before.
            let before = VIEWS.iter().take_while(|v| v.name != view.name).map(|v| v.name);
            let known: Vec<&str> = view.tables().chain(before).collect();
            let words: Vec<&str> = view.sql.split_whitespace().map(|w| w.trim_matches(['(', ')', ';', ','])).collect();
            for pair in words.windows(2).filter(|p| p[0] == "FROM" || p[0] == "JOIN") {
                assert!(known.contains(&pair[1]) || pair[1] == "SELECT", "{} reads {}", view.name, pair[1]);
            }
        }
        let readers = |name: &str| VIEWS.iter().filter(|view| view.reads(name)).map(|view| view.name).collect::<Vec<_>>();
        assert_eq!((readers("kpis"), readers("dim_date")), (vec!["year_over_year"], vec!["segment_history"]));
        assert_eq!(views(|table| table == "customers").map(|v| v.name).collect::<Vec<_>>(), ["current_customers"]);
    }
}
