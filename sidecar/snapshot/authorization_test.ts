import { assertEquals } from "@std/assert";
import { Authorization, type AuthorizationRule, type Call } from "./authorization.ts";

const PLACE = { trustDomain: "mesh.local", namespace: "default" };
const ORDER = "spiffe://mesh.local/ns/default/svc/order-service";
const OTHER = "spiffe://mesh.local/ns/other/svc/order-service";

function rule(about: Partial<AuthorizationRule>): AuthorizationRule {
  return { name: "rule", action: "allow", from: [], methods: [], paths: [], ...about };
}

function decide(rules: readonly AuthorizationRule[], call: Partial<Call> = {}) {
  const authorization = new Authorization({ mode: "enforce", rules }, PLACE);
  return authorization.decide({ identity: ORDER, method: "GET", path: "/users/1", ...call });
}

Deno.test("Authorization allows what no rule speaks of, until there is a rule that allows", () => {
  assertEquals(decide([]).isAllowed, true);
  assertEquals(decide([rule({ action: "deny", methods: ["PUT"] })]).isAllowed, true);
  assertEquals(decide([rule({ methods: ["PUT"] })]), { isAllowed: false, rule: undefined });
});

Deno.test("Authorization reads a bare name as a service of this trust domain and namespace", () => {
  const rules = [rule({ from: ["order-service"] })];
  assertEquals(decide(rules).isAllowed, true);
  assertEquals(decide(rules, { identity: OTHER }).isAllowed, false);
  assertEquals(decide([rule({ from: [OTHER] })], { identity: OTHER }).isAllowed, true);
});

Deno.test("Authorization lets nobody in by name who has proved nothing", () => {
  for (const from of [["order-service"], ["*"]]) {
    assertEquals(decide([rule({ from })], { identity: undefined }).isAllowed, false);
  }
  assertEquals(decide([rule({ from: ["*"] })], { identity: OTHER }).isAllowed, true);
  assertEquals(decide([rule({})], { identity: undefined }).isAllowed, true);
});

Deno.test("Authorization: a rule that denies wins over one that allows, in any order, and is named", () => {
  const deny = rule({ name: "no deletes", action: "deny", methods: ["DELETE"] });
  for (const rules of [[rule({}), deny], [deny, rule({})]]) {
    assertEquals(decide(rules, { method: "DELETE" }), { isAllowed: false, rule: "no deletes" });
    assertEquals(decide(rules), { isAllowed: true, rule: "rule" });
  }
});

Deno.test("Authorization matches paths by segment", () => {
  const cases: readonly [string, string, boolean][] = [
    ["/users", "/users", true],
    ["/users", "/users/", false],
    ["/users", "/usersX", false],
    ["/users/*", "/users", true],
    ["/users/*", "/users/1/orders", true],
    ["/users/*", "/usersX/1", false],
    ["/users/{id}", "/users/1", true],
    ["/users/{id}", "/users/", false],
    ["/users/{id}", "/users/1/orders", false],
    ["/users/{id}/orders", "/users/1/orders", true],
    ["/*", "/", true],
    ["/user.UserService/GetUser", "/user.UserService/GetUser", true],
    ["/user.UserService/GetUser", "/user.UserService/ListUsers", false],
    ["/user.UserService/*", "/user.UserService/ListUsers", true],
  ];
  for (const [pattern, path, expected] of cases) {
    const { isAllowed } = decide([rule({ paths: [pattern] })], { path });
    assertEquals(isAllowed, expected, `${pattern} ${path}`);
  }
});

Deno.test("Authorization holds a rule to all that it names", () => {
  const rules = [rule({ from: ["order-service"], methods: ["GET"], paths: ["/users/*"] })];
  assertEquals(decide(rules).isAllowed, true);
  assertEquals(decide(rules, { method: "POST" }).isAllowed, false);
  assertEquals(decide(rules, { path: "/credentials/verify" }).isAllowed, false);
  assertEquals(decide(rules, { identity: OTHER }).isAllowed, false);
});
