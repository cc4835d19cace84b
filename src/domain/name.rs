//! Names that people write: of strategies, arms and strata, and of places.

use std::borrow::Cow;

/// What total rows of tables hold in place of a name: of a slice, a scheme, a state, a cell or a stratum.
pub const ALL: &str = "(all)";

/// A name without blanks and in lower case: two names with one folded form are the same to whoever wrote them.
pub fn folded(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// A string id as it is mostly written: without blanks around it, in lower case. Ids that differ in nothing else are one customer to
/// whoever typed them.
pub fn plain_spelling(id: &[u8]) -> Cow<'_, [u8]> {
    if id.is_ascii() {
        let id = id.trim_ascii();
        let is_lower = !id.iter().any(u8::is_ascii_uppercase);
        return if is_lower { Cow::Borrowed(id) } else { Cow::Owned(id.to_ascii_lowercase()) };
    }
    match std::str::from_utf8(id) {
        Ok(text) => Cow::Owned(text.trim().to_lowercase().into_bytes()),
        Err(_) => Cow::Borrowed(id),
    }
}

/// The first two of the names that differ, but only in case or blanks.
pub fn look_alike<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let mut seen: std::collections::BTreeMap<String, &str> = std::collections::BTreeMap::new();
    for name in names {
        let before = *seen.entry(folded(name)).or_insert(name);
        if before != name {
            return Some((before, name));
        }
    }
    None
}

/// The scheme of a place such as `s3://shop/orders`; `None` of a path.
pub fn scheme_of(place: &str) -> Option<&str> {
    let (scheme, _) = place.split_once("://")?;
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_sign)).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_plain_spelling() {
        for (id, plain) in
            [("ana@x", "ana@x"), (" Ana@X\t", "ana@x"), ("Zoë", "zoë"), ("\u{a0}ZOË ", "zoë"), ("a B", "a b"), ("", "")]
        {
            assert_eq!(plain_spelling(id.as_bytes()), plain.as_bytes());
        }
        assert_eq!(plain_spelling(&[0xC3, 0x28]), [0xC3, 0x28].as_slice());
    }

    #[test]
    fn case_and_blanks_make_no_difference() {
        assert_eq!(look_alike(["Treatment", "control", "treatment "]), Some(("Treatment", "treatment ")));
        assert_eq!(look_alike(["win back", "winback"]), Some(("win back", "winback")));
        assert_eq!(look_alike(["STRASSE", "straße"]), None);
        assert_eq!(look_alike(["a", "b", "a"]), None);
    }
}
