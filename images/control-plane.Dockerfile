# The control plane. The folder that it is built from holds what images/control-plane.files names and nothing else: `ballast image build`.
FROM docker.io/library/node:24.18.0-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM docker.io/library/node:24.18.0-bookworm-slim@sha256:6f7b03f7c2c8e2e784dcf9295400527b9b1270fd37b7e9a7285cf83b6951452d
# On every address of its container: the platform asks it from outside. Everywhere else our servers bind to loopback.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY . .
# The user `node` of the base image: files are root's, so that the process cannot change its own program.
USER 1000:1000
EXPOSE 8080
CMD ["node", "controlplane/main.ts"]
