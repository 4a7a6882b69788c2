# Bits Bot in a container of its own. Work is kept in /data (SQLite) unless DATABASE_URL names PostgreSQL.
# For a build that can be repeated, name the base by its digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.12-slim@sha256:... .
ARG PYTHON_IMAGE=python:3.12-slim

# What is locked and nothing else; done again only when the lock changes.
FROM ${PYTHON_IMAGE} AS dependencies
ARG PIP_DISABLE_PIP_VERSION_CHECK=1
ARG PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/python
WORKDIR /lock
COPY requirements.lock ./
RUN /opt/python/bin/pip install --require-hashes -r requirements.lock

# The bot itself, in a folder of its own; the sandbox never gets here (.dockerignore).
FROM dependencies AS bot
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
RUN /opt/python/bin/pip install --no-deps --no-build-isolation --target /opt/bits-bot .

# What builds and installs stays behind.
FROM dependencies AS lean
RUN /opt/python/bin/pip uninstall -y setuptools pip

FROM ${PYTHON_IMAGE}
# Some platforms run it under a number that no file knows, but in group 0: that group owns /data, too.
RUN useradd --system --uid 10001 --gid 0 --no-create-home --shell /usr/sbin/nologin bits \
 && install -d -o 10001 -g 0 -m 2770 /data
COPY --from=lean /opt/python /opt/python
COPY --from=bot /opt/bits-bot /opt/bits-bot
ENV PATH=/opt/bits-bot/bin:/opt/python/bin:$PATH \
    PYTHONPATH=/opt/bits-bot \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:////data/bits-bot.sqlite3 \
    BITS_HTTP_HOST=0.0.0.0
# by number, or Kubernetes can't tell that it is not root
USER 10001:0
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD ["python", "-c", "import os, urllib.request as web; port = os.environ.get('BITS_HTTP_PORT') or os.environ.get('PORT') or '3000'; web.urlopen(f'http://127.0.0.1:{port}/healthz', timeout=4)"]
CMD ["bits-bot", "run"]
