# A Tidegate worker: compiled, with its workflows bundled, without compilers and tests, not root.
ARG NODE_VERSION=20.20.2

FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build

FROM node:${NODE_VERSION}-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The Temporal SDK brings its native library for every platform, and its sources: 120 MB that never run here.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && cd node_modules/@temporalio/core-bridge \
    && find releases -mindepth 1 -maxdepth 1 ! -name "$(uname -m)-unknown-linux-gnu" -exec rm -r {} + \
    && rm -r sdk-core

FROM node:${NODE_VERSION}-bookworm-slim
# Fewer arenas: glibc keeps freed memory for each of many threads otherwise.
ENV NODE_ENV=production TIDEGATE_HEALTH_PORT=8080 MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
# Key indexes of tables on S3, and what does not fit in memory: on a disk, where the root is read-only and /tmp is memory.
ENV TIDEGATE_CACHE=/var/cache/tidegate TMPDIR=/var/cache/tidegate/tmp
# Fresh volumes take their owner from these folders.
RUN mkdir -p /data/curated /var/cache/tidegate/tmp && chown -R node:node /data/curated /var/cache/tidegate
USER node
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["node", "dist/healthcheck.js"]
CMD ["node", "dist/worker.js"]
