//! The pictures of the parity tests: generated ones, in whole numbers only so that they are the same everywhere, and three
//! small photographs.
#![allow(dead_code, unreachable_pub)]

/// A picture of any size.
pub struct Picture {
    /// What it shows.
    pub name: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

/// Number of generated pictures.
pub const GENERATED: u32 = 200;

/// Every picture: the photographs, then the generated ones.
pub fn all() -> Vec<Picture> {
    let photographs: [(&str, &[u8]); 3] = [
        ("cat", include_bytes!("cat.png")),
        ("coffee", include_bytes!("coffee.png")),
        ("rocket", include_bytes!("rocket.png")),
    ];
    let decoded = photographs.into_iter().map(|(name, png)| photograph(name, png));
    decoded.chain((0..GENERATED).map(generated)).collect()
}

/// Decodes a photograph of the tests.
fn photograph(name: &str, png: &[u8]) -> Picture {
    let rgba = image::load_from_memory(png).expect("a PNG of ours").into_rgba8();
    Picture { name: name.into(), width: rgba.width(), height: rgba.height(), rgba: rgba.into_raw() }
}

/// Discs and boxes over a gradient with grain; every eighth picture is partly transparent.
pub fn generated(number: u32) -> Picture {
    let mut random = Random(u64::from(number) + 1);
    let (width, height) = match number % 4 {
        0 => (32, 32),
        1 => (64, 48),
        2 => (90, 160),
        _ => (20 + random.below(100), 20 + random.below(100)),
    };
    let (from, to) = (random.colour(), random.colour());
    let grain = random.below(60) + 1;
    let shapes: Vec<Shape> = (0..random.below(6)).map(|_| Shape::new(&mut random, width, height)).collect();
    let see_through = number % 8 == 5;
    let mut rgba = Vec::with_capacity((width * height * 4) as usize);
    for y in 0..height {
        for x in 0..width {
            let shape = shapes.iter().rev().find(|s| s.covers(x, y));
            let place = (x + y) * 256 / (width + height);
            for c in 0..3 {
                let ground = (u32::from(from[c]) * (256 - place) + u32::from(to[c]) * place) / 256;
                let plain = shape.map_or(ground, |s| u32::from(s.colour[c]));
                rgba.push((plain + random.below(grain)).saturating_sub(grain / 2).min(255) as u8);
            }
            rgba.push(if see_through { (x * 255 / width) as u8 } else { 255 });
        }
    }
    Picture { name: format!("generated {number}"), width, height, rgba }
}

struct Shape {
    round: bool,
    x: i64,
    y: i64,
    radius: i64,
    colour: [u8; 3],
}

impl Shape {
    fn new(random: &mut Random, width: u32, height: u32) -> Self {
        Self {
            round: random.below(2) == 0,
            x: random.below(width).into(),
            y: random.below(height).into(),
            radius: (random.below(width.min(height) / 2) + 2).into(),
            colour: random.colour(),
        }
    }

    fn covers(&self, x: u32, y: u32) -> bool {
        let (dx, dy) = (i64::from(x) - self.x, i64::from(y) - self.y);
        match self.round {
            true => dx * dx + dy * dy <= self.radius * self.radius,
            false => dx.abs().max(dy.abs()) <= self.radius,
        }
    }
}

/// Knuth's linear congruential generator: the same numbers everywhere and for ever.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(limit.max(1))) as u32
    }

    fn colour(&mut self) -> [u8; 3] {
        [0; 3].map(|_| self.below(256) as u8)
    }
}
