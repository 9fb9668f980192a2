//! The report as a page, and its tables for other documents.

use super::Report;
use super::plot::Plot;
use super::table::Table;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}\
    table{border-collapse:collapse;font-size:13px;margin:.5em 0}div{overflow-x:auto}\
    td,th{padding:.15em .6em;text-align:right;white-space:nowrap;border-bottom:1px solid #e4e4e4}\
    td:first-child{text-align:left;font-weight:600}.failed{color:#b00020}h2{margin-top:2.5em}svg{max-width:100%;height:auto}";

/// The plots that `BENCHMARKS.md` shows. `publish.sh` copies them.
const PUBLISHED: [&str; 9] = [
    "time-and-space",
    "trace-time",
    "trace-region",
    "random-actions",
    "heap-exhaustion",
    "fill",
    "churn",
    "talc-loads",
    "threads",
];

pub fn html(report: &Report, plots: &[Plot]) -> String {
    let preface: String = report
        .about
        .iter()
        .map(|line| format!("<li>{}</li>", escaped(line)))
        .collect();
    let sections: String = report
        .views()
        .iter()
        .map(|(workload, views)| {
            let name = workload.name();
            let plots: String = plots
                .iter()
                .filter(|plot| plot.workload == name)
                .map(|plot| plot.svg.as_str())
                .collect();
            let tables: String = views
                .iter()
                .map(|view| table(&view.table(&report.contenders)))
                .collect();
            format!(
                "<h2 id=\"{name}\">{name}</h2><p>{}</p>{plots}{tables}",
                escaped(workload.about())
            )
        })
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Which allocator should I use?</title>\
         <style>{STYLE}</style><h1>Which allocator should I use?</h1><ul>{preface}</ul>\
         <p>In brackets the ratio to talc; ± half of the distance between the quartiles of the rounds. \
         The last columns are geometric means of the ratios over all cases.</p>{sections}</html>"
    )
}

fn table(table: &Table) -> String {
    let cells = |row: &[String], tag: &str| -> String {
        row.iter()
            .map(|cell| format!("<{tag}{}>{}</{tag}>", class(cell), escaped(cell)))
            .collect()
    };
    let rows: String = table
        .rows
        .iter()
        .map(|row| format!("<tr>{}</tr>", cells(row, "td")))
        .collect();
    let notes: String = table
        .notes
        .iter()
        .map(|note| format!("<li>{}</li>", escaped(note)))
        .collect();
    format!(
        "<h3>{}</h3><div><table><tr>{}</tr>{rows}</table></div><ul class=\"failed\">{notes}</ul>",
        escaped(&table.title),
        cells(&table.header, "th")
    )
}

/// What a contender could not do is to be seen.
fn class(cell: &str) -> &'static str {
    match cell {
        "crashes" | "hangs" | "corrupts" | "out" | "fails" | "cannot" | "not" => {
            " class=\"failed\""
        }
        _ => "",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The results with the plots of the workloads, for `BENCHMARKS.md`.
pub fn markdown(report: &Report, plots: &[Plot]) -> String {
    let about: String = report
        .about
        .iter()
        .map(|line| format!("- {line}\n"))
        .collect();
    let mut text = format!("## Results\n\n{about}\n");
    for (workload, views) in report.views() {
        let name = workload.name();
        text += &format!("### {name}\n\n{}\n\n", workload.about());
        text += &format!("`cargo run --release -p galloc-bench -- -w {name}`\n\n");
        for plot in plots
            .iter()
            .filter(|plot| plot.workload == name && PUBLISHED.contains(&plot.name.as_str()))
        {
            text += &format!("![{}](bench/plots/{}.svg)\n\n", plot.name, plot.name);
        }
        for view in views {
            text += &format!("{}\n", view.table(&report.contenders).for_markdown());
        }
    }
    text
}
