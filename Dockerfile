# Bits Bot in a container of its own. Work is kept in /data (SQLite) unless DATABASE_URL names PostgreSQL.
# For a build that can be repeated, name the base by its digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.12-slim@sha256:... .
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
ARG PIP_DISABLE_PIP_VERSION_CHECK=1
ARG PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/bits-bot
COPY requirements.lock ./
RUN /opt/bits-bot/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY bot bot
# nothing but what is locked takes part, and what builds and installs stays behind; the sandbox never gets here (.dockerignore)
RUN /opt/bits-bot/bin/pip install --no-deps --no-build-isolation . \
 && /opt/bits-bot/bin/pip uninstall -y setuptools pip

FROM ${PYTHON_IMAGE}
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bits \
 && install -d -o bits -g bits -m 700 /data
COPY --from=build /opt/bits-bot /opt/bits-bot
ENV PATH=/opt/bits-bot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:////data/bits-bot.sqlite3 \
    BITS_HTTP_HOST=0.0.0.0 \
    BITS_HTTP_PORT=3000
USER bits
WORKDIR /data
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
  CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"BITS_HTTP_PORT\"]}/healthz', timeout=4)"]
CMD ["bits-bot", "run"]
