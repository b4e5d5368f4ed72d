use std::{fmt, str::FromStr};

/// Which grey values are shown, one choice for all slices of a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Window {
    /// What the file itself says; of CT 40:400; else the 0.5 and 99.5 percentiles of the voxels that are not zero.
    #[default]
    Auto,
    /// By centre and width, as radiologists do.
    Fixed {
        /// What becomes middle grey.
        centre: f64,
        /// From black to white.
        width: f64,
    },
}

/// Windows that have a name, in Hounsfield units: centre and width.
const NAMED: [(&str, f64, f64); 4] = [
    ("soft", 40.0, 400.0),
    ("lung", -600.0, 1500.0),
    ("bone", 400.0, 1800.0),
    ("brain", 40.0, 80.0),
];

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if let Some((_, centre, width)) = NAMED.iter().find(|(name, ..)| *name == text) {
            return Ok(Self::Fixed {
                centre: *centre,
                width: *width,
            });
        }
        let numbers = text.split_once(':').and_then(|(centre, width)| {
            let parse = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite());
            Some((parse(centre)?, parse(width)?))
        });
        match numbers {
            Some((centre, width)) if width > 0.0 => Ok(Self::Fixed { centre, width }),
            Some(_) => Err(format!("`{text}`: a window's width is above 0")),
            None => Err(format!(
                "`{text}` is no window: auto, soft, lung, bone, brain, or CENTRE:WIDTH such as 40:400"
            )),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed { centre, width } => write!(f, "{centre}:{width}"),
        }
    }
}

/// The grey values that become black and white, and where they come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Black, with all that lies beyond.
    pub low: f64,
    /// White, with all that lies beyond; below `low` where low values are bright.
    pub high: f64,
    /// For people.
    pub source: &'static str,
}

impl Levels {
    /// Grey values as they are shown. What is no number is black.
    pub fn render(&self, values: &[f32]) -> Vec<u8> {
        let scale = 255.0 / (self.high - self.low);
        let shown = |value: &f32| {
            let level = (f64::from(*value) - self.low) * scale;
            // NaN becomes 0.
            level.clamp(0.0, 255.0).round() as u8
        };
        values.iter().map(shown).collect()
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high, source } = self;
        write!(f, "{low:.6} to {high:.6} ({source})")
    }
}

/// What a scan says of how it is to be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hints {
    /// A window of its own: centre and width.
    pub window: Option<(f64, f64)>,
    /// Whether its values are Hounsfield units; `None` where it does not say.
    pub is_ct: Option<bool>,
    /// Whether low values are bright.
    pub is_inverted: bool,
}

/// Grey values of a volume, to find its window: all of a small one, evenly spread ones of a large one.
#[derive(Clone, Debug)]
pub struct Sample {
    stride: usize,
    /// Until the next that is taken.
    wait: usize,
    /// That are numbers and not zero.
    values: Vec<f32>,
    taken: usize,
    airy: usize,
}

/// The most values that are looked at.
const MOST: usize = 1 << 22;

/// In Hounsfield units, air is -1000.
const AIR: f32 = -900.0;
const LEAST: f32 = -4096.0;

impl Sample {
    /// For so many voxels.
    pub fn of(voxels: usize) -> Self {
        let stride = voxels.div_ceil(MOST).max(1);
        Self {
            // Odd, so that it does not fall into step with rows.
            stride: stride | 1,
            wait: 0,
            values: Vec::new(),
            taken: 0,
            airy: 0,
        }
    }

    /// Takes the next voxels of the volume.
    pub fn add(&mut self, values: &[f32]) {
        let mut at = self.wait;
        while let Some(value) = values.get(at) {
            self.taken += 1;
            if value.is_finite() && *value != 0.0 {
                self.airy += usize::from(*value <= AIR && *value >= LEAST);
                self.values.push(*value);
            }
            at += self.stride;
        }
        self.wait = at - values.len();
    }

    /// The levels of a window, for a scan that says so much of itself.
    pub fn levels(self, window: Window, hints: Hints) -> Levels {
        let levels = self.upright(window, hints);
        match hints.is_inverted {
            // White with all below it, black with all above.
            true => Levels {
                low: levels.high,
                high: levels.low,
                ..levels
            },
            false => levels,
        }
    }

    fn upright(mut self, window: Window, hints: Hints) -> Levels {
        let of = |centre: f64, width: f64, source| Levels {
            low: centre - width / 2.0,
            high: centre + width / 2.0,
            source,
        };
        if let Window::Fixed { centre, width } = window {
            return of(centre, width, "as asked for");
        }
        if let Some((centre, width)) = hints.window {
            return of(centre, width, "the series' own window");
        }
        match hints.is_ct {
            Some(true) => return of(40.0, 400.0, "CT: 40:400"),
            None if self.looks_like_ct() => return of(40.0, 400.0, "taken for CT: 40:400"),
            _ => {}
        }
        if self.values.is_empty() {
            return Levels {
                low: 0.0,
                high: 1.0,
                source: "all voxels are zero",
            };
        }
        let [low, high] = [0.005, 0.995].map(|share| self.percentile(share));
        let source = "0.5 and 99.5 percentiles of what is not zero";
        match low < high {
            true => Levels { low, high, source },
            // One value alone: shown white over the zeros around it.
            false => Levels {
                low: low - low.abs(),
                high: low,
                source: "one value alone",
            },
        }
    }

    /// A twentieth of air, as there is around every patient, and nothing that Hounsfield units do not have.
    fn looks_like_ct(&self) -> bool {
        let least = self.values.iter().copied().fold(f32::INFINITY, f32::min);
        self.airy * 20 >= self.taken.max(1) && least >= LEAST
    }

    /// As numpy's `percentile`: between neighbours, by distance.
    fn percentile(&mut self, share: f64) -> f64 {
        let place = share * (self.values.len() - 1) as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let (_, value, above) = self.values.select_nth_unstable_by(below, f32::total_cmp);
        let value = f64::from(*value);
        let next = above.iter().copied().min_by(f32::total_cmp);
        next.map_or(value, |next| value + (f64::from(next) - value) * part)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_names_or_centre_and_width() {
        let soft = "soft".parse::<Window>();
        assert_eq!(soft, "40:400".parse());
        assert_eq!(soft.unwrap().to_string(), "40:400");
        for wrong in ["", "x", "40", "40:0", "40:-1", "nan:3", "40:400:1"] {
            assert!(wrong.parse::<Window>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile(numpy.arange(1, 101), [0.5, 99.5]) is [1.495, 99.505].
        let mut sample = Sample::of(200);
        sample.add(&[0.0; 99]);
        let values: Vec<f32> = (1..=100_u8).map(f32::from).rev().collect();
        sample.add(&values);
        sample.add(&[f32::NAN]);
        let levels = sample.levels(Window::Auto, Hints::default());
        assert!((levels.low - 1.495).abs() < 1e-9 && (levels.high - 99.505).abs() < 1e-9);
    }

    #[test]
    fn a_large_volume_is_looked_at_evenly_however_it_is_cut() {
        let values: Vec<f32> = (0..MOST * 3).map(|i| (i % 1000 + 1) as f32).collect();
        let (mut whole, mut cut) = (Sample::of(values.len()), Sample::of(values.len()));
        whole.add(&values);
        values.chunks(997).for_each(|chunk| cut.add(chunk));
        assert_eq!(whole.values, cut.values);
        assert!(whole.values.len() <= MOST + 1);
        let levels = whole.levels(Window::Auto, Hints::default());
        assert!((levels.low - 6.0).abs() < 2.0 && (levels.high - 995.0).abs() < 2.0);
    }

    #[test]
    fn a_scan_with_much_air_is_ct_and_one_value_or_none_are_shown() {
        let mut ct = Sample::of(100);
        ct.add(&[-1000.0; 30]);
        ct.add(&[50.0; 70]);
        let levels = ct.levels(Window::Auto, Hints::default());
        assert_eq!((levels.low, levels.high), (-160.0, 240.0));
        let nothing = Sample::of(3).levels(Window::Auto, Hints::default());
        assert_eq!(nothing.render(&[0.0, f32::NAN]), [0, 0]);
        let mut one = Sample::of(3);
        one.add(&[7.0, 0.0, 7.0]);
        assert_eq!(
            one.levels(Window::Auto, Hints::default())
                .render(&[7.0, 0.0]),
            [255, 0]
        );
        let mut negative = Sample::of(3);
        negative.add(&[-7.0, 0.0]);
        assert_eq!(
            negative
                .levels(Window::Auto, Hints::default())
                .render(&[-7.0, -20.0]),
            [255, 0]
        );
    }

    #[test]
    fn rendering_clamps_and_rounds() {
        let levels = Levels {
            low: 0.0,
            high: 510.0,
            source: "",
        };
        assert_eq!(
            levels.render(&[-1.0, 0.0, 1.0, 255.0, 1e9, f32::NEG_INFINITY, f32::NAN]),
            [0, 0, 1, 128, 255, 0, 0]
        );
    }
}
