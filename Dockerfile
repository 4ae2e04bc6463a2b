# Two stages: pip and its cache stay in the first.
FROM python:3.11-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
COPY requirements.txt /
# Hash-pinned and wheels only: nothing is compiled, and nothing changes between two builds.
RUN pip install --require-hashes --only-binary :all: -r /requirements.txt

FROM python:3.11-slim-trixie
# pg_dump and pg_restore, of the version of the compose file's server: Debian 13 has 17. Backups lie in a folder of their own.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 999 --no-create-home --shell /usr/sbin/nologin alliance \
 && install --directory --owner alliance --mode 700 /backups
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
COPY --from=build /venv /venv
WORKDIR /site
COPY manage.py pyproject.toml ./
COPY alliance alliance
COPY clients clients
COPY sessions_app sessions_app
COPY templates templates
COPY locale locale
COPY static static
COPY scripts scripts
# The key is used for this one command and stays nowhere. The database is not touched.
RUN SECRET_KEY=only-for-collecting-files-Ks83nQvYt0Lw6Zx1Rb5Hj9Mf7Tg2 ALLOWED_HOSTS=localhost HTTPS=off \
    DATABASE_URL=postgres://nobody@localhost/none python manage.py collectstatic --no-input --verbosity 0 \
 && python -m compileall -q alliance clients sessions_app
USER alliance
ENV BIND=0.0.0.0 PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s CMD ["python", "scripts/healthy.py", "web"]
CMD ["scripts/start.sh"]
