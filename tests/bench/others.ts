// nginx and HAProxy as reverse proxies of HTTP/1.1 with one thread, with connections to the backend kept; and the backend,
// which is nginx too. They get nothing to do beyond forwarding: no log, no field added.
import { join } from "node:path";
import { LOAD_CORE, PROXY_CORE } from "./children.ts";
import { type PeerKind, type Place, samePath, startServer } from "./place.ts";
import { LARGE_BYTES, SMALL_BYTES } from "./workloads.ts";

/** No connection ends by having been used often: reconnecting is not what is measured. */
export const FOREVER = 1_000_000_000;
/** A thousand idle ones and what they need behind. */
export const MAX_CONNECTIONS = 4096;
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

/** `body` is the section about HTTP. */
export function startNginx(
  place: Place,
  name: string,
  core: number,
  body: (port: number) => readonly string[],
) {
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
export async function startBackend(place: Place): Promise<number> {
  const part = `set $part "${"x".repeat(PART_BYTES)}";`;
  const large = `${part} return 200 "${"$part".repeat(LARGE_BYTES / PART_BYTES)}";`;
  const { port } = await startNginx(place, "backend", LOAD_CORE, (port) => [
    "default_type application/json;",
    `server { listen 127.0.0.1:${port};`,
    `location = /users/large { ${large} }`,
    `location = /orders/large { ${large} }`,
    `location / { return 200 "${"x".repeat(SMALL_BYTES)}"; }`,
    "}",
  ]);
  return port;
}

export const NGINX: PeerKind = {
  name: "nginx",
  title: "nginx",
  async start(place) {
    const { child, port } = await startNginx(place, "nginx", PROXY_CORE, (port) => [
      `upstream backend { server 127.0.0.1:${place.backendPort};`,
      `keepalive 64; keepalive_requests ${FOREVER}; keepalive_timeout 600s; }`,
      `server { listen 127.0.0.1:${port}; location / {`,
      'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";',
      "proxy_set_header Host $http_host;",
      // Room for the large response: by default a part of it would go to disk.
      "proxy_buffers 32 8k; } }",
    ]);
    return { name: NGINX.name, port, path: samePath, processes: [child] };
  },
};

/** `words` go with the addresses of both sides. */
export function haproxyConfig(port: number, backendPort: number, words = ""): string {
  return [
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
    `  bind 127.0.0.1:${port}${words}`,
    `  server backend 127.0.0.1:${backendPort}${words}`,
    "",
  ].join("\n");
}

export const HAPROXY: PeerKind = {
  name: "haproxy",
  title: "HAProxy",
  async start(place) {
    const { child, port } = await startServer(place, {
      name: HAPROXY.name,
      program: place.programs.haproxy,
      args: (file) => ["-db", "-f", file],
      config: (port) => haproxyConfig(port, place.backendPort),
    });
    return { name: HAPROXY.name, port, path: samePath, processes: [child] };
  },
};
