import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { fakeInputs } from "../../tests/support/fake_snapshot.ts";
import { RESERVED_RULE_NAMES } from "../config/rule_patterns.ts";
import { AMBIGUOUS_PATH, Authorization, DEFAULT_RULE } from "./authorization.ts";
import type { Question } from "./authorization_rule.ts";
import type { AuthorizationRule, AuthorizationSettings } from "./authorization_settings.ts";
import { compileSnapshot } from "./compile.ts";

const HOME = { trustDomain: "mesh.local", namespace: "default" };
const ORDER = "spiffe://mesh.local/ns/default/svc/order-service";
const SHOP_ORDER = "spiffe://mesh.local/ns/shop/svc/order-service";
const FOREIGN = "spiffe://other.example/ns/default/svc/order-service";
const SETTINGS = { mode: "enforce", default: "deny", audit: "off" } as const;

type Rule = Partial<AuthorizationRule>;

function settingsOf(rules: readonly Rule[], more: Partial<AuthorizationSettings> = {}) {
  const named = rules.map((rule, index) => ({
    name: `r${index}`,
    action: "allow" as const,
    ...rule,
  }));
  return { ...SETTINGS, ...more, rules: named };
}

function authorize(rules: readonly Rule[], more: Partial<AuthorizationSettings> = {}) {
  return new Authorization(settingsOf(rules, more), HOME);
}

function ask(about: Partial<Question> = {}): Question {
  return { identity: undefined, method: "GET", path: "/", claims: undefined, ...about };
}

/** Which of these callers a rule lets in. */
function letsIn(rule: Rule): string[] {
  const authorization = authorize([rule]);
  const callers = [undefined, ORDER, SHOP_ORDER, FOREIGN];
  return callers.filter((identity) => authorization.decide(ask({ identity })).isAllowed)
    .map((identity) => identity ?? "anonymous");
}

Deno.test("a rule's from takes names of its own trust domain and namespace, whole ids, * and anonymous", () => {
  const cases: [Rule, string[]][] = [
    [{}, ["anonymous", ORDER, SHOP_ORDER, FOREIGN]],
    [{ from: ["order-service"] }, [ORDER]],
    [{ from: ["order"] }, []],
    [{ from: [FOREIGN] }, [FOREIGN]],
    [{ from: ["*"] }, [ORDER, SHOP_ORDER, FOREIGN]],
    [{ from: ["anonymous"] }, ["anonymous"]],
    [{ from: ["*", "anonymous"] }, ["anonymous", ORDER, SHOP_ORDER, FOREIGN]],
    [{ from: ["order-service"], namespaces: ["shop"] }, [SHOP_ORDER]],
    [{ from: ["order-service"], namespaces: ["shop", "default"] }, [ORDER, SHOP_ORDER]],
    [{ from: ["*"], namespaces: ["shop"] }, [SHOP_ORDER]],
    [{ namespaces: ["default"] }, [ORDER]],
    [{ namespaces: ["sho"] }, []],
  ];
  for (const [rule, callers] of cases) assertEquals(letsIn(rule), callers, JSON.stringify(rule));
});

Deno.test("a rule that denies somebody denies whoever does not say who it is as well", () => {
  for (
    const from of [["payment-service"], ["*"], [FOREIGN]] satisfies readonly (readonly string[])[]
  ) {
    const rules = authorize([{ action: "deny", from, name: "no" }], { default: "allow" });
    assertEquals(rules.decide(ask()).isAllowed, false, from[0]);
  }
  const rules = authorize([{ action: "deny", namespaces: ["shop"] }], { default: "allow" });
  assertEquals(rules.decide(ask()).isAllowed, false);
  assertEquals(rules.decide(ask({ identity: ORDER })).isAllowed, true);
});

Deno.test("deny rules win wherever they stand, then the first allow rule decides, then the default", () => {
  const authorization = authorize([
    { name: "all", paths: ["/*"] },
    { name: "reads", methods: ["GET"] },
    { name: "no-admin", action: "deny", paths: ["/admin/*"] },
  ]);
  const decide = (about: Partial<Question>) => authorization.decide(ask(about)).rule;
  assertEquals(decide({ path: "/admin/x" }), "no-admin");
  assertEquals(decide({ path: "/users" }), "all");
  assertEquals(decide({ path: "*", method: "OPTIONS" }), DEFAULT_RULE);
  const fallback = (way: "allow" | "deny") =>
    authorize([{ paths: ["/x"] }], { default: way }).decide(ask()).isAllowed;
  assertEquals([fallback("allow"), fallback("deny")], [true, false]);
});

Deno.test("methods, paths and claims of a rule must all hold, of each list one entry", () => {
  const rule = { methods: ["GET", "PUT"], paths: ["/users/{id}", "/me"], claims: { role: ["a"] } };
  const claims = { role: "a" };
  const isAllowed = (about: Partial<Question>) =>
    authorize([rule]).decide(ask({ path: "/me", claims, ...about })).isAllowed;
  assert(
    isAllowed({}) && isAllowed({ method: "HEAD" }) && isAllowed({ method: "PUT" }) &&
      isAllowed({ path: "/users/7" }),
  );
  const others = [{ method: "POST" }, { method: "get" }, { path: "/users" }, { claims: {} }];
  for (const other of [...others, { claims: undefined }]) assert(!isAllowed(other));
});

Deno.test("a gRPC method is its path, and * all methods of its service", () => {
  const isAllowed = (grpc: string, path: string) =>
    authorize([{ grpc: [grpc] }]).decide(ask({ method: "POST", path })).isAllowed;
  assert(isAllowed("user.UserService/GetUser", "/user.UserService/GetUser"));
  assert(isAllowed("user.UserService/*", "/user.UserService/GetUser"));
  const others = [
    "/user.UserService/GetUsers",
    "/user.UserService/getUser",
    "/UserService/GetUser",
  ];
  for (const path of others) assert(!isAllowed("user.UserService/GetUser", path), path);
  assert(!isAllowed("user.UserService/*", "/user.UserServiceX/GetUser"));
});

Deno.test("a claim has one of the values, in its own type; a list or a scope has one among its own", () => {
  const has = (values: readonly (string | number | boolean)[], claim: unknown, name = "role") =>
    authorize([{ claims: { [name]: values } }])
      .decide(ask({ claims: claim === undefined ? {} : { [name]: claim } })).isAllowed;
  assert(has(["a", "b"], "b") && has([7], 7) && has([true], true) && has(["a"], ["x", "a"]));
  assert(has([], "anything") && has(["read"], "read write", "scope"));
  assert(!has(["a"], "ab") && !has([7], "7") && !has([true], "true") && !has(["a"], ["x"]));
  assert(!has([], undefined) && !has([], null) && !has(["a"], { a: 1 }));
  assert(!has(["read"], "read write") && !has(["rea"], "read write", "scope"));
});

Deno.test("a claim is never one that every object inherits", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    const claims = Object.fromEntries([[name, []]]);
    assertEquals(authorize([{ claims }]).decide(ask({ claims: {} })).isAllowed, false, name);
  }
});

Deno.test("a rule that denies counts a path as lenient apps read it, one that allows does not", () => {
  const paths = ["/admin", "/@me/*"];
  const denies = authorize([{ action: "deny", paths }], { default: "allow" });
  const allows = authorize([{ paths }]);
  const evasions = ["/admin/", "/admin;x=1", "/admin;/", "/admin%3Bx", "/ADMIN", "/Admin/;x"];
  for (const path of [...evasions, "/%40me", "/%40ME/keys", "/@me;x/keys"]) {
    assertEquals(denies.decide(ask({ path })).isAllowed, false, path);
    assertEquals(allows.decide(ask({ path })).isAllowed, false, path);
  }
  const method = authorize([{ action: "deny", methods: ["DELETE"] }], { default: "allow" });
  assertEquals(method.decide(ask({ method: "delete" })).isAllowed, false);
});

Deno.test("a rule that denies by a claim denies whoever shows no token as well, and nobody whose token lacks the claim", () => {
  const rules = authorize([{ action: "deny", claims: { plan: ["free"] } }], { default: "allow" });
  const isAllowed = (claims: Question["claims"]) => rules.decide(ask({ claims })).isAllowed;
  assertEquals([isAllowed({ plan: "free" }), isAllowed(undefined)], [false, false]);
  assertEquals([isAllowed({ plan: "paid" }), isAllowed({})], [true, true]);
});

Deno.test("a name that cannot stand in a SPIFFE id is no caller", () => {
  assertThrows(() => authorize([{ from: ["a b"] }]), RangeError, "no SPIFFE id");
});

Deno.test("Authorization shows its rules with every caller in full, frozen, and as JSON", () => {
  const { settings } = authorize([
    { from: ["order-service", "*", "anonymous"], claims: { a: [1] } },
    { namespaces: ["shop"] },
  ]);
  const shown = JSON.parse(JSON.stringify(settings));
  assertEquals(shown.rules[0].from, [ORDER, "*", "anonymous"]);
  assertEquals(shown.rules[0].claims, { a: [1] });
  assertEquals(shown.rules[1].from, ["spiffe://mesh.local/ns/shop/svc/*"]);
  assert(Object.isFrozen(settings) && Object.isFrozen(settings.rules));
  assert(Object.isFrozen(settings.rules[0]) && Object.isFrozen(settings.rules[0]?.from));
});

Deno.test("Authorization lists every decision there can be at its index", () => {
  const authorization = authorize([{ paths: ["/a"] }, { action: "deny", paths: ["/b"] }]);
  const { decisions } = authorization;
  assertEquals(decisions.map(({ rule }) => rule), ["r0", "r1", DEFAULT_RULE, AMBIGUOUS_PATH]);
  assertEquals(decisions.map(({ index }) => index), [0, 1, 2, 3]);
  for (const path of ["/a", "/b", "/c"]) {
    const decision = authorization.decide(ask({ path }));
    assertStrictEquals(decisions[decision.index], decision);
  }
  assertStrictEquals(decisions[3], authorization.ambiguous);
});

Deno.test("no rule can have a name that stands for what no rule decided", () => {
  assertEquals(RESERVED_RULE_NAMES, [DEFAULT_RULE, AMBIGUOUS_PATH]);
});

Deno.test("Authorization reads paths only for rules that have some", () => {
  assertEquals(authorize([{ methods: ["GET"] }, { from: ["*"] }]).readsPaths, false);
  assertEquals(authorize([{ methods: ["GET"] }, { paths: ["/a"] }]).readsPaths, true);
  assertEquals(authorize([{ grpc: ["a.B/*"] }]).readsPaths, true);
});

Deno.test("Authorization calls a neighbour by its name and others by their id", () => {
  const authorization = authorize([]);
  assertEquals(authorization.nameOf(ORDER), "order-service");
  assertEquals(authorization.nameOf(SHOP_ORDER), SHOP_ORDER);
  assertEquals(authorization.nameOf(undefined), "anonymous");
});

Deno.test("compileSnapshot resolves names where this service is at home, and keeps rules that say the same", () => {
  const inputs = { ...fakeInputs(), authorization: settingsOf([{ from: ["order-service"] }]) };
  const first = compileSnapshot(inputs);
  assertEquals(first.authorization?.settings.rules[0]?.from, [ORDER]);
  const again = { ...inputs, authorization: settingsOf([{ from: ["order-service"] }]) };
  assertStrictEquals(compileSnapshot(again, first, inputs).authorization, first.authorization);
  const moved = compileSnapshot(
    { ...inputs, home: { trustDomain: "t", namespace: "n" } },
    first,
    inputs,
  );
  assertEquals(moved.authorization?.settings.rules[0]?.from, ["spiffe://t/ns/n/svc/order-service"]);
  assertEquals(compileSnapshot(fakeInputs(), first, inputs).authorization, undefined);
});

Deno.test("a bare name is a service in whichever datacenter where ids name them, and a whole id is one", () => {
  const home = { trustDomain: "c.consul", namespace: "default", datacenter: "dc1" };
  const idIn = (datacenter: string, service = "order-service") =>
    `spiffe://c.consul/ns/default/dc/${datacenter}/svc/${service}`;
  const takes = (rules: readonly Rule[], identity: string) =>
    new Authorization(settingsOf(rules), home).decide(ask({ identity })).isAllowed;
  const bare = [{ from: ["order-service"] }];
  assertEquals([takes(bare, idIn("dc1")), takes(bare, idIn("dc2"))], [true, true]);
  assertEquals(takes(bare, idIn("dc2", "payment-service")), false);
  assertEquals(takes(bare, "spiffe://c.consul/ns/team/dc/dc1/svc/order-service"), false);
  const whole = [{ from: [idIn("dc2")] }];
  assertEquals([takes(whole, idIn("dc1")), takes(whole, idIn("dc2"))], [false, true]);
  const denied = [...whole, { from: ["order-service"], action: "deny" as const }];
  assertEquals(takes(denied, idIn("dc2")), false, "also who is named in full");
  const team = [{ namespaces: ["team"] }];
  assertEquals(takes(team, "spiffe://c.consul/ns/team/dc/dc9/svc/a"), true);
  assertEquals(takes(team, idIn("dc1")), false);
  const { settings } = new Authorization(settingsOf(bare), home);
  assertEquals(settings.rules[0]!.from, [idIn("*")]);
});
