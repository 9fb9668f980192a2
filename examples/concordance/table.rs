//! Tables and numbers for people.

use std::io::{self, Write};

/// Writes rows under a title, in columns as wide as they need to be. A column
/// of numbers is flush right.
pub fn table<const N: usize>(
    out: &mut impl Write,
    title: &str,
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<_> = rows.collect();
    writeln!(out, "\n{title}")?;
    if rows.is_empty() {
        writeln!(out, "  none")?;
    }
    for row in &rows {
        writeln!(out, "{}", line(&rows, row).trim_end())?;
    }
    Ok(())
}

fn line<const N: usize>(rows: &[[String; N]], row: &[String; N]) -> String {
    let mut line = String::new();
    for (column, cell) in row.iter().enumerate() {
        let width = width(rows, column);
        let cell = if is_number(rows, column) {
            format!("{cell:>width$}")
        } else {
            format!("{cell:width$}")
        };
        line.push_str("  ");
        line.push_str(&cell);
    }
    line
}

fn width<const N: usize>(rows: &[[String; N]], column: usize) -> usize {
    rows.iter()
        .map(|row| row[column].chars().count())
        .max()
        .unwrap_or(0)
}

fn is_number<const N: usize>(rows: &[[String; N]], column: usize) -> bool {
    rows.last()
        .is_some_and(|row| row[column].starts_with(|first: char| first.is_ascii_digit()))
}

/// A number with its digits in groups: `1,234,567`.
pub fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number of bytes in the largest unit of which there is one: `1.5 MiB`.
pub fn size(bytes: usize) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    match units.into_iter().find(|(_, bits)| bytes >> bits > 0) {
        Some((unit, bits)) => format!("{:.1} {unit}", bytes as f64 / (1_u64 << bits) as f64),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1000), "1,000");
        assert_eq!(number(1_234_567), "1,234,567");
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(3 << 19), "1.5 MiB");
        assert_eq!(size(64 << 20), "64.0 MiB");
        assert_eq!(size(2 << 30), "2.0 GiB");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["größe", "7 times"], ["no", "12 times"]].map(|row| row.map(str::to_owned));
        let mut out = Vec::new();
        table(&mut out, "Title", rows.into_iter()).unwrap();
        let expected = "\nTitle\n  größe   7 times\n  no     12 times\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_table_without_rows_says_so() {
        let mut out = Vec::new();
        table::<1>(&mut out, "Title", [].into_iter()).unwrap();
        assert_eq!(out, b"\nTitle\n  none\n");
    }
}
