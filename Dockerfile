# The daemon as an image: no compiler, not root, a root file system that may be read-only, one volume.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/monitor
WORKDIR /source
# The dependencies change seldom and the code often, so they are layers of their own.
COPY requirements.lock ./
RUN /opt/monitor/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY monitor monitor
# Byte code is made here, because the running image can write none; then what only builds goes.
RUN /opt/monitor/bin/pip install --no-deps --no-build-isolation --no-index . \
    && /opt/monitor/bin/pip uninstall --yes flit_core pip \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/monitor/lib

FROM python:3.13-slim
LABEL org.opencontainers.image.title="runbook-monitor" \
      org.opencontainers.image.description="Runs the monitoring half of a deployment runbook." \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/monitor/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MONITOR_CONFIG=/etc/monitor \
    MONITOR_DATA=/data
COPY --from=build /opt/monitor /opt/monitor
# The real systems are chosen by name, never watched by accident: MONITOR_CONFIG=/usr/share/monitor MONITOR_SYSTEMS=…
COPY config /usr/share/monitor
COPY deploy/render/start /usr/local/bin/start-on-disk
# A number, so that Kubernetes can see that it is not root. A new named volume takes /data's owner over.
RUN install -d -o 10001 -g 10001 -m 0750 /data
# Another one only where start-on-disk has to hand a new disk over first; it goes on as 10001.
ARG IMAGE_USER=10001:10001
USER ${IMAGE_USER}
VOLUME /data
WORKDIR /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# slim has no curl. The daemon is process 1 and answers SIGTERM itself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "import os, urllib.request as web; \
where = os.environ.get('MONITOR_LISTEN') or os.environ.get('PORT') or '8080'; \
web.urlopen('http://127.0.0.1:' + where.rpartition(':')[2] + '/healthz', timeout=2)"]
ENTRYPOINT ["monitor"]
# Contacts nothing but itself. For your own systems mount a folder at /etc/monitor, and: docker run … run
CMD ["demo"]
