//! RFC 3339 times as Go reads and prints them.

/// Whether Go's `time.Parse(time.RFC3339, …)` takes the text.
pub(crate) fn is_date(text: &str) -> bool {
    normalised(text).is_some()
}

/// The time as Go's `RFC3339Nano` prints it: no zeros at the end of the fraction, `Z` for an offset of nothing.
pub(super) fn normalised(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = bytes.get(from..to)?;
        digits.iter().all(u8::is_ascii_digit).then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
    };
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    if !(is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':')) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || day < 1 || day > days(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut at = 19;
    let mut fraction = String::new();
    if is(at, b'.') {
        at += 1;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            fraction.push(char::from(bytes[at]));
            at += 1;
        }
        if fraction.is_empty() {
            return None;
        }
        fraction.truncate(9);
    }
    let zone = &bytes[at..];
    let offset = match zone {
        [b'Z'] => "Z".to_owned(),
        [b'+' | b'-', _, _, b':', _, _] => {
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            if hours > 24 || minutes > 59 {
                return None;
            }
            if hours == 0 && minutes == 0 { "Z".to_owned() } else { String::from_utf8_lossy(zone).into_owned() }
        }
        _ => return None,
    };
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{}{point}{fraction}{offset}", text.get(..19)?))
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
