// `deno run --allow-env tests/bench/micro.ts [WORD]`: what the parts of one exchange cost, without a socket, in ns an
// operation. For finding out where time goes; what an operator pays is measured by main.ts.
// deno-lint-ignore-file no-console -- a command that talks to the person who runs it
import { HeadParser } from "../../sidecar/http1/head_parser.ts";
import { readRequestHead } from "../../sidecar/http1/request_head.ts";
import { readResponseHead } from "../../sidecar/http1/response_head.ts";
import { writeRequestHead, writeResponseHead } from "../../sidecar/http1/serialize.ts";
import { EMPTY_BODY } from "../../sidecar/http/body.ts";
import { normalizeTarget } from "../../sidecar/http/path.ts";
import { ByteWriter } from "../../sidecar/lib/byte_writer.ts";
import { TokenBucket } from "../../sidecar/lib/token_bucket.ts";
import { RouteTable } from "../../sidecar/snapshot/route_table.ts";
import { LIMITS, MemoryEdge, REQUEST, RESPONSE } from "./memory_edge.ts";
import { concurrencyRun, POLICIES, policyRun } from "./policy_cost.ts";
import { spread } from "./stats.ts";

/** Does the operation `count` times. Returns something made of it, so that nothing is optimized away. */
type Operation = (count: number) => unknown;

/** Batches: each long enough for the clock, many enough that some of them run undisturbed. */
const BATCH_MS = 20;
const BATCHES = 25;

const OPERATIONS = new Map<string, Operation>();

const requestParser = new HeadParser("request", "downstream", LIMITS);
const responseParser = new HeadParser("response", "upstream", LIMITS);
const out = new ByteWriter(4096);

function parseRequest() {
  requestParser.reset();
  requestParser.parse(REQUEST, 0, REQUEST.length);
  return readRequestHead(requestParser);
}

function parseResponse() {
  responseParser.reset();
  responseParser.parse(RESPONSE, 0, RESPONSE.length);
  return readResponseHead(responseParser, "GET");
}

OPERATIONS.set("parse a request head of 8 fields", (count) => {
  for (let i = 0; i < count; i++) parseRequest();
  return requestParser.position;
});

OPERATIONS.set("parse a response head of 5 fields", (count) => {
  for (let i = 0; i < count; i++) parseResponse();
  return responseParser.position;
});

OPERATIONS.set("parse a request head, add two fields, serialize", (count) => {
  const headers = requestParser.fields;
  for (let i = 0; i < count; i++) {
    const head = parseRequest();
    headers.append("via", "1.1 bench");
    headers.append("x-forwarded-for", "127.0.0.1");
    out.reset();
    writeRequestHead(out, { ...head, scheme: "http", headers, body: EMPTY_BODY });
  }
  return out.length;
});

OPERATIONS.set("parse a response head, serialize", (count) => {
  const headers = responseParser.fields;
  const context = { method: "GET", version: "1.1", keepAlive: true } as const;
  for (let i = 0; i < count; i++) {
    const { status } = parseResponse();
    out.reset();
    writeResponseHead(out, { status, headers, body: EMPTY_BODY }, context);
  }
  return out.length;
});

for (const name of ["host", "accept-language", "x-absent"]) {
  OPERATIONS.set(`look a field up: ${name}`, (count) => {
    parseRequest();
    let found = 0;
    for (let i = 0; i < count; i++) if (requestParser.fields.get(name) !== undefined) found++;
    return found;
  });
}

function makeRoutes(count: number) {
  return new RouteTable(Array.from({ length: count }, (_, index) => ({
    match: { path: `/api/resource-${index}/*`, methods: [], headers: new Map<string, string>() },
    rewrite: `/resource-${index}/*`,
  })));
}

for (const routes of [1, 100, 10_000]) {
  const target = `/api/resource-${routes - 1}/123?page=2`;
  const table = makeRoutes(routes);
  OPERATIONS.set(`match one of ${routes} routes`, (count) => {
    let last: unknown;
    for (let i = 0; i < count; i++) {
      // A string of its own each time, as off the wire: its hash is not known yet.
      const path = target.slice(0, -"?page=2".length);
      last = table.match({ host: "localhost", path, method: "GET", header: () => undefined });
    }
    return last;
  });
}

for (const path of ["/api/users/123/orders?page=2", "/api//users/%41lice/orders"]) {
  OPERATIONS.set(`normalize ${path}`, (count) => {
    let last: unknown;
    for (let i = 0; i < count; i++) last = normalizeTarget(path);
    return last;
  });
}

OPERATIONS.set("take a token from a bucket", (count) => {
  const measure = { tokensPerMs: 1e6, burst: 1e6 };
  const bucket = new TokenBucket(measure, 0);
  let taken = 0;
  for (let i = 0; i < count; i++) if (bucket.take(measure, i)) taken++;
  return taken;
});

for (const [name, policy] of POLICIES) {
  OPERATIONS.set(`${name} of one request`, policyRun(policy));
}

OPERATIONS.set("adaptive concurrency of one request", concurrencyRun());

const edge = new MemoryEdge();

OPERATIONS.set("an exchange through the edge, all but the sockets", async (count) => {
  for (let i = 0; i < count; i++) await edge.exchange();
});

/** Nanoseconds an operation, each batch by itself. */
async function measure(operation: Operation): Promise<number[]> {
  let count = 1;
  while (await timeMs(operation, count) < BATCH_MS) count *= 2;
  const batches: number[] = [];
  while (batches.length < BATCHES) batches.push(await timeMs(operation, count) * 1e6 / count);
  return batches;
}

let kept: unknown;

async function timeMs(operation: Operation, count: number): Promise<number> {
  const startedAt = performance.now();
  kept = await operation(count);
  return performance.now() - startedAt;
}

console.log(`${"operation".padEnd(52)} ${"median ns".padStart(10)} ${"least".padStart(10)}`);
for (const [name, operation] of OPERATIONS) {
  if (!name.includes(Deno.args[0] ?? "")) continue;
  const { median, min } = spread(await measure(operation));
  console.log(
    `${name.padEnd(52)} ${median.toFixed(0).padStart(10)} ${min.toFixed(0).padStart(10)}`,
  );
}
Deno.exit(kept === null ? 1 : 0);
