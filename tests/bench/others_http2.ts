// nghttpx, HAProxy and nginx as reverse proxies of HTTP/2 with one thread, and the backend, nghttpd: it sends trailers, and in
// C it is as fast as a server on our own codec. No TLS anywhere.
import { join } from "node:path";
import { LOAD_CORE, PROXY_CORE } from "./children.ts";
import { CALL_PATH, KILOBYTE, KILOBYTE_PATH, MESSAGE_BYTES, MIB_BYTES } from "./http2_workloads.ts";
import { FOREVER, haproxyConfig, startNginx } from "./others.ts";
import { type PeerKind, type Place, samePath, type ServerOptions, startServer } from "./place.ts";
import { SMALL_BYTES } from "./workloads.ts";

/** As many as one connection is asked to carry here, and more. */
const MAX_STREAMS = 1000;

/** What the backend has, as files: it answers any method with them. */
const FILES: Readonly<Record<string, number>> = {
  [CALL_PATH]: MESSAGE_BYTES.response,
  "/users/123": SMALL_BYTES,
  "/users/large": MIB_BYTES,
  [KILOBYTE_PATH]: KILOBYTE,
};

/** How nghttpd answers; `mimeTypes` is the path of a file. */
export function backendArgs(place: Pick<Place, "directory">, mimeTypes: string): string[] {
  return [
    "--address=127.0.0.1",
    `--htdocs=${rootOf(place)}`,
    `--mime-types-file=${mimeTypes}`,
    `--max-concurrent-streams=${MAX_STREAMS}`,
    "--no-content-length",
    "--trailer=grpc-status: 0",
    "--trailer=grpc-message: OK",
  ];
}

function rootOf({ directory }: Pick<Place, "directory">): string {
  return join(directory, "files");
}

/** Starts the backend of every proxy. */
export async function startHttp2Backend(place: Place): Promise<number> {
  const root = rootOf(place);
  for (const [path, bytes] of Object.entries(FILES)) {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeFile(join(root, path), new Uint8Array(bytes));
  }
  const { port } = await startServer(place, {
    name: "backend",
    program: place.programs.nghttpd,
    args: (file, port) => ["--no-tls", ...backendArgs(place, file), String(port)],
    config: () => "application/grpc grpc\n",
    core: LOAD_CORE,
  });
  return port;
}

/** No proxy: what load and backend are able to, and the latency that is theirs. */
export const DIRECT: PeerKind = {
  name: "direct",
  title: "no proxy",
  start: ({ backendPort }) =>
    Promise.resolve({ name: DIRECT.name, port: backendPort, path: samePath, processes: [] }),
};

export const NGHTTPX: PeerKind = peerKind("nghttpx", "nghttpx", (place) => ({
  program: place.programs.nghttpx,
  args: (_file, port) => [
    "--conf=/dev/null",
    `--frontend=127.0.0.1,${port};no-tls`,
    `--backend=127.0.0.1,${place.backendPort};;proto=h2`,
    "--workers=1",
  ],
}));

export const HAPROXY_HTTP2: PeerKind = peerKind("haproxy", "HAProxy", (place) => ({
  program: place.programs.haproxy,
  args: (file) => ["-db", "-f", file],
  config: (port) => haproxyConfig(port, place.backendPort, " proto h2"),
}));

export const NGINX_GRPC: PeerKind = {
  name: "nginx",
  title: "nginx, grpc_pass",
  async start(place) {
    const { child, port } = await startNginx(place, "nginx", PROXY_CORE, (port) => [
      `upstream backend { server 127.0.0.1:${place.backendPort};`,
      `keepalive 256; keepalive_requests ${FOREVER}; keepalive_timeout 600s; }`,
      `server { listen 127.0.0.1:${port} http2;`,
      "location / { grpc_pass grpc://backend; grpc_set_header Host $http_host;",
      // Room for large responses.
      "grpc_buffer_size 64k; } }",
    ]);
    return { name: NGINX_GRPC.name, port, path: samePath, processes: [child] };
  },
};

type Settings = Pick<ServerOptions, "program" | "args"> & Partial<Pick<ServerOptions, "config">>;

function peerKind(name: string, title: string, settings: (place: Place) => Settings): PeerKind {
  return {
    name,
    title,
    async start(place) {
      const server = await startServer(place, { name, config: () => "", ...settings(place) });
      return { name, port: server.port, path: samePath, processes: [server.child] };
    },
  };
}
