use anyhow::Result;
use plotters::prelude::*;

use super::{FONT, WIDTH, colour, plotting};
use crate::contender::{Entry, NOOP};
use crate::report::table::View;

/// A contender's place among all, its name, and its figure in each column that it has one for.
type Line<'e> = (usize, &'e str, Vec<(usize, f64)>);

/// A line for each contender over the columns.
pub fn draw(view: &View, contenders: &[&Entry]) -> Result<Option<String>> {
    let mut lines: Vec<Line> = Vec::new();
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
