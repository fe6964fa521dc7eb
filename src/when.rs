//! Durations and dates as people write them in a policy, and commit times as people read them. The clock is
//! never read here: whoever needs `now` brings it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Seconds of each unit, the largest first.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// What a duration looks like, as the end of an error line.
pub const DURATION_RULE: &str = "a duration is a whole number and one of s, m, h, d, w, such as `90d`";

/// What a date looks like, as the end of an error line.
pub const DATE_RULE: &str = "a date is written YYYY-MM-DD";

/// Reads `[1-9][0-9]*(s|m|h|d|w)`; `None` if `text` is something else, or more than 1,000 years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    const LONGEST: u64 = 1000 * 366 * 86_400;
    let unit = text.chars().next_back()?;
    let (_, seconds) = UNITS.iter().find(|(letter, _)| *letter == unit)?;
    let digits = &text[..text.len() - 1];
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| plain)?;
    number
        .checked_mul(*seconds)
        .filter(|total| *total <= LONGEST)
        .map(Duration::from_secs)
}

/// The largest unit that fits, rounded down: `3d`, `5h`; `0s` for less than a second.
pub fn duration_text(duration: Duration) -> String {
    let total = duration.as_secs();
    // Weeks are harder to read than days: ages and due dates are counted in days.
    let (letter, seconds) = UNITS[1..]
        .iter()
        .find(|(_, seconds)| total >= *seconds)
        .copied()
        .unwrap_or(('s', 1));
    format!("{}{letter}", total / seconds)
}

/// Reads `YYYY-MM-DD`; `None` if `text` is written otherwise or no day of the calendar.
pub fn parse_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(position, byte)| match position {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let number = |from: usize, to: usize| text[from..to].parse::<i16>().ok();
    if !shape {
        return None;
    }
    let (month, day) = (i8::try_from(number(5, 7)?).ok()?, i8::try_from(number(8, 10)?).ok()?);
    Date::new(number(0, 4)?, month, day).ok()
}

/// The day, in UTC, of a time in seconds since 1970; times outside the calendar become its first or last day.
pub fn date_of(seconds: i64) -> Date {
    let time = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
    time.to_zoned(TimeZone::UTC).date()
}

/// The day, in UTC, of a time in seconds since 1970, as `YYYY-MM-DD`.
pub fn date_text(seconds: i64) -> String {
    date_of(seconds).to_string()
}

/// The first second after `date`, in UTC, since 1970; days at the end of the calendar have none and give the largest number.
pub fn end_of(date: Date) -> i64 {
    let next = date.tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
    next.map_or(i64::MAX, |next| next.timestamp().as_second())
}

/// Whether `date` is over at `now` (seconds since 1970, UTC). The day itself still counts.
pub fn is_past(date: Date, now: i64) -> bool {
    date < date_of(now)
}

/// How long ago `then` was at `now`; zero if it lies ahead (dates in history are their authors' claims).
pub fn age(then: i64, now: i64) -> Duration {
    Duration::from_secs(u64::try_from(i128::from(now) - i128::from(then)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::{prop_assert_eq, proptest};

    use super::{UNITS, age, date_of, date_text, duration_text, is_past, parse_date, parse_duration};

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in [
            ("1s", 1),
            ("15m", 900),
            ("2h", 7200),
            ("90d", 7_776_000),
            ("1w", 604_800),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        let bad = [
            "",
            "d",
            "0d",
            "01d",
            "+1d",
            "1.5h",
            "1 d",
            "1D",
            "1y",
            "-1d",
            "1dd",
            "١d",
            "1é",
            "99999999999999999999w",
            "9999999w",
        ];
        for text in bad {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn durations_are_shown_in_the_largest_unit_that_fits() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86_400 * 90, "90d")] {
            assert_eq!(duration_text(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        assert_eq!(parse_date("2027-03-31").unwrap().to_string(), "2027-03-31");
        assert!(parse_date("2028-02-29").is_some());
        for bad in [
            "2027-02-29",
            "2027-13-01",
            "2027-3-1",
            "27-03-31",
            "2027/03/31",
            "2027-03-31 ",
            "+027-03-31",
            "２０27-03",
            "",
        ] {
            assert!(parse_date(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_over_when_the_next_one_begins() {
        let date = parse_date("2027-03-31").unwrap();
        let last_second = 1_806_537_599;
        assert_eq!(date_text(last_second), "2027-03-31");
        assert!(!is_past(date, last_second));
        assert!(is_past(date, last_second + 1));
    }

    #[test]
    fn any_time_of_any_commit_has_a_date_and_an_age() {
        for seconds in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(date_text(seconds), date_of(seconds).to_string());
        }
        assert_eq!(age(10, 5), Duration::ZERO);
        assert_eq!(age(5, 10), Duration::from_secs(5));
        assert_eq!(age(i64::MIN, i64::MAX), Duration::from_secs(u64::MAX));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(number in 1_u64..50_000, unit in 0_usize..5) {
            let (letter, seconds) = UNITS[unit];
            prop_assert_eq!(parse_duration(&format!("{number}{letter}")), Some(Duration::from_secs(number * seconds)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,16}") {
            let _ = (parse_duration(&text), parse_date(&text));
        }
    }
}
