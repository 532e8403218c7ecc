"""What we claim about quality and speed, measured beside what people use today.

`make bench` (`python -m benchmarks`) measures every row and writes `benchmarks/RESULTS.md`;
`python -m benchmarks.autoencoder`, and so on, measures one row and writes that file again with it. `--short`
tries a row out in seconds on data that need no download; its figures mean nothing and are not kept.

Real data lie in the folder that QUARTET_TEST_DATA names: `mnist.npz`, `shakespeare.txt`, `aclImdb.tar.gz`.
PyTorch is needed only for its columns: `pip install torch==2.13.0`.
"""
