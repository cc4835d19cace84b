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
    /// How numbers below zero are written.
    pub negative: Negative,
    /// Whether marks stand as in India, behind thousands and then behind each two digits: `1,23,456`.
    pub is_indian: bool,
    /// Whether another form means other numbers, and no value tells: `1,234` is 1234 or little more than one.
    pub is_open: bool,
}

/// How numbers below zero are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Negative {
    /// `-12.50`.
    Minus,
    /// `(12.50)`, as in books of accounts.
    Brackets,
    /// `12.50-`, as SAP writes it.
    Behind,
}

/// What stands beside money but for the codes of currencies; of those that contain others, the longer ones stand first.
const SIGNS: [&str; 44] = [
    "US$", "USD$", "AU$", "CA$", "NZ$", "HK$", "NT$", "SG$", "MX$", "A$", "C$", "S$", "R$", "$", "€", "£", "CN¥", "JP¥", "¥",
    "￥", "元", "円", "₹", "Rs.", "Rs", "₩", "원", "₽", "руб.", "руб", "₺", "฿", "₫", "₪", "₱", "₦", "SFr.", "Fr.", "kr.", "kr",
    "zł", "Kč", "Ft", "lei",
];

/// Codes of currencies.
const CODES: [&str; 44] = [
    "EUR", "USD", "GBP", "CHF", "CNY", "RMB", "CNH", "JPY", "AUD", "CAD", "NZD", "HKD", "TWD", "SGD", "INR", "KRW", "SEK", "NOK",
    "DKK", "ISK", "PLN", "CZK", "HUF", "RON", "BGN", "TRY", "RUB", "UAH", "ILS", "AED", "SAR", "EGP", "ZAR", "NGN", "KES", "BRL",
    "MXN", "ARS", "CLP", "COP", "PEN", "THB", "VND", "IDR",
];

/// What stands before or behind the number of a text, if it is a currency.
fn sign_of(text: &str) -> Option<String> {
    let is_around = |c: char| c.is_whitespace() || matches!(c, '-' | '+' | '(' | ')' | '\u{2212}');
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let last = text.rfind(|c: char| c.is_ascii_digit())?;
    let before = text.get(..first)?.trim_matches(is_around);
    let behind = text.get(last + 1..)?.trim_matches(is_around);
    let sign = if before.is_empty() { behind } else { before };
    (SIGNS.contains(&sign) || CODES.iter().any(|code| code.eq_ignore_ascii_case(sign))).then(|| sign.to_owned())
}

impl NumberForm {
    /// A number as SQL reads it.
    pub fn plain() -> NumberForm {
        NumberForm {
            decimal_comma: false,
            is_rewritten: false,
            sign: None,
            negative: Negative::Minus,
            is_indian: false,
            is_open: false,
        }
    }

    /// Whether only SQL makes plain numbers of it, because sources do not know what it has.
    pub fn is_for_sql(&self) -> bool {
        self.sign.is_some() || self.negative != Negative::Minus || self.is_indian
    }

    /// The form that all of these texts have: plain numbers if they can be, else those with a comma before the fraction, else those with
    /// commas between thousands. Where all marks have three digits behind them, numbers below a thousand without a mark tell that it
    /// is one of thousands, and larger ones that it is none; else commas stand between thousands and points before fractions.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Option<NumberForm> {
        let sign = texts.clone().find_map(sign_of);
        let number = |text: &str| sign.as_ref().map_or_else(|| text.to_owned(), |sign| text.replace(sign, ""));
        let negative = match () {
            () if texts.clone().any(|text| text.contains('(')) => Negative::Brackets,
            () if texts.clone().any(|text| number(text).trim().ends_with('-')) => Negative::Behind,
            () => Negative::Minus,
        };
        let form = |decimal_comma, is_rewritten| NumberForm {
            decimal_comma,
            is_rewritten,
            sign: sign.clone(),
            negative,
            ..NumberForm::plain()
        };
        let fitting = |form: NumberForm| texts.clone().all(|text| form.read(text).is_some()).then_some(form);
        let (plain, comma, marked) = (fitting(form(false, false)), fitting(form(true, true)), fitting(form(false, true)));
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        let has_mark = |text: &str| number(text).contains([',', '.']);
        let are_marked = texts.clone().any(has_mark);
        let of_thousands = match texts.clone().filter(|text| !has_mark(text)).map(digits).max() {
            _ if !are_marked => Some(false),
            None => None,
            Some(most) => Some(most <= 3),
        };
        let open = |form| NumberForm { is_open: true, ..form };
        let found = match (plain, comma, marked) {
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
        };
        found.or_else(|| fitting(NumberForm { is_indian: true, ..form(false, true) }))
    }

    /// The digits of a number without what stands around them, and whether it is below zero.
    fn bare<'a>(&self, text: &'a str) -> Option<(bool, &'a str)> {
        let (mut rest, mut minus, mut signs) = (text.trim(), 0, 0);
        // SQL takes blanks out only where it rewrites.
        let trimmed = |text: &'a str| if self.is_for_sql() { text.trim() } else { text };
        loop {
            let within = |rest: &'a str| rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            let sign = self.sign.as_deref();
            if let Some(next) = sign.and_then(|sign| rest.strip_prefix(sign).or_else(|| rest.strip_suffix(sign))) {
                (rest, signs) = (trimmed(next), signs + 1);
            } else if let Some(next) = rest.strip_prefix(['-', '\u{2212}']) {
                (rest, minus) = (trimmed(next), minus + 1);
            } else if let Some(next) = within(rest).filter(|_| self.negative == Negative::Brackets) {
                (rest, minus) = (trimmed(next), minus + 1);
            } else if let Some(next) = rest.strip_suffix('-').filter(|_| self.negative == Negative::Behind) {
                (rest, minus) = (trimmed(next), minus + 1);
            } else {
                break;
            }
        }
        let rest = if minus == 0 { rest.strip_prefix('+').unwrap_or(rest) } else { rest };
        (minus <= 1 && signs <= 1).then_some((minus == 1, rest))
    }

    /// Reads a number of this form.
    pub fn read(&self, text: &str) -> Option<f64> {
        let (negative, rest) = self.bare(text)?;
        let (point, mark) = if self.decimal_comma { (',', '.') } else { ('.', ',') };
        let (whole, fraction) = match rest.split_once(point) {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (rest, "0"),
        };
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_mark = |c: char| c == mark || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}');
        let whole = match self.is_rewritten {
            true if self.is_indian => grouped(whole, |c| c == ',', 2)?,
            true => grouped(whole, is_mark, 3)?,
            false => whole.to_owned(),
        };
        if !is_digits(&whole) || !is_digits(fraction) {
            return None;
        }
        let value: f64 = format!("{whole}.{fraction}").parse().ok()?;
        Some(if negative { -value } else { value })
    }
}

/// Digits without the marks between groups, of which the last has three and those before it `length`.
fn grouped(whole: &str, is_mark: impl Fn(char) -> bool, length: usize) -> Option<String> {
    let mut groups = whole.split(is_mark);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let is_sound = match rest.split_last() {
        None => true,
        Some((last, between)) => {
            last.len() == 3
                && between.iter().all(|group| group.len() == length)
                && first.len() <= length
                && !first.starts_with('0')
        }
    };
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
        assert_eq!(of(&["12€50", "3€00"]), None);
        assert_eq!(of(&["€12.50", "$3.00"]), None);
        assert_eq!(of(&["12 pcs"]), None);
        assert_eq!(of(&["1.2E+03", "100"]), None);
        assert_eq!(of(&["((1.00))", "-(2.00)"]), None);
        assert_eq!(of(&["2024-01-05"]), None);
    }

    #[test]
    fn numbers_are_read() {
        let read = |comma, text| {
            NumberForm { decimal_comma: comma, is_rewritten: true, sign: Some("€".into()), ..NumberForm::plain() }.read(text)
        };
        assert_eq!(read(true, "-1.234,50 €"), Some(-1234.5));
        assert_eq!(read(false, "€1,234.50"), Some(1234.5));
        assert_eq!(read(false, "1,23"), None);
    }

    #[test]
    fn signs_brackets_and_marks_are_read() {
        let all = |texts: &[&str]| {
            let form = NumberForm::of(texts.iter().copied())?;
            texts.iter().map(|text| form.read(text)).collect::<Option<Vec<f64>>>()
        };
        for (texts, numbers) in [
            (["(12.50)", "100.00", "1,000.00"], [-12.5, 100.0, 1_000.0]),
            (["12,50-", "100,00", "1.000,00"], [-12.5, 100.0, 1_000.0]),
            (["12.50 -", "100.00", "7"], [-12.5, 100.0, 7.0]),
            (["$(12.50)", "$100.00", "$1,000.00"], [-12.5, 100.0, 1_000.0]),
            (["(US$ 12.50)", "US$ 100.00", "US$ 1,000.00"], [-12.5, 100.0, 1_000.0]),
            (["-€ 12,50", "€ 100,00", "€ 1.000,00"], [-12.5, 100.0, 1_000.0]),
            (["12.50- USD", "100.00 USD", "7 USD"], [-12.5, 100.0, 7.0]),
            (["0", "Rs. 100.00", "Rs. 1,23,456.00"], [0.0, 100.0, 123_456.0]),
            (["1,23,45,678", "99,999", "7"], [12_345_678.0, 99_999.0, 7.0]),
        ] {
            assert_eq!(all(&texts), Some(numbers.to_vec()), "{texts:?}");
        }
    }
}
