"""Copies of jobs and sweeps for MLflow. docs/tracking.md describes them."""
