// Compiled rules of authorization against an evaluator that is too simple to be wrong: the same decision, whatever the
// rules and the request.
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Authorization } from "../../sidecar/snapshot/authorization.ts";
import type { Question } from "../../sidecar/snapshot/authorization_rule.ts";
import type {
  AuthorizationRule,
  AuthorizationSettings,
} from "../../sidecar/snapshot/authorization_settings.ts";

const RUNS = 5000;
const HOME = { trustDomain: "td", namespace: "default" };

const domain = fc.constantFrom("td", "td2");
const namespace = fc.constantFrom("default", "shop");
const service = fc.constantFrom("a", "b", "ab");
const identity = fc.tuple(domain, namespace, service)
  .map(([domain, namespace, name]) => `spiffe://${domain}/ns/${namespace}/svc/${name}`);
const segment = fc.constantFrom("x", "y", "xy", "1", "@");
/** The same as some app reads it. */
const spelling = fc.constantFrom("x", "y", "xy", "1", "@", "X", "xY", "%40");
const some = <T>(item: fc.Arbitrary<T>) =>
  fc.option(fc.array(item, { minLength: 1, maxLength: 3 }), { nil: undefined });

const pattern = fc.tuple(
  fc.array(fc.oneof(segment, fc.constantFrom("{p}", "{q}")), { maxLength: 3 }),
  fc.boolean(),
).map(([segments, isPrefix]) => "/" + [...segments, ...(isPrefix ? ["*"] : [])].join("/"));
const path = fc.tuple(
  fc.array(fc.tuple(spelling, fc.constantFrom("", "", ";v=1", ";", "%3B")), { maxLength: 4 }),
  fc.constantFrom("", "", "/"),
).map(([segments, end]) =>
  segments.length === 0 ? "/" : "/" + segments.map((each) => each.join("")).join("/") + end
);

const rule = fc.record({
  action: fc.constantFrom("allow" as const, "deny" as const),
  from: some(fc.oneof(service, identity, fc.constantFrom("*", "anonymous"))),
  namespaces: some(namespace),
  methods: some(fc.constantFrom("GET", "POST", "DELETE")),
  paths: some(pattern),
  grpc: some(fc.constantFrom("x/y", "x/*", "xy/1")),
  claims: fc.option(
    fc.dictionary(
      fc.constantFrom("role", "scope", "n"),
      fc.array(fc.constantFrom<string | number>("r", "w", "rw", 1), { maxLength: 2 }),
    ),
    { nil: undefined },
  ),
});
const settings = fc.record({
  default: fc.constantFrom("allow" as const, "deny" as const),
  rules: fc.array(rule, { maxLength: 6 }),
}).map(({ rules, ...rest }): AuthorizationSettings => ({
  mode: "enforce",
  audit: "off",
  ...rest,
  rules: rules.map((rule, index) => withoutUndefined({ name: `r${index}`, ...rule })),
}));
const question: fc.Arbitrary<Question> = fc.record({
  identity: fc.option(identity, { nil: undefined }),
  method: fc.constantFrom("GET", "POST", "DELETE", "delete", "HEAD", "head"),
  path,
  claims: fc.option(
    fc.dictionary(
      fc.constantFrom("role", "scope", "n"),
      fc.constantFrom<unknown>("r", "rw", "r w", "w x r", 1, ["r", 1], [], null),
    ),
    { nil: undefined },
  ),
});

function withoutUndefined(rule: object): AuthorizationRule {
  return Object.fromEntries(
    Object.entries(rule).filter(([, value]) => value !== undefined),
  ) as unknown as AuthorizationRule;
}

function naive({ rules, default: fallback }: AuthorizationSettings, asked: Question): string {
  const of = (action: string) => rules.filter((rule) => rule.action === action);
  const found = [...of("deny"), ...of("allow")].find((rule) => takes(rule, asked));
  return found === undefined ? `default ${fallback}` : `${found.name} ${found.action}`;
}

function takes(rule: AuthorizationRule, { identity, method, path, claims }: Question): boolean {
  const isDeny = rule.action === "deny";
  const methods = [method, ...(isDeny ? [method.toUpperCase()] : [])]
    .flatMap((each) => each === "HEAD" ? ["HEAD", "GET"] : [each]);
  const lenient = decodeURIComponent(path).toLowerCase().replace(/;[^/]*/g, "")
    .replace(/(.)\/$/, "$1");
  const paths = isDeny ? [path, lenient] : [path];
  const fits = (patterns: readonly string[] | undefined) =>
    patterns === undefined ||
    patterns.some((pattern) => paths.some((path) => regularOf(pattern).test(path)));
  const isTokenless = isDeny && claims === undefined;
  return takesCaller(rule, identity) &&
    (rule.methods === undefined || methods.some((each) => rule.methods!.includes(each))) &&
    fits(rule.paths) && fits(rule.grpc?.map((name) => `/${name}`)) &&
    (isTokenless ||
      Object.entries(rule.claims ?? {}).every(([name, values]) => hasClaim(claims, name, values)));
}

function regularOf(pattern: string): RegExp {
  const isPrefix = pattern.endsWith("/*");
  const base = (isPrefix ? pattern.slice(0, -2) : pattern).replace(/\{[^}]+\}/g, "[^/]+");
  return new RegExp(`^${base}${isPrefix ? "(/.*)?" : ""}$`);
}

function takesCaller(
  { from, namespaces, action }: AuthorizationRule,
  identity: string | undefined,
): boolean {
  if (from === undefined && namespaces === undefined) return true;
  if (identity === undefined) return action === "deny" || (from ?? []).includes("anonymous");
  const [, domain, space, name] = /^spiffe:\/\/(.+)\/ns\/(.+)\/svc\/(.+)$/.exec(identity)!;
  const isWithin = (spaces: readonly string[]) => domain === "td" && spaces.includes(space!);
  return (from ?? ["*"]).some((caller) => {
    if (caller === "*") return namespaces === undefined || isWithin(namespaces);
    return caller === identity || caller === name && isWithin(namespaces ?? ["default"]);
  });
}

function hasClaim(
  claims: Question["claims"],
  name: string,
  values: readonly unknown[],
): boolean {
  const claim = claims?.[name];
  if (claim === undefined || claim === null) return false;
  if (values.length === 0) return true;
  const words = name === "scope" && typeof claim === "string" ? claim.split(" ") : [];
  return [claim].flat().concat(words).some((each) => values.includes(each));
}

Deno.test("Authorization decides as an evaluator does that reads the rules one by one", () => {
  fc.assert(
    fc.property(settings, fc.array(question, { minLength: 1, maxLength: 10 }), (rules, asked) => {
      const authorization = new Authorization(rules, HOME);
      for (const each of asked) {
        const { rule, isAllowed } = authorization.decide(each);
        assertEquals(`${rule} ${isAllowed ? "allow" : "deny"}`, naive(rules, each));
      }
    }),
    { numRuns: RUNS },
  );
});
