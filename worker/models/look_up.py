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
        of_rows = tf.reshape(d_rows, (-1, table.shape[1]))
        return tf.math.unsorted_segment_sum(of_rows, tf.reshape(numbers, (-1,)), table.shape[0]), None

    return tf.gather(table, numbers), gradients
