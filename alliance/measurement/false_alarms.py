"""How the flag rules do, as `manage.py simulate_flags` computes it; shares from 0 to 1.

20,000 simulated clients with 12 sessions each, default parameters and seed, H switched on; no published rates
exist. C_small is a fall of 1.0 or more, a vendor's red: for comparison only, never a flag. G: 10 % random
misses. work_list: sessions at which the rules that are on by default call for a talk; work_list_asleep: if no
continuing A ever woke.
"""

from collections.abc import Mapping

PER_SESSION: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.33787,
        "A_new": 0.10719,
        "A_woken": 0.03071,
        "B": 0.20117,
        "C": 0.08956,
        "C_small": 0.29872,
        "D": 0.04123,
        "E": 0.03371,
        "F": 0.03971,
        "G": 0.01924,
        "H": 0.03024,
        "work_list": 0.16969,
        "work_list_asleep": 0.15967,
    },
    "low": {
        "A": 0.62718,
        "A_new": 0.11915,
        "A_woken": 0.06124,
        "B": 0.17270,
        "C": 0.13145,
        "C_small": 0.36405,
        "D": 0.05542,
        "E": 0.03584,
        "F": 0.00553,
        "G": 0.01924,
        "H": 0.03418,
        "work_list": 0.23883,
        "work_list_asleep": 0.21891,
    },
    "high": {
        "A": 0.19083,
        "A_new": 0.07882,
        "A_woken": 0.01628,
        "B": 0.17225,
        "C": 0.06091,
        "C_small": 0.23480,
        "D": 0.02837,
        "E": 0.02866,
        "F": 0.11274,
        "G": 0.01924,
        "H": 0.02485,
        "work_list": 0.11443,
        "work_list_asleep": 0.10922,
    },
}
IN_TEN: Mapping[str, Mapping[str, float]] = {
    "standard": {
        "A": 0.73805,
        "A_new": 0.73805,
        "A_woken": 0.23010,
        "B": 0.77575,
        "C": 0.50370,
        "C_small": 0.94025,
        "D": 0.20455,
        "E": 0.17600,
        "F": 0.10950,
        "G": 0.13630,
        "H": 0.08600,
        "work_list": 0.76340,
        "work_list_asleep": 0.76340,
    },
    "low": {
        "A": 0.94050,
        "A_new": 0.94050,
        "A_woken": 0.44645,
        "B": 0.64850,
        "C": 0.68000,
        "C_small": 0.99175,
        "D": 0.26625,
        "E": 0.18780,
        "F": 0.01845,
        "G": 0.13630,
        "H": 0.09985,
        "work_list": 0.94830,
        "work_list_asleep": 0.94830,
    },
    "high": {
        "A": 0.54145,
        "A_new": 0.54145,
        "A_woken": 0.12265,
        "B": 0.73410,
        "C": 0.36760,
        "C_small": 0.84790,
        "D": 0.14855,
        "E": 0.15135,
        "F": 0.25870,
        "G": 0.13630,
        "H": 0.06935,
        "work_list": 0.57595,
        "work_list_asleep": 0.57595,
    },
}
# By change and rule: clients flagged within the window, with the change and without (simulate.CHANGES).
DETECTION: Mapping[str, Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "standard": {
        "fall": {
            "A": (0.87510, 0.50255),
            "C": (0.63975, 0.24860),
            "D": (0.37525, 0.10520),
            "E": (0.54415, 0.09205),
            "H": (0.54620, 0.07200),
        },
        "slide": {
            "A": (0.94800, 0.62215),
            "C": (0.72670, 0.40315),
            "D": (0.56290, 0.20595),
            "E": (0.71980, 0.19390),
            "H": (0.72710, 0.12205),
        },
    },
    "low": {
        "fall": {
            "A": (0.97935, 0.80320),
            "C": (0.74275, 0.36585),
            "D": (0.42055, 0.14070),
            "E": (0.54920, 0.09690),
            "H": (0.58720, 0.08470),
        },
        "slide": {
            "A": (0.99455, 0.88770),
            "C": (0.80990, 0.57660),
            "D": (0.61225, 0.27180),
            "E": (0.70585, 0.20305),
            "H": (0.74385, 0.13745),
        },
    },
    "high": {
        "fall": {
            "A": (0.74015, 0.31590),
            "C": (0.53235, 0.16920),
            "D": (0.31835, 0.07585),
            "E": (0.50255, 0.07980),
            "H": (0.47665, 0.05730),
        },
        "slide": {
            "A": (0.86130, 0.42240),
            "C": (0.62930, 0.28180),
            "D": (0.49730, 0.14740),
            "E": (0.69390, 0.16805),
            "H": (0.67340, 0.10025),
        },
    },
}
