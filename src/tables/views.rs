//! The views to start from, one file each in `sql/views`; DuckDB and PostgreSQL read them alike.

/// A view over the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// The whole file: comments and one `CREATE OR REPLACE VIEW` statement.
    pub sql: &'static str,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(View { name: $name, sql: include_str!(concat!("../../sql/views/", $name, ".sql")) }),*]
    };
}

/// Every view, each after those that it uses.
const VIEWS: &[View] =
    files!["current_customers", "current_segments", "segment_history", "movement", "headline_effects", "kpis", "year_over_year"];

impl View {
    /// What it shows, in one sentence: the first line of its file.
    pub fn doc(&self) -> &'static str {
        self.sql.lines().next().unwrap_or_default().trim_start_matches("-- ")
    }

    /// The tables that it reads: the second line of its file.
    pub fn tables(&self) -> impl Iterator<Item = &'static str> {
        let list = self.sql.lines().nth(1).and_then(|line| line.strip_prefix("-- tables: ")).unwrap_or_default();
        list.split(", ")
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
            // What follows FROM and JOIN is a table that is listed, or a view that comes before.
            let before = VIEWS.iter().take_while(|v| v.name != view.name).map(|v| v.name);
            let known: Vec<&str> = view.tables().chain(before).collect();
            let words: Vec<&str> = view.sql.split_whitespace().map(|w| w.trim_matches(['(', ')', ';', ','])).collect();
            for pair in words.windows(2).filter(|p| p[0] == "FROM" || p[0] == "JOIN") {
                assert!(known.contains(&pair[1]) || pair[1] == "SELECT", "{} reads {}", view.name, pair[1]);
            }
        }
        assert_eq!(views(|table| table == "customers").map(|v| v.name).collect::<Vec<_>>(), ["current_customers"]);
    }
}
