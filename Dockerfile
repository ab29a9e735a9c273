# Collector, analyzer and command line in one image: `docker run rollcall collector`, `… analyzer`, `… keys list`.
# To pin it: --build-arg BASE=node:24-slim@sha256:… (docs/security.md).
ARG BASE=node:24-slim
FROM ${BASE} AS dependencies
WORKDIR /rollcall
COPY package.json package-lock.json .npmrc ./
# No scripts: nothing Rollcall needs is compiled, and there is no compiler here.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# The dashboard is built with development packages that the image does not hold.
FROM ${BASE} AS dashboard
WORKDIR /rollcall
COPY package.json package-lock.json .npmrc tsconfig.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY analyzer analyzer
RUN node analyzer/web/build.ts --strict

FROM ${BASE}
# Files belong to root and the process does not: what runs cannot change what it runs.
WORKDIR /rollcall
COPY --from=dependencies /rollcall/node_modules node_modules
COPY package.json ./
COPY core core
COPY collector collector
COPY analyzer analyzer
COPY cli cli
COPY --from=dashboard /rollcall/analyzer/web/dist analyzer/web/dist
RUN mkdir /data && chown node:node /data
ENV NODE_ENV=production \
    ROLLCALL_HOST=0.0.0.0 \
    ROLLCALL_STORE=sqlite:/data/rollcall.db
USER node
VOLUME /data
# OTLP over gRPC, OTLP over HTTP, REST API and dashboard.
EXPOSE 4317 4318 4380
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["node", "cli/ready.mjs"]
ENTRYPOINT ["node", "cli/rollcall.mjs"]
CMD ["serve"]
