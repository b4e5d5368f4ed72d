//! Struct payloads of one row: named fields, of which byte fields are shared, never copied.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, GenericByteArray, GenericListArray, Int32Array,
        LargeBinaryArray, LargeListArray, OffsetSizeTrait, PrimitiveArray, StringArray,
        StructArray, UInt8Array,
    },
    buffer::{Buffer, OffsetBuffer},
    datatypes::{
        ArrowPrimitiveType, DataType, Field, Float32Type, GenericBinaryType, UInt8Type, UInt16Type,
        UInt32Type, UInt64Type,
    },
};

use crate::ContractError;

/// Collects the fields of a one-row struct.
#[derive(Default)]
pub(crate) struct Writer {
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
}

impl Writer {
    fn column(mut self, name: &str, array: ArrayRef) -> Self {
        self.fields
            .push(Field::new(name, array.data_type().clone(), false));
        self.columns.push(array);
        self
    }

    pub fn u32(self, name: &str, value: u32) -> Self {
        self.column(
            name,
            Arc::new(PrimitiveArray::<UInt32Type>::from_value(value, 1)),
        )
    }

    pub fn i32(self, name: &str, value: i32) -> Self {
        self.column(name, Arc::new(Int32Array::from_value(value, 1)))
    }

    pub fn u8(self, name: &str, value: u8) -> Self {
        self.column(name, Arc::new(UInt8Array::from_value(value, 1)))
    }

    /// A struct within the struct.
    pub fn row(self, name: &str, row: Writer) -> Self {
        self.column(name, row.finish())
    }

    pub fn text(self, name: &str, value: &str) -> Self {
        self.column(name, Arc::new(StringArray::from(vec![value])))
    }

    pub fn bytes(self, name: &str, value: Buffer) -> Self {
        let offsets = OffsetBuffer::from_lengths([value.len()]);
        self.column(name, Arc::new(LargeBinaryArray::new(offsets, value, None)))
    }

    pub fn list(self, name: &str, items: ArrayRef) -> Self {
        let field = Arc::new(Field::new("item", items.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths([items.len()]);
        self.column(
            name,
            Arc::new(LargeListArray::new(field, offsets, items, None)),
        )
    }

    pub fn texts<'a>(self, name: &str, items: impl IntoIterator<Item = &'a str>) -> Self {
        self.list(name, Arc::new(StringArray::from_iter_values(items)))
    }

    pub fn numbers<T: ArrowPrimitiveType>(
        self,
        name: &str,
        items: impl IntoIterator<Item = T::Native>,
    ) -> Self {
        self.list(name, Arc::new(PrimitiveArray::<T>::from_iter_values(items)))
    }

    pub fn finish(self) -> ArrayRef {
        Arc::new(StructArray::new(self.fields.into(), self.columns, None))
    }
}

/// Reads the fields of a one-row struct by name.
pub(crate) struct Reader<'a> {
    message: &'static str,
    row: &'a StructArray,
}

impl<'a> Reader<'a> {
    pub fn new(message: &'static str, array: &'a ArrayRef) -> Result<Self, ContractError> {
        let wrong = |found: String| ContractError::WrongType {
            message,
            found,
            expected: "a Struct of one row",
        };
        let row = array
            .as_struct_opt()
            .ok_or_else(|| wrong(array.data_type().to_string()))?;
        match row.len() {
            1 => Ok(Self { message, row }),
            rows => Err(wrong(format!("Struct of {rows} rows"))),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.row.column_by_name(name).is_some()
    }

    /// A struct within the struct; `None` where there is none.
    pub fn row(&self, name: &str) -> Option<Reader<'a>> {
        let row = self.row.column_by_name(name)?.as_struct_opt()?;
        (row.len() == 1 && row.is_valid(0)).then_some(Reader {
            message: self.message,
            row,
        })
    }

    fn get(&self, name: &str) -> Result<&'a ArrayRef, ContractError> {
        let column = self
            .row
            .column_by_name(name)
            .ok_or_else(|| self.missing(name))?;
        if column.is_null(0) {
            Err(self.missing(name))
        } else {
            Ok(column)
        }
    }

    fn missing(&self, name: &str) -> ContractError {
        ContractError::MissingKey {
            message: self.message,
            key: name.into(),
            place: "among the struct's fields",
        }
    }

    fn wrong(&self, name: &str, found: impl ToString, expected: &str) -> ContractError {
        ContractError::WrongValue {
            message: self.message,
            key: name.into(),
            found: found.to_string(),
            expected: expected.into(),
        }
    }

    /// Any integer column that fits.
    pub fn u32(&self, name: &str) -> Result<u32, ContractError> {
        let column = self.get(name)?;
        let wide = match column.data_type() {
            DataType::UInt8 => Some(u64::from(column.as_primitive::<UInt8Type>().value(0))),
            DataType::UInt16 => Some(u64::from(column.as_primitive::<UInt16Type>().value(0))),
            DataType::UInt32 => Some(u64::from(column.as_primitive::<UInt32Type>().value(0))),
            DataType::UInt64 => Some(column.as_primitive::<UInt64Type>().value(0)),
            DataType::Int32 => u64::try_from(
                column
                    .as_primitive::<arrow::datatypes::Int32Type>()
                    .value(0),
            )
            .ok(),
            DataType::Int64 => u64::try_from(
                column
                    .as_primitive::<arrow::datatypes::Int64Type>()
                    .value(0),
            )
            .ok(),
            other => return Err(self.wrong(name, other, "an integer")),
        };
        wide.and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| self.wrong(name, "negative or too large", "0 to 2^32 - 1"))
    }

    /// A picture's or plane's side: 1 to 2^31 - 1.
    pub fn side(&self, name: &str) -> Result<u32, ContractError> {
        match self.u32(name)? {
            side @ 1..=0x7fff_ffff => Ok(side),
            other => Err(self.wrong(name, other, "a number of pixels >= 1")),
        }
    }

    pub fn flag(&self, name: &str) -> Result<bool, ContractError> {
        match self.get(name)?.as_boolean_opt() {
            Some(column) => Ok(column.value(0)),
            None => Ok(self.u32(name)? != 0),
        }
    }

    pub fn text(&self, name: &str) -> Result<&'a str, ContractError> {
        let column = self.get(name)?;
        match column.data_type() {
            DataType::Utf8 => Ok(column.as_string::<i32>().value(0)),
            DataType::LargeUtf8 => Ok(column.as_string::<i64>().value(0)),
            DataType::Utf8View => Ok(column.as_string_view().value(0)),
            other => Err(self.wrong(name, other, "a string")),
        }
    }

    /// Bytes in any of Arrow's layouts, shared with the payload.
    pub fn bytes(&self, name: &str) -> Result<Buffer, ContractError> {
        let column = self.get(name)?;
        byte_buffer(column).ok_or_else(|| {
            self.wrong(
                name,
                column.data_type(),
                "bytes (Binary, LargeBinary or a list of UInt8)",
            )
        })
    }

    fn items(&self, name: &str) -> Result<ArrayRef, ContractError> {
        let column = self.get(name)?;
        match column.data_type() {
            DataType::List(_) => Ok(column.as_list::<i32>().value(0)),
            DataType::LargeList(_) => Ok(column.as_list::<i64>().value(0)),
            other => Err(self.wrong(name, other, "a list")),
        }
    }

    pub fn texts(&self, name: &str) -> Result<Vec<String>, ContractError> {
        let items = self.items(name)?;
        let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
        match items.data_type() {
            DataType::Utf8 => Ok(items.as_string::<i32>().iter().map(owned).collect()),
            DataType::LargeUtf8 => Ok(items.as_string::<i64>().iter().map(owned).collect()),
            other => Err(self.wrong(name, other, "a list of strings")),
        }
    }

    pub fn numbers<T: ArrowPrimitiveType>(
        &self,
        name: &str,
    ) -> Result<Vec<T::Native>, ContractError> {
        let items = self.items(name)?;
        let typed = items.as_primitive_opt::<T>().ok_or_else(|| {
            self.wrong(
                name,
                items.data_type(),
                &format!("a list of {}", T::DATA_TYPE),
            )
        })?;
        Ok(typed.values().to_vec())
    }

    pub fn floats(&self, name: &str) -> Result<Vec<f32>, ContractError> {
        self.numbers::<Float32Type>(name)
    }

    /// All rows of equal number, or a named error.
    pub fn same_length(&self, counts: &[(&str, usize)]) -> Result<(), ContractError> {
        match counts {
            [(first, n), rest @ ..] => match rest.iter().find(|(_, m)| m != n) {
                None => Ok(()),
                Some((name, m)) => Err(self.wrong(
                    name,
                    format!("{m} entries"),
                    &format!("{n}, as `{first}` has"),
                )),
            },
            [] => Ok(()),
        }
    }
}

/// The bytes of a whole array of bytes (flat `UInt8`), or of its first row (binary, list of `UInt8`).
pub(crate) fn byte_buffer(array: &ArrayRef) -> Option<Buffer> {
    fn binary<O: OffsetSizeTrait>(
        array: &GenericByteArray<GenericBinaryType<O>>,
    ) -> Option<Buffer> {
        let offsets = array.value_offsets();
        let (from, to) = (offsets.first()?.as_usize(), offsets.get(1)?.as_usize());
        Some(array.values().slice_with_length(from, to - from))
    }
    fn list<O: OffsetSizeTrait>(array: &GenericListArray<O>) -> Option<Buffer> {
        (!array.is_empty())
            .then(|| array.value(0))?
            .as_primitive_opt::<UInt8Type>()
            .map(|items| items.values().inner().clone())
    }
    match array.data_type() {
        DataType::UInt8 => array
            .as_primitive_opt::<UInt8Type>()
            .map(|flat| flat.values().inner().clone()),
        DataType::Binary => binary(array.as_any().downcast_ref::<BinaryArray>()?),
        DataType::LargeBinary => binary(array.as_any().downcast_ref::<LargeBinaryArray>()?),
        DataType::List(_) => list(array.as_list_opt::<i32>()?),
        DataType::LargeList(_) => list(array.as_list_opt::<i64>()?),
        _ => None,
    }
}
