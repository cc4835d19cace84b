"""The parts of `tests/faults.py`."""
