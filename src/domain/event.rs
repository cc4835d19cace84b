//! Kinds of events.

use serde::{Deserialize, Serialize};

/// What an event counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(usize)]
pub enum EventKind {
    /// A message was sent.
    Sends = 0,
    /// A message was opened.
    Opens = 1,
    /// A link was clicked.
    Clicks = 2,
    /// The customer did what the message was for.
    Conversions = 3,
    /// The customer took up a promotion.
    Responses = 4,
    /// Anything else.
    Other = 5,
}

impl EventKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [EventKind; 6] =
        [EventKind::Sends, EventKind::Opens, EventKind::Clicks, EventKind::Conversions, EventKind::Responses, EventKind::Other];

    /// The measure that counts it, as job files name it.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Sends => "sends",
            EventKind::Opens => "opens",
            EventKind::Clicks => "clicks",
            EventKind::Conversions => "conversions",
            EventKind::Responses => "responses",
            EventKind::Other => "events",
        }
    }

    /// The kind that [`EventKind::name`] names.
    pub fn parse(name: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The values that count as this kind in a job that does not say otherwise, in lower case.
    pub fn usual_values(self) -> &'static [&'static str] {
        match self {
            EventKind::Sends => &["send", "sends", "sent", "delivered", "delivery", "email_sent", "email_delivered"],
            EventKind::Opens => &["open", "opens", "opened", "email_open", "email_opened"],
            EventKind::Clicks => &["click", "clicks", "clicked", "email_click", "email_clicked"],
            EventKind::Conversions => &["conversion", "conversions", "convert", "converted"],
            EventKind::Responses => {
                &["response", "responses", "respond", "responded", "redeem", "redeemed", "redemption", "promotion_response"]
            }
            EventKind::Other => &[],
        }
    }
}
