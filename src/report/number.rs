//! Numbers and dates as the language writes them.

use super::language::Words;
use crate::domain::{Day, Decimal, pow10};

/// Stands where there is no number.
pub(super) const NOTHING: &str = "–";

/// How numbers are written.
#[derive(Debug, Clone)]
pub(super) struct NumberFormat {
    group: String,
    decimal: String,
    space: String,
    /// Short forms of large numbers, the largest first: from 10^exponent on, divided by it, with this behind.
    scales: Vec<(i32, String)>,
    months: Vec<String>,
    date: String,
    day_of_year: String,
    week_digits: usize,
    currency: String,
}

impl NumberFormat {
    pub fn new(words: &Words, currency: &str) -> NumberFormat {
        let scales = words.text("format.scales").split(';').filter_map(|part| {
            let (exponent, unit) = part.split_once('=')?;
            Some((exponent.trim().parse().ok()?, unit.to_owned()))
        });
        NumberFormat {
            group: words.text("format.group").into(),
            decimal: words.text("format.decimal").into(),
            space: words.text("format.unit_space").into(),
            scales: scales.collect(),
            months: words.text("format.months").split(' ').map(str::to_owned).collect(),
            date: words.text("format.date").into(),
            day_of_year: words.text("format.day_of_year").into(),
            week_digits: words.text("format.week_digits").parse().unwrap_or(1),
            currency: currency.trim().into(),
        }
    }

    /// What a script needs to write counts and money alike: separators, and what stands before and behind money.
    pub fn parts(&self) -> serde_json::Value {
        let money = self.with_currency(false, "0");
        let (before, after) = money.split_once('0').unwrap_or_default();
        serde_json::json!({ "group": self.group, "decimal": self.decimal, "before": before, "after": after })
    }

    /// Groups of three digits.
    fn grouped(&self, digits: &str) -> String {
        let mut out = String::new();
        for (number, digit) in digits.chars().enumerate() {
            if number > 0 && (digits.len() - number).is_multiple_of(3) {
                out.push_str(&self.group);
            }
            out.push(digit);
        }
        out
    }

    fn signed(&self, negative: bool, text: &str) -> String {
        if negative { format!("\u{2212}{text}") } else { text.to_owned() }
    }

    /// A count.
    pub fn count(&self, n: i64) -> String {
        self.signed(n < 0, &self.grouped(&n.unsigned_abs().to_string()))
    }

    /// A count, or a dash.
    pub fn maybe_count(&self, n: Option<i64>) -> String {
        n.map_or(NOTHING.into(), |n| self.count(n))
    }

    /// A float with this many digits behind the point.
    pub fn float(&self, x: f64, digits: usize) -> String {
        if !x.is_finite() {
            return NOTHING.into();
        }
        let text = format!("{:.digits$}", x.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let point = if fraction.is_empty() { "" } else { &self.decimal };
        let zero = text.bytes().all(|b| b == b'0' || b == b'.');
        self.signed(x < 0.0 && !zero, &format!("{}{point}{fraction}", self.grouped(whole)))
    }

    /// A share as a percentage.
    pub fn percent(&self, share: f64, digits: usize) -> String {
        format!("{}%", self.float(share * 100.0, digits))
    }

    /// A change with its sign, as `text` writes its size.
    pub fn change(&self, x: f64, text: impl Fn(f64) -> String) -> String {
        if x > 0.0 { format!("+{}", text(x)) } else { text(x) }
    }

    /// Beside a number: `£12` or `12 EUR`.
    fn with_currency(&self, negative: bool, text: &str) -> String {
        let mark = &self.currency;
        let last = mark.chars().next_back();
        match last {
            None => self.signed(negative, text),
            Some(c) if c.is_ascii_alphabetic() || c == '.' => self.signed(negative, &format!("{text}\u{a0}{mark}")),
            Some(c) if c.is_alphabetic() => self.signed(negative, &format!("{text}{mark}")),
            Some(_) => self.signed(negative, &format!("{mark}{text}")),
        }
    }

    /// Money, rounded to this many digits behind the point, half away from zero, without the currency.
    pub fn amount(&self, money: Decimal, digits: u32) -> String {
        let drop = money.scale.saturating_sub(digits);
        let unit = pow10(drop).unwrap_or(1).unsigned_abs();
        let units = (money.digits.unsigned_abs() + unit / 2) / unit;
        let scale = money.scale.min(digits) as usize;
        let text = format!("{units:0width$}", width = scale + 1);
        let (whole, fraction) = text.split_at(text.len() - scale);
        let point = if fraction.is_empty() { "" } else { &self.decimal };
        self.signed(money.digits < 0 && units > 0, &format!("{}{point}{fraction}", self.grouped(whole)))
    }

    /// The same with the currency.
    pub fn money(&self, money: Decimal, digits: u32) -> String {
        let size = Decimal { digits: money.digits.saturating_abs(), ..money };
        let text = self.amount(size, digits);
        let is_zero = text.bytes().all(|b| !b.is_ascii_digit() || b == b'0');
        self.with_currency(money.digits < 0 && !is_zero, &text)
    }

    /// Money in a few digits, with the currency: `£1.23 M`.
    pub fn money_short(&self, money: Decimal) -> String {
        self.float_money(money.to_f64(), 0)
    }

    /// A float in money, in a few digits; small ones with `digits` behind the point.
    pub fn float_money(&self, x: f64, digits: usize) -> String {
        self.with_currency(x < 0.0, &self.short(x.abs(), digits))
    }

    /// A positive number in a few digits; small ones with `digits` behind the point.
    pub fn short(&self, x: f64, digits: usize) -> String {
        for (exponent, unit) in &self.scales {
            let scaled = x / 10f64.powi(*exponent);
            // Four digits are as short as thousands.
            let least = if *exponent == 3 { 10.0 } else { 1.0 };
            if scaled >= least {
                let behind = if scaled < 10.0 { 2 } else { usize::from(scaled < 100.0) };
                return format!("{}{}{unit}", self.float(scaled, behind), self.space);
            }
        }
        self.float(x, digits)
    }

    /// A p-value.
    pub fn p(&self, p: f64) -> String {
        if p < 0.001 { format!("<\u{a0}{}", self.float(0.001, 3)) } else { self.float(p, 3) }
    }

    /// A date in words.
    pub fn date(&self, day: Day) -> String {
        self.day(&self.date, day)
    }

    /// A date in words, without its year.
    pub fn day_of_year(&self, day: Day) -> String {
        self.day(&self.day_of_year, day)
    }

    fn day(&self, form: &str, day: Day) -> String {
        let date = day.to_date();
        let text = form.replace("<day>", &date.day().to_string()).replace("<month>", self.month(day));
        text.replace("<year>", &date.year().to_string())
    }

    /// The name of a day's month.
    pub fn month(&self, day: Day) -> &str {
        let month = usize::try_from(day.to_date().month() - 1).unwrap_or(0);
        self.months.get(month).map_or("", String::as_str)
    }

    /// The number of a week.
    pub fn week(&self, week: i8) -> String {
        format!("{week:0digits$}", digits = self.week_digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::language::Language;

    fn format(tag: &str, currency: &str) -> Option<NumberFormat> {
        let words = Words::load(Language::parse(tag).ok()?).ok()?;
        Some(NumberFormat::new(&words, currency))
    }

    #[test]
    fn numbers_follow_the_language() {
        let Some(en) = format("en", "£") else { panic!("no English") };
        assert_eq!(en.count(-1_234_567), "−1,234,567");
        assert_eq!(en.percent(0.1234, 1), "12.3%");
        assert_eq!(en.float(-0.04, 1), "0.0");
        assert_eq!(en.amount(Decimal { digits: 123_456, scale: 2 }, 2), "1,234.56");
        assert_eq!(en.amount(Decimal { digits: -50, scale: 2 }, 0), "−1");
        assert_eq!(en.money_short(Decimal { digits: 123_456_789, scale: 2 }), "£1.23 M");
        assert_eq!(en.float_money(-3.456, 2), "−£3.46");
        assert_eq!(en.date(Day(20_088)), "31 Dec 2024");
        assert_eq!(en.p(0.0001), "<\u{a0}0.001");
        let Some(zh) = format("zh-Hans", "元") else { panic!("no Chinese") };
        assert_eq!(zh.money_short(Decimal { digits: 123_456_789, scale: 2 }), "123万元");
        assert_eq!(zh.date(Day(20_088)), "2024年12月31日");
        let euro = format("en", "EUR").map(|f| f.float_money(12.0, 2));
        assert_eq!(euro.as_deref(), Some("12.00\u{a0}EUR"));
    }
}
