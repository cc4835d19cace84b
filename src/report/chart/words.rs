//! Text in charts: how wide it is, and how to make it fit. SVG does not wrap.

/// Width of text in units of its font size: 1 for East Asian characters, less for others; as in wide fonts.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | '.' | ',' | ':' | ';' | '|' | '\'' | ' ' => 0.32,
            't' | 'f' | 'r' | '(' | ')' | '!' | '-' => 0.41,
            'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' => 0.56,
            'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 0.98,
            'A'..='Z' | '0'..='9' | '+' | '−' => 0.66,
            '\u{1100}'..='\u{115f}' | '\u{2e80}'.. => 1.0,
            _ => 0.62,
        })
        .sum();
    units * size
}

/// Whether a line may break before and after it.
fn is_wide(c: char) -> bool {
    c >= '\u{2e80}'
}

/// Text that is at most so wide, with … where it was cut.
pub(super) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if width(&out, size) + width("…", size) > room {
            out.pop();
            break;
        }
    }
    format!("{}…", out.trim_end())
}

/// Text in lines of at most this width, all of it: a word that is longer than a line is broken.
pub(super) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for piece in pieces(text) {
        match out.last_mut() {
            Some(line) if width(&format!("{line}{piece}"), size) <= room => {
                line.push_str(&piece);
                continue;
            }
            _ => out.push(String::new()),
        }
        for c in piece.trim_start().chars() {
            let is_full = out.last().is_some_and(|line| !line.is_empty() && width(&format!("{line}{c}"), size) > room);
            if is_full {
                out.push(String::new());
            }
            if let Some(line) = out.last_mut() {
                line.push(c);
            }
        }
    }
    if out.is_empty() { vec![String::new()] } else { out }
}

/// The width of the longest of some texts.
pub(super) fn longest<'a>(texts: impl Iterator<Item = &'a str>, size: f64) -> f64 {
    texts.map(|text| width(text, size)).fold(0.0, f64::max)
}

/// Where a line may break: before spaces, and around East Asian characters.
fn pieces(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for c in text.chars() {
        let wide = is_wide(c);
        match out.last_mut() {
            Some(piece) if c != ' ' && !wide && !piece.chars().next_back().is_some_and(is_wide) => piece.push(c),
            _ => out.push(c.to_string()),
        }
    }
    out
}

/// Moves the middles of labels of these heights apart, within `low` and `high` where there is room, keeping their order.
pub(super) fn spread(middles: &mut [f64], heights: &[f64], low: f64, high: f64) {
    let mut least = low;
    for (middle, height) in middles.iter_mut().zip(heights) {
        *middle = middle.max(least + height / 2.0);
        least = *middle + height / 2.0;
    }
    let mut most = high;
    for (middle, height) in middles.iter_mut().zip(heights).rev() {
        *middle = middle.min(most - height / 2.0);
        most = *middle - height / 2.0;
    }
}
