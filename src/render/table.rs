//! Tables without lines: as wide as their content, or as narrow as a terminal wants them. Pure.

use std::fmt::Write;

use console::measure_text_width;

/// Spaces before and behind each cell.
const PADDING: usize = 1;

/// Rows below headers. `numbers` are the columns set to the right. Where it is wider than `columns`, cells are broken between
/// words; where not even that is enough, each row becomes a list of its own.
pub fn table(
    headers: &[&str],
    numbers: &[usize],
    rows: impl IntoIterator<Item = Vec<String>>,
    columns: Option<usize>,
) -> String {
    let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    let widest = |width: fn(&str) -> usize| -> Vec<usize> {
        let of = |at: usize| rows.iter().chain([&headers]).filter_map(move |row| row.get(at));
        (0..headers.len()).map(|at| of(at).map(|cell| width(cell)).max().unwrap_or(0)).collect()
    };
    let mut widths = widest(measure_text_width);
    let least = widest(|cell| cell.split(' ').map(measure_text_width).max().unwrap_or(0));
    let room = columns.unwrap_or(usize::MAX);
    // The padding behind the last cell is not printed.
    let all = |widths: &[usize]| widths.iter().map(|width| width + 2 * PADDING).sum::<usize>() - PADDING;
    if all(&least) > room {
        return stacked(&headers, &rows);
    }
    while all(&widths) > room {
        let shrinks = (0..widths.len()).filter(|at| widths[*at] > least[*at]);
        let Some(widest) = shrinks.max_by_key(|at| widths[*at]) else { break };
        widths[widest] -= 1;
    }
    let broken = |row: &Vec<String>| -> Vec<Vec<String>> {
        row.iter().zip(&widths).map(|(cell, width)| self::broken(cell, *width)).collect()
    };
    let rows: Vec<Vec<Vec<String>>> = [&headers].into_iter().chain(&rows).map(broken).collect();
    // Broken between words, a column may need less.
    let width =
        |at: usize| rows.iter().filter_map(|row| row.get(at)).flatten().map(|part| measure_text_width(part)).max();
    let widths: Vec<usize> = (0..headers.len()).map(|at| width(at).unwrap_or(0)).collect();
    let mut text = String::new();
    for cells in &rows {
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let mut shown = String::new();
            for (at, cell) in cells.iter().enumerate() {
                let part = cell.get(line).map_or("", String::as_str);
                let space = " ".repeat(widths[at].saturating_sub(measure_text_width(part)));
                let (before, behind) = if numbers.contains(&at) { (&*space, "") } else { ("", &*space) };
                // A String takes every write.
                let _ = write!(shown, "{:PADDING$}{before}{part}{behind}{:PADDING$}", "", "");
            }
            text = text + shown.trim_end() + "\n";
        }
    }
    text
}

/// A cell as lines of so many columns.
fn broken(cell: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in cell.split(' ') {
        match lines.last_mut() {
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= columns => {
                *line = format!("{line} {word}");
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Each row as a list, headed by its first cell.
fn stacked(headers: &[String], rows: &[Vec<String>]) -> String {
    let longest = headers.iter().skip(1).map(|header| measure_text_width(header)).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        for (at, (header, cell)) in headers.iter().zip(row).filter(|(_, cell)| !cell.is_empty()).enumerate() {
            // A String takes every write.
            let _ = if at == 0 { writeln!(text, " {cell}") } else { writeln!(text, "   {header:<longest$}  {cell}") };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: Option<usize>) -> String {
        let row =
            |name: &str, objects: &str, vectors: &str| vec![name.to_owned(), objects.to_owned(), vectors.to_owned()];
        let rows = [row("Article", "20,000", "default"), row("Chats", "2 in active tenants", "title, body, summary")];
        table(&["Collection", "Objects", "Vectors"], &[1], rows, columns)
    }

    #[test]
    fn a_table_is_as_narrow_as_it_has_to_be() {
        assert_eq!(
            shown(None),
            " Collection              Objects  Vectors\n Article                  20,000  default\n Chats       2 in active tenants  title, body, summary\n"
        );
        assert_eq!(shown(Some(80)), shown(None));
        assert_eq!(
            shown(Some(40)),
            " Collection      Objects  Vectors\n Article          20,000  default\n Chats       2 in active  title, body,\n                 tenants  summary\n"
        );
        assert_eq!(
            shown(Some(24)),
            " Article\n   Objects  20,000\n   Vectors  default\n Chats\n   Objects  2 in active tenants\n   Vectors  title, body, summary\n"
        );
    }
}
