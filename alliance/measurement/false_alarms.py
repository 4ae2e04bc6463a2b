"""False-alarm rates of the flag rules, as `manage.py simulate_flags` computes them; shares from 0 to 1.

20,000 stable clients with 12 sessions each, default parameters and seed; no published rates exist. C_small is
a fall of 1.0 or more, a vendor's red: for comparison only, never a flag. G: 10 % random misses.
"""

from collections.abc import Mapping

PER_SESSION: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.33787,
        "A_new": 0.10719,
        "B": 0.20117,
        "C": 0.08956,
        "C_small": 0.29872,
        "D": 0.04123,
        "E": 0.03371,
        "F": 0.03971,
        "G": 0.01924,
    },
    "low": {
        "A": 0.62718,
        "A_new": 0.11915,
        "B": 0.17270,
        "C": 0.13145,
        "C_small": 0.36405,
        "D": 0.05542,
        "E": 0.03584,
        "F": 0.00553,
        "G": 0.01924,
    },
    "high": {
        "A": 0.19083,
        "A_new": 0.07882,
        "B": 0.17225,
        "C": 0.06091,
        "C_small": 0.23480,
        "D": 0.02837,
        "E": 0.02866,
        "F": 0.11274,
        "G": 0.01924,
    },
}
IN_TEN: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.73805,
        "A_new": 0.73805,
        "B": 0.77575,
        "C": 0.50370,
        "C_small": 0.94025,
        "D": 0.20455,
        "E": 0.17600,
        "F": 0.10950,
        "G": 0.13630,
    },
    "low": {
        "A": 0.94050,
        "A_new": 0.94050,
        "B": 0.64850,
        "C": 0.68000,
        "C_small": 0.99175,
        "D": 0.26625,
        "E": 0.18780,
        "F": 0.01845,
        "G": 0.13630,
    },
    "high": {
        "A": 0.54145,
        "A_new": 0.54145,
        "B": 0.73410,
        "C": 0.36760,
        "C_small": 0.84790,
        "D": 0.14855,
        "E": 0.15135,
        "F": 0.25870,
        "G": 0.13630,
    },
}
