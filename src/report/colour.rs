//! Colours of states. Every chart takes them from here, so that a state looks the same everywhere.

/// A colour, `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Colour(String);

impl Colour {
    /// Reads `#rrggbb`; anything else is no colour.
    pub fn parse(text: &str) -> Option<Colour> {
        let digits = text.strip_prefix('#')?;
        (digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Colour(text.to_ascii_lowercase()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The colour of a state by its position on a ladder of `places` states.
pub(super) fn on_ladder(place: usize, places: usize) -> Colour {
    Colour(crate::scheme::colour(place, places))
}

/// The colour of customers outside a scheme.
pub(super) fn outside() -> Colour {
    Colour(crate::scheme::OUTSIDE.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_has_colours_of_its_own() {
        let ten: Vec<Colour> = (0..10).map(|place| on_ladder(place, 10)).collect();
        assert_eq!(ten.first().map(Colour::as_str), Some("#1f5fa6"));
        assert_eq!(ten.last().map(Colour::as_str), Some("#9c3517"));
        assert!(ten.iter().enumerate().all(|(i, c)| !ten[..i].contains(c)), "{ten:?}");
        assert_eq!(on_ladder(0, 1).as_str(), "#1f5fa6");
    }

    #[test]
    fn only_a_colour_is_a_colour() {
        assert!(Colour::parse("#12AB9f").is_some());
        for bad in ["red", "#fff", "#12345g", "#123456\" onload=\"x", "url(http://x)", ""] {
            assert!(Colour::parse(bad).is_none(), "{bad}");
        }
    }
}
