"""How fast this machine multiplies matrices: what the limits in the results are derived from.

By TensorFlow, whose oneDNN uses the widest vectors that the processor has. numpy's OpenBLAS reaches half of
that on AMD's Zen 5.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from worker.training.cpu_parallel import XLA_FLAGS

GEMM_SIDE = 1_536
GEMM_PRODUCTS = 5
"""How many in one run of each thread."""

GEMV_SHAPE = (256, 512)
"""Half a megabyte: lies in a core's cache, as the weights of the character model do."""

RUNS = 15
SHORT_RUNS = 2
"""Of each measurement for a short row, whose figures mean nothing."""

IN_A_LOOP = 64
"""How many products of one shape a compiled loop makes: each reads other rows, as a network's steps do."""


class Shape(NamedTuple):
    """A product of two matrices, (rows, inner) by (inner, columns), as a network makes it.

    Attributes:
        rows: of the first factor and of the product.
        inner: what is summed over.
        columns: of the second factor and of the product.
        transposed: whether the first factor lies in memory as (inner, rows), as it does for the gradient of
            weights.
    """

    rows: int
    inner: int
    columns: int
    transposed: bool = False

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.rows * self.inner * self.columns


class Products:
    """A process in which each operation has one thread."""

    def __init__(self, runs: int) -> None:
        """Import TensorFlow with one thread, and with the compiler's flags that a worker sets.

        Args:
            runs: of each measurement; the first is not counted.
        """
        self._runs = runs
        os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
        os.environ["XLA_FLAGS"] = XLA_FLAGS
        import tensorflow

        self._tensorflow = tensorflow

    def gemm_gflops(self, threads: int) -> float:
        """float32 products of two matrices, by so many threads, in 10⁹ floating-point operations a second."""
        multiply = self._tensorflow.linalg.matmul
        random = np.random.default_rng(0)
        pairs = [
            self._tensorflow.constant(random.standard_normal((2, GEMM_SIDE, GEMM_SIDE), np.float32))
            for _ in range(threads)
        ]

        def some(pair: Any) -> None:
            for _ in range(GEMM_PRODUCTS):
                multiply(pair[0], pair[1])

        with ThreadPoolExecutor(threads) as pool:
            seconds = self._shortest(lambda: list(pool.map(some, pairs)))
        return 2.0 * threads * GEMM_PRODUCTS * GEMM_SIDE**3 / seconds / 1e9

    def seconds_of(self, shapes: Sequence[Sequence[Any]], threads: int) -> list[float]:
        """The least time that one product of each shape takes, while other threads make the same.

        Args:
            shapes: each a `Shape`.
            threads: that make the product, each of them.

        Returns:
            Seconds, one for each shape.
        """
        return [self._seconds_of(Shape(*shape), threads) for shape in shapes]

    def _seconds_of(self, shape: Shape, threads: int) -> float:
        tf = self._tensorflow
        random = np.random.default_rng(0)
        first = (shape.inner, shape.rows) if shape.transposed else (shape.rows, shape.inner)
        factors = [
            (
                tf.constant(random.standard_normal((IN_A_LOOP, *first), np.float32)),
                tf.constant(random.standard_normal((shape.inner, shape.columns), np.float32)),
            )
            for _ in range(threads)
        ]

        @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
        def many(left: Any, right: Any) -> Any:
            def multiply(place: Any, _: Any) -> Any:
                return place + 1, tf.matmul(left[place], right, transpose_a=shape.transposed)

            begin = (0, tf.zeros((shape.rows, shape.columns)))
            return tf.while_loop(lambda place, _: place < IN_A_LOOP, multiply, begin)[1]

        with ThreadPoolExecutor(threads) as pool:
            shortest = self._shortest(lambda: list(pool.map(lambda pair: many(*pair), factors)))
        return shortest / IN_A_LOOP

    def gemv_gflops(self) -> float:
        """float32 products of a vector and a matrix that lies in the cache, on one core, by numpy.

        They are so small that TensorFlow would measure its own overhead.
        """
        rows, columns = GEMV_SHAPE
        vector = np.ones((1, rows), np.float32)
        matrix = np.ones(GEMV_SHAPE, np.float32)
        result = np.empty((1, columns), np.float32)
        count = 2_000

        def many() -> None:
            for _ in range(count):
                np.matmul(vector, matrix, out=result)

        with threadpool_limits(1):
            return count * 2.0 * rows * columns / self._shortest(many) / 1e9

    def _shortest(self, work: Callable[[], object]) -> float:
        """The least disturbed run: a limit is what the machine can do, not what it usually does."""
        times = []
        for _ in range(self._runs):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return min(times[1:])


def start(runs: int = RUNS) -> Products:
    """Start the side that measures."""
    return Products(runs)
