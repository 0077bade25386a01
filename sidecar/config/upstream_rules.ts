// Rules between the settings of one upstream.
import type { Path } from "./positions.ts";
import type { UpstreamDocument } from "./schema/upstream.ts";

type Report = (path: Path, message: string) => void;

export function upstreamRules(
  name: string,
  upstream: UpstreamDocument,
  path: Path,
  report: Report,
): void {
  balancerRules(upstream, path, report);
  splitRules(upstream, [...path, "split"], report);
  timeRules(upstream, path, report);
  checkRules(upstream, [...path, "healthCheck"], report);
  fallbackRules(name, upstream, [...path, "fallback"], report);
  if (upstream.mirror?.to === name) {
    report([...path, "mirror", "to"], "the upstream itself, expected another");
  }
  if (upstream.fault?.delay === undefined && upstream.fault?.abort === undefined) {
    if (upstream.fault !== undefined) {
      report([...path, "fault"], "nothing, expected delay or abort");
    }
  }
}

function balancerRules(
  { loadBalancer: { algorithm, hashOn }, split }: UpstreamDocument,
  path: Path,
  report: Report,
): void {
  const place = [...path, "loadBalancer"];
  const isHashed = algorithm === "ring-hash" || algorithm === "maglev";
  if (hashOn === undefined) {
    if (isHashed) {
      report([...place, "algorithm"], `${algorithm} of what, expected hashOn beside it`);
    }
    return;
  }
  const { length } = Object.values(hashOn).filter((value) => value !== undefined);
  if (length !== 1) {
    const found = length === 0 ? "nothing" : "more than one thing";
    report(
      [...place, "hashOn"],
      `${found}, expected exactly one of header, cookie, claim, client, path`,
    );
  }
  if (!isHashed && split === undefined) {
    report(
      [...place, "hashOn"],
      `${algorithm} does not go by it, expected ring-hash or maglev (or a split)`,
    );
  }
}

function splitRules({ split, subsets = {} }: UpstreamDocument, path: Path, report: Report): void {
  if (split === undefined) return;
  const sum = split.reduce((total, { weight }) => total + weight, 0);
  if (sum !== 100) report(path, `the weights are ${sum} together, expected 100`);
  for (const [index, { subset, weight, headers }] of split.entries()) {
    if (!Object.hasOwn(subsets, subset)) {
      report([...path, index, "subset"], "not among the subsets, expected one of them");
    }
    if (weight === 0 && Object.keys(headers).length === 0) {
      report([...path, index], "takes nothing, expected a weight, or headers");
    }
  }
}

function timeRules(
  { timeout, retry, hedge }: UpstreamDocument,
  path: Path,
  report: Report,
): void {
  if (timeout === 0) return;
  const late = `never comes before the timeout of ${timeout} ms, expected less`;
  if ((retry?.perTryTimeout ?? 0) >= timeout) report([...path, "retry", "perTryTimeout"], late);
  if ((hedge?.after ?? 0) >= timeout) report([...path, "hedge", "after"], late);
}

function checkRules({ healthCheck }: UpstreamDocument, path: Path, report: Report): void {
  if (healthCheck === undefined) return;
  const { http, grpc, tcp } = healthCheck;
  const { length } = [http, grpc, tcp].filter((kind) => kind !== undefined);
  if (length === 1) return;
  const found = length === 0 ? "nothing to ask" : "more than one question";
  report(path, `${found}, expected exactly one of http, grpc, tcp`);
}

function fallbackRules(
  name: string,
  { fallback }: UpstreamDocument,
  path: Path,
  report: Report,
): void {
  if (fallback === undefined) return;
  const { status, service, lastGood, body, headers } = fallback;
  const { length } = [status, service, lastGood].filter((kind) => kind !== undefined);
  if (length !== 1) {
    const found = length === 0 ? "no answer" : "more than one answer";
    report(path, `${found}, expected exactly one of status, service, lastGood`);
  }
  if (service === name) report([...path, "service"], "the upstream itself, expected another");
  const more = body !== undefined
    ? "body"
    : Object.keys(headers).length > 0
    ? "headers"
    : undefined;
  if (more !== undefined && status === undefined) {
    report([...path, more], "useless without status, expected status beside it");
  }
}
