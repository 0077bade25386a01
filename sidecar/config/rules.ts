// Rules between settings that no single schema can see. They get whatever sections are sound and report by path.
import { isLoopback, isSameListener, isWildcard } from "./addresses.ts";
import type { Address } from "./bootstrap.ts";
import type { Path } from "./positions.ts";
import { authorizationRules, callerRules } from "./authorization_rules.ts";
import { costRule, edgePlaceRules, edgeRules, gatewayRules } from "./gateway_rules.ts";
import { authRules, jwtRules } from "./jwt_rules.ts";
import { identityRules } from "./identity_rules.ts";
import { policySourceRules } from "./policy_source_rules.ts";
import { registryRules } from "./registry_rules.ts";
import type { SoundSections } from "./schema/bootstrap.ts";
import { upstreamRules } from "./upstream_rules.ts";
import type { PolicyDocument } from "./schema/policy.ts";

type AppDocument = NonNullable<NonNullable<SoundSections["service"]>["app"]>;

/** Takes one broken rule: where, and what is wrong and was expected. */
export type Report = (path: Path, message: string) => void;

interface Place {
  readonly path: Path;
  readonly address: Address;
}

export function bootstrapRules(document: SoundSections, report: Report): void {
  appRules(document, report);
  addressRules(document, report);
  registryRules(document, report);
  identityRules(document, report);
  policySourceRules(document, report);
  redisRules(document, report);
  listenerRules(bootstrapListeners(document), report);
  appListenerRules(document, report);
  sectionRules(document, report);
  if (document.gateway !== undefined) gatewayRules(document.gateway, report);
  edgePlaceRules(document, report);
}

/** Policy that is pushed is checked for the same by the instance that gets it. */
function redisRules({ redis, gateway, policy, broken }: SoundSections, report: Report): void {
  if (redis !== undefined || broken.has("redis")) return;
  const complain = (path: Path) =>
    report([...path, "scope"], "nothing to count it in, expected a redis section");
  const routes = [
    ...(gateway?.routes ?? []).map((route, i) => [route, ["gateway", "routes", i]] as const),
    ...(policy?.gateway?.routes ?? []).map((route, i) =>
      [route, ["policy", "gateway", "routes", i]] as const
    ),
  ];
  for (const [{ rateLimit }, path] of routes) {
    if (rateLimit?.scope === "global") complain([...path, "rateLimit"]);
  }
  for (const [index, { scope }] of (policy?.inbound.rateLimits ?? []).entries()) {
    if (scope === "global") complain(["policy", "inbound", "rateLimits", index]);
  }
}

function sectionRules({ policy, identity }: SoundSections, report: Report): void {
  if (policy === undefined) return;
  eachUpstreamRules(policy, ["policy", "upstreams"], report);
  inboundRules(policy, ["policy", "inbound"], report);
  authorizationRules(policy, ["policy", "inbound"], report);
  if (policy.gateway !== undefined) edgeRules(policy.gateway, ["policy", "gateway"], report);
  if (identity?.mode === "off") callerRules(policy, ["policy", "inbound"], report);
}

/** What can be wrong between the parts of a policy document. */
export function policyRules(policy: PolicyDocument, report: Report): void {
  listenerRules(upstreamListeners(policy, ["upstreams"]), report);
  eachUpstreamRules(policy, ["upstreams"], report);
  authorizationRules(policy, ["inbound"], report);
  inboundRules(policy, ["inbound"], report);
  if (policy.gateway !== undefined) edgeRules(policy.gateway, ["gateway"], report);
}

function inboundRules(
  { inbound: { jwt, concurrency, rateLimits = [] } }: PolicyDocument,
  path: Path,
  report: Report,
): void {
  for (const [index, limit] of rateLimits.entries()) {
    costRule(limit, [...path, "rateLimits", index], report);
  }
  if (concurrency !== undefined) {
    const { min, initial, max } = concurrency;
    if (min > initial || initial > max) {
      const message = `min ${min}, initial ${initial} and max ${max}, expected them in this order`;
      report([...path, "concurrency"], message);
    }
  }
  if (jwt === undefined) return;
  jwtRules(jwt, [...path, "jwt"], report);
  authRules(jwt.auth, jwt, [...path, "jwt", "auth"], report);
}

/** Bytes say nothing of where they are bound for. */
function eachUpstreamRules(policy: PolicyDocument, path: Path, report: Report): void {
  for (const [name, upstream] of Object.entries(policy.upstreams)) {
    upstreamRules(name, upstream, [...path, name], report);
    const { protocol, bind } = upstream;
    if (protocol !== "tcp" || bind !== undefined) continue;
    report([...path, name, "protocol"], "tcp needs a port of its own, expected bind beside it");
  }
}

function appRules({ service, gateway, broken }: SoundSections, report: Report): void {
  const isEdge = gateway !== undefined || broken.has("gateway");
  if (service?.app !== undefined) return appAddressRules(service.app, report);
  if (service === undefined || isEdge) return;
  report(["service"], "no app, expected service.app (or a gateway section for a pure edge)");
}

function appAddressRules({ http, grpc, health }: AppDocument, report: Report): void {
  const path = ["service", "app"];
  if (http === undefined && grpc === undefined) {
    report(path, "no address, expected http, grpc or both");
  }
  if (http === undefined && health.http !== undefined) {
    report([...path, "health", "http"], "the app has no http address, expected service.app.http");
  }
  if (grpc === undefined && health.grpc !== undefined) {
    report([...path, "health", "grpc"], "the app has no gRPC address, expected service.app.grpc");
  }
}

function addressRules({ service, listeners }: SoundSections, report: Report): void {
  if (service?.address !== undefined && isWildcard(service.address)) {
    report(["service", "address"], "a wildcard that nobody can dial, expected one address");
  }
  if (service?.app === undefined || service.address !== undefined || listeners === undefined) {
    return;
  }
  const { host } = listeners.inbound;
  if (!isWildcard(host)) return;
  report(
    ["service", "address"],
    `missing, needed because listeners.inbound is ${host}: ` +
      "other sidecars must be told which address to dial",
  );
}

/** Each address to listen on, in the order of the document shape. */
function bootstrapListeners({ listeners, gateway, policy }: SoundSections): Place[] {
  const places = Object.entries(listeners ?? {})
    .map(([name, address]): Place => ({ path: ["listeners", name], address }));
  if (gateway !== undefined) places.push(...edgeListeners(gateway));
  if (policy !== undefined) places.push(...upstreamListeners(policy, ["policy", "upstreams"]));
  return places;
}

function edgeListeners({ bind, tls }: NonNullable<SoundSections["gateway"]>): Place[] {
  const edge: Place = { path: ["gateway", "bind"], address: bind };
  if (tls?.redirect === undefined) return [edge];
  return [edge, { path: ["gateway", "tls", "redirect", "bind"], address: tls.redirect.bind }];
}

function upstreamListeners(policy: PolicyDocument, path: Path): Place[] {
  return Object.entries(policy.upstreams).flatMap(([name, { bind }]) =>
    bind === undefined ? [] : [{ path: [...path, name, "bind"], address: bind }]
  );
}

function listenerRules(places: readonly Place[], report: Report): void {
  for (const [index, place] of places.entries()) {
    const other = places.slice(0, index)
      .find(({ address }) => isSameListener(address, place.address));
    if (other === undefined) continue;
    report(place.path, `the same address as ${other.path.join(".")}, expected one that is free`);
  }
}

/** The app cannot listen where the sidecar does, and calling ourselves would be a loop. */
function appListenerRules(document: SoundSections, report: Report): void {
  for (const kind of ["http", "grpc"] as const) {
    const app = document.service?.app?.[kind];
    if (app === undefined || !isLoopback(app.host)) continue;
    const own = bootstrapListeners(document).find(({ address }) => isSameListener(address, app));
    if (own === undefined) continue;
    const message = `the same address as ${own.path.join(".")}, expected where the app listens`;
    report(["service", "app", kind], message);
  }
}
