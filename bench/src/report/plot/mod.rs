//! Plots, as SVG.

mod bars;
mod lines;
mod map;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::Report;
use crate::workload::{self, TraceRegion, TraceTime, Workload};

pub struct Plot {
    /// Of the file, without its ending.
    pub name: String,
    pub workload: &'static str,
    pub svg: String,
}

pub const FONT: &str = "sans-serif";
pub const WIDTH: u32 = 900;

/// A plot for every view of every workload, and the map of time and space if both were measured.
pub fn all(report: &Report) -> Result<Vec<Plot>> {
    let mut plots = Vec::new();
    for (workload, views) in report.views() {
        for view in &views {
            let svg = match workload.plot() {
                workload::Plot::Bars => bars::draw(view, &report.contenders)?,
                workload::Plot::Lines => lines::draw(view, &report.contenders)?,
            };
            let metric = view.columns.first().map_or("", |(_, metric)| metric.name);
            let name = if views.len() == 1 {
                String::new()
            } else {
                format!("-{}", metric.replace(' ', "-"))
            };
            plots.extend(svg.map(|svg| Plot {
                name: format!("{}{name}", workload.name()),
                workload: workload.name(),
                svg,
            }));
        }
    }
    plots.extend(time_and_space(report)?);
    Ok(plots)
}

fn time_and_space(report: &Report) -> Result<Option<Plot>> {
    let views = report.views();
    let first = |name| {
        views
            .iter()
            .find(|(workload, _)| workload.name() == name)
            .and_then(|(_, views)| views.first())
    };
    let Some((time, space)) = first(TraceTime.name()).zip(first(TraceRegion.name())) else {
        return Ok(None);
    };
    let svg = map::draw(time, space, &report.contenders)?;
    Ok(svg.map(|svg| Plot {
        name: "time-and-space".to_owned(),
        workload: TraceTime.name(),
        svg,
    }))
}

/// The same colour for the same contender in all plots.
fn colour(position: usize) -> RGBColor {
    let (red, green, blue) = Palette99::pick(position).rgb();
    RGBColor(red, green, blue)
}

pub fn plotting<E: std::error::Error + Send + Sync + 'static>(
    error: DrawingAreaErrorKind<E>,
) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}
