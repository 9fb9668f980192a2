use anyhow::Result;
use plotters::prelude::*;

use super::{FONT, WIDTH, colour, plotting};
use crate::contender::Entry;
use crate::report::table::{FIRST_YARDSTICK, View};
use crate::workload::Better;

/// A bar for each contender: the mean of its ratios to the first yardstick. The best is at the top.
pub fn draw(view: &View, contenders: &[&Entry]) -> Result<Option<String>> {
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
