"""False-alarm rates of the flag rules, as `manage.py simulate_flags` computes them; shares from 0 to 1.

20,000 stable clients with 12 sessions each, default parameters and seed; no published rates exist. C_small is
a fall of 1.0 or more, a vendor's red: for comparison only, never a flag. G: 10 % random misses.
"""

from collections.abc import Mapping

PER_SESSION: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.338,
        "A_new": 0.107,
        "B": 0.201,
        "C": 0.090,
        "C_small": 0.299,
        "D": 0.041,
        "E": 0.034,
        "F": 0.040,
        "G": 0.019,
    },
    "low": {
        "A": 0.627,
        "A_new": 0.119,
        "B": 0.173,
        "C": 0.131,
        "C_small": 0.364,
        "D": 0.055,
        "E": 0.036,
        "F": 0.006,
        "G": 0.019,
    },
    "high": {
        "A": 0.191,
        "A_new": 0.079,
        "B": 0.172,
        "C": 0.061,
        "C_small": 0.235,
        "D": 0.028,
        "E": 0.029,
        "F": 0.113,
        "G": 0.019,
    },
}
IN_TEN: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.738,
        "A_new": 0.738,
        "B": 0.776,
        "C": 0.504,
        "C_small": 0.940,
        "D": 0.205,
        "E": 0.176,
        "F": 0.110,
        "G": 0.136,
    },
    "low": {
        "A": 0.941,
        "A_new": 0.941,
        "B": 0.648,
        "C": 0.680,
        "C_small": 0.992,
        "D": 0.266,
        "E": 0.188,
        "F": 0.018,
        "G": 0.136,
    },
    "high": {
        "A": 0.541,
        "A_new": 0.541,
        "B": 0.734,
        "C": 0.368,
        "C_small": 0.848,
        "D": 0.149,
        "E": 0.151,
        "F": 0.259,
        "G": 0.136,
    },
}
