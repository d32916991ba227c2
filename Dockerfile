# One image for the command line and for every process of Airflow: the checkout, and the packages of its lock.
FROM python:3.12.11-slim-bookworm

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 GX_ANALYTICS_ENABLED=false DO_NOT_TRACK=1

RUN useradd --create-home --uid 10001 watchkeeper
WORKDIR /opt/watchkeeper

# The lock first: a change of code leaves the layer of packages as it is.
COPY requirements.lock pyproject.toml ./
RUN awk '/^uv==/ {on=1} on {print} on && !/\\$/ {exit}' requirements.lock > /tmp/uv.lock \
    && pip install --require-hashes --no-deps -r /tmp/uv.lock \
    && uv pip sync --system --compile-bytecode --require-hashes requirements.lock \
    && rm /tmp/uv.lock

COPY . .
RUN uv pip install --system --no-deps --editable . \
    && mkdir -p /srv/airflow /srv/tables /srv/models /srv/settings /srv/site \
    && chown -R watchkeeper /srv
USER watchkeeper

ENV WATCHKEEPER_HOME=/opt/watchkeeper \
    WATCHKEEPER_MODELS=/srv/models \
    WATCHKEEPER_WAREHOUSE=/srv/tables \
    WATCHKEEPER_SITE=/srv/site \
    WATCHKEEPER_MESSAGES=/srv/site/messages.txt \
    AIRFLOW_HOME=/srv/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/watchkeeper/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=false \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=false \
    PYTHONPATH=/opt/watchkeeper

CMD ["watchkeeper", "--help"]
