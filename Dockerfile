# Lockstep's controller and command line: one bundle, Git beside it, nothing else that runs.
ARG NODE=24.21.0-bookworm-slim

FROM node:${NODE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No package runs code of its own here: esbuild's binary is a package too.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:${NODE}
# Git and ssh read repositories; gpgv and ssh-keygen check signatures. What installs packages has no place here.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git gpgv openssh-client \
 && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /opt/yarn* \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && install --directory --owner=1000 --group=1000 --mode=0750 /var/lib/lockstep
COPY --from=build /build/package.json /app/
COPY --from=build /build/schema /app/schema
COPY --from=build /build/dist /app/dist

# Journal and mirrors are all that is ever written; the root file system may be read-only. HOME is only read: ~/.aws.
ENV NODE_ENV=production \
    LOCKSTEP_JOURNAL=/var/lib/lockstep/journal \
    XDG_CACHE_HOME=/var/lib/lockstep \
    LANG=C.UTF-8 \
    HOME=/home/node
VOLUME /var/lib/lockstep
WORKDIR /var/lib/lockstep
# By number, so that an orchestrator can see that it is not root. ssh asks for a name too, and the base image has one.
USER 1000:1000
EXPOSE 4600
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.LOCKSTEP_LISTEN ?? '4600').split(':').pop() + '/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--enable-source-maps", "/app/dist/lockstep.js"]
CMD ["serve"]
