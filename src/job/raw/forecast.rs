//! `[forecast]`: what comes next if habits stay.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What customers will buy after the last as-of date if their habits stay, and how well that was told before.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawForecast {
    /// How far ahead: the days after the last as-of date. The same forecast is made again one to six horizons ago, and held against
    /// what came.
    #[schemars(extend("x-type" = "length of time, `\"1 quarter\"`"))]
    pub horizon: String,
}
