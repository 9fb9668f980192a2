//! The table of figures: as text, read again, and compared.

use std::fmt;

use anyhow::{Context, Result, ensure};

const TITLES: [&str; 4] = ["instructions", "mispredicted", "L1 misses", "LL misses"];

/// A figure may grow by so much of itself, and by so many of each an operation. Instructions are what a change makes them;
/// misses depend on where code comes to lie as well, and the simulated predictor takes branches whose addresses are alike
/// for one, so that one of a path may be mispredicted half of the time for no reason.
const TOLERANCE: f64 = 0.02;
const SLACK: [f64; 4] = [0.5, 0.5, 0.2, 0.1];

/// What one operation takes: instructions, mispredicted branches, and misses of the first and of the last cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures(pub [f64; 4]);

impl Figures {
    pub fn less(self, other: Self) -> Self {
        let mut difference = self.0;
        for (figure, other) in difference.iter_mut().zip(other.0) {
            *figure = (*figure - other).max(0.0);
        }
        Self(difference)
    }
}

#[derive(Debug, PartialEq)]
pub struct Row {
    pub contender: String,
    pub case: String,
    pub figures: Figures,
}

#[derive(Debug, PartialEq)]
pub struct Table {
    pub compiler: String,
    rows: Vec<Row>,
}

const COMPILER: &str = "Compiled by ";

impl Table {
    /// Of this program's compiler.
    pub fn new(rows: Vec<Row>) -> Self {
        Self {
            compiler: env!("COMPILER").to_owned(),
            rows,
        }
    }

    /// Reads what `to_string` makes.
    pub fn read(text: &str) -> Result<Self> {
        let compiler = text.lines().find_map(|line| line.strip_prefix(COMPILER));
        let rows = text
            .lines()
            .filter(|line| line.starts_with("| galloc"))
            .map(|line| Row::read(line).with_context(|| format!("no row: {line}")))
            .collect::<Result<Vec<_>>>()?;
        ensure!(!rows.is_empty(), "no rows");
        Ok(Self {
            compiler: compiler
                .context("it does not say what compiled it")?
                .trim_end_matches('.')
                .to_owned(),
            rows,
        })
    }

    fn row(&self, like: &Row) -> Option<&Row> {
        let same = |row: &&Row| row.contender == like.contender && row.case == like.case;
        self.rows.iter().find(same)
    }

    /// The figures, each with what it was where it changed.
    pub fn beside(&self, kept: &Self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let old = kept.row(row).map(|row| row.figures);
            let cells = (0..TITLES.len()).map(|place| {
                let (now, title) = (row.figures.0[place], TITLES[place]);
                match old.map(|old| old.0[place]) {
                    // Both are rounded.
                    Some(old) if (old - now).abs() >= 0.01 => {
                        format!("{now:8.2} {title} (was {old:.2})")
                    }
                    _ => format!("{now:8.2} {title}"),
                }
            });
            let cells: Vec<_> = cells.collect();
            let name = format!("{}: {}", row.contender, row.case);
            text += &format!("{name:48}{}\n", cells.join(","));
        }
        text
    }

    /// What grew by more than it may, and what one of the tables has not.
    pub fn worse_than(&self, kept: &Self) -> Vec<String> {
        let mut worse = Vec::new();
        for row in &self.rows {
            let name = format!("{}: {}", row.contender, row.case);
            let Some(old) = kept.row(row) else {
                worse.push(format!("{name}: is not in the file"));
                continue;
            };
            for (place, title) in TITLES.iter().enumerate() {
                let (now, old) = (row.figures.0[place], old.figures.0[place]);
                if now > old * (1.0 + TOLERANCE) + SLACK[place] {
                    worse.push(format!("{name}: {now:.2} {title} instead of {old:.2}"));
                }
            }
        }
        let gone = kept.rows.iter().filter(|row| self.row(row).is_none());
        worse.extend(gone.map(|row| {
            format!(
                "{}: {}: in the file, but not counted",
                row.contender, row.case
            )
        }));
        worse
    }
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let mut cells = line
            .split('|')
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        let (contender, case) = (cells.next()?.to_owned(), cells.next()?.to_owned());
        let mut figures = [0.0; TITLES.len()];
        for figure in &mut figures {
            *figure = cells.next()?.parse().ok()?;
        }
        Some(Self {
            contender,
            case,
            figures: Figures(figures),
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "# Counts\n\
             \n\
             What one operation takes, as callgrind counts it: instructions, conditional and indirect branches\n\
             that its simple predictor gets wrong, and misses of a first cache of 32 KiB each for code and data\n\
             and of a last one of 1 MiB. Net of the call itself, and of the loop where a recorded program is\n\
             replayed. These repeat, so that a small change shows; they are not times.\n\
             \n\
             This file is written by `cargo run --release -p galloc-bench -- counts --write`.\n",
        )?;
        writeln!(formatter, "{COMPILER}{}.\n", self.compiler)?;
        writeln!(
            formatter,
            "| setting | operation | {} |",
            TITLES.join(" | ")
        )?;
        writeln!(formatter, "|---|---|---:|---:|---:|---:|")?;
        for row in &self.rows {
            write!(formatter, "| {} | {} |", row.contender, row.case)?;
            for figure in row.figures.0 {
                write!(formatter, " {figure:.2} |")?;
            }
            writeln!(formatter)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, [f64; 4])]) -> Table {
        Table::new(
            rows.iter()
                .map(|&(case, figures)| Row {
                    contender: "galloc".to_owned(),
                    case: case.to_owned(),
                    figures: Figures(figures),
                })
                .collect(),
        )
    }

    #[test]
    fn what_is_written_is_read_again() {
        let table = table(&[("a, b", [100.5, 0.25, 0.0, 0.0]), ("c", [7.0; 4])]);
        assert_eq!(Table::read(&table.to_string()).unwrap(), table);
    }

    #[test]
    fn growth_by_more_than_a_fiftieth_is_worse() {
        let kept = table(&[("a", [100.0, 0.0, 0.0, 0.0])]);
        let grown = |by| table(&[("a", [100.0 + by, 0.0, 0.0, 0.0])]);
        assert_eq!(grown(2.0).worse_than(&kept), [""; 0]);
        assert_eq!(
            grown(3.0).worse_than(&kept),
            ["galloc: a: 103.00 instructions instead of 100.00"]
        );
    }

    #[test]
    fn a_case_that_only_one_table_has_is_reported() {
        let (one, two) = (
            table(&[("a", [1.0; 4])]),
            table(&[("a", [1.0; 4]), ("b", [1.0; 4])]),
        );
        assert_eq!(one.worse_than(&two).len(), 1);
        assert_eq!(two.worse_than(&one).len(), 1);
    }
}
