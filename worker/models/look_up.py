"""Rows of a table by their numbers: what a one-hot vector times the table is, without the vector."""

from typing import Any

import tensorflow as tf


@tf.custom_gradient  # type: ignore[untyped-decorator]
def rows(table: tf.Tensor, numbers: tf.Tensor) -> Any:
    """The rows (…, columns) of a table (rows, columns) that whole numbers (…) name.

    The table's gradient is dense. That of `tf.gather` is a list of rows, and those of a batch's parts would
    be added up together, on one core, when all parts are done.
    """

    def gradients(d_rows: Any) -> Any:
        of_rows, of_numbers = tf.reshape(d_rows, (-1, table.shape[1])), tf.reshape(numbers, (-1,))
        # XLA adds the rows up in a fifth of the time, and would compile each shape by itself.
        compiled = of_numbers.shape.is_fully_defined()
        add_up = _compiled_sum if compiled else tf.math.unsorted_segment_sum
        return add_up(of_rows, of_numbers, table.shape[0]), None

    return tf.gather(table, numbers), gradients


_compiled_sum = tf.function(tf.math.unsorted_segment_sum, jit_compile=True, autograph=False)
