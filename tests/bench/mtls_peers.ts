// Who is measured under mTLS. "Hop": plain from the client, mTLS to a backend that asks for a certificate, because h2load shows
// none. "Path": two proxies in a row, mTLS between them. "Port": one that takes handshakes. TLS 1.3 and session tickets for all.
import { LOAD_CORE, PROXY_CORE } from "./children.ts";
import { FOREVER, startNginx } from "./others.ts";
import { backendArgs } from "./others_http2.ts";
import { identityOf, makeIdentities } from "./pki.ts";
import { type Peer, type PeerKind, type Place, samePath, startServer } from "./place.ts";
import { startMeshInbound, startMeshOutbound } from "./sidecars.ts";

export const HOP_WORKLOADS = ["grpc", "h2get"];
export const PATH_WORKLOADS = ["path"];
export const PORT_WORKLOADS = ["handshakes"];

/** By the place that it was started for: the port at which the backend asks for client certificates. */
const securePorts = new WeakMap<Place, number>();

/** The backend in TLS: the same files, and nobody without a certificate. */
async function secureBackend(place: Place): Promise<number> {
  const known = securePorts.get(place);
  if (known !== undefined) return known;
  const { certificate, key } = identityOf(place, "user-service");
  const { port } = await startServer(place, {
    name: "secure-backend",
    program: place.programs.nghttpd,
    args: (file, port) => [
      "--verify-client",
      ...backendArgs(place, file),
      String(port),
      key,
      certificate,
    ],
    config: () => "application/grpc grpc\n",
    core: LOAD_CORE,
  });
  securePorts.set(place, port);
  return port;
}

export { makeIdentities };

const HOP = { workloads: HOP_WORKLOADS };

export const NGHTTPX_HOP: PeerKind = {
  ...HOP,
  name: "nghttpx",
  title: "nghttpx, hop",
  async start(place) {
    const backend = await secureBackend(place);
    const { certificate, key, trustBundle } = identityOf(place, "order-service");
    const { child, port } = await startServer(place, {
      name: "nghttpx",
      program: place.programs.nghttpx,
      config: () => "",
      args: (_file, port) => [
        "--conf=/dev/null",
        `--frontend=127.0.0.1,${port};no-tls`,
        `--backend=127.0.0.1,${backend};;proto=h2;tls;sni=user-service`,
        `--cacert=${trustBundle}`,
        `--client-cert-file=${certificate}`,
        `--client-private-key-file=${key}`,
        "--tls-min-proto-version=TLSv1.3",
        "--workers=1",
      ],
    });
    return { name: NGHTTPX_HOP.name, port, path: samePath, processes: [child] };
  },
};

/** HAProxy wants certificate and key in one file. */
async function haproxyPem(place: Place, service: "user-service" | "order-service") {
  const { certificate, key } = identityOf(place, service);
  const both = `${certificate}.haproxy`;
  const text = await Deno.readTextFile(certificate) + await Deno.readTextFile(key);
  await Deno.writeTextFile(both, text, { mode: 0o600 });
  return both;
}

const HAPROXY_DEFAULTS = [
  "global",
  "  nbthread 1",
  "  maxconn 4000",
  "  ssl-default-server-options ssl-min-ver TLSv1.3",
  "  ssl-default-bind-options ssl-min-ver TLSv1.3",
  "defaults",
  "  mode http",
  "  timeout connect 5s",
  "  timeout client 600s",
  "  timeout server 600s",
  "  http-reuse always",
];

export const HAPROXY_HOP: PeerKind = {
  ...HOP,
  name: "haproxy",
  title: "HAProxy, hop",
  async start(place) {
    const backend = await secureBackend(place);
    const { trustBundle } = identityOf(place, "order-service");
    const pem = await haproxyPem(place, "order-service");
    const tls =
      `ssl verify required ca-file ${trustBundle} crt ${pem} sni str(user-service) verifyhost user-service alpn h2`;
    const { child, port } = await startServer(place, {
      name: "haproxy",
      program: place.programs.haproxy,
      args: (file) => ["-db", "-f", file],
      config: (port) =>
        [
          ...HAPROXY_DEFAULTS,
          "listen hop",
          `  bind 127.0.0.1:${port} proto h2`,
          `  server backend 127.0.0.1:${backend} ${tls}`,
          "",
        ].join("\n"),
    });
    return { name: HAPROXY_HOP.name, port, path: samePath, processes: [child] };
  },
};

export const NGINX_HOP: PeerKind = {
  ...HOP,
  name: "nginx",
  title: "nginx, grpc_pass, hop",
  async start(place) {
    const backend = await secureBackend(place);
    const { child, port } = await startNginx(
      place,
      "nginx",
      PROXY_CORE,
      (port) => nginxOut(place, port, backend),
    );
    return { name: NGINX_HOP.name, port, path: samePath, processes: [child] };
  },
};

function nginxOut(place: Place, port: number, backend: number): string[] {
  const { certificate, key, trustBundle } = identityOf(place, "order-service");
  return [
    `upstream backend { server 127.0.0.1:${backend};`,
    `keepalive 256; keepalive_requests ${FOREVER}; keepalive_timeout 600s; }`,
    `server { listen 127.0.0.1:${port} http2;`,
    "location / { grpc_pass grpcs://backend; grpc_set_header Host $http_host;",
    `grpc_ssl_certificate ${certificate}; grpc_ssl_certificate_key ${key};`,
    `grpc_ssl_trusted_certificate ${trustBundle}; grpc_ssl_verify on; grpc_ssl_name user-service;`,
    "grpc_ssl_server_name on; grpc_ssl_protocols TLSv1.3; grpc_buffer_size 64k; } }",
  ];
}

/** TLS in, with client certificates, and plain to the backend. */
function nginxIn(place: Place, port: number, pass: string): string[] {
  const { certificate, key, trustBundle } = identityOf(place, "user-service");
  return [
    `upstream backend { server 127.0.0.1:${place.backendPort};`,
    `keepalive 256; keepalive_requests ${FOREVER}; keepalive_timeout 600s; }`,
    `server { listen 127.0.0.1:${port} ssl http2;`,
    `ssl_certificate ${certificate}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3;`,
    `ssl_client_certificate ${trustBundle}; ssl_verify_client on;`,
    `location / { ${pass} grpc_set_header Host $http_host; grpc_buffer_size 64k; } }`,
  ];
}

export const NGINX_PATH: PeerKind = {
  workloads: PATH_WORKLOADS,
  name: "nginx-path",
  title: "two nginx, mTLS between them",
  async start(place) {
    const inner = await startNginx(
      place,
      "nginx-inner",
      PROXY_CORE,
      (port) => nginxIn(place, port, "grpc_pass grpc://backend;"),
    );
    const outer = await startNginx(
      place,
      "nginx-outer",
      PROXY_CORE,
      (port) => nginxOut(place, port, inner.port),
    );
    const processes = [outer.child, inner.child];
    return { name: NGINX_PATH.name, port: outer.port, path: samePath, processes };
  },
};

export const NGINX_PORT: PeerKind = {
  workloads: PORT_WORKLOADS,
  name: "nginx-port",
  title: "nginx, TLS port",
  async start(place) {
    const { child, port } = await startNginx(
      place,
      "nginx-port",
      PROXY_CORE,
      (port) => nginxIn(place, port, "grpc_pass grpc://backend;"),
    );
    return { name: NGINX_PORT.name, port, path: samePath, processes: [child] };
  },
};

export const HAPROXY_PORT: PeerKind = {
  workloads: PORT_WORKLOADS,
  name: "haproxy-port",
  title: "HAProxy, TLS port",
  async start(place) {
    const { trustBundle } = identityOf(place, "user-service");
    const pem = await haproxyPem(place, "user-service");
    const { child, port } = await startServer(place, {
      name: "haproxy-port",
      program: place.programs.haproxy,
      args: (file) => ["-db", "-f", file],
      config: (port) =>
        [
          ...HAPROXY_DEFAULTS,
          "listen port",
          `  bind 127.0.0.1:${port} ssl crt ${pem} ca-file ${trustBundle} verify required alpn h2,http/1.1`,
          `  server backend 127.0.0.1:${place.backendPort} proto h2`,
          "",
        ].join("\n"),
    });
    return { name: HAPROXY_PORT.name, port, path: samePath, processes: [child] };
  },
};

export const MESH_HOP: PeerKind = {
  ...HOP,
  name: "mesh",
  title: "sidecar, outbound hop",
  async start(place) {
    const { child, port } = await startMeshOutbound(place, "mesh", await secureBackend(place));
    return { name: MESH_HOP.name, port, path: samePath, processes: [child] };
  },
};

export const MESH_PATH: PeerKind = {
  workloads: PATH_WORKLOADS,
  name: "mesh-path",
  title: "two sidecars, mTLS between them",
  async start(place) {
    const inbound = await startMeshInbound(place, "mesh-path-inbound");
    const outbound = await startMeshOutbound(place, "mesh-path-outbound", inbound.port);
    const processes = [outbound.child, inbound.child];
    return { name: MESH_PATH.name, port: outbound.port, path: samePath, processes };
  },
};

export const MESH_PORT: PeerKind = {
  workloads: PORT_WORKLOADS,
  name: "mesh-port",
  title: "sidecar, inbound port",
  async start(place): Promise<Peer> {
    const { child, port } = await startMeshInbound(place, "mesh-port");
    return { name: MESH_PORT.name, port, path: samePath, processes: [child] };
  },
};
