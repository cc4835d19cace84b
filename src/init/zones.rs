//! Time zones: where the shop is, as far as its times tell.

use std::collections::BTreeSet;

use super::columns::Column;
use super::date_form::{NamedZone, WrittenZone};
use super::date_reader::Moment;
use super::guess::{DateKind, Guess, Seen};
use crate::error::Result;
use crate::input::Zone;

/// In which zone days begin, and in which times were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneGuess {
    /// Whose days count; none if the data do not need one.
    pub timezone: Option<&'static str>,
    /// In which zone times without a zone were written, if that is another.
    pub naive: Option<&'static str>,
    /// Why, as a sentence of a comment.
    pub why: String,
    /// Whether another zone would fit as well.
    pub is_open: bool,
}

/// A language of column names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    German,
    French,
    Chinese,
}

/// Zones by how likely they are where nothing else is known.
const ZONES: [&str; 20] = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Paris",
    "Asia/Shanghai",
    "America/New_York",
    "America/Los_Angeles",
    "America/Chicago",
    "America/Denver",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "Europe/Helsinki",
    "Europe/Istanbul",
    "Asia/Dubai",
    "Asia/Bangkok",
    "Asia/Singapore",
    "America/Toronto",
    "Pacific/Auckland",
    "UTC",
];

const GERMAN: [&str; 16] = [
    "kunde",
    "kunden",
    "kundennummer",
    "datum",
    "betrag",
    "menge",
    "wahrung",
    "bestellnummer",
    "bestelldatum",
    "auftragsnummer",
    "rechnungsdatum",
    "belegdatum",
    "artikel",
    "filiale",
    "land",
    "umsatz",
];
const FRENCH: [&str; 12] = [
    "client",
    "commande",
    "facture",
    "montant",
    "devise",
    "statut",
    "etat",
    "remise",
    "quantite",
    "magasin",
    "prix",
    "livraison",
];

fn language(columns: &[Column]) -> Language {
    let count = |words: &[&str]| columns.iter().filter(|column| words.iter().any(|word| column.words.has_word(word))).count();
    let chinese = columns.iter().filter(|column| column.words.is_chinese()).count();
    match (count(&GERMAN), count(&FRENCH)) {
        _ if chinese >= 2 => Language::Chinese,
        (german, french) if german >= 2 && german >= french => Language::German,
        (_, french) if french >= 2 => Language::French,
        _ => Language::English,
    }
}

/// The zone that language and currency suggest.
fn at_home(seen: &Seen<'_>, guess: &Guess) -> Result<Option<&'static str>> {
    let currency = guess.currency.map(|at| seen.column(at)).transpose()?;
    let code = currency.and_then(|column| column.values.first()).map(|code| code.to_ascii_uppercase()).unwrap_or_default();
    Ok(match (language(&seen.sample.columns), code.as_str()) {
        (Language::Chinese, _) | (_, "CNY" | "RMB") => Some("Asia/Shanghai"),
        (Language::German, "CHF") => Some("Europe/Zurich"),
        (Language::German, _) => Some("Europe/Berlin"),
        (Language::French, _) => Some("Europe/Paris"),
        (_, "GBP") => Some("Europe/London"),
        (_, "JPY") => Some("Asia/Tokyo"),
        (_, "AUD") => Some("Australia/Sydney"),
        (_, "INR") => Some("Asia/Kolkata"),
        (_, "CHF") => Some("Europe/Zurich"),
        (_, "EUR") => Some("Europe/Berlin"),
        _ => None,
    })
}

/// The zone of the orders.
///
/// # Errors
/// A bug: a zone that is not known.
pub fn zone(seen: &Seen<'_>, guess: &Guess) -> Result<ZoneGuess> {
    let column = seen.column(guess.date.column)?;
    let home = at_home(seen, guess)?;
    let says_utc = ["utc", "gmt"].iter().any(|word| column.words.has_word(word));
    let instants = |why: &str, naive: Option<&'static str>| ZoneGuess {
        timezone: Some(home.unwrap_or("UTC")),
        naive,
        why: match home {
            Some(home) => format!("{why}; days begin in {home}, as the names of the columns or the currency suggest"),
            None => format!("{why}; days begin in UTC unless you name the zone of the shop"),
        },
        is_open: true,
    };
    let form = match &guess.date.kind {
        DateKind::Epoch(_) => return Ok(instants("the numbers count from 1970 in UTC", Some("UTC"))),
        DateKind::Serial => {
            let why = "the days of a spreadsheet have no zone".into();
            return Ok(ZoneGuess { timezone: home, naive: None, why, is_open: false });
        }
        DateKind::Stored(form) | DateKind::Text(form) => form,
    };
    Ok(match form.zone {
        WrittenZone::Offset => by_offsets(column, guess, home)?,
        WrittenZone::Named(zone) => by_abbreviations(column, guess, zone, home)?,
        WrittenZone::Utc if matches!(guess.date.kind, DateKind::Stored(_)) => instants("the times are instants", None),
        WrittenZone::Utc => instants("the times are in UTC", Some("UTC")),
        WrittenZone::None if says_utc && form.has_time() => {
            instants("the times are in UTC, as the name of the column says", Some("UTC"))
        }
        WrittenZone::None if form.has_time() => ZoneGuess {
            timezone: home,
            naive: None,
            why: "the times have no zone, so the dates that they show count".into(),
            is_open: false,
        },
        WrittenZone::None => ZoneGuess { timezone: home, naive: None, why: "the dates have no time".into(), is_open: false },
    })
}

/// The zone whose clock had these offsets at these times.
fn by_offsets(column: &Column, guess: &Guess, home: Option<&'static str>) -> Result<ZoneGuess> {
    let moments: Vec<Moment> = column.values.iter().filter_map(|value| guess.date.kind.read(value)).collect();
    let mut offsets: Vec<i32> = moments.iter().filter_map(|moment| moment.offset).collect();
    offsets.sort_unstable();
    offsets.dedup();
    if offsets == [0] {
        let why = match home {
            Some(home) => {
                format!(
                    "the times carry the offset +00:00; days begin in {home}, as the names of the columns or the currency suggest"
                )
            }
            None => "the times carry the offset +00:00; days begin in UTC unless you name the zone of the shop".to_owned(),
        };
        return Ok(ZoneGuess { timezone: Some(home.unwrap_or("UTC")), naive: None, why, is_open: true });
    }
    let shown = offsets.iter().map(|offset| written(*offset)).collect::<Vec<_>>().join(" and ");
    for name in home.into_iter().chain(ZONES) {
        let zone = Zone::named(name, "orders.timezone")?;
        let fits = |moment: &Moment| {
            moment.offset.is_some_and(|offset| zone.seconds_from_utc(moment.wall_second() - i64::from(offset)) == offset)
        };
        if moments.iter().all(fits) {
            let why = format!("the times carry the offset {shown}, as the clock of {name} had it");
            return Ok(ZoneGuess { timezone: Some(name), naive: None, why, is_open: offsets.len() < 2 });
        }
    }
    let why = format!(
        "the times carry the offset {shown}, which is not that of one zone; days begin in {} unless you name another",
        home.unwrap_or("UTC")
    );
    Ok(ZoneGuess { timezone: Some(home.unwrap_or("UTC")), naive: None, why, is_open: true })
}

/// The zone whose abbreviations stand beside the times: its clock is the one that they show.
fn by_abbreviations(column: &Column, guess: &Guess, zone: &NamedZone, home: Option<&'static str>) -> Result<ZoneGuess> {
    let known = |word: &&str| zone.abbreviations.contains(word);
    let found: BTreeSet<&str> = column.values.iter().filter_map(|value| value.split_whitespace().find(known)).collect();
    let shown = found.iter().copied().collect::<Vec<_>>().join(" and ");
    if shown == "CST" {
        return central_or_china(column, guess, zone, home);
    }
    Ok(ZoneGuess {
        timezone: Some(zone.name),
        naive: None,
        why: format!("the times carry {shown}, as the clock of {} has it, and the dates that they show count", zone.name),
        is_open: found.len() < 2,
    })
}

const CHINA: &str = "Asia/Shanghai";

/// Seconds from UTC to Central Standard Time.
const CENTRAL: i32 = -6 * 3_600;

/// CST alone is the time of China, too: that of America has another name in summer.
fn central_or_china(column: &Column, guess: &Guess, central: &NamedZone, home: Option<&'static str>) -> Result<ZoneGuess> {
    let zone = Zone::named(central.name, "orders.timezone")?;
    let mut moments = column.values.iter().filter_map(|value| guess.date.kind.read(value));
    let has_summer = moments.any(|moment| zone.seconds_from_utc(moment.wall_second() - i64::from(CENTRAL)) != CENTRAL);
    let (timezone, because) = match (has_summer, home) {
        (true, _) => (CHINA, format!("that of China, because it stands in summer, when the clock of {} has CDT", central.name)),
        (_, Some(CHINA)) => (CHINA, "that of China, as the names of the columns or the currency suggest".to_owned()),
        _ => (central.name, format!("that of {}; it is that of China ({CHINA}), too", central.name)),
    };
    let why = format!("the times carry CST, which is taken for {because}; the dates that they show count");
    Ok(ZoneGuess { timezone: Some(timezone), naive: None, why, is_open: true })
}

fn written(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", offset.abs() / 3_600, offset.abs() / 60 % 60)
}
