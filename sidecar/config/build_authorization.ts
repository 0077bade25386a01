// The rules of a policy -> AuthorizationConfig, with names and the default worked out.
import type { AuthorizationConfig, AuthorizationRuleConfig } from "./authorization_config.ts";
import {
  type AuthorizationDocument,
  authorizationSection,
  type RuleDocument,
} from "./schema/authorization.ts";

export function buildAuthorization(document: AuthorizationDocument): AuthorizationConfig {
  const { mode, audit, rules, default: fallback } = asSection(document);
  const hasAllow = rules.some(({ action }) => action === "allow");
  return {
    mode,
    default: fallback ?? (hasAllow ? "deny" : "allow"),
    audit,
    rules: rules.map(buildRule),
  };
}

/** What either form says. */
export function rulesOf(document: AuthorizationDocument): readonly RuleDocument[] {
  return Array.isArray(document) ? document : document.rules;
}

/** A rule's own name, or the one that it has by its place. */
export function nameOf({ name }: RuleDocument, index: number): string {
  return name ?? `rule-${index + 1}`;
}

function asSection(
  document: AuthorizationDocument,
): Exclude<AuthorizationDocument, RuleDocument[]> {
  return Array.isArray(document)
    ? { ...authorizationSection.parse({}), rules: document }
    : document;
}

function buildRule(rule: RuleDocument, index: number): AuthorizationRuleConfig {
  const { from, namespaces, methods, paths, grpc, claims } = rule;
  return {
    name: nameOf(rule, index),
    action: rule.action,
    ...(from === undefined ? {} : { from }),
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(methods === undefined ? {} : { methods }),
    ...(paths === undefined ? {} : { paths }),
    ...(grpc === undefined ? {} : { grpc }),
    ...(claims === undefined ? {} : { claims: buildClaims(claims) }),
  };
}

function buildClaims(
  claims: NonNullable<RuleDocument["claims"]>,
): NonNullable<AuthorizationRuleConfig["claims"]> {
  return Object.fromEntries(
    Object.entries(claims).map((
      [name, values],
    ) => [name, Array.isArray(values) ? values : [values]]),
  );
}
