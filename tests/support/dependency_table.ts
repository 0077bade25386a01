// The dependency table of the architecture as data: who may import whom, which packages, and where I/O may stand.
// architecture.ts applies it; changing a line here is changing the design.

/** What one folder of sidecar/ (or the file main.ts, app.ts, errors.ts) may import besides itself. */
export interface FolderRule {
  readonly imports: readonly string[];
  /** Folders that it may name in `import type` only. */
  readonly types?: readonly string[];
  /** Names of the import map in deno.json. */
  readonly packages?: readonly string[];
}

const LEAVES = ["lib", "errors", "telemetry"];

const RULES = {
  main: { imports: ["cli", "app"] },
  cli: {
    imports: ["config", "identity", "etcd", "net", ...LEAVES],
    types: ["app"],
    packages: ["diff"],
  },
  errors: { imports: [] },
  lib: { imports: ["errors"] },
  telemetry: { imports: ["lib", "errors"] },
  config: { imports: LEAVES, packages: ["zod", "yaml"] },
  identity: { imports: LEAVES, packages: ["@peculiar/x509", "jose", "reflect-metadata"] },
  snapshot: { imports: ["identity", ...LEAVES] },
  etcd: { imports: LEAVES, packages: ["etcd3"] },
  redis: { imports: LEAVES, packages: ["ioredis"] },
  control: {
    imports: ["config", "snapshot", "identity", "etcd", ...LEAVES],
    packages: ["consul"], // its agent's API, spoken by the package itself
  },
  net: { imports: ["identity", ...LEAVES] },
  http: { imports: LEAVES },
  http1: { imports: ["http", "net", ...LEAVES] },
  http2: { imports: ["http", "net", ...LEAVES] },
  grpc: { imports: ["http", "net", ...LEAVES], packages: ["@bufbuild/protobuf"] },
  upstream: { imports: ["snapshot", "http", "http1", "http2", "grpc", "net", ...LEAVES] },
  filters: { imports: ["http", "snapshot", "identity", ...LEAVES] },
  proxy: {
    imports: [
      "filters",
      "upstream",
      "http",
      "http1",
      "http2",
      "grpc",
      "net",
      "snapshot",
      ...LEAVES,
    ],
  },
  admin: { imports: LEAVES, types: ["snapshot", "upstream", "proxy"] },
} satisfies Record<string, FolderRule>;

/** The rule of every folder; the composition root may import them all. */
export const FOLDERS: Readonly<Record<string, FolderRule>> = {
  ...RULES,
  app: { imports: Object.keys(RULES).filter((folder) => folder !== "main") },
};

/** Where `Deno`, node: I/O modules, `fetch` and workers may be named. */
export const IO_PLACES: readonly RegExp[] = [
  /^sidecar\/net\//,
  /^sidecar\/main\.ts$/,
  /^sidecar\/cli\/(host|supervise)\.ts$/,
  /^sidecar\/control\/files_io\.ts$/,
  /^sidecar\/identity\/files_io\.ts$/,
];

/** node: modules that only compute. */
export const PURE_NODE_MODULES: readonly string[] = [
  "node:assert",
  "node:async_hooks",
  "node:buffer",
  "node:crypto",
  "node:events",
  "node:path",
  "node:querystring",
  "node:stream",
  "node:string_decoder",
  "node:url",
  "node:util",
  "node:zlib",
];

/** Globals that reach outside when called or constructed. */
export const IO_GLOBALS: readonly string[] = ["fetch", "Worker", "WebSocket", "EventSource"];

/** Data outside of sidecar/ and services/ that both may import: the version stands there. */
export const SHARED_FILES: readonly string[] = ["deno.json"];

/** Longer is not read in one sitting. */
export const MAX_LINES = 400;
