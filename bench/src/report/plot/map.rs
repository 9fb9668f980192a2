use anyhow::Result;
use plotters::prelude::*;

use super::{FONT, WIDTH, colour, plotting};
use crate::contender::Entry;
use crate::report::table::{FIRST_YARDSTICK, View};
use crate::stats::geometric_mean;

/// Time against space over the recorded programs: a dot for each contender that has both. The best place is at the bottom
/// on the left.
pub fn draw(time: &View, space: &View, contenders: &[&Entry]) -> Result<Option<String>> {
    let mut dots: Vec<(usize, &str, (f64, f64))> = Vec::new();
    for (position, entry) in contenders.iter().enumerate() {
        let live: Option<Vec<f64>> = space
            .figures(entry)
            .map(|figure| Some(figure?.median))
            .collect();
        let space = live.and_then(|live| geometric_mean(&live));
        let place = space.zip(time.mean_ratio(entry, FIRST_YARDSTICK));
        dots.extend(place.map(|place| (position, entry.name, place)));
    }
    if dots.len() < 2 {
        return Ok(None);
    }
    let right = dots.iter().map(|dot| dot.2.0).fold(1.0, f64::max);
    let top = dots.iter().map(|dot| dot.2.1).fold(1.0, f64::max);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 520)).into_drawing_area();
        root.fill(&WHITE).map_err(plotting)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(
                "Recorded programs: time and memory, each a geometric mean; less is better",
                (FONT, 17),
            )
            .margin(12)
            .x_label_area_size(45)
            .y_label_area_size(60)
            .build_cartesian_2d(1.0..1.0 + (right - 1.0) * 1.15, 0.0..top * 1.08)
            .map_err(plotting)?;
        chart
            .configure_mesh()
            .x_desc("smallest heap over live bytes")
            .y_desc(format!("time, net of the loop, to {FIRST_YARDSTICK}"))
            .label_style((FONT, 13))
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(plotting)?;
        for (position, name, place) in dots {
            let dot = EmptyElement::at(place)
                + Circle::new((0, 0), 6, colour(position).filled())
                + Text::new(name.to_owned(), (10, -6), (FONT, 14));
            chart.draw_series([dot]).map_err(plotting)?;
        }
        root.present().map_err(plotting)?;
    }
    Ok(Some(svg))
}
