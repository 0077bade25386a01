// What a policy says of one upstream -> how it is called. Types are inferred: they fit those of snapshot/.
import type { UpstreamDocument } from "./schema/upstream.ts";

type Document = UpstreamDocument;
type Part = NonNullable<Document["split"]>[number];

/** How an upstream is called. */
export type UpstreamPolicy = ReturnType<typeof buildUpstream>;

export function buildUpstream(document: Document) {
  const { protocol, tls, bind, timeout: timeoutMs, hedge, limits } = document;
  const { retry, subsets, split, circuitBreaker, outlier, healthCheck, fallback, fault, mirror } =
    document;
  return {
    protocol,
    tls,
    loadBalancer: buildBalancer(document.loadBalancer),
    timeoutMs,
    ...(bind === undefined ? {} : { bind }),
    ...(retry === undefined ? {} : { retry: buildRetry(retry) }),
    ...(subsets === undefined ? {} : { subsets: buildSubsets(subsets) }),
    ...(split === undefined ? {} : { split: split.map(buildPart) }),
    ...(circuitBreaker === undefined ? {} : { circuitBreaker: buildBreaker(circuitBreaker) }),
    outlier: buildOutlier(outlier),
    ...(limits === undefined ? {} : { limits }),
    ...(healthCheck === undefined ? {} : { healthCheck: buildHealthCheck(healthCheck) }),
    ...(fallback === undefined ? {} : { fallback: buildFallback(fallback) }),
    ...(hedge === undefined ? {} : { hedge: { afterMs: hedge.after } }),
    ...(fault === undefined ? {} : { fault: buildFault(fault) }),
    ...(mirror === undefined ? {} : { mirror: { to: mirror.to, share: mirror.percent } }),
  };
}

function buildBalancer(
  { algorithm, hashOn, slowStart, panicThreshold, zoneAware }: Document["loadBalancer"],
) {
  return {
    algorithm,
    ...(hashOn === undefined ? {} : { hashOn: buildHashOn(hashOn) }),
    slowStartMs: slowStart,
    panicThreshold,
    isZoneAware: zoneAware,
  };
}

/** The rules have seen to it that there is exactly one. */
function buildHashOn(
  { header, cookie, claim, client }: NonNullable<Document["loadBalancer"]["hashOn"]>,
) {
  if (header !== undefined) return { kind: "header", name: header.toLowerCase() } as const;
  if (cookie !== undefined) return { kind: "cookie", name: cookie } as const;
  if (claim !== undefined) return { kind: "claim", name: claim } as const;
  return { kind: client === true ? "client" : "path" } as const;
}

function buildRetry({ perTryTimeout, ...same }: NonNullable<Document["retry"]>) {
  return { ...same, ...(perTryTimeout === undefined ? {} : { perTryTimeoutMs: perTryTimeout }) };
}

function buildSubsets(subsets: NonNullable<Document["subsets"]>) {
  const entries = Object.entries(subsets).map(([name, { tags, version }]) =>
    [name, { tags, ...(version === undefined ? {} : { version }) }] as const
  );
  return new Map(entries);
}

function buildPart({ subset, weight, headers }: Part) {
  const entries = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  return { subset, weight, headers: new Map(entries) };
}

function buildBreaker(
  { openFor, slowCall, errorRate, ...same }: NonNullable<Document["circuitBreaker"]>,
) {
  return {
    ...same,
    openForMs: openFor,
    ...(slowCall === undefined ? {} : { slowCallMs: slowCall }),
    ...(errorRate === undefined ? {} : {
      errorRate: {
        share: errorRate.share,
        windowMs: errorRate.window,
        minRequests: errorRate.minRequests,
      },
    }),
  };
}

function buildOutlier(
  { baseEjection, maxEjection, interval, successRate, latency, ...same }: Document["outlier"],
) {
  return {
    ...same,
    baseEjectionMs: baseEjection,
    maxEjectionMs: maxEjection,
    intervalMs: interval,
    ...(successRate === undefined ? {} : { successRate }),
    ...(latency === undefined ? {} : { latency }),
  };
}

function buildHealthCheck(
  { http, grpc, interval, timeout, healthyThreshold, unhealthyThreshold }: NonNullable<
    Document["healthCheck"]
  >,
) {
  const check = http !== undefined
    ? { kind: "http", path: http } as const
    : grpc !== undefined
    ? { kind: "grpc", service: grpc } as const
    : { kind: "tcp" } as const;
  return { check, intervalMs: interval, timeoutMs: timeout, healthyThreshold, unhealthyThreshold };
}

function buildFallback(
  { on, status = 200, headers, body = "", service, lastGood }: NonNullable<Document["fallback"]>,
) {
  const fields = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  const answer = service !== undefined
    ? { kind: "service", service } as const
    : lastGood !== undefined
    ? { kind: "last-good", maxAgeMs: lastGood.maxAge } as const
    : { kind: "static", status, headers: new Map(fields), body } as const;
  return { on, answer };
}

function buildFault({ delay, abort, headers }: NonNullable<Document["fault"]>) {
  const fields = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const);
  return {
    ...(delay === undefined ? {} : { delay: { timeMs: delay.time, share: delay.percent } }),
    ...(abort === undefined ? {} : { abort: { status: abort.status, share: abort.percent } }),
    headers: new Map(fields),
  };
}
