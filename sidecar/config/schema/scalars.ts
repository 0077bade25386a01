// The typed scalars that sections are made of: a parser of units.ts, addresses.ts or patterns.ts with its help.
import * as address from "../addresses.ts";
import * as consul from "../consul_address.ts";
import * as pattern from "../patterns.ts";
import * as unit from "../units.ts";
import { text, textOrZero, word } from "./fields.ts";

/** Milliseconds. A range may forbid zero or allow more than a timer can hold. */
export function duration(description: string, range: unit.DurationRange = {}) {
  const help = { description, pattern: unit.DURATION_PATTERN, examples: ["250ms", "10s", "5m"] };
  return textOrZero(help, unit.DURATION, (value) => unit.parseDuration(value, range));
}

/** From one number of milliseconds to another. */
export function durationRange(description: string) {
  const help = { description, pattern: unit.DURATION_RANGE_PATTERN, examples: ["25ms..250ms"] };
  return text(help, unit.DURATION_RANGE, unit.parseDurationRange);
}

/** A part of 1. */
export function share(description: string) {
  const help = { description, pattern: unit.SHARE_PATTERN, examples: ["20%"] };
  return text(help, unit.SHARE, unit.parseShare);
}

/** Bytes. */
export function size(description: string) {
  const help = { description, pattern: unit.SIZE_PATTERN, examples: ["512B", "64KiB", "1MiB"] };
  return text(help, unit.SIZE, unit.parseSize);
}

export function rate(description: string) {
  const help = { description, pattern: unit.RATE_PATTERN, examples: ["10/s", "100/m", "5/h"] };
  return text(help, unit.RATE, unit.parseRate);
}

/** Where to listen; port 0 picks a free one. */
export function bindAddress(description: string) {
  const help = { description, pattern: address.ADDRESS_PATTERN, examples: ["127.0.0.1:8001"] };
  return text(help, address.BIND_ADDRESS, address.parseBindAddress);
}

/** Whom to call. */
export function dialAddress(description: string) {
  const help = { description, pattern: address.ADDRESS_PATTERN, examples: ["127.0.0.1:8001"] };
  return text(help, address.DIAL_ADDRESS, address.parseDialAddress);
}

export function host(description: string) {
  const help = { description, pattern: address.HOST_PATTERN, examples: ["10.0.0.5"] };
  return text(help, address.HOST, address.parseHost);
}

export function cidr(description: string) {
  const help = { description, pattern: address.CIDR_PATTERN, examples: ["10.0.0.0/8"] };
  return text(help, address.CIDR, address.parseCidr);
}

export function serviceName(description: string) {
  const help = { description, pattern: pattern.SERVICE_NAME_PATTERN, examples: ["user-service"] };
  return word(help, pattern.SERVICE_NAME);
}

export function label(description: string) {
  return word({ description, pattern: pattern.LABEL_PATTERN }, pattern.LABEL);
}

export function trustDomain(description: string) {
  return word(
    { description, pattern: pattern.TRUST_DOMAIN_PATTERN },
    pattern.TRUST_DOMAIN,
  );
}

export function idSegment(description: string) {
  return word({ description, pattern: pattern.ID_SEGMENT_PATTERN }, pattern.ID_SEGMENT);
}

export function tag(description: string) {
  return word({ description, pattern: pattern.TAG_PATTERN }, pattern.TAG);
}

export function headerName(description: string) {
  return word({ description, pattern: pattern.HEADER_NAME_PATTERN }, pattern.HEADER_NAME);
}

export function headerValue(description: string) {
  return word({ description, pattern: pattern.HEADER_VALUE_PATTERN }, pattern.HEADER_VALUE);
}

export function claimHeader(description: string) {
  const help = { description, pattern: pattern.HEADER_NAME_PATTERN, examples: ["x-user-id"] };
  return text(help, pattern.HEADER_NAME, pattern.parseClaimHeader);
}

export function method(description: string) {
  const help = { description, pattern: pattern.METHOD_PATTERN, examples: ["GET", "POST"] };
  return word(help, pattern.METHOD);
}

export function origin(description: string) {
  const examples = ["https://app.example.com", "*"];
  const help = { description, pattern: pattern.ORIGIN_PATTERN, examples };
  return text(help, pattern.ORIGIN, pattern.parseOrigin);
}

export function hostMatch(description: string) {
  const examples = ["api.example.com", "*.example.com"];
  return word({ description, pattern: pattern.HOST_MATCH_PATTERN, examples }, pattern.HOST_MATCH);
}

/** One concrete path. */
export function path(description: string) {
  return text({ description, pattern: pattern.PATH_PATTERN }, pattern.PATH, pattern.parsePlainPath);
}

/** A path with `*` at its end or `{parameters}`. */
export function pathPattern(description: string) {
  const examples = ["/users", "/users/{id}", "/api/*"];
  const help = { description, pattern: pattern.PATH_PATTERN, examples };
  return text(help, pattern.PATH_MATCH, pattern.parsePathPattern);
}

/** What grpc.health.v1 is asked about; empty means the server as a whole. */
export function healthService(description: string) {
  const help = {
    description,
    pattern: pattern.GRPC_SERVICE_PATTERN,
    examples: ["user.UserService"],
  };
  return word(help, pattern.GRPC_SERVICE);
}

/** Any text but the empty one. */
export function anyText(description: string, what: string) {
  return word({ description, pattern: /./ }, what);
}

/** Where a Consul agent answers. */
export function consulAddress(description: string) {
  const examples = ["http://127.0.0.1:8500", "unix:///run/sidecar/consul.sock"];
  const help = { description, pattern: consul.CONSUL_ADDRESS_PATTERN, examples };
  return text(help, consul.CONSUL_ADDRESS, consul.parseConsulAddress);
}

/** Where a member of etcd answers. */
export function etcdEndpoint(description: string) {
  const help = { description, pattern: pattern.ETCD_ENDPOINT_PATTERN };
  return word(help, pattern.ETCD_ENDPOINT);
}

/** Where Redis answers. */
export function redisAddress(description: string) {
  const help = { description, pattern: pattern.REDIS_ADDRESS_PATTERN };
  return text(help, pattern.REDIS_ADDRESS, pattern.parseRedisAddress);
}

/** The path that all keys in etcd begin with. */
export function etcdPrefix(description: string) {
  return word({ description, pattern: pattern.ETCD_PREFIX_PATTERN }, pattern.ETCD_PREFIX);
}

/** A secret that may be empty, such as one from a variable that is not set. */
export function secretText(description: string) {
  return word({ description, pattern: /^[!-~]*$/ }, "printable characters without spaces");
}

/** The `$schema` key that tells editors which schema to use. */
export function schemaReference() {
  return anyText("JSON Schema for editors; not read.", "the address of a JSON Schema").optional();
}
