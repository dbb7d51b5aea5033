"""The only place that names concrete classes: build, start, drain, stop."""
