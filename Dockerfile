# Bits Bot in a container of its own. Work is kept in /data (SQLite) unless DATABASE_URL names PostgreSQL.
FROM python:3.12-slim AS build
WORKDIR /src
RUN python -m venv /opt/bits-bot
COPY pyproject.toml README.md ./
COPY bot bot
RUN /opt/bits-bot/bin/pip install --disable-pip-version-check --no-cache-dir '.[postgres]'

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bits \
 && install -d -o bits -g bits /data
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
