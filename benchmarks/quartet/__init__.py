"""Our side of each comparison: the worker's own code, with nothing added."""

from worker.engine.startup import load_keras

# With the settings of a worker's process, before any module here imports Keras.
load_keras()
