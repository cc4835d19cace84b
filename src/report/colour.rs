//! Colours of states. Every chart takes them from here, so that a state looks the same everywhere.

/// A colour, `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Colour(String);

/// From the best state to the worst: blue to brown over sand, which stay apart for colour-blind eyes as well, on a light and
/// on a dark ground.
const LADDER: [[f64; 3]; 7] = [
    [31.0, 95.0, 166.0],
    [77.0, 147.0, 199.0],
    [143.0, 192.0, 217.0],
    [227.0, 207.0, 139.0],
    [234.0, 162.0, 74.0],
    [211.0, 106.0, 44.0],
    [156.0, 53.0, 23.0],
];

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

/// The colour of a place on a ladder of so many states.
pub(super) fn on_ladder(place: usize, places: usize) -> Colour {
    let steps = (LADDER.len() - 1) as f64;
    let at = if places > 1 { place as f64 / (places - 1) as f64 * steps } else { 0.0 };
    let low = (at.floor() as usize).min(LADDER.len() - 2);
    let part = at - low as f64;
    let mix = |i: usize| (LADDER[low][i] + (LADDER[low + 1][i] - LADDER[low][i]) * part).round() as u8;
    Colour(format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2)))
}

/// The colour of customers outside a scheme.
pub(super) fn outside() -> Colour {
    Colour("#8b9099".into())
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
