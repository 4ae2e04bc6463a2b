"""The site as `alliance.operations.serving` starts it: `alliance.wsgi`, which gets whole requests only."""

from alliance.operations.listening import listening
from alliance.operations.whole_requests import WholeRequests
from alliance.wsgi import site  # past its filter: these requests hold nothing of the process

application = WholeRequests(site, threads=listening().threads)
