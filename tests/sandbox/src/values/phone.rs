//! Phone numbers: enough of the server's library for a few countries.

use super::go_type;
use crate::json::{Json, object};

const COUNTRIES: [(&str, &str); 6] =
    [("NL", "31"), ("DE", "49"), ("GB", "44"), ("FR", "33"), ("BE", "32"), ("US", "1")];

/// The number with the fields the server derives; the error is the server's.
pub(super) fn parsed(value: &Json) -> Result<Json, String> {
    if value.as_object().is_none() {
        return Err(format!("phoneNumber must be a map, but got: {}", go_type(value)));
    }
    let input = match value.get("input") {
        None => return Err("phoneNumber is missing required field 'input'".to_owned()),
        Some(Json::Text(input)) => input,
        Some(_) => return Err("phoneNumber.input must be a string".to_owned()),
    };
    let country = value.text("defaultCountry").unwrap_or("").to_uppercase();
    let digits: String = input.chars().filter(char::is_ascii_digit).collect();
    let code = if input.trim_start().starts_with('+') {
        COUNTRIES.iter().find(|(_, code)| digits.starts_with(code)).map(|(_, code)| *code)
    } else {
        COUNTRIES.iter().find(|(name, _)| *name == country).map(|(_, code)| *code)
    };
    let Some(code) = code else {
        return Err(
            "invalid phone number: invalid or missing defaultCountry - this field is optional if the specified \
                    number is in the international format, but required if the number is in national format, use ISO \
                    3166-1 alpha-2"
                .to_owned(),
        );
    };
    let national =
        if input.trim_start().starts_with('+') { &digits[code.len()..] } else { digits.trim_start_matches('0') };
    let grouped = match (code, national.len()) {
        ("31", 9) => format!("{} {} {}", &national[..2], &national[2..5], &national[5..]),
        ("1", 10) => format!("{}-{}-{}", &national[..3], &national[3..6], &national[6..]),
        _ => national.to_owned(),
    };
    let mut phone = object! {"countryCode": Json::Number(code.into())};
    if !country.is_empty() {
        phone.set("defaultCountry", country);
    }
    phone.set("input", input);
    phone.set("internationalFormatted", format!("+{code} {grouped}"));
    phone.set("national", Json::Number(if national.is_empty() { "0" } else { national }.into()));
    let trunk = if code == "1" { "" } else { "0" };
    phone.set("nationalFormatted", format!("{trunk}{grouped}"));
    phone.set("valid", national.len() > 6);
    Ok(phone)
}
