// The sections about this instance itself: service, listeners, policySource, limits, drain, log.
import * as z from "zod";
import { byDefault, choice, flag, list, section, wholeNumber } from "./fields.ts";
import {
  anyText,
  bindAddress,
  dialAddress,
  duration,
  etcdEndpoint,
  etcdPrefix,
  healthService,
  host,
  label,
  path,
  redisAddress,
  secretText,
  serviceName,
  size,
  tag,
} from "./scalars.ts";

const health = section({ description: "How the app is asked whether it is well." }, {
  http: path("Path asked by GET; 2xx is healthy. Default: /health, where the app has http.")
    .optional(),
  grpc: healthService(
    'Service asked by grpc.health.v1, "" for all; default: "", where the app has grpc alone.',
  ).optional(),
  tcp: flag("Whether it is asked by a connection alone, to each of its addresses.").optional(),
  healthyThreshold: byDefault(
    "service.app.health.healthyThreshold",
    wholeNumber("Good answers in a row that make it well.", 1),
  ),
  unhealthyThreshold: byDefault(
    "service.app.health.unhealthyThreshold",
    wholeNumber("Bad answers in a row that make it unwell.", 1),
  ),
  startupGrace: byDefault(
    "service.app.health.startupGrace",
    duration("How long after the start it may be unwell without a word in the log."),
  ),
  interval: byDefault(
    "service.app.health.interval",
    duration("Time between two checks.", { positive: true }),
  ),
  timeout: byDefault(
    "service.app.health.timeout",
    duration("How long one check may take.", { positive: true }),
  ),
});

/** At least one address; the rule stands in rules.ts for a message and here for editors. */
const app = section({ description: "The local app. Left out on a pure edge instance." }, {
  http: dialAddress("Where the app listens for plain HTTP.").optional(),
  grpc: dialAddress("Where the app listens for gRPC (HTTP/2 with prior knowledge).").optional(),
  health: health.prefault({}),
}).meta({ anyOf: [{ required: ["http"] }, { required: ["grpc"] }] });

export const service = section({ description: "The service that this sidecar stands beside." }, {
  name: serviceName("Name by which other services call it."),
  version: byDefault("service.version", label("Version of the service.")),
  tags: list("Labels in the registry; default: the version.", tag("One label.")).optional(),
  address: host("What other sidecars dial, without the port.").optional(),
  id: label("Instance id, unique in the registry; default: NAME-PORT.").optional(),
  zone: label("Where it runs; callers of the same zone prefer it.").optional(),
  weight: wholeNumber("Its share of the traffic in proportion to other instances.", 1)
    .max(1000, { error: "expected at most 1000" }).optional(),
  app: app.optional(),
});

export const listeners = section({ description: "Where this sidecar listens." }, {
  inbound: byDefault("listeners.inbound", bindAddress("Calls from other sidecars.")),
  outbound: byDefault("listeners.outbound", bindAddress("Calls from the local app.")),
  admin: byDefault("listeners.admin", bindAddress("Metrics and the inside of the proxy.")),
  health: byDefault("listeners.health", bindAddress("/health and /ready for orchestrators.")),
});

const etcd = section({
  description: "Documents pushed through etcd; PREFIX/policy/SERVICE over PREFIX/policy/_default.",
}, {
  endpoints: byDefault(
    "policySource.etcd.endpoints",
    list("Any of them may be asked.", etcdEndpoint("One member of the cluster."), 1),
  ),
  prefix: byDefault("policySource.etcd.prefix", etcdPrefix("What all keys begin with.")),
  username: label("User of etcd.").optional(),
  password: secretText("Password of that user.").optional(),
  ca: anyText("PEM file of the authorities that signed etcd's certificates.", "a path").optional(),
  certificate: anyText("PEM file of a client certificate.", "a path").optional(),
  key: anyText("PEM file of its key.", "a path").optional(),
  serverName: host("Name in etcd's certificate, where the endpoints are addresses.").optional(),
  cache: section({ description: "What starts without etcd begin with." }, {
    directory: byDefault(
      "policySource.etcd.cache.directory",
      anyText("Path, relative to the current directory.", "a path of a directory"),
    ),
  }).prefault({}),
});

/** Exactly one of the two; the rule stands in policy_source_rules.ts for a message and here for editors. */
export const policySource = section({ description: "Where the policy comes from, if not here." }, {
  file: anyText("Path of a policy document, relative to the current directory.", "a path")
    .optional(),
  etcd: etcd.optional(),
}).meta({ oneOf: [{ required: ["file"] }, { required: ["etcd"] }] });

export const redis = section({ description: "Where limits of scope global are counted." }, {
  address: byDefault("redis.address", redisAddress("Where Redis answers.")),
  username: label("User of Redis.").optional(),
  password: secretText("Password of that user, or of the default one.").optional(),
  ca: anyText("PEM file of the authorities that signed its certificate.", "a path").optional(),
  database: byDefault("redis.database", wholeNumber("Number of the database.", 0)),
  prefix: byDefault("redis.prefix", label("What all keys begin with.")),
  timeout: byDefault(
    "redis.timeout",
    duration("How long a request waits for it.", { positive: true }),
  ),
  whenAway: byDefault(
    "redis.whenAway",
    choice("Whether requests go on while it does not answer.", ["open", "closed"]),
  ),
});

export const tracing = section({
  description:
    "Which traces are kept; where they go is said by the OTEL_EXPORTER_OTLP_* variables.",
}, {
  sample: byDefault(
    "tracing.sample",
    z.number({ error: "expected a number from 0 to 1" })
      .min(0, { error: "expected a number from 0 to 1" })
      .max(1, { error: "expected a number from 0 to 1" })
      .meta({ description: "Share of the traces that begin here." }),
  ),
  errors: byDefault("tracing.errors", flag("What failed is kept too, sampled or not.")),
  slow: byDefault(
    "tracing.slow",
    duration("What takes as long is kept too, sampled or not; 0: nothing for that."),
  ),
});

export const workers = byDefault(
  "workers",
  z.literal(1, { error: "more than one worker is not in this version, expected 1" })
    .meta({ description: "Data-plane threads; 1 is the only number of this version." }),
);

export const limits = section({ description: "Bounds on what a peer may send or hold." }, {
  head: byDefault("limits.head", size("Largest message head: start line and headers.")),
  headers: byDefault("limits.headers", wholeNumber("Most headers in one head.", 1)),
  requestLine: byDefault("limits.requestLine", size("Longest request line.")),
  headTimeout: byDefault(
    "limits.headTimeout",
    duration("How long a head may take to arrive.", { positive: true }),
  ),
  idleTimeout: byDefault(
    "limits.idleTimeout",
    duration("How long a connection may lie idle.", { positive: true }),
  ),
  streamIdleTimeout: byDefault(
    "limits.streamIdleTimeout",
    duration("How long a body over HTTP/2 may stand still.", { positive: true }),
  ),
  tunnelIdleTimeout: byDefault(
    "limits.tunnelIdleTimeout",
    duration("How long a WebSocket or another tunnel may lie idle.", { positive: true }),
  ),
  connections: byDefault(
    "limits.connections",
    wholeNumber("Open downstream connections of one listener.", 1),
  ),
  streams: byDefault(
    "limits.streams",
    wholeNumber("Streams open at once on one HTTP/2 connection.", 1),
  ),
});

export const drain = section({ description: "How this instance goes away." }, {
  delay: byDefault("drain.delay", duration("Between deregistering and closing the listeners.")),
  timeout: byDefault("drain.timeout", duration("How long requests under way may take to finish.")),
});

export const log = section({ description: "What is logged and how." }, {
  level: byDefault("log.level", choice("Least severe level.", ["debug", "info", "warn", "error"])),
  format: byDefault("log.format", choice("One JSON object a line, or text.", ["json", "text"])),
  access: byDefault(
    "log.access",
    choice("Which requests leave a line.", ["off", "errors", "all"]),
  ),
});
