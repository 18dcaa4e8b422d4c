# The image of every process: API, worker, migrations, command line. Built in one stage, run in
# another that has no compiler and no package manager's cache, as a user without rights.
#
#   docker build -t bursar .
#   docker run --rm bursar --help

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/bursar
COPY requirements/run.txt requirements/
RUN /opt/bursar/bin/pip install --no-deps --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/bursar/bin/pip install hatchling editables \
    && /opt/bursar/bin/pip install --no-deps --no-build-isolation . \
    && /opt/bursar/bin/pip uninstall --yes hatchling editables \
    && /opt/bursar/bin/python -m compileall -q /opt/bursar/lib

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/bursar bursar
COPY --from=build /opt/bursar /opt/bursar
ENV PATH=/opt/bursar/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    APP_ENV=production \
    GLIBC_TUNABLES=glibc.malloc.hugetlb=1 \
    DATA_DIR=/var/lib/bursar
USER 10001
WORKDIR /var/lib/bursar
VOLUME /var/lib/bursar
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:3000/health/live', timeout=2)"]
ENTRYPOINT ["bursar"]
CMD ["serve"]
