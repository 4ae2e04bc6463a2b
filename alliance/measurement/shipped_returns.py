"""What becomes of low points under the rules as shipped, as `manage.py simulate_flags` computes it; shares from 0 to 1.

20,000 simulated clients with 12 sessions each and the default seed; the fields are those of `returns.Returns`.
"""

from collections.abc import Mapping

SHIPPED: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "standard": {
        "stable": {"back": 0.871, "recovered": 0.7005, "recovering": 0.3197, "per_session": 0.0122},
        "fall": {"back": 0.4382, "recovered": 0.2139, "recovering": 0.3013, "per_session": 0.0469},
        "half": {"back": 0.5168, "recovered": 0.2815, "recovering": 0.5512, "per_session": 0.0448},
        "slide": {"back": 0.5166, "recovered": 0.2718, "recovering": 0.1588, "per_session": 0.0283},
    },
    "low": {
        "stable": {"back": 0.833, "recovered": 0.6553, "recovering": 0.2831, "per_session": 0.0211},
        "fall": {"back": 0.3821, "recovered": 0.1874, "recovering": 0.2825, "per_session": 0.0557},
        "half": {"back": 0.4517, "recovered": 0.2443, "recovering": 0.5214, "per_session": 0.0525},
        "slide": {"back": 0.471, "recovered": 0.2439, "recovering": 0.133, "per_session": 0.0377},
    },
    "high": {
        "stable": {"back": 0.8953, "recovered": 0.732, "recovering": 0.3266, "per_session": 0.007},
        "fall": {"back": 0.4996, "recovered": 0.2523, "recovering": 0.321, "per_session": 0.0368},
        "half": {"back": 0.5863, "recovered": 0.3415, "recovering": 0.5745, "per_session": 0.0359},
        "slide": {"back": 0.5608, "recovered": 0.3066, "recovering": 0.1716, "per_session": 0.0198},
    },
}
