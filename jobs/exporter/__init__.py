"""`quartet exporter`: the numbers of a Quartet, for Prometheus."""
