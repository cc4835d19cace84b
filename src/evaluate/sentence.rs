//! Sentences as values. Each is declared once, as English text with fields, and is printed and read back by that declaration.
//!
//! Tables hold the English text. A report may be written from the tables of an earlier run: it reads the value back and says
//! it in the language asked for, by the key of the sentence and its fields.

use std::fmt;

pub use crate::domain::message::{Token, tokens};
use crate::domain::{Day, EffectMethod, Outcome};

/// A value that is said as a sentence: in English by `Display`, in other languages by its key and fields.
pub trait Sentence: fmt::Display {
    /// The key of its message in the files of languages.
    fn key(&self) -> &'static str;
    /// Its fields by name.
    fn fields(&self) -> Vec<(&'static str, Field<'_>)>;
}

/// A value that stands at a place of a sentence.
pub enum Field<'a> {
    /// A number, a date or a name, which are the same in every language.
    Plain(String),
    /// An outcome.
    Outcome(&'a Outcome),
    /// A method.
    Method(EffectMethod),
    /// A sentence within the sentence.
    Sentence(&'a dyn Sentence),
}

/// A type of fields.
pub trait FieldType: fmt::Display + Sized {
    /// Reads a value from the beginning of a text; the rest of the text comes with it.
    fn read(text: &str) -> Option<(Self, &str)>;
    /// The value as a field of a sentence.
    fn field(&self) -> Field<'_>;
    /// Values of every kind that there is, for tests.
    #[cfg(test)]
    fn examples() -> Vec<Self>;
}

/// What a cell of a table says: a sentence, or a sentence with remarks.
pub trait Statement: fmt::Display + Sized {
    /// Reads what `Display` writes.
    fn parse(text: &str) -> Option<Self>;
    /// Its sentences, which follow one another without a space.
    fn sentences(&self) -> Vec<&dyn Sentence>;
}

impl<T: Sentence + FieldType> Statement for T {
    fn parse(text: &str) -> Option<T> {
        T::read(text).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
    }

    fn sentences(&self) -> Vec<&dyn Sentence> {
        vec![self]
    }
}

/// A sentence, and remarks that follow it.
#[derive(Debug, Clone, PartialEq)]
pub struct Remarked<S, R> {
    /// The sentence.
    pub sentence: S,
    /// The remarks.
    pub remarks: Vec<R>,
}

impl<S, R> From<S> for Remarked<S, R> {
    fn from(sentence: S) -> Remarked<S, R> {
        Remarked { sentence, remarks: Vec::new() }
    }
}

impl<S: fmt::Display, R: fmt::Display> fmt::Display for Remarked<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentence.fmt(f)?;
        self.remarks.iter().try_for_each(|remark| remark.fmt(f))
    }
}

impl<S: Sentence + FieldType, R: Sentence + FieldType> Statement for Remarked<S, R> {
    fn parse(text: &str) -> Option<Remarked<S, R>> {
        let (sentence, mut rest) = S::read(text)?;
        let mut remarks = Vec::new();
        while !rest.is_empty() {
            let (remark, behind) = R::read(rest)?;
            remarks.push(remark);
            rest = behind;
        }
        Some(Remarked { sentence, remarks })
    }

    fn sentences(&self) -> Vec<&dyn Sentence> {
        let remarks = self.remarks.iter().map(|remark| remark as &dyn Sentence);
        std::iter::once(&self.sentence as &dyn Sentence).chain(remarks).collect()
    }
}

/// Declares enums of sentences: per variant its fields, the key of its message, and its English text.
macro_rules! sentences {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident {$(
            $(#[$variant_meta:meta])*
            $variant:ident $({ $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ })? = $key:literal, $text:literal;
        )+}
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {$(
            $(#[$variant_meta])*
            $variant $({ $($(#[$field_meta])* $field: $type,)+ })?,
        )+}

        impl $name {
            /// Key and English text of every sentence.
            pub const ALL: &'static [(&'static str, &'static str)] = &[$(($key, $text)),+];
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $($name::$variant $({ $($field),+ })? => write!(f, $text $($(, $field = $field)+)?),)+
                }
            }
        }

        impl $crate::evaluate::sentence::Sentence for $name {
            fn key(&self) -> &'static str {
                match self {
                    $($name::$variant $({ $($field: _),+ })? => $key,)+
                }
            }

            fn fields(&self) -> Vec<(&'static str, $crate::evaluate::sentence::Field<'_>)> {
                use $crate::evaluate::sentence::FieldType;
                match self {
                    $($name::$variant $({ $($field),+ })? => vec![$($((stringify!($field), FieldType::field($field))),+)?],)+
                }
            }
        }

        impl $crate::evaluate::sentence::FieldType for $name {
            fn read(text: &str) -> Option<(Self, &str)> {
                $(if let Some(found) = sentences!(@read text, $name::$variant, $text, $($($field: $type),+)?) {
                    return Some(found);
                })+
                None
            }

            fn field(&self) -> $crate::evaluate::sentence::Field<'_> {
                $crate::evaluate::sentence::Field::Sentence(self)
            }

            #[cfg(test)]
            fn examples() -> Vec<Self> {
                let mut examples = Vec::new();
                $(sentences!(@examples examples, $name::$variant, $($($field: $type),+)?);)+
                examples
            }
        }
    )+};
    (@read $input:ident, $name:ident::$variant:ident, $text:literal,) => {
        $input.strip_prefix($text).map(|rest| ($name::$variant, rest))
    };
    (@read $input:ident, $name:ident::$variant:ident, $text:literal, $($field:ident: $type:ty),+) => {
        (|| {
            use $crate::evaluate::sentence::{FieldType, Token, tokens};
            $(let mut $field: Option<$type> = None;)+
            let mut rest = $input;
            for token in tokens($text) {
                match token {
                    Token::Text(text) => rest = rest.strip_prefix(text)?,
                    $(Token::Place(stringify!($field)) => {
                        let (value, behind) = FieldType::read(rest)?;
                        ($field, rest) = (Some(value), behind);
                    })+
                    Token::Place(_) => return None,
                }
            }
            Some(($name::$variant { $($field: $field?),+ }, rest))
        })()
    };
    (@examples $examples:ident, $name:ident::$variant:ident,) => {
        $examples.push($name::$variant)
    };
    // Each field goes through its examples, the shorter lists again and again.
    (@examples $examples:ident, $name:ident::$variant:ident, $($field:ident: $type:ty),+) => {
        $(let $field = <$type as $crate::evaluate::sentence::FieldType>::examples();)+
        for number in 0..[$($field.len()),+].into_iter().max().unwrap_or(0) {
            $examples.push($name::$variant { $($field: $field[number % $field.len()].clone()),+ });
        }
    };
}
pub(super) use sentences;

/// The first characters of a text that belong to a value, and the rest.
fn leading(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// A number as it is printed: rounded to a number of decimals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded {
    value: f64,
    decimals: usize,
}

impl Rounded {
    /// A number with this many decimals.
    pub fn new(value: f64, decimals: usize) -> Rounded {
        Rounded { value: format!("{value:.decimals$}").parse().unwrap_or(value), decimals }
    }

    /// A number with four significant digits, or all before the point.
    pub fn short(value: f64) -> Rounded {
        let before = if value == 0.0 { 0 } else { value.abs().log10().floor().clamp(-12.0, 15.0) as i32 + 1 };
        let rounded = Rounded::new(value, usize::try_from(4 - before).unwrap_or(0));
        // What rounds to nothing has no sign.
        if rounded.value == 0.0 { Rounded { value: 0.0, ..rounded } } else { rounded }
    }

    /// The rounded number.
    pub fn value(self) -> f64 {
        self.value
    }
}

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.*}", self.decimals, self.value)
    }
}

impl FieldType for Rounded {
    fn read(text: &str) -> Option<(Self, &str)> {
        let (digits, _) = leading(text, |c| c.is_ascii_digit() || c == '-' || c == '.');
        // A point at the end is that of a sentence.
        let digits = digits.trim_end_matches('.');
        let rest = text.get(digits.len()..)?;
        let decimals = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Some((Rounded { value: digits.parse().ok()?, decimals }, rest))
    }

    fn field(&self) -> Field<'_> {
        Field::Plain(self.to_string())
    }

    #[cfg(test)]
    fn examples() -> Vec<Rounded> {
        [2.35, -0.5, 0.0, 9.9996, 12345.6, -1e-9].map(Rounded::short).to_vec()
    }
}

/// A p-value: `0.0312`, or `< 0.0001`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValue(pub f64);

/// P-values below this are printed as such.
const LEAST_P: f64 = 0.0001;

impl fmt::Display for PValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < LEAST_P { write!(f, "< {LEAST_P}") } else { write!(f, "{:.4}", self.0) }
    }
}

impl FieldType for PValue {
    fn read(text: &str) -> Option<(Self, &str)> {
        let (below, number) = text.strip_prefix("< ").map_or((false, text), |number| (true, number));
        let (p, rest) = Rounded::read(number)?;
        Some((PValue(if below { 0.0 } else { p.value }), rest))
    }

    fn field(&self) -> Field<'_> {
        Field::Plain(self.to_string())
    }

    #[cfg(test)]
    fn examples() -> Vec<PValue> {
        [0.0, 0.0312, 1.0].map(PValue).to_vec()
    }
}

/// A name in quotes, with what is special in it escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted(pub String);

impl From<&str> for Quoted {
    fn from(name: &str) -> Quoted {
        Quoted(name.to_owned())
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl FieldType for Quoted {
    fn read(text: &str) -> Option<(Self, &str)> {
        let mut name = String::new();
        let mut rest = text.strip_prefix('"')?.chars();
        loop {
            name.push(match rest.next()? {
                '"' => return Some((Quoted(name), rest.as_str())),
                '\\' => match rest.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    '0' => '\0',
                    'u' => {
                        let (digits, behind) = rest.as_str().strip_prefix('{')?.split_once('}')?;
                        rest = behind.chars();
                        char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
                    }
                    escaped => escaped,
                },
                plain => plain,
            });
        }
    }

    fn field(&self) -> Field<'_> {
        Field::Plain(self.to_string())
    }

    #[cfg(test)]
    fn examples() -> Vec<Quoted> {
        ["mail", "a \"b\" (c); {d}: e\\"].map(Quoted::from).to_vec()
    }
}

/// Field types that are read up to the first character that cannot belong to them.
macro_rules! plain_fields {
    ($($type:ty: $belongs:expr, $parse:expr, $examples:expr;)+) => {$(
        impl FieldType for $type {
            fn read(text: &str) -> Option<(Self, &str)> {
                let (value, rest) = leading(text, $belongs);
                Some(($parse(value)?, rest))
            }

            fn field(&self) -> Field<'_> {
                Field::Plain(self.to_string())
            }

            #[cfg(test)]
            fn examples() -> Vec<$type> {
                $examples.to_vec()
            }
        }
    )+};
}

plain_fields! {
    i64: |c| c.is_ascii_digit() || c == '-', |value: &str| value.parse().ok(), [0, 1_234_567];
    i32: |c| c.is_ascii_digit() || c == '-', |value: &str| value.parse().ok(), [91, -1];
    Day: |c| c.is_ascii_digit() || c == '-', Day::parse, [Day(20_088)];
}

impl FieldType for Outcome {
    fn read(text: &str) -> Option<(Self, &str)> {
        let (name, rest) = leading(text, |c| c != ' ');
        Some((Outcome::parse(name)?, rest))
    }

    fn field(&self) -> Field<'_> {
        Field::Outcome(self)
    }

    #[cfg(test)]
    fn examples() -> Vec<Outcome> {
        ["orders", "revenue_winsorised"].into_iter().filter_map(Outcome::parse).collect()
    }
}

impl FieldType for EffectMethod {
    fn read(text: &str) -> Option<(Self, &str)> {
        let (name, rest) = leading(text, |c| c.is_ascii_lowercase() || c == '_');
        Some((EffectMethod::parse(name)?, rest))
    }

    fn field(&self) -> Field<'_> {
        Field::Method(*self)
    }

    #[cfg(test)]
    fn examples() -> Vec<EffectMethod> {
        EffectMethod::ALL.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (4.3046561, "4.305"),
            (0.0, "0.0000"),
            (-0.051453, "-0.05145"),
            (-0.0, "0.0000"),
            (12345.6, "12346"),
            (-1e-9, "-0.000000001000"),
            (9.9996, "10.000"),
        ];
        for (x, text) in cases {
            let number = Rounded::short(x);
            assert_eq!(number.to_string(), text);
            let read = Rounded::read(text).map(|(number, rest)| (number.to_string(), rest));
            assert_eq!(read, Some((text.to_owned(), "")));
        }
        assert_eq!(PValue(0.00001).to_string(), "< 0.0001");
        assert_eq!(PValue(0.03124).to_string(), "0.0312");
    }

    #[test]
    fn names_are_read_to_their_last_quote() {
        for name in ["mail", "a \"b\" c", "", "back\\slash\n\t\0", "電郵 \u{202e}\u{7f}", "it's; {arm}"] {
            let text = format!("{} has no customers", Quoted::from(name));
            assert_eq!(Quoted::read(&text), Some((Quoted::from(name), " has no customers")));
        }
        assert_eq!(Quoted::read("\"open"), None);
        assert_eq!(Quoted::read("mail"), None);
    }
}
