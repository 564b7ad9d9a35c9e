# The image of the service's own processes, worker and beat: `docker-compose build`.
#
# Attempts do not run in it, but in bases beside it: `fixproof base build` makes those. Where no
# registry can be reached, one of them is ground for this image too; its label
# `fixproof.base.interpreter` says where its Python is:
#
#   fixproof base build 3.11
#   DOCKER_BUILDKIT=0 docker build --network host --tag fixproof \
#       --build-arg BASE=fixproof/base:3.11 --build-arg PYTHON=/path/of/its/python3.11 .
ARG BASE=python:3.11-slim
FROM ${BASE}
ARG PYTHON=python3

USER 0
WORKDIR /opt/fixproof
RUN ${PYTHON} -m venv venv
ENV PATH=/opt/fixproof/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1

# What it needs, by hash, and never built here; first, as it changes seldom.
COPY requirements/run.txt requirements/build.txt requirements/
RUN python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
    --only-binary :all: --require-hashes --requirement requirements/run.txt

COPY pyproject.toml README.md ./
COPY runner runner
COPY worker worker
COPY repros repros
RUN uv --no-cache pip install --no-deps --build-constraints requirements/build.txt .

# Cases are looked for in /corpus/repros; where nothing is mounted there, in those it came with.
WORKDIR /corpus
ENTRYPOINT []
CMD ["fixproof", "worker"]
