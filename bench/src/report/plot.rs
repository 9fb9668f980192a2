//! Plots, as SVG.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::table::{FIRST_YARDSTICK, View};
use crate::contender::{Entry, NOOP};
use crate::results::Results;
use crate::suite::Suite;
use crate::workload::{self, Better};

pub struct Plot {
    /// Of the file, without its ending.
    pub name: String,
    pub workload: String,
    pub svg: String,
}

const FONT: &str = "sans-serif";
const WIDTH: u32 = 900;

/// A plot for every view of every workload, and the map of speed and space if both were measured.
pub fn all(suite: &Suite, results: &Results) -> Result<Vec<Plot>> {
    let mut plots = Vec::new();
    for (workload, views) in suite.views(results) {
        for view in &views {
            let svg = match workload.plot() {
                workload::Plot::Bars => bars(view, &suite.contenders)?,
                workload::Plot::LineOverCases | workload::Plot::LineOverMetrics(_) => {
                    lines(view, &suite.contenders)?
                }
            };
            let metric = view.columns.first().map_or("", |(_, metric)| metric.name);
            let name = if views.len() == 1 {
                workload.name().to_owned()
            } else {
                format!("{} {metric}", workload.name())
            };
            let name = name.replace([' ', '/'], "-").replace("---", "-");
            plots.extend(svg.map(|svg| Plot {
                name,
                workload: workload.name().to_owned(),
                svg,
            }));
        }
    }
    Ok(plots)
}

/// The same colour for the same contender in all plots.
fn colour(suite_position: usize) -> RGBColor {
    let (red, green, blue) = Palette99::pick(suite_position).rgb();
    RGBColor(red, green, blue)
}

fn plotting<E: std::error::Error + Send + Sync + 'static>(
    error: DrawingAreaErrorKind<E>,
) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

/// A bar for each contender: the mean of its ratios to the first yardstick. The best is at the top.
fn bars(view: &View, contenders: &[&Entry]) -> Result<Option<String>> {
    let Some((_, metric)) = view.columns.first() else {
        return Ok(None);
    };
    let mut bars: Vec<(usize, &str, f64)> = Vec::new();
    for (position, entry) in contenders.iter().enumerate() {
        bars.extend(
            view.mean_ratio(entry, FIRST_YARDSTICK)
                .map(|ratio| (position, entry.name, ratio)),
        );
    }
    bars.sort_by(|left, right| left.2.total_cmp(&right.2));
    if metric.better == Better::Less {
        bars.reverse();
    }
    // Losers far behind would squeeze everybody else.
    let shown = bars.iter().map(|bar| bar.2).fold(0.0, f64::max).min(4.0);
    if bars.is_empty() || shown <= 0.0 {
        return Ok(None);
    }
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 90 + 26 * bars.len() as u32))
            .into_drawing_area();
        root.fill(&WHITE).map_err(plotting)?;
        let names: Vec<&str> = bars.iter().map(|bar| bar.1).collect();
        let name = |segment: &SegmentValue<usize>| match segment {
            SegmentValue::CenterOf(bar) => names.get(*bar).copied().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let mut chart = ChartBuilder::on(&root)
            .caption(
                format!("{} (1 = {FIRST_YARDSTICK})", view.title()),
                (FONT, 17),
            )
            .margin(10)
            .x_label_area_size(26)
            .y_label_area_size(110)
            .build_cartesian_2d(0.0..shown * 1.12, (0..bars.len()).into_segmented())
            .map_err(plotting)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_y_mesh()
            .y_labels(bars.len() + 1)
            .y_label_formatter(&name)
            .label_style((FONT, 13));
        mesh.draw().map_err(plotting)?;
        let bar = |(row, (position, _, ratio)): (usize, &(usize, &str, f64))| {
            let corners = [
                (0.0, SegmentValue::Exact(row)),
                (ratio.min(shown * 1.12), SegmentValue::Exact(row + 1)),
            ];
            let mut bar = Rectangle::new(corners, colour(*position).filled());
            bar.set_margin(4, 4, 0, 0);
            bar
        };
        chart
            .draw_series(bars.iter().enumerate().map(bar))
            .map_err(plotting)?;
        let label = |(row, (_, _, ratio)): (usize, &(usize, &str, f64))| {
            let place = (ratio.min(shown) + shown * 0.01, SegmentValue::CenterOf(row));
            Text::new(format!("{ratio:.2}"), place, (FONT, 13))
        };
        chart
            .draw_series(bars.iter().enumerate().map(label))
            .map_err(plotting)?;
        root.present().map_err(plotting)?;
    }
    Ok(Some(svg))
}

/// A line for each contender over the columns.
fn lines(view: &View, contenders: &[&Entry]) -> Result<Option<String>> {
    let mut lines: Vec<(usize, &str, Vec<(usize, f64)>)> = Vec::new();
    for (position, entry) in contenders
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.name != NOOP)
    {
        let figures = view.figures(entry).enumerate();
        let points: Vec<_> = figures
            .filter_map(|(column, figure)| Some((column, figure?.median)))
            .collect();
        if !points.is_empty() {
            lines.push((position, entry.name, points));
        }
    }
    let highest = lines
        .iter()
        .flat_map(|line| &line.2)
        .map(|point| point.1)
        .fold(0.0, f64::max);
    if highest <= 0.0 {
        return Ok(None);
    }
    lines.sort_by(|left, right| last(&right.2).total_cmp(&last(&left.2)));
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 520)).into_drawing_area();
        root.fill(&WHITE).map_err(plotting)?;
        let labels: Vec<String> = view
            .columns
            .iter()
            .map(|column| view.label(column))
            .collect();
        let label = |column: &usize| labels.get(*column).cloned().unwrap_or_default();
        let mut chart = ChartBuilder::on(&root)
            .caption(view.title(), (FONT, 17))
            .margin(10)
            .margin_right(150)
            .x_label_area_size(30)
            .y_label_area_size(80)
            .build_cartesian_2d(0..labels.len().max(2) - 1, 0.0..highest * 1.05)
            .map_err(plotting)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh()
            .x_labels(labels.len())
            .x_label_formatter(&label)
            .label_style((FONT, 12));
        mesh.draw().map_err(plotting)?;
        for (row, (position, name, points)) in lines.iter().enumerate() {
            let colour = colour(*position);
            let line =
                LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3);
            chart.draw_series(line).map_err(plotting)?;
            // The legend, in the order of the ends of the lines.
            let y = 60 + 20 * row as i32;
            root.draw(&PathElement::new(
                [(WIDTH as i32 - 145, y), (WIDTH as i32 - 125, y)],
                colour.stroke_width(3),
            ))
            .map_err(plotting)?;
            root.draw(&Text::new(
                (*name).to_owned(),
                (WIDTH as i32 - 120, y - 7),
                (FONT, 13),
            ))
            .map_err(plotting)?;
        }
        root.present().map_err(plotting)?;
    }
    Ok(Some(svg))
}

fn last(points: &[(usize, f64)]) -> f64 {
    points.last().map_or(0.0, |point| point.1)
}
