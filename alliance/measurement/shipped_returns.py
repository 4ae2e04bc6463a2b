"""What becomes of low points under the rules as shipped, as `manage.py simulate_flags` computes it; shares from 0 to 1.

20,000 simulated clients with 12 sessions each and the default seed; the fields are those of `returns.Returns`.
"""

from collections.abc import Mapping

SHIPPED: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "standard": {
        "stable": {"back": 0.8721, "recovered": 0.6948, "recovering": 0.3505, "per_session": 0.0095},
        "fall": {"back": 0.4471, "recovered": 0.2199, "recovering": 0.2957, "per_session": 0.0579},
        "half": {"back": 0.5383, "recovered": 0.3004, "recovering": 0.5301, "per_session": 0.0535},
        "slide": {"back": 0.5105, "recovered": 0.2676, "recovering": 0.1586, "per_session": 0.0313},
    },
    "low": {
        "stable": {"back": 0.8367, "recovered": 0.6623, "recovering": 0.3217, "per_session": 0.016},
        "fall": {"back": 0.3902, "recovered": 0.1938, "recovering": 0.2825, "per_session": 0.0687},
        "half": {"back": 0.4758, "recovered": 0.2647, "recovering": 0.5099, "per_session": 0.0628},
        "slide": {"back": 0.4601, "recovered": 0.2391, "recovering": 0.1408, "per_session": 0.0408},
    },
    "high": {
        "stable": {"back": 0.8996, "recovered": 0.7267, "recovering": 0.3521, "per_session": 0.0056},
        "fall": {"back": 0.5134, "recovered": 0.2641, "recovering": 0.3082, "per_session": 0.0462},
        "half": {"back": 0.6103, "recovered": 0.3646, "recovering": 0.5432, "per_session": 0.0433},
        "slide": {"back": 0.5669, "recovered": 0.3046, "recovering": 0.1658, "per_session": 0.0228},
    },
    "growth": {
        "stable": {"back": 0.9279, "recovered": 0.8032, "recovering": 0.3898, "per_session": 0.0036},
        "fall": {"back": 0.7266, "recovered": 0.4979, "recovering": 0.3585, "per_session": 0.0225},
        "half": {"back": 0.7982, "recovered": 0.6019, "recovering": 0.5664, "per_session": 0.0211},
        "slide": {"back": 0.7362, "recovered": 0.5111, "recovering": 0.2463, "per_session": 0.01},
    },
}
