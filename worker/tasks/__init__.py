"""One module for each model; `worker.execute` finds it by the model's name.

A module has, for each model:

    METRICS: tuple[Metric, ...]             every number it reports, the headline first
    train(run: Run) -> dict[str, float]     writes files into run.folder, returns metrics.json
    evaluate(run: Run) -> dict[str, float]
    generate(run: Run) -> dict[str, float]
    present(folder: JobFolder) -> Parts     figures, tables, texts: from the folder's files alone
"""
