//! Where a TOML text says something: the span of a value, of its key, or of the section that it belongs to.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The bytes of `value` at a dotted key, which may lead through lists of tables; where it is not there, those of the key, or of the
/// nearest section around it. An empty value means the key itself.
pub(super) fn span_of(text: &str, key: &str, value: &str) -> Option<Range<usize>> {
    let span = span_within(text, key, value)?;
    // Of a section, where its head begins.
    let line = text.get(..span.start)?.rfind('\n').map_or(0, |end| end + 1);
    let is_head = text.get(line..span.start).is_some_and(|before| before.trim_start().starts_with('['));
    Some(if is_head { line..span.end } else { span })
}

fn span_within(text: &str, key: &str, value: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let path: Vec<&str> = key.split('.').collect();
    (1..=path.len()).rev().find_map(|length| {
        let mut found = Vec::new();
        at_path(table.get_ref(), &path[..length], &mut found);
        let exact = found.iter().find_map(|(_, own)| within(own, value).filter(|_| !value.is_empty()));
        exact.or_else(|| found.first().map(|(key, _)| key.clone()))
    })
}

/// All values at a path, with the spans of their keys.
fn at_path<'t>(table: &'t DeTable<'_>, path: &[&str], found: &mut Vec<(Range<usize>, &'t Spanned<DeValue<'t>>)>) {
    let Some((head, rest)) = path.split_first() else { return };
    let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == head) else { return };
    if rest.is_empty() {
        found.push((key.span(), value));
        return;
    }
    match value.get_ref() {
        DeValue::Table(table) => at_path(table, rest, found),
        DeValue::Array(items) => items.iter().filter_map(|item| item.get_ref().as_table()).for_each(|t| at_path(t, rest, found)),
        _ => {}
    }
}

/// The first place within a value that is this text: a string, or the key of a table.
fn within(value: &Spanned<DeValue<'_>>, wanted: &str) -> Option<Range<usize>> {
    match value.get_ref() {
        DeValue::String(text) => (text == wanted).then(|| value.span()),
        DeValue::Array(items) => items.iter().find_map(|item| within(item, wanted)),
        DeValue::Table(table) => table.iter().find_map(|(key, own)| match key.get_ref() == wanted {
            true => Some(key.span()),
            false => within(own, wanted),
        }),
        DeValue::Datetime(date) => (date.to_string() == wanted).then(|| value.span()),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::span_of;

    /// The line of a value, from 1.
    fn line(text: &str, key: &str, value: &str) -> Option<usize> {
        span_of(text, key, value).map(|span| text[..span.start].matches('\n').count() + 1)
    }

    #[test]
    fn a_value_is_found_at_its_own_key() {
        let text = "name = \"region\"\n[orders]\nslice = \"region\"\n[customers]\ndimensions = [\"city\",\n\"region\"]\n[[orders.keep]]\ncolumn = \"city\"\n[[orders.keep]]\ncolumn = \"region\"\n";
        assert_eq!(line(text, "orders.slice", "region"), Some(3));
        assert_eq!(line(text, "customers.dimensions", "region"), Some(6));
        assert_eq!(line(text, "orders.keep", "region"), Some(10));
    }

    #[test]
    fn without_the_value_it_is_the_key_and_without_that_its_section() {
        let text = "name = \"x\"\n[orders]\npath = \"y\"\n";
        assert_eq!(line(text, "orders.path", "z"), Some(3));
        assert_eq!(line(text, "orders.path", ""), Some(3));
        assert_eq!(line(text, "orders.timezone", "Mars"), Some(2));
        assert_eq!(line(text, "score.bins", ""), None);
    }
}
