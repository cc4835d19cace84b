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

/// Text in lines of at most this width; the last one is cut if there is more.
pub(super) fn wrap(text: &str, size: f64, room: f64, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in pieces(text) {
        let full = out.len() == lines;
        match out.last_mut() {
            Some(line) if full || width(&format!("{line}{word}"), size) <= room => line.push_str(&word),
            _ => out.push(word.trim_start().to_owned()),
        }
    }
    out.iter().map(|line| fit(line, size, room)).collect()
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

/// Moves label positions apart to at least `gap`, within `low` and `high` where there is room, keeping their order.
pub(super) fn spread(places: &mut [f64], gap: f64, low: f64, high: f64) {
    let mut least = low;
    for place in places.iter_mut() {
        *place = place.max(least);
        least = *place + gap;
    }
    let mut most = high;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - gap;
    }
}
