"""How fast the main pages are, as multiples of a bare page of the same run; `make bench` runs it.

Absolute figures depend on the machine and on what else it does. A multiple of a page that goes through the
same server and the same middleware and then says "ok" depends on them far less.

The measuring process speaks HTTP and knows no model. What needs Django (`fill`, `browsers`, `recomputation`) runs
in processes of its own, in the folder of the revision that is measured, and reaches rows by the names of their
tables' models alone: so the same code measures an older revision too (`make bench COMPARE=<revision>`).
"""
