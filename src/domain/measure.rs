//! The measures: what the program knows of a customer at an as-of date.

use std::cell::Cell;
use std::fmt;

use serde::{Serialize, Serializer};

use super::interned::interned;
use super::{Basis, EventKind, EventMeasure, Lookback, OrderSum, OrderWindow, Unit};
use crate::error::{Error, Result, suggestion};

/// A column of the customers table that is a measure of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeColumn {
    name: &'static str,
    unit: Unit,
}

impl AttributeColumn {
    /// The column of this name, whose numbers mean this.
    pub fn new(name: &str, unit: Unit) -> AttributeColumn {
        AttributeColumn { name: interned(name), unit }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What its numbers mean.
    pub fn unit(self) -> Unit {
        self.unit
    }
}

macro_rules! measures {
    ($($kind:ident $name:literal $unit:ident $basis:expr, $doc:literal;)*) => {
        /// The kinds of measures; see DESIGN 1.3 for the formulas.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum MeasureKind {
            $(#[doc = $doc] $kind,)*
            /// A column of the customers table.
            Attribute(AttributeColumn),
            /// What is said of the events of a kind that the job names.
            OfKind(EventMeasure),
        }

        impl MeasureKind {
            /// Every kind that there always is, in the order of the tables.
            pub const ALL: &'static [MeasureKind] = &[$(MeasureKind::$kind),*];

            /// The name, the same in job files, schemes and tables.
            pub fn name(self) -> &'static str {
                match self { $(MeasureKind::$kind => $name,)* MeasureKind::Attribute(attribute) => attribute.name, MeasureKind::OfKind(measure) => measure.name() }
            }

            /// What its numbers mean (monetary of a job with `monetary_as = "average"` is an average instead).
            pub fn unit(self) -> Unit {
                match self { $(MeasureKind::$kind => Unit::$unit,)* MeasureKind::Attribute(attribute) => attribute.unit, MeasureKind::OfKind(measure) => measure.unit() }
            }

            /// What it is computed from.
            pub fn basis(self) -> Basis {
                use Basis::*;
                use EventKind::*;
                use OrderSum::*;
                use OrderWindow::*;
                match self { $(MeasureKind::$kind => $basis,)* MeasureKind::Attribute(_) => Attribute, MeasureKind::OfKind(measure) => OfKind(measure) }
            }

            /// One sentence on what it is.
            pub fn describe(self) -> &'static str {
                match self {
                    $(MeasureKind::$kind => $doc,)*
                    MeasureKind::Attribute(_) => "As the customers table has it, whatever the as-of date.",
                    MeasureKind::OfKind(measure) => measure.describe(),
                }
            }
        }
    };
}

measures! {
    FirstOrder "first_order" Date Orders(Life, &[]), "Date of the first purchase.";
    LastOrder "last_order" Date Orders(Life, &[]), "Date of the last purchase.";
    RecencyDays "recency_days" Days Orders(Life, &[]), "Days from the last purchase to the as-of date.";
    Frequency "frequency" Count Orders(Lookback, &[Frequency]), "Purchases in the lookback.";
    Monetary "monetary" Money Orders(Lookback, &[Money, Purchases]), "Money of the lookback.";
    Revenue "revenue" Money Orders(Lookback, &[Money]), "Money of the lookback as a sum, also where monetary is an average.";
    AvgOrderValue "avg_order_value" Average Orders(Lookback, &[Money, Frequency]), "Money of the lookback per purchase; null without a purchase.";
    TenureDays "tenure_days" Days Orders(Life, &[]), "Days from the first purchase to the as-of date.";
    LifetimeOrders "lifetime_orders" Count Orders(Life, &[Purchases]), "Purchases ever.";
    LifetimeMonetary "lifetime_monetary" Money Orders(Life, &[Money]), "Money ever.";
    PeriodOrders "period_orders" Count Orders(Period, &[Purchases]), "Purchases in the period.";
    PeriodMonetary "period_monetary" Money Orders(Period, &[Money]), "Money of the period.";
    PreviousPeriodOrders "previous_period_orders" Count Orders(PreviousPeriod, &[Purchases]), "Purchases in the period before.";
    OrdersBeforePeriod "orders_before_period" Count Orders(BeforePeriod, &[Purchases]), "Purchases before the period.";
    MeanGapDays "mean_gap_days" Ratio Orders(Life, &[OrderDays]), "Mean days between order days; null below two order days.";
    OverdueRatio "overdue_ratio" Ratio Orders(Life, &[OrderDays]), "Recency over the mean gap; null below two order days.";
    NextDue "next_due" Date Orders(Life, &[OrderDays]), "Last purchase plus the mean gap, rounded half to even; null below two order days.";
    FrequencyTrend "frequency_trend" Ratio Orders(LookbackHalves, &[Purchases]), "Purchases in the younger half of the lookback over the older half.";
    MonetaryTrend "monetary_trend" Ratio Orders(LookbackHalves, &[Money, Purchases]), "Money of the younger half of the lookback over the older half.";
    AnnualValue "annual_value" Money Orders(YearToLastPurchase, &[Money]), "Money of the 365 days that end with the last purchase, less returns since.";
    DiscountShare "discount_share" Ratio Orders(Lookback, &[Discounted, Purchases]), "Share of the purchases in the lookback with a discount.";
    ReturnShare "return_share" Ratio Orders(Lookback, &[Returns, Purchases]), "Returns in the lookback over purchases and returns in it.";
    Margin "margin" Money Orders(Lookback, &[Money, Cost, CostMissing]), "Money minus cost over the lookback; null if a cost is missing.";
    TopCategory "top_category" Text Categories, "Category with the most money of the purchases in the lookback; null without one.";
    TopCategoryShare "top_category_share" Ratio Categories, "Share of that category in the money of the purchases in the lookback.";
    Categories "categories" Count Categories, "Distinct categories of the purchases in the lookback.";
    Events "events" Count Events(&[]), "Events of any kind in the lookback.";
    Sends "sends" Count Events(&[Sends]), "Messages sent in the lookback.";
    Opens "opens" Count Events(&[Opens]), "Opens in the lookback.";
    Clicks "clicks" Count Events(&[Clicks]), "Clicks in the lookback.";
    Conversions "conversions" Count Events(&[Conversions]), "Conversions in the lookback.";
    Responses "responses" Count Events(&[Responses]), "Responses to promotions in the lookback.";
    OpenRate "open_rate" Ratio Events(&[Opens, Sends]), "Opens over sends, both in the lookback; null without sends.";
    ClickRate "click_rate" Ratio Events(&[Clicks, Sends]), "Clicks over sends, both in the lookback; null without sends.";
    ConversionRate "conversion_rate" Ratio Events(&[Conversions, Sends]), "Conversions over sends, both in the lookback; null without sends.";
    ExpectedOrders "expected_orders" Double Forecast, "Days with a purchase that are expected in the horizon after the as-of date, if habits stay.";
    ExpectedValue "expected_value" Money Forecast, "Money that is expected in the horizon after the as-of date, if habits stay; null where the model knows no mean.";
    NextOrderLow "next_order_low" Date NextPurchase, "First day by which the next purchase has come with a chance of 5 %, if habits stay; null if none within ten years is.";
    NextOrderMedian "next_order_median" Date NextPurchase, "First day by which the next purchase has come with a chance of 50 %, if habits stay; null if none within ten years is.";
    NextOrderHigh "next_order_high" Date NextPurchase, "First day by which the next purchase has come with a chance of 95 %, if habits stay; null if none within ten years is.";
    CostToServe "cost_to_serve" Money CostToServe, "What serving the customer cost in the lookback: the values of the events that are such costs.";
}

/// A kind of measure with its lookback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Measure {
    /// What is measured.
    pub kind: MeasureKind,
    /// The lookback, or the horizon of one that looks ahead; `None` is that of the job.
    pub lookback: Option<Lookback>,
}

impl Measure {
    /// The measure over the job's lookback.
    pub const fn plain(kind: MeasureKind) -> Measure {
        Measure { kind, lookback: None }
    }
}

/// A name that a measure once had: it means [`MeasureKind::AnnualValue`].
pub const FORMER_NAME: &str = "revenue_at_risk";

/// The measures that a job can name: those there always are, the columns of its customers table, and those of its kinds of events.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    attributes: Vec<AttributeColumn>,
    of_kinds: Vec<EventMeasure>,
    /// Kinds of events whose values the job does not name, so that it cannot have these measures.
    without_values: Vec<EventKind>,
    /// Whether [`FORMER_NAME`] was asked for.
    met_former_name: Cell<bool>,
}

impl Catalogue {
    /// The catalogue with these columns of a customers table.
    pub fn new(attributes: Vec<AttributeColumn>) -> Catalogue {
        Catalogue { attributes, ..Catalogue::default() }
    }

    /// Adds the measures of kinds of events that a job names, with the digits behind the point of their values if they have any.
    #[must_use]
    pub fn with_kinds(mut self, kinds: impl IntoIterator<Item = (EventKind, Option<u8>)>) -> Catalogue {
        for (kind, scale) in kinds {
            self.of_kinds.extend(EventMeasure::of(kind, scale));
            self.without_values.extend(scale.is_none().then_some(kind));
        }
        self
    }

    /// Whether anybody has asked for [`FORMER_NAME`].
    pub fn met_former_name(&self) -> bool {
        self.met_former_name.get()
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        let own = self.attributes.iter().map(|a| a.name).chain(self.of_kinds.iter().map(|m| m.name()));
        MeasureKind::ALL.iter().map(|k| k.name()).chain(own)
    }

    /// The kind of events that would have a measure of this name if it had values.
    fn without_values(&self, name: &str) -> Option<EventKind> {
        let has = |kind: &EventKind| EventMeasure::names_with_values(*kind).contains(&name);
        self.without_values.iter().copied().find(has)
    }

    /// Whether `text` begins with the name of a measure, so that only its lookback can be wrong.
    pub fn knows(&self, text: &str) -> bool {
        let name = text.split('@').next().unwrap_or(text);
        name == FORMER_NAME || self.names().any(|n| n == name || n == text) || self.without_values(name).is_some()
    }

    /// Reads `frequency`, `monetary@365d` …
    ///
    /// # Errors
    /// An unknown name (with the nearest), a lookback on a measure without one, or a wrong lookback.
    pub fn parse(&self, text: &str) -> Result<Measure> {
        // A column's name may itself have an "@".
        let attribute = |name: &str| self.attributes.iter().find(|a| a.name == name).map(|a| MeasureKind::Attribute(*a));
        if let Some(kind) = attribute(text) {
            return Ok(Measure::plain(kind));
        }
        let (name, window) = match text.split_once('@') {
            Some((name, window)) => (name, Some(window)),
            None => (text, None),
        };
        let name = if name == FORMER_NAME {
            self.met_former_name.set(true);
            MeasureKind::AnnualValue.name()
        } else {
            name
        };
        let of_kind = || self.of_kinds.iter().find(|m| m.name() == name).map(|m| MeasureKind::OfKind(*m));
        let known = MeasureKind::ALL.iter().copied().find(|k| k.name() == name).or_else(|| attribute(name)).or_else(of_kind);
        let kind = known.ok_or_else(|| {
            if let Some(kind) = self.without_values(name) {
                let kind = kind.name();
                return Error::usage(format!(
                    "measure {text:?} is of the values of {kind} events, and the job does not say which column holds them; set events.kinds.{kind}.value"
                ));
            }
            Error::usage(format!(
                "there is no measure {name:?}{}; the measures are {}",
                suggestion(name, self.names()),
                self.names().collect::<Vec<_>>().join(", ")
            ))
        })?;
        match window {
            Some(horizon) if kind.basis().has_horizon() => match Lookback::parse(horizon)? {
                Lookback::All => Err(Error::usage(format!(
                    "measure {text:?}: {name} looks ahead over a horizon such as \"{name}@90d\", which has an end"
                ))),
                horizon => Ok(Measure { kind, lookback: Some(horizon) }),
            },
            Some(_) if !kind.basis().has_lookback() => {
                Err(Error::usage(format!("measure {text:?}: {name} does not look back over a window, so it takes no \"@\"")))
            }
            Some(window) => Ok(Measure { kind, lookback: Some(Lookback::parse(window)?) }),
            None => Ok(Measure::plain(kind)),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match self.lookback {
            Some(lookback) => write!(f, "@{lookback}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() -> Result<()> {
        let catalogue =
            Catalogue::new(vec![AttributeColumn::new("points", Unit::Count), AttributeColumn::new("clv@2024", Unit::Double)]);
        for &kind in MeasureKind::ALL {
            assert_eq!(catalogue.parse(kind.name())?, Measure::plain(kind));
        }
        assert_eq!(catalogue.parse("frequency@365 days")?.to_string(), "frequency@365d");
        assert!(catalogue.parse("recency_days@365d").is_err());
        assert!(catalogue.parse("frequncy").is_err_and(|e| e.to_string().contains("did you mean \"frequency\"?")));
        assert_eq!(catalogue.parse("points")?.to_string(), "points");
        assert_eq!(catalogue.parse("clv@2024")?.kind.unit(), Unit::Double);
        assert!(!catalogue.met_former_name());
        assert_eq!(catalogue.parse(FORMER_NAME)?, Measure::plain(MeasureKind::AnnualValue));
        assert!(catalogue.met_former_name());
        assert!(catalogue.parse("revenue_at_risk@30d").is_err_and(|e| e.to_string().contains("annual_value does not look back")));
        assert!(catalogue.parse("points@30d").is_err_and(|e| e.to_string().contains("takes no \"@\"")));
        assert_eq!(AttributeColumn::new("points", Unit::Count), AttributeColumn::new(&String::from("points"), Unit::Count));
        Ok(())
    }

    #[test]
    fn kinds_of_events_have_measures() -> Result<()> {
        let [ticket, visit] = ["ticket", "visit"].map(EventKind::named);
        let catalogue = Catalogue::default().with_kinds([(ticket, Some(2)), (visit, None)]);
        assert_eq!(catalogue.parse("ticket_sum@90d")?.to_string(), "ticket_sum@90d");
        assert_eq!(catalogue.parse("ticket_mean")?.kind.unit(), Unit::Decimal(18, 4));
        assert!(catalogue.parse("visit_count@all")?.kind.basis().has_lookback());
        assert!(catalogue.knows("visit_sum@90d") && !catalogue.knows("visits_sum"));
        assert!(catalogue.parse("visit_sum").is_err_and(|e| e.to_string().ends_with("set events.kinds.visit.value")));
        assert!(catalogue.parse("ticket_sums").is_err_and(|e| e.to_string().contains("did you mean \"ticket_sum\"?")));
        Ok(())
    }
}
