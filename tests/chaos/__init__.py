"""Does the site keep every rating while what it runs on fails? `make chaos` tries.

A fault strikes a site of its own, with the web server and the database as a clinic runs them, while ratings arrive
over HTTP. Then the database alone says what became of each rating, and each device what it was told. `make torture`
asks the same about the device and the network; here the servers fail.
"""
