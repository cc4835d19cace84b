//! How numbers are written as text.

/// A way to write numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberForm {
    /// `1.234,50`, not `1,234.50`.
    pub decimal_comma: bool,
    /// Whether marks stand between thousands, or the fraction behind a comma: SQL does not read it as it is.
    pub is_rewritten: bool,
    /// What stands before or behind each number, such as `€`.
    pub sign: Option<String>,
    /// Whether another form means other numbers, and no value tells: `1,234` is 1234 or little more than one.
    pub is_open: bool,
}

/// What stands beside money.
const SIGNS: [&str; 14] = ["€", "$", "£", "¥", "￥", "元", "EUR", "USD", "GBP", "CHF", "CNY", "RMB", "kr", "zł"];

impl NumberForm {
    /// A number as SQL reads it.
    pub fn plain() -> NumberForm {
        NumberForm { decimal_comma: false, is_rewritten: false, sign: None, is_open: false }
    }

    /// The form that all of these texts have: plain numbers if they can be, else those with a comma before the fraction, else those with
    /// commas between thousands. Where all marks have three digits behind them, numbers below a thousand without a mark tell that it
    /// is one of thousands, and larger ones that it is none; else commas stand between thousands and points before fractions.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Option<NumberForm> {
        let sign = texts.clone().next().and_then(|first| SIGNS.iter().find(|sign| first.contains(**sign)));
        let form = |decimal_comma, is_rewritten| NumberForm {
            decimal_comma,
            is_rewritten,
            sign: sign.map(|sign| (*sign).to_owned()),
            is_open: false,
        };
        let fitting = |form: NumberForm| texts.clone().all(|text| form.read(text).is_some()).then_some(form);
        let (plain, comma, marked) = (fitting(form(false, false)), fitting(form(true, true)), fitting(form(false, true)));
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        let has_mark = |text: &str| text.contains([',', '.']);
        let are_marked = texts.clone().any(has_mark);
        let of_thousands = match texts.clone().filter(|text| !has_mark(text)).map(digits).max() {
            _ if !are_marked => Some(false),
            None => None,
            Some(most) => Some(most <= 3),
        };
        let open = |form| NumberForm { is_open: true, ..form };
        match (plain, comma, marked) {
            (Some(plain), Some(comma), _) => Some(match of_thousands {
                Some(true) => comma,
                Some(false) => plain,
                None => open(plain),
            }),
            (None, Some(comma), Some(marked)) => Some(match of_thousands {
                Some(true) => marked,
                Some(false) => comma,
                None => open(marked),
            }),
            (plain, comma, marked) => plain.or(comma).or(marked),
        }
    }

    /// Reads a number of this form.
    pub fn read(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        let text = match &self.sign {
            Some(sign) => &without(text, sign),
            None => text,
        };
        let (negative, rest) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (point, mark) = if self.decimal_comma { (',', '.') } else { ('.', ',') };
        let (whole, fraction) = match rest.split_once(point) {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (rest, "0"),
        };
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_mark = |c: char| c == mark || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}');
        let whole = match self.is_rewritten {
            true => grouped(whole, is_mark)?,
            false => whole.to_owned(),
        };
        if !is_digits(&whole) || !is_digits(fraction) {
            return None;
        }
        let value: f64 = format!("{whole}.{fraction}").parse().ok()?;
        Some(if negative { -value } else { value })
    }
}

fn without(text: &str, sign: &str) -> String {
    text.replace(sign, "").trim().to_owned()
}

/// Digits without the marks between groups of three.
fn grouped(whole: &str, is_mark: impl Fn(char) -> bool) -> Option<String> {
    let mut groups = whole.split(is_mark);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let is_sound =
        rest.iter().all(|group| group.len() == 3) && (rest.is_empty() || (first.len() <= 3 && !first.starts_with('0')));
    is_sound.then(|| format!("{first}{}", rest.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Option<(bool, bool, Option<String>)> {
        NumberForm::of(texts.iter().copied()).map(|form| (form.decimal_comma, form.is_rewritten, form.sign))
    }

    #[test]
    fn the_form_of_numbers_is_that_of_all() {
        assert_eq!(of(&["12", "-3.50", "1000.5"]), Some((false, false, None)));
        assert_eq!(of(&["12,50", "1.234,00", "-3"]), Some((true, true, None)));
        assert_eq!(of(&["1,234.50", "3"]), Some((false, true, None)));
        assert_eq!(of(&["€ 12,50", "€ 1.234,00"]), Some((true, true, Some("€".into()))));
        assert_eq!(of(&["$12.50", "$3.00"]), Some((false, false, Some("$".into()))));
        assert_eq!(of(&["12,50", "12.50"]), None);
        // Three digits behind each mark: numbers without one tell, or it stays open.
        assert_eq!(of(&["1,234", "950", "12,500"]), Some((false, true, None)));
        assert_eq!(of(&["¥1,234", "¥950"]), Some((false, true, Some("¥".into()))));
        assert_eq!(of(&["1.234", "950", "12.500"]), Some((true, true, None)));
        assert_eq!(of(&["1,234", "1950"]), Some((true, true, None)));
        assert_eq!(of(&["1.234", "0.950"]), Some((false, false, None)));
        assert_eq!(of(&["1,234", "0,950"]), Some((true, true, None)));
        let is_open = |texts: &[&str]| NumberForm::of(texts.iter().copied()).map(|form| (form.is_rewritten, form.is_open));
        assert_eq!(is_open(&["1,234", "12,500"]), Some((true, true)));
        assert_eq!(is_open(&["1.234", "12.500"]), Some((false, true)));
        assert_eq!(is_open(&["1.234", "12.50"]), Some((false, false)));
        assert_eq!(is_open(&["1,234.00", "12,500.00"]), Some((true, false)));
        assert_eq!(is_open(&["7", "1200"]), Some((false, false)));
        assert_eq!(of(&["A1"]), None);
        assert_eq!(of(&["2024-01-05"]), None);
    }

    #[test]
    fn numbers_are_read() {
        let read = |comma, text| {
            NumberForm { decimal_comma: comma, is_rewritten: true, sign: Some("€".into()), is_open: false }.read(text)
        };
        assert_eq!(read(true, "-1.234,50 €"), Some(-1234.5));
        assert_eq!(read(false, "€1,234.50"), Some(1234.5));
        assert_eq!(read(false, "1,23"), None);
    }
}
