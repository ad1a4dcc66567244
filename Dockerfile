# Untried: the machine this was written on runs no container engine. It is linted (`make lint`).
# The image holds the code and its locked dependencies, no configuration and no key: mount both.
#
#   docker run --read-only --tmpfs /tmp -v ./config:/config:ro -v ./keys:/keys:ro -v ./var:/var/lib/smartapp \
#       -e SMARTAPP_CONFIG=/config/smartapp.toml -p 127.0.0.1:8000:8000 smartapp
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.lock ./
# hadolint ignore=DL3013 # the lock pins every package with its hash
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home smartapp \
    && install -d -o smartapp -g smartapp -m 0700 /var/lib/smartapp
COPY --from=build /venv /venv
COPY smartapp /app/smartapp
COPY config /app/config
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000
ENTRYPOINT ["python", "-m", "smartapp.cli"]
CMD ["serve"]
