# The registry and the guard: one image, whose command is `deedbox`.
FROM python:3.13-slim
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY checker checker
COPY codegen codegen
COPY plugins plugins
COPY registry registry
COPY fixtures/demo fixtures/demo
RUN pip install --no-cache-dir '.[registry,codegen,kafka,confluent]' \
 && useradd --create-home deedbox \
 && install -d -o deedbox /data
USER deedbox
# Databases and spools stand here: make it a volume.
WORKDIR /data
ENTRYPOINT ["deedbox"]
