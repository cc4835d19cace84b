//! Arrow arrays that several tables share.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, DictionaryArray, PrimitiveArray, StringArray, StringBuilder, UInt16Array};
use arrow::datatypes::{
    DataType, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::customers::PartCustomers;
use super::labels::Labels;
use crate::domain::{CustomerIds, IdType};
use crate::error::{Error, Result};

/// A dictionary column over shared values.
pub(super) fn dictionary(keys: UInt16Array, values: &Arc<StringArray>) -> Result<ArrayRef> {
    let array = DictionaryArray::try_new(keys, Arc::clone(values) as ArrayRef)
        .map_err(|e| Error::bug(format!("a dictionary column cannot be built: {e}")).caused_by(e))?;
    Ok(Arc::new(array))
}

/// `customer_id`, and `slice` where the job has one, of some customers, by their indices.
pub(super) fn id_and_slice(
    customers: &PartCustomers,
    id: IdType,
    labels: &Labels,
    indices: impl Iterator<Item = u32> + Clone,
) -> Result<Vec<(&'static str, ArrayRef)>> {
    let mut columns = vec![("customer_id", ids(&customers.ids, id, indices.clone()))];
    if labels.has_slices {
        let slices = indices.map(|customer| {
            let slice = customers.groups.slice_number(customer);
            labels.slice(slice).map(|_| slice as u16)
        });
        columns.push(("slice", dictionary(UInt16Array::from_iter(slices), &labels.slices)?));
    }
    Ok(columns)
}

fn ids(ids: &CustomerIds, id: IdType, indices: impl Iterator<Item = u32>) -> ArrayRef {
    let keys = match ids {
        CustomerIds::Int(keys) => keys,
        CustomerIds::Text(ids) => {
            let mut builder = StringBuilder::new();
            indices.for_each(|customer| builder.append_value(String::from_utf8_lossy(ids.get(customer as usize))));
            return Arc::new(builder.finish());
        }
    };
    macro_rules! integers {
        ($type:ty) => {{
            let values = indices.map(|customer| keys[customer as usize] as <$type as ArrowPrimitiveType>::Native);
            Arc::new(PrimitiveArray::<$type>::from_iter_values(values))
        }};
    }
    match id {
        IdType::Signed(8) => integers!(Int8Type),
        IdType::Signed(16) => integers!(Int16Type),
        IdType::Signed(32) => integers!(Int32Type),
        IdType::Unsigned(8) => integers!(UInt8Type),
        IdType::Unsigned(16) => integers!(UInt16Type),
        IdType::Unsigned(32) => integers!(UInt32Type),
        IdType::Unsigned(_) => {
            let values = indices.map(|customer| CustomerIds::unsigned_of_key(keys[customer as usize]));
            Arc::new(PrimitiveArray::<UInt64Type>::from_iter_values(values))
        }
        IdType::Decimal(precision) => {
            let values = indices.map(|customer| i128::from(keys[customer as usize]));
            let array = PrimitiveArray::<Decimal128Type>::from_iter_values(values);
            Arc::new(array.with_data_type(DataType::Decimal128(precision, 0)))
        }
        IdType::Signed(_) | IdType::Text => integers!(Int64Type),
    }
}
