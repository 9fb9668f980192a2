use std::fs;

/// What the figures depend on besides the contenders, a fact per line.
pub fn description() -> Vec<String> {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or(": unknown");
    let kernel = read("/proc/sys/kernel/osrelease");
    let huge_pages = read("/sys/kernel/mm/transparent_hugepage/enabled");
    vec![
        format!(
            "processor {}, Linux {kernel}",
            processor.trim_start_matches([' ', '\t', ':'])
        ),
        format!("transparent huge pages {huge_pages}; {}", env!("COMPILER")),
    ]
}

fn read(file: &str) -> String {
    fs::read_to_string(file).map_or("unknown".to_owned(), |text| text.trim().to_owned())
}
