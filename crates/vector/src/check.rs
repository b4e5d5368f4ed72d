//! What no polygon may be.

use crate::Polygon;

/// An edge: its two ends, and the ring that it belongs to.
struct Edge {
    from: [f64; 2],
    to: [f64; 2],
    ring: usize,
}

impl Edge {
    fn left(&self) -> f64 {
        self.from[0].min(self.to[0])
    }

    fn right(&self) -> f64 {
        self.from[0].max(self.to[0])
    }
}

/// Says what is wrong with a polygon: a ring of fewer than three points, a number that is none, edges that cross.
pub(crate) fn fault(polygon: &Polygon) -> Option<String> {
    for ring in &polygon.rings {
        if ring.len() < 3 {
            return Some(format!("a ring of {} points encloses nothing", ring.len()));
        }
        if ring.iter().flatten().any(|n| !n.is_finite()) {
            return Some("a coordinate is not a number".to_owned());
        }
    }
    crossing(polygon)
        .map(|[x, y]| format!("it crosses itself near {x}, {y}; QGIS' `Fix geometries` mends that"))
}

/// Where two edges cross, from left to right.
fn crossing(polygon: &Polygon) -> Option<[f64; 2]> {
    let mut edges: Vec<Edge> = Vec::new();
    for (number, ring) in polygon.rings.iter().enumerate() {
        let after = ring.iter().cycle().skip(1);
        edges.extend(ring.iter().zip(after).map(|(from, to)| Edge {
            from: *from,
            to: *to,
            ring: number,
        }));
    }
    edges.sort_by(|a, b| a.left().total_cmp(&b.left()));
    let mut open: Vec<&Edge> = Vec::new();
    for edge in &edges {
        open.retain(|other| other.right() >= edge.left());
        let crossed = open.iter().find(|other| cross(edge, other));
        if crossed.is_some() {
            return Some([0, 1].map(|n| (edge.from[n] + edge.to[n]) / 2.0));
        }
        open.push(edge);
    }
    None
}

/// Whether two edges cross, other than by touching.
fn cross(a: &Edge, b: &Edge) -> bool {
    let side = |edge: &Edge, at: [f64; 2]| {
        let ([ax, ay], [bx, by]) = (edge.from, edge.to);
        (bx - ax) * (at[1] - ay) - (by - ay) * (at[0] - ax)
    };
    let apart = |edge: &Edge, other: &Edge| side(edge, other.from) * side(edge, other.to) < 0.0;
    let is_neighbour = a.ring == b.ring && (a.from == b.to || a.to == b.from);
    !is_neighbour && apart(a, b) && apart(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rings: &[&[[f64; 2]]]) -> Option<String> {
        fault(&Polygon {
            rings: rings.iter().map(|ring| ring.to_vec()).collect(),
        })
    }

    #[test]
    fn bow_ties_are_found_and_touching_is_none() {
        let square = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        assert_eq!(of(&[&square, &[[0.0, 0.0], [1.0, 2.0], [2.0, 1.0]]]), None);
        let tie = of(&[&[[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]]]);
        assert!(tie.is_some_and(|fault| fault.contains("crosses itself")));
        let out = of(&[&square, &[[1.0, 1.0], [6.0, 1.5], [1.0, 2.0]]]);
        assert!(out.is_some_and(|fault| fault.contains("crosses itself")));
        assert!(of(&[&square[..2]]).is_some());
        assert!(of(&[&[[0.0, 0.0], [f64::NAN, 0.0], [1.0, 1.0]]]).is_some());
    }
}
