//! Kinds of events, and what is measured of their values.

use serde::{Deserialize, Serialize};

use super::interned::interned;
use super::unit::Unit;

/// What an event counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "&'static str")]
pub enum EventKind {
    /// A message was sent.
    Sends,
    /// A message was opened.
    Opens,
    /// A link was clicked.
    Clicks,
    /// The customer did what the message was for.
    Conversions,
    /// The customer took up a promotion.
    Responses,
    /// Anything else.
    Other,
    /// A kind of the job's own.
    Own(KindName),
}

/// The name of a kind of the job's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KindName(&'static str);

impl EventKind {
    /// The kinds that every job has, in the order of their numbers.
    pub const USUAL: [EventKind; 6] =
        [EventKind::Sends, EventKind::Opens, EventKind::Clicks, EventKind::Conversions, EventKind::Responses, EventKind::Other];

    /// The kind of this name: a usual one, or else one of a job's own.
    pub fn named(name: &str) -> EventKind {
        let usual = EventKind::USUAL.into_iter().find(|kind| kind.name() == name);
        usual.unwrap_or_else(|| EventKind::Own(KindName(interned(name))))
    }

    /// Its name in job files; of a usual kind also the measure that counts it.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Sends => "sends",
            EventKind::Opens => "opens",
            EventKind::Clicks => "clicks",
            EventKind::Conversions => "conversions",
            EventKind::Responses => "responses",
            EventKind::Other => "events",
            EventKind::Own(name) => name.0,
        }
    }

    /// Whether a job has named it.
    pub fn is_own(self) -> bool {
        matches!(self, EventKind::Own(_))
    }

    /// Whether a name can begin the names of measures: lower-case letters, digits and underscores, a letter first.
    pub fn is_name(name: &str) -> bool {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        name.bytes().all(is_allowed) && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
    }

    /// The values that count as this kind in a job that does not say otherwise, in lower case; a kind of the job's own has its name.
    pub fn usual_values(self) -> &'static [&'static str] {
        match self {
            EventKind::Sends => &["send", "sends", "sent", "delivered", "delivery", "email_sent", "email_delivered"],
            EventKind::Opens => &["open", "opens", "opened", "email_open", "email_opened"],
            EventKind::Clicks => &["click", "clicks", "clicked", "email_click", "email_clicked"],
            EventKind::Conversions => &["conversion", "conversions", "convert", "converted"],
            EventKind::Responses => {
                &["response", "responses", "respond", "responded", "redeem", "redeemed", "redemption", "promotion_response"]
            }
            EventKind::Other | EventKind::Own(_) => &[],
        }
    }
}

impl From<String> for EventKind {
    fn from(name: String) -> EventKind {
        EventKind::named(&name)
    }
}

impl From<EventKind> for &'static str {
    fn from(kind: EventKind) -> &'static str {
        kind.name()
    }
}

/// The kinds of events of a job, which number them: the usual ones, then its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventKinds {
    all: Vec<EventKind>,
    /// By number: whether the values of its events are costs to serve.
    are_costs: Vec<bool>,
}

impl EventKinds {
    /// Most kinds of a job's own: their numbers fit a byte.
    pub const MOST_OWN: usize = 200;

    /// The usual kinds and these.
    pub fn with(own: impl IntoIterator<Item = EventKind>) -> EventKinds {
        let all: Vec<EventKind> = EventKind::USUAL.into_iter().chain(own).collect();
        EventKinds { are_costs: vec![false; all.len()], all }
    }

    /// The same kinds, where the values of these are costs to serve.
    #[must_use]
    pub fn with_costs(mut self, costs: &[EventKind]) -> EventKinds {
        self.are_costs = self.all.iter().map(|kind| costs.contains(kind)).collect();
        self
    }

    /// The kinds whose values are costs to serve.
    pub fn costs(&self) -> impl Iterator<Item = EventKind> + '_ {
        self.all.iter().zip(&self.are_costs).filter(|(_, is_cost)| **is_cost).map(|(kind, _)| *kind)
    }

    /// All of them, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = EventKind> + Clone + '_ {
        self.all.iter().copied()
    }

    /// The number of a kind; that of [`EventKind::Other`] if it is none of these.
    pub fn number(&self, kind: EventKind) -> usize {
        let usual = EventKind::USUAL.len();
        self.all.iter().position(|known| *known == kind).unwrap_or(usual - 1)
    }

    /// The kind of this name, if the job has one.
    pub fn named(&self, name: &str) -> Option<EventKind> {
        self.iter().find(|kind| kind.name() == name)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }
}

impl Default for EventKinds {
    fn default() -> EventKinds {
        EventKinds::with([])
    }
}

/// What is said of the events of a kind in a lookback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventStatistic {
    /// How many there are.
    Count,
    /// The sum of their values.
    Sum,
    /// The value of the last of them that has one.
    Last,
    /// The mean of their values.
    Mean,
}

impl EventStatistic {
    /// All that events with values have.
    const ALL: [EventStatistic; 4] = [EventStatistic::Count, EventStatistic::Sum, EventStatistic::Last, EventStatistic::Mean];

    fn suffix(self) -> &'static str {
        match self {
            EventStatistic::Count => "count",
            EventStatistic::Sum => "sum",
            EventStatistic::Last => "last",
            EventStatistic::Mean => "mean",
        }
    }
}

/// A measure of the events of a kind, or of their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventMeasure {
    name: &'static str,
    /// The kind.
    pub kind: EventKind,
    /// What is said of its events.
    pub statistic: EventStatistic,
    /// Digits behind the point of the values.
    scale: u8,
}

impl EventMeasure {
    /// All measures of a kind whose values have this scale, if they do: a usual kind is counted by the measure of its name.
    pub fn of(kind: EventKind, scale: Option<u8>) -> Vec<EventMeasure> {
        let is_there = |statistic: &EventStatistic| match statistic {
            EventStatistic::Count => kind.is_own(),
            _ => scale.is_some(),
        };
        let measure = |statistic: EventStatistic| EventMeasure {
            name: interned(&format!("{}_{}", kind.name(), statistic.suffix())),
            kind,
            statistic,
            scale: scale.unwrap_or(0),
        };
        EventStatistic::ALL.into_iter().filter(is_there).map(measure).collect()
    }

    /// The names that the measures of a kind have if its events have values.
    pub fn names_with_values(kind: EventKind) -> Vec<&'static str> {
        EventMeasure::of(kind, Some(0)).into_iter().map(EventMeasure::name).collect()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether it is computed from values, which counts are not.
    pub fn needs_values(self) -> bool {
        self.statistic != EventStatistic::Count
    }

    /// What its numbers mean.
    pub fn unit(self) -> Unit {
        const DIGITS: u8 = 18;
        match self.statistic {
            EventStatistic::Count => Unit::Count,
            EventStatistic::Sum | EventStatistic::Last => Unit::Decimal(DIGITS, self.scale),
            EventStatistic::Mean => Unit::Decimal(DIGITS, self.scale + 2),
        }
    }

    /// One sentence on what it is.
    pub fn describe(self) -> &'static str {
        match self.statistic {
            EventStatistic::Count => "Events of this kind in the lookback.",
            EventStatistic::Sum => "Sum of the values of the events of this kind in the lookback; 0 without one.",
            EventStatistic::Last => "Value of the last event of this kind in the lookback that has one; null without one.",
            EventStatistic::Mean => {
                "Mean of the values of the events of this kind in the lookback, rounded half to even; null without one."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_and_numbers() {
        let ticket = EventKind::named("ticket");
        let kinds = EventKinds::with([ticket]);
        for kind in kinds.iter() {
            assert_eq!((EventKind::named(kind.name()), kinds.named(kind.name())), (kind, Some(kind)));
        }
        assert_eq!(kinds.clone().with_costs(&[ticket]).costs().collect::<Vec<_>>(), [ticket]);
        assert_eq!((kinds.number(EventKind::Sends), kinds.number(ticket), kinds.named("visit")), (0, 6, None));
        for (name, is_name) in [("ticket", true), ("t2_x", true), ("2t", false), ("Ticket", false), ("a-b", false), ("", false)] {
            assert_eq!(EventKind::is_name(name), is_name, "{name}");
        }
    }

    #[test]
    fn kinds_with_values_have_four_measures() {
        let names = |kind, scale| EventMeasure::of(kind, scale).into_iter().map(EventMeasure::name).collect::<Vec<_>>();
        let ticket = EventKind::named("ticket");
        assert_eq!(names(ticket, Some(2)), ["ticket_count", "ticket_sum", "ticket_last", "ticket_mean"]);
        assert_eq!(names(ticket, None), ["ticket_count"]);
        assert_eq!(names(EventKind::Responses, Some(2)), ["responses_sum", "responses_last", "responses_mean"]);
        let units: Vec<Unit> = EventMeasure::of(ticket, Some(3)).into_iter().map(EventMeasure::unit).collect();
        assert_eq!(units, [Unit::Count, Unit::Decimal(18, 3), Unit::Decimal(18, 3), Unit::Decimal(18, 5)]);
    }
}
