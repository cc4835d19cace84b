//! What the engine would do without a word and not exactly: sums of floats, whose last digits depend on the order of the rows,
//! products of decimals, which it rounds, and integers of 32 bits, which wrap.

use polars::prelude::*;
use polars_plan::plans::{AExpr, ArenaExprIter, ArenaLpIter, IRAggExpr, IRPlan, ToFieldContext};
use rfmill_query_request::Request;

use crate::failure::{Result, engine, usage};

/// Refuses a query that is not exact.
///
/// # Errors
/// Exit 2, with what to write instead.
pub fn check(request: &Request, frame: &LazyFrame) -> Result<()> {
    let plan = frame.clone().to_alp().map_err(|e| engine(&request.key, &e))?;
    match first_fault(&plan) {
        Some(fault) => Err(usage(format!("{} {fault}", request.key))),
        None => Ok(()),
    }
}

fn first_fault(plan: &IRPlan) -> Option<&'static str> {
    for (_, node) in plan.lp_arena.iter(plan.lp_top) {
        let Some(input) = node.inputs().next() else { continue };
        let schema = plan.lp_arena.get(input).schema(&plan.lp_arena);
        let context = ToFieldContext::new(&plan.expr_arena, &schema);
        for expression in node.exprs() {
            for (_, expr) in plan.expr_arena.iter(expression.node()) {
                if let Some(fault) = fault(expr, plan, &context) {
                    return Some(fault);
                }
            }
        }
    }
    None
}

fn fault(expr: &AExpr, plan: &IRPlan, context: &ToFieldContext<'_>) -> Option<&'static str> {
    let dtype = |node| plan.expr_arena.get(node).to_dtype(context).ok();
    let is_literal = |node| matches!(plan.expr_arena.get(node), AExpr::Literal(_));
    match expr {
        AExpr::Agg(IRAggExpr::Sum(summed)) => match dtype(*summed)? {
            DataType::Float32 | DataType::Float64 => {
                Some("sums floats, whose last digits depend on the order of the rows; cast them to DECIMAL before SUM")
            }
            DataType::Int32 | DataType::UInt32 => {
                Some("sums integers of 32 bits, which cannot hold large sums; cast them to BIGINT or DECIMAL before SUM")
            }
            _ => None,
        },
        AExpr::BinaryExpr { left, op: Operator::Multiply, right } => match (dtype(*left)?, dtype(*right)?) {
            (DataType::Decimal(_, left), DataType::Decimal(_, right)) if left > 0 && right > 0 => Some(
                "multiplies decimals, of which the engine keeps no more digits than the longer factor has; cast one of them to an integer, or give both as a list to orders.amount, which multiplies exactly",
            ),
            (a, b) if is_short(&a) && is_short(&b) && !is_literal(*left) && !is_literal(*right) => {
                Some("multiplies integers of at most 32 bits, which cannot hold large products; cast them to BIGINT")
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_short(dtype: &DataType) -> bool {
    use DataType::*;
    matches!(dtype, Int8 | Int16 | Int32 | UInt8 | UInt16 | UInt32)
}
