//! Names of columns as words, so that `CustomerID`, `customer_id` and `Customer ID` are one name.

/// The words of a name, in lower case, without accents and marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

/// How well a name has a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// Among this number of other words.
    Part(usize),
    /// It is the phrase.
    Whole,
}

impl Words {
    /// The words of a name.
    pub fn of(name: &str) -> Words {
        let mut words: Vec<String> = Vec::new();
        let mut word = String::new();
        let chars: Vec<char> = name.chars().collect();
        for (at, c) in chars.iter().copied().enumerate() {
            let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
            let behind = chars.get(at + 1).copied();
            let begins_word = c.is_uppercase()
                && (before.is_some_and(char::is_lowercase)
                    || (before.is_some_and(char::is_uppercase) && behind.is_some_and(char::is_lowercase)));
            let changes_script = before.is_some_and(|before| is_ideograph(before) != is_ideograph(c));
            if (begins_word || changes_script || !c.is_alphanumeric()) && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if c == '#' || c == '№' {
                words.push("no".into());
            } else if c.is_alphanumeric() {
                plain(c, &mut word);
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
        Words(words)
    }

    /// The words of a field, if it lies in the struct that holds most columns: its name says nothing of them.
    pub fn within(name: &str, wrapper: Option<&str>) -> Option<Words> {
        let field = name.strip_prefix(wrapper?)?.strip_prefix('.')?;
        Some(Words::of(field))
    }

    /// The words of what stands outside of brackets, if a name has some: `Order Total (inc tax)` is an order total.
    pub fn outside_brackets(name: &str) -> Option<Words> {
        let (begin, end) = (name.find(['(', '（'])?, name.rfind([')', '）'])?);
        let rest = format!("{} {}", name.get(..begin)?, name.get(end..)?.trim_start_matches([')', '）']));
        let words = Words::of(&rest);
        (begin < end && !words.0.is_empty()).then_some(words)
    }

    /// Whether and how it has a phrase.
    pub fn has(&self, phrase: &Words) -> Option<Match> {
        if self.0 == phrase.0 {
            return Some(Match::Whole);
        }
        if let ([own], [part]) = (self.0.as_slice(), phrase.0.as_slice())
            && part.chars().all(is_ideograph)
            && own.contains(part.as_str())
        {
            return Some(Match::Part((own.chars().count() - part.chars().count()).div_ceil(2)));
        }
        let wanted = phrase.0.len();
        let is_there = wanted > 0 && self.0.windows(wanted).any(|window| window == phrase.0.as_slice());
        let is_within = || {
            wanted == 1
                && phrase
                    .0
                    .first()
                    .is_some_and(|part| part.chars().all(is_ideograph) && self.0.iter().any(|own| own.contains(part.as_str())))
        };
        (is_there || is_within()).then(|| Match::Part(self.0.len().saturating_sub(wanted).max(1)))
    }

    /// Whether one of its words is this one.
    pub fn has_word(&self, word: &str) -> bool {
        self.0.iter().any(|own| own == word)
    }

    /// Whether it has Chinese characters.
    pub fn is_chinese(&self) -> bool {
        self.0.iter().any(|word| word.chars().any(is_ideograph))
    }
}

fn is_ideograph(c: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&c)
}

/// A letter in lower case without its accent.
fn plain(c: char, word: &mut String) {
    for c in c.to_lowercase() {
        match c {
            'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' => word.push('a'),
            'ç' => word.push('c'),
            'è' | 'é' | 'ê' | 'ë' => word.push('e'),
            'ì' | 'í' | 'î' | 'ï' => word.push('i'),
            'ñ' => word.push('n'),
            'ò' | 'ó' | 'ô' | 'ö' | 'õ' => word.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => word.push('u'),
            'œ' => word.push_str("oe"),
            'ß' => word.push_str("ss"),
            '°' | 'º' => word.push('o'),
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_meaning_have_the_same_words() {
        for name in ["CustomerID", "customer_id", "Customer ID", "customer-id", "customerId"] {
            assert_eq!(Words::of(name), Words(vec!["customer".into(), "id".into()]), "{name}");
        }
        assert_eq!(Words::of("Order #"), Words::of("order no"));
        assert_eq!(Words::outside_brackets("Order Total (inc tax)"), Some(Words::of("order total")));
        assert_eq!(Words::outside_brackets("(deleted)"), None);
        assert_eq!(Words::of("Währung"), Words::of("wahrung"));
        assert_eq!(Words::of("GrandTotal (Base)"), Words::of("grand total base"));
        assert_eq!(Words::of("会员ID"), Words(vec!["会员".into(), "id".into()]));
    }

    #[test]
    fn phrases_are_found_as_words() {
        let has = |name: &str, phrase: &str| Words::of(name).has(&Words::of(phrase));
        assert_eq!(has("Customer ID", "customer id"), Some(Match::Whole));
        assert_eq!(has("billing_customer_id", "customer id"), Some(Match::Part(1)));
        assert_eq!(has("customership", "customer"), None);
        assert_eq!(has("买家实际支付金额", "支付金额"), Some(Match::Part(2)));
        assert_eq!(has("N° facture", "n facture"), Some(Match::Whole));
    }
}
