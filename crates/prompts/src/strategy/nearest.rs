use seggpt_imaging::{RgbImage, descriptor};

use super::{Pool, Query, Selected, Strategy};
use crate::LibraryError;

/// What an embedding fails with.
pub type EmbedError = Box<dyn std::error::Error + Send + Sync>;

/// A picture as a vector, such that alike pictures have alike directions.
pub trait Embedding: Send {
    /// Embeds a picture of any size. All vectors have one length (number of values), and the same
    /// picture always gives the same vector.
    ///
    /// # Errors
    /// Whatever keeps it from embedding; the picture's item then fails.
    fn embed(&mut self, picture: &RgbImage) -> Result<Vec<f32>, EmbedError>;
}

/// Colour and texture ([`seggpt_imaging::descriptor`]): needs no weights.
#[derive(Debug, Clone, Copy, Default)]
pub struct Descriptor;

impl Embedding for Descriptor {
    fn embed(&mut self, picture: &RgbImage) -> Result<Vec<f32>, EmbedError> {
        Ok(descriptor::descriptor(picture))
    }
}

/// The `k` prompts whose images are most alike; the score is the cosine similarity, -1..=1.
///
/// Retrieval by similarity beats random choice clearly (Zhang et al., "What Makes Good Examples for
/// Visual In-Context Learning?", NeurIPS 2023). Equal scores keep the order of the pool.
///
/// Prompts are embedded at the first query and kept; one `Nearest` serves one pool.
pub struct Nearest<E = Descriptor> {
    embedding: E,
    prompts: Vec<Vec<f32>>,
}

impl<E: Embedding> Nearest<E> {
    /// A strategy that compares by this embedding.
    pub fn new(embedding: E) -> Self {
        Self {
            embedding,
            prompts: Vec::new(),
        }
    }

    fn embed_prompts(&mut self, pool: &dyn Pool) -> Result<(), LibraryError> {
        while self.prompts.len() < pool.len() {
            let index = self.prompts.len();
            let picture = pool.picture(index)?;
            let vector = self.embed(&picture, pool.name(index))?;
            self.prompts.push(vector);
        }
        Ok(())
    }

    fn embed(&mut self, picture: &RgbImage, what: &str) -> Result<Vec<f32>, LibraryError> {
        self.embedding.embed(picture).map_err(failed(what))
    }
}

impl<E: Embedding> Strategy for Nearest<E> {
    fn select(
        &mut self,
        query: &Query,
        pool: &dyn Pool,
        k: usize,
    ) -> Result<Vec<Selected>, LibraryError> {
        self.embed_prompts(pool)?;
        let picture = (query.picture)().map_err(failed(query.item))?;
        let own = self.embed(&picture, query.item)?;
        let mut ranked: Vec<Selected> = self
            .prompts
            .iter()
            .enumerate()
            .map(|(index, prompt)| Selected {
                index,
                score: cosine(&own, prompt),
            })
            .collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        ranked.truncate(k);
        Ok(ranked)
    }
}

fn failed(what: &str) -> impl FnOnce(EmbedError) -> LibraryError {
    move |source| LibraryError::Embedding {
        what: what.to_owned(),
        source,
    }
}

/// Cosine similarity; 0 where a vector has no direction.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 {
        dot(a, b) / lengths
    } else {
        0.0
    }
}
