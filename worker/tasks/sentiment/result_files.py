"""The names of the files that a job of the review model leaves in its folder, for its task and its report."""

VOCABULARY = "vocabulary.json"
READING = "sentiment.json"
VALIDATION = "validation.csv"

PREDICTIONS = "predictions.csv"
CLASS_REPORT = "classification_report.csv"
CURVES = "curves.csv"
PRECISION_PRICE = "precision_price.csv"
BY_LENGTH = "by_length.csv"
SUREST_ERRORS = "surest_errors.json"

DECISIONS = "decisions.json"
