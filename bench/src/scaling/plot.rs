//! Throughput over CPUs, both logarithmic, a panel for each pattern.

use anyhow::Result;
use plotters::prelude::*;

use super::curves::{Curve, Curves};
use super::series::CPUS;
use crate::report::plot::{FONT, WIDTH, plotting};

const HEIGHT: u32 = 420;
const LOWEST: f64 = 0.1;

/// A line's points, how it is called, and its colour.
type Line<'l> = (Vec<(f64, f64)>, &'l str, RGBColor);

pub fn draw(curves: &Curves) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        root.fill(&WHITE).map_err(plotting)?;
        let highest = curves.0.iter().map(|curve| curve.per_cpu.ideal(256));
        let highest = highest.fold(1.0, f64::max);
        let panels = root.split_evenly((1, curves.0.len()));
        for (curve, panel) in curves.0.iter().zip(&panels) {
            draw_panel(curve, panel, highest)?;
        }
        root.present().map_err(plotting)?;
    }
    Ok(svg)
}

fn draw_panel(
    curve: &Curve,
    panel: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    highest: f64,
) -> Result<()> {
    let mut chart = ChartBuilder::on(panel)
        .caption(format!("{}, Mops/s", curve.pattern.name()), (FONT, 15))
        .margin(8)
        .x_label_area_size(38)
        .y_label_area_size(48)
        .build_cartesian_2d(
            (2.0..256.0).log_scale().base(2.0),
            (LOWEST..highest).log_scale(),
        )
        .map_err(plotting)?;
    let count = |cpus: &f64| format!("{cpus:.0}");
    let mut mesh = chart.configure_mesh();
    mesh.x_desc("CPUs")
        .x_label_formatter(&count)
        .light_line_style(TRANSPARENT)
        .label_style((FONT, 12));
    mesh.draw().map_err(plotting)?;
    let points = |of: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        CPUS.into_iter()
            .filter_map(|cpus| Some((cpus as f64, of(cpus)?)))
            .collect()
    };
    let lines: [Line; 3] = [
        (
            points(&|cpus| Some(curve.per_cpu.ideal(cpus))),
            "ideal",
            RGBColor(170, 170, 170),
        ),
        (
            points(&|cpus| Some(curve.per_cpu.at(cpus)?.mops)),
            "PerCpuAllocator",
            RGBColor(0, 110, 190),
        ),
        (
            points(&|cpus| Some(curve.locked.at(cpus)?.mops)),
            "SpinLockedAllocator",
            RGBColor(200, 60, 40),
        ),
    ];
    for (points, name, colour) in lines {
        let line = LineSeries::new(points, colour.stroke_width(2)).point_size(2);
        chart
            .draw_series(line)
            .map_err(plotting)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font((FONT, 12))
        .draw()
        .map_err(plotting)?;
    Ok(())
}
