// nginx and HAProxy as reverse proxies of one thread, with connections to the backend kept; and the backend, which is
// nginx too. They get nothing to do beyond forwarding: no log, no field added.
import { join } from "node:path";
import { type Child, LOAD_CORE } from "./children.ts";
import type { PeerKind, Place } from "./place.ts";
import { startServer } from "./place.ts";
import { LARGE_BYTES, SMALL_BYTES } from "./workloads.ts";

/** No connection ends by having been used often: reconnecting is not what is measured. */
const FOREVER = 1_000_000_000;
/** A thousand idle ones and what they need behind. */
const MAX_CONNECTIONS = 4096;
/** nginx takes no longer word than 4 KiB; a variable of this many bytes is repeated. */
const PART_BYTES = 1000;

function nginxConfig(body: readonly string[]): string {
  return [
    "daemon off;",
    "worker_processes 1;",
    "error_log stderr error;",
    "pid nginx.pid;",
    `events { worker_connections ${MAX_CONNECTIONS}; }`,
    "http {",
    "access_log off;",
    `keepalive_requests ${FOREVER};`,
    "keepalive_timeout 600s;",
    ...["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((use) => `${use}_temp_path tmp;`),
    ...body,
    "}",
  ].join("\n");
}

function startNginx(place: Place, name: string, core: number, body: (port: number) => string[]) {
  return startServer(place, {
    name,
    program: place.programs.nginx,
    // The prefix is what relative paths count from.
    args: (file) => ["-p", join(file, ".."), "-e", "stderr", "-c", file],
    config: (port) => nginxConfig(body(port)),
    core,
  });
}

/** The backend of every proxy. */
export function startBackend(
  place: Place,
): Promise<{ readonly child: Child; readonly port: number }> {
  const part = `set $part "${"x".repeat(PART_BYTES)}";`;
  const large = `${part} return 200 "${"$part".repeat(LARGE_BYTES / PART_BYTES)}";`;
  return startNginx(place, "backend", LOAD_CORE, (port) => [
    "default_type application/json;",
    `server { listen 127.0.0.1:${port};`,
    `location = /users/large { ${large} }`,
    `location = /orders/large { ${large} }`,
    `location / { return 200 "${"x".repeat(SMALL_BYTES)}"; }`,
    "}",
  ]);
}

export const NGINX: PeerKind = {
  name: "nginx",
  title: "nginx",
  async start(place) {
    const { child, port } = await startNginx(place, "nginx", 0, (port) => [
      `upstream backend { server 127.0.0.1:${place.backendPort};`,
      `keepalive 64; keepalive_requests ${FOREVER}; keepalive_timeout 600s; }`,
      `server { listen 127.0.0.1:${port}; location / {`,
      'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";',
      "proxy_set_header Host $http_host;",
      // Room for the large response: by default a part of it would go to disk.
      "proxy_buffers 32 8k; } }",
    ]);
    return { name: NGINX.name, port, path: plainPath, processes: [child] };
  },
};

export const HAPROXY: PeerKind = {
  name: "haproxy",
  title: "HAProxy",
  async start(place) {
    const { child, port } = await startServer(place, {
      name: HAPROXY.name,
      program: place.programs.haproxy,
      args: (file) => ["-db", "-f", file],
      config: (port) =>
        [
          "global",
          "  nbthread 1",
          `  maxconn ${MAX_CONNECTIONS}`,
          "defaults",
          "  mode http",
          "  http-reuse always",
          "  timeout connect 5s",
          "  timeout client 600s",
          "  timeout server 600s",
          "listen proxy",
          `  bind 127.0.0.1:${port}`,
          `  server backend 127.0.0.1:${place.backendPort}`,
          "",
        ].join("\n"),
    });
    return { name: HAPROXY.name, port, path: plainPath, processes: [child] };
  },
};

/** Below which the backend has it. */
export function plainPath(id: string): string {
  return `/users/${id}`;
}
