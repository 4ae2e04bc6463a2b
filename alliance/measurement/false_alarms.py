"""False-alarm rates of the flag rules, as `manage.py simulate_flags` computes them; shares from 0 to 1.

20,000 stable clients with 12 sessions each, default parameters and seed; no published rates exist. C_small is
a fall of 1.0 or more, a vendor's red: for comparison only, never a flag. G: 10 % random misses.
"""

from collections.abc import Mapping

PER_SESSION: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.337,
        "A_new": 0.108,
        "B": 0.203,
        "C": 0.089,
        "C_small": 0.299,
        "D": 0.042,
        "E": 0.035,
        "F": 0.039,
        "G": 0.019,
    },
    "low": {
        "A": 0.632,
        "A_new": 0.118,
        "B": 0.168,
        "C": 0.131,
        "C_small": 0.365,
        "D": 0.057,
        "E": 0.036,
        "F": 0.005,
        "G": 0.018,
    },
    "high": {
        "A": 0.191,
        "A_new": 0.080,
        "B": 0.175,
        "C": 0.061,
        "C_small": 0.236,
        "D": 0.029,
        "E": 0.029,
        "F": 0.114,
        "G": 0.019,
    },
}
IN_TEN: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.738,
        "A_new": 0.738,
        "B": 0.778,
        "C": 0.503,
        "C_small": 0.944,
        "D": 0.212,
        "E": 0.179,
        "F": 0.110,
        "G": 0.136,
    },
    "low": {
        "A": 0.942,
        "A_new": 0.942,
        "B": 0.644,
        "C": 0.685,
        "C_small": 0.990,
        "D": 0.269,
        "E": 0.188,
        "F": 0.017,
        "G": 0.130,
    },
    "high": {
        "A": 0.546,
        "A_new": 0.546,
        "B": 0.735,
        "C": 0.369,
        "C_small": 0.850,
        "D": 0.149,
        "E": 0.153,
        "F": 0.256,
        "G": 0.135,
    },
}
