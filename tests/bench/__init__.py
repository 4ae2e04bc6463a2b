"""How fast the main pages are, as ratios to a bare page of the same run; `make bench` runs it.

Absolute figures depend on the machine and on what else it does. A ratio to a page that goes through the
same server and the same middleware and then says "ok" depends on them far less.
"""
