"""Does every rating arrive, once, as it was marked, whatever goes wrong? `make torture` tries.

A run is one client with one session: the tablet is handed over, a real Chromium marks the lines, one fault
strikes at one moment, the world is put right again, and then the database alone says what became of the
marks. Everything random hangs on the seed, the fault, the moment and the number of the run.
"""
