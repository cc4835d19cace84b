"""The strategy of the checks that want its tables: sample orders with a known effect in the last quarter, and its lines of a job."""

SAMPLE = ["--string-ids", "--strategy", "winback", "--effect", "0.3", "--strategy-from", "2024-10-01", "--strategy-days", "92"]

STRATEGY = """
[[strategy]]
name = "winback"
design = "randomised"
assignments = "orders/_assignments/winback.parquet"
control = "control"
split = { control = 0.5, treatment = 0.5 }
periods = [{ from = 2024-10-01, to = 2024-12-31 }]
cost_per_customer = "0.35"
margin_rate = 0.4
primary = { outcome = "revenue", method = "cuped" }
by = ["segment"]
"""
