// Rules between the settings of authorization: what would never match, or match more than was meant.
import { nameOf, rulesOf } from "./build_authorization.ts";
import type { Path } from "./positions.ts";
import type { RuleDocument } from "./schema/authorization.ts";
import type { PolicyDocument } from "./schema/policy.ts";

type Report = (path: Path, message: string) => void;

/** `path` is that of the section `inbound`. */
export function authorizationRules({ inbound }: PolicyDocument, path: Path, report: Report): void {
  const { authorization } = inbound;
  if (authorization === undefined) return;
  const section: Path = [...path, "authorization"];
  const rules = rulesOf(authorization);
  if (!Array.isArray(authorization) && rules.length === 0 && authorization.default === undefined) {
    report(section, "neither rules nor a default, expected one of them");
  }
  duplicateNames(rules, pathTo(section, authorization), report);
  for (const [index, rule] of rules.entries()) {
    const at: Path = [...pathTo(section, authorization), index];
    ruleRules(rule, at, report);
    if (inbound.jwt === undefined && hasClaims(rule)) {
      const message = "no token is checked, so that nobody has claims, expected inbound.jwt too";
      report([...at, "claims"], message);
    }
  }
}

/** With identity off nobody has one: such a rule lets nobody in whom it names. `path` is that of `inbound`. */
export function callerRules({ inbound }: PolicyDocument, path: Path, report: Report): void {
  const { authorization } = inbound;
  if (authorization === undefined) return;
  const section = pathTo([...path, "authorization"], authorization);
  const message = "identity.mode is off, so that nobody proves who it is";
  for (const [index, { from, namespaces }] of rulesOf(authorization).entries()) {
    for (const [place, caller] of (from ?? []).entries()) {
      if (caller === "anonymous") continue;
      report([...section, index, "from", place], `${message}, expected anonymous, or identity on`);
    }
    if (namespaces !== undefined) {
      report([...section, index, "namespaces"], `${message}, expected none, or identity on`);
    }
  }
}

function pathTo(section: Path, authorization: unknown): Path {
  return Array.isArray(authorization) ? section : [...section, "rules"];
}

function duplicateNames(rules: readonly RuleDocument[], path: Path, report: Report): void {
  const seen = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    const name = nameOf(rule, index);
    const other = seen.get(name);
    if (other === undefined) seen.set(name, index);
    else {
      const message = `the name of rule ${other + 1} already, expected each name once`;
      report([...path, index, "name"], message);
    }
  }
}

function ruleRules(rule: RuleDocument, path: Path, report: Report): void {
  const { from, namespaces, methods, paths, grpc } = rule;
  const parts = [from, namespaces, methods, paths, grpc];
  if (parts.every((part) => part === undefined) && !hasClaims(rule)) {
    const message = "takes every call, expected from, namespaces, methods, paths, grpc or claims " +
      "(for all calls there is authorization.default)";
    return report(path, message);
  }
  if (grpc !== undefined && paths !== undefined) {
    report([...path, "grpc"], "a gRPC method is a path already, expected a rule for each");
  }
  if (grpc !== undefined && methods !== undefined) {
    report([...path, "methods"], "every gRPC call is a POST, expected no methods beside grpc");
  }
  namespaceRules(rule, path, report);
}

function hasClaims({ claims }: RuleDocument): boolean {
  return claims !== undefined && Object.keys(claims).length > 0;
}

/** An id says its namespace itself, and nobody has none. */
function namespaceRules({ from, namespaces }: RuleDocument, path: Path, report: Report): void {
  if (namespaces === undefined) return;
  for (const [index, caller] of (from ?? []).entries()) {
    if (caller !== "anonymous" && !caller.startsWith("spiffe://")) continue;
    const message = "is in no namespace of namespaces, expected a service name or * beside it";
    report([...path, "from", index], message);
  }
}
