//! From instants to business dates.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use crate::domain::Day;
use crate::error::{Error, Result, suggestion};

const DAY_SECONDS: i64 = 86_400;

/// The zone rules between 1900 and 2200 as a table; instants outside go to the rules themselves.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    /// Second from which an offset holds, ascending.
    starts: Vec<i64>,
    offsets: Vec<i32>,
    end: i64,
}

impl Zone {
    /// The zone with an IANA name. Its rules are those built into the program, not the machine's.
    ///
    /// # Errors
    /// Exit 2 with the nearest name; `key` says where the name stands.
    pub fn named(name: &str, key: &str) -> Result<Zone> {
        let database = TimeZoneDatabase::bundled();
        let zone = database.get(name).map_err(|_| {
            let names: Vec<String> = database.available().map(|n| n.to_string()).collect();
            let meant = meant_by(name)
                .map_or_else(|| suggestion(name, names.iter().map(String::as_str)), |meant| format!("; did you mean {meant:?}?"));
            Error::usage(format!(
                "{key} is {name:?}, which is no IANA time zone{meant}; expected a name such as \"Europe/London\" or \"UTC\""
            ))
        })?;
        let (mut at, last) = (Timestamp::constant(-2_208_988_800, 0), Timestamp::constant(7_258_118_400, 0));
        let (mut starts, mut offsets) = (vec![at.as_second()], vec![zone.to_offset(at).seconds()]);
        for transition in zone.following(at) {
            at = transition.timestamp();
            if at >= last {
                break;
            }
            starts.push(at.as_second());
            offsets.push(transition.offset().seconds());
        }
        Ok(Zone { zone, starts, offsets, end: last.as_second() })
    }

    /// Whether local time is UTC.
    pub fn is_utc(&self) -> bool {
        self.offsets.iter().all(|o| *o == 0)
    }

    /// Offset from UTC in seconds at an instant (seconds since 1970).
    pub(crate) fn seconds_from_utc(&self, second: i64) -> i32 {
        if self.offsets.len() == 1 && self.starts.first().is_some_and(|s| second >= *s) && second < self.end {
            return self.offsets.first().copied().unwrap_or(0);
        }
        let at = self.starts.partition_point(|s| *s <= second);
        if at == 0 || second >= self.end {
            let instant = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
            return self.zone.to_offset(instant).seconds();
        }
        self.offsets.get(at - 1).copied().unwrap_or(0)
    }

    /// The local date of an instant.
    pub fn date(&self, second: i64) -> Day {
        day_of(second.saturating_add(i64::from(self.seconds_from_utc(second))))
    }

    /// The instant (seconds since 1970) of a wall-clock time in this zone: in a gap the time moved forward by the
    /// gap, in a fold the earlier of the two.
    pub fn instant(&self, wall_second: i64) -> i64 {
        let offset = |wall: DateTime| self.zone.to_ambiguous_timestamp(wall).compatible().ok();
        let wall = Timestamp::from_second(wall_second).ok().map(|t| Offset::UTC.to_datetime(t));
        match wall.and_then(offset) {
            Some(instant) => instant.as_second(),
            None => wall_second,
        }
    }
}

/// The zone that a name stands for which is none: of a large city whose zone bears another city's name, or as Windows calls it.
fn meant_by(name: &str) -> Option<&'static str> {
    let name = name.trim().to_ascii_lowercase().replace(' ', "_");
    let city = name.rsplit('/').next().unwrap_or(&name);
    Some(match city {
        "beijing" | "peking" | "shenzhen" | "guangzhou" | "hangzhou" | "chengdu" | "china_standard_time" => "Asia/Shanghai",
        "mumbai" | "delhi" | "new_delhi" | "bangalore" | "bengaluru" | "chennai" | "india_standard_time" => "Asia/Kolkata",
        "osaka" | "tokyo_standard_time" => "Asia/Tokyo",
        "busan" | "korea_standard_time" => "Asia/Seoul",
        "hanoi" => "Asia/Ho_Chi_Minh",
        "abu_dhabi" | "arabian_standard_time" => "Asia/Dubai",
        "munich" | "frankfurt" | "hamburg" | "cologne" | "w._europe_standard_time" => "Europe/Berlin",
        "geneva" | "basel" => "Europe/Zurich",
        "milan" | "naples" => "Europe/Rome",
        "barcelona" => "Europe/Madrid",
        "lyon" | "marseille" | "romance_standard_time" => "Europe/Paris",
        "rotterdam" | "the_hague" => "Europe/Amsterdam",
        "manchester" | "edinburgh" | "gmt_standard_time" => "Europe/London",
        "st_petersburg" | "saint_petersburg" | "russian_standard_time" => "Europe/Moscow",
        "boston" | "washington" | "miami" | "philadelphia" | "atlanta" | "eastern_standard_time" => "America/New_York",
        "dallas" | "houston" | "austin" | "central_standard_time" => "America/Chicago",
        "san_francisco" | "seattle" | "las_vegas" | "san_diego" | "pacific_standard_time" => "America/Los_Angeles",
        "rio_de_janeiro" | "brasilia" | "e._south_america_standard_time" => "America/Sao_Paulo",
        "montreal" | "ottawa" => "America/Toronto",
        "cape_town" | "south_africa_standard_time" => "Africa/Johannesburg",
        "wellington" => "Pacific/Auckland",
        _ => return None,
    })
}

/// The date of wall-clock seconds since 1970.
pub fn day_of(wall_second: i64) -> Day {
    Day(wall_second.div_euclid(DAY_SECONDS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_dates_follow_the_zone() -> Result<()> {
        let zone = Zone::named("America/New_York", "orders.timezone")?;
        let second = |text: &str| text.parse::<Timestamp>().map(|t| t.as_second()).unwrap_or(0);
        assert_eq!(zone.date(second("2024-03-10T04:59:59Z")).to_string(), "2024-03-09");
        assert_eq!(zone.date(second("2024-03-10T05:00:00Z")).to_string(), "2024-03-10");
        assert_eq!(zone.date(second("2024-07-01T03:59:59Z")).to_string(), "2024-06-30");
        assert_eq!(zone.date(second("2300-07-01T03:59:59Z")).to_string(), "2300-06-30");
        let error = Zone::named("Europe/Lodnon", "orders.timezone").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains("did you mean \"Europe/London\"?"), "{error}");
        for (name, meant) in
            [("Asia/Beijing", "Asia/Shanghai"), ("W. Europe Standard Time", "Europe/Berlin"), ("mumbai", "Asia/Kolkata")]
        {
            let error = Zone::named(name, "orders.timezone").err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(&format!("did you mean {meant:?}?")), "{error}");
            Zone::named(meant, "orders.timezone")?;
        }
        Ok(())
    }

    #[test]
    fn gaps_move_forward_and_folds_take_the_earlier() -> Result<()> {
        let zone = Zone::named("Europe/Berlin", "orders.naive_timezone")?;
        let wall = |text: &str| {
            text.parse::<DateTime>().ok().and_then(|d| Offset::UTC.to_timestamp(d).ok()).map_or(0, |t| t.as_second())
        };
        let second = |text: &str| text.parse::<Timestamp>().map(|t| t.as_second()).unwrap_or(0);
        assert_eq!(zone.instant(wall("2024-03-31T02:30:00")), second("2024-03-31T01:30:00Z"));
        assert_eq!(zone.instant(wall("2024-10-27T02:30:00")), second("2024-10-27T00:30:00Z"));
        Ok(())
    }
}
