//! The one place where text from outside becomes safe to write: in HTML, attributes and SVG, in JSON, in spreadsheets.

use std::borrow::Cow;

/// Control characters, and those that turn the direction of text, which can make a name read as another one.
fn is_unsafe(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Text without control characters; `\u{fffd}` stands where one was.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Text as the content of an HTML or SVG element, and as a value of an attribute in double or single quotes.
pub fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

/// JSON that can stand inside a `<script>` element: no `<`, `>` or `&`, and no line break that old JavaScript ends a string
/// at. It remains the same JSON, because these characters occur only within strings.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{7f}'..='\u{9f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Text of a CSV or Excel cell that no spreadsheet takes for a formula: where it begins like one, `'` stands before it (OWASP,
/// CWE-1236). At most as long as Excel allows.
pub fn spreadsheet(text: &str) -> String {
    /// Excel's limit is 32,767 UTF-16 units.
    const LONGEST: usize = 16_000;
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '＝' | '＋' | '－' | '＠');
    let first = text.chars().next();
    let hidden = text.trim_start().chars().next();
    let mark = if first.is_some_and(begins) || hidden.is_some_and(begins) { "'" } else { "" };
    let safe = plain(text).replace(['\n', '\t'], " ");
    format!("{mark}{}", safe.chars().take(LONGEST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_cannot_be_left() {
        assert_eq!(markup("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
        assert_eq!(markup("\" onload=\"x"), "&quot; onload=&quot;x");
        assert_eq!(markup("]]></title>'`&"), "]]&gt;&lt;/title&gt;&#39;&#96;&amp;");
        assert_eq!(markup("a\u{0}b\u{1b}[31m\u{202e}c"), "a\u{fffd}b\u{fffd}[31m\u{fffd}c");
        assert_eq!(markup("重要价值"), "重要价值");
    }

    #[test]
    fn json_stays_json_and_closes_no_script() {
        let value = serde_json::json!({ "</script>": "\u{2028}<!-- & \u{7f}" });
        let text = json(&value.to_string());
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{7f}']), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(value));
    }

    #[test]
    fn spreadsheets_see_no_formula() {
        for bad in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\0=1", "＝1", "  =1", "\n=1"] {
            let safe = spreadsheet(bad);
            assert!(safe.starts_with('\''), "{bad:?} became {safe:?}");
            assert!(!safe.contains(['\t', '\r', '\n', '\0']), "{bad:?} became {safe:?}");
        }
        assert_eq!(spreadsheet("Can't Lose"), "Can't Lose");
        assert_eq!(spreadsheet("At Risk = 5"), "At Risk = 5");
        assert_eq!(spreadsheet(&"x".repeat(40_000)).len(), 16_000);
    }
}
