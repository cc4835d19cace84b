//! CSV that spreadsheets do not take for formulas.

/// Whether a text that begins with this character needs an apostrophe before it in CSV: spreadsheets run what begins
/// like a formula (OWASP, CSV injection), and an apostrophe of the text's own must stay one.
pub fn starts_formula(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '\'')
}

/// A text as a CSV file may hold it: with an apostrophe before it if it would be taken for a formula.
pub fn escape_formula(text: &str) -> std::borrow::Cow<'_, str> {
    if text.starts_with(starts_formula) { format!("'{text}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "'=1", "'x"] {
            assert_eq!(escape_formula(formula), format!("'{formula}"));
        }
        for text in ["", "C001", "At Risk", "1-1", "a=b", " =1"] {
            assert_eq!(escape_formula(text), text);
        }
    }
}
