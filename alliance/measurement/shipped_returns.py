"""What becomes of low points under the rules as shipped, as `manage.py simulate_flags` computes it; shares from 0 to 1.

20,000 simulated clients with 12 sessions each and the default seed; the fields are those of `returns.Returns`.
"""

from collections.abc import Mapping

SHIPPED: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "standard": {
        "stable": {"back": 0.8747, "recovered": 0.7001, "recovering": 0.3941, "per_session": 0.0084},
        "fall": {"back": 0.4447, "recovered": 0.2188, "recovering": 0.3049, "per_session": 0.0562},
        "half": {"back": 0.5364, "recovered": 0.2999, "recovering": 0.5488, "per_session": 0.0517},
        "slide": {"back": 0.5095, "recovered": 0.2683, "recovering": 0.1689, "per_session": 0.0294},
    },
    "low": {
        "stable": {"back": 0.8386, "recovered": 0.6641, "recovering": 0.3566, "per_session": 0.0144},
        "fall": {"back": 0.388, "recovered": 0.1921, "recovering": 0.2904, "per_session": 0.0668},
        "half": {"back": 0.4732, "recovered": 0.2627, "recovering": 0.5252, "per_session": 0.061},
        "slide": {"back": 0.4607, "recovered": 0.2392, "recovering": 0.1506, "per_session": 0.0382},
    },
    "high": {
        "stable": {"back": 0.9026, "recovered": 0.7339, "recovering": 0.4004, "per_session": 0.0049},
        "fall": {"back": 0.5124, "recovered": 0.2648, "recovering": 0.318, "per_session": 0.0448},
        "half": {"back": 0.6098, "recovered": 0.3664, "recovering": 0.5663, "per_session": 0.0415},
        "slide": {"back": 0.5666, "recovered": 0.3081, "recovering": 0.176, "per_session": 0.0214},
    },
    "growth": {
        "stable": {"back": 0.9294, "recovered": 0.8085, "recovering": 0.4316, "per_session": 0.0032},
        "fall": {"back": 0.7256, "recovered": 0.4973, "recovering": 0.3799, "per_session": 0.0212},
        "half": {"back": 0.8, "recovered": 0.6062, "recovering": 0.6093, "per_session": 0.0196},
        "slide": {"back": 0.7376, "recovered": 0.5152, "recovering": 0.2662, "per_session": 0.0093},
    },
}
