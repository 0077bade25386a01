import { assertEquals } from "@std/assert";
import type { AuthorizationConfig } from "./authorization_config.ts";
import { policy, policyProblems, problemsWith } from "./test_documents.ts";

/** What `text` in place of the section means. */
function read(text: string): AuthorizationConfig | undefined {
  return policy(`inbound: { authorization: ${text} }`).inbound.authorization;
}

/** Problems of a policy with these rules, by their place in the list. */
function ruleProblems(...rules: readonly string[]): string[] {
  return policyProblems(`inbound: { authorization: [${rules.join(", ")}] }`)
    .map((problem) => problem.replace(/^1:\d+: inbound\.authorization/, ""));
}

Deno.test("authorization is a list of rules, which fills in every default", () => {
  assertEquals(read("[{ from: [order-service] }]"), {
    mode: "enforce",
    default: "deny",
    audit: "refused",
    rules: [{ name: "rule-1", action: "allow", from: ["order-service"] }],
  });
});

Deno.test("authorization is a mapping, which takes every setting", () => {
  const text = `
inbound:
  jwt: { publicKey: key.pem }
  authorization:
    mode: dry-run
    default: allow
    audit: all
    rules:
      - name: orders
        action: deny
        from: [order-service, "spiffe://mesh.local/ns/shop/svc/b", "*", anonymous]
        methods: [GET, PROPFIND]
        paths: [/users/*, "/users/{id}", /a%2Cb]
      - { from: [a, "*"], namespaces: [shop], grpc: [user.UserService/GetUser, "a.B/*"] }
      - { claims: { role: [admin, 7], "https://x/y": true, scope: read, any: [] } }
`;
  assertEquals(policy(text).inbound.authorization, {
    mode: "dry-run",
    default: "allow",
    audit: "all",
    rules: [
      {
        name: "orders",
        action: "deny",
        from: ["order-service", "spiffe://mesh.local/ns/shop/svc/b", "*", "anonymous"],
        methods: ["GET", "PROPFIND"],
        paths: ["/users/*", "/users/{id}", "/a%2Cb"],
      },
      {
        name: "rule-2",
        action: "allow",
        from: ["a", "*"],
        namespaces: ["shop"],
        grpc: ["user.UserService/GetUser", "a.B/*"],
      },
      {
        name: "rule-3",
        action: "allow",
        claims: { role: ["admin", 7], "https://x/y": [true], scope: ["read"], any: [] },
      },
    ],
  });
});

Deno.test("the default is to deny where a rule allows, and to allow where all of them deny", () => {
  assertEquals(read("[{ action: deny, methods: [PUT] }]")?.default, "allow");
  assertEquals(read("[{ action: deny, methods: [PUT] }, { paths: [/a] }]")?.default, "deny");
  assertEquals(read("{ default: deny }")?.rules, []);
  assertEquals(policy("inbound: {}").inbound.authorization, undefined);
});

Deno.test("authorization without a word is refused in either form", () => {
  assertEquals(ruleProblems(), [": empty, expected at least one entry"]);
  const problem = "neither rules nor a default, expected one of them";
  assertEquals(policyProblems("inbound: { authorization: { audit: all } }"), [
    `1:27: inbound.authorization: ${problem}`,
  ]);
  assertEquals(policyProblems("inbound: { authorization: yes }"), [
    "1:27: inbound.authorization: expected a list of rules, or a mapping of mode, default, audit, rules",
  ]);
});

Deno.test("a rule without conditions is refused, since it takes every call", () => {
  const problem = "takes every call, expected from, namespaces, methods, paths, grpc or claims " +
    "(for all calls there is authorization.default)";
  for (const rule of ["{}", "{ name: a }", "{ action: deny }", "{ claims: {} }"]) {
    assertEquals(ruleProblems(rule), [`[0]: ${problem}`], rule);
  }
});

Deno.test("each mistake in a rule is told at its place, in either form", () => {
  const text = `inbound:
  authorization:
    mode: enforced
    rules:
      - { path: [/a] }
      - { methods: [get, GTE, FROBNICATE] }
      - { paths: [users, /a/*/b] }
      - { grpc: [/user.UserService/GetUser, user.UserService] }
      - { from: [Order_Service, "spiffe://a/b"] }
      - { from: [], action: permit }
      - { claims: { a: { b: 1 } } }
`;
  const at = (line: string, rest: string) => `${line}: inbound.authorization${rest}`;
  const grpc = "a gRPC method such as user.UserService/GetUser or user.UserService/*";
  const caller = "expected a service name such as order-service, an id such as " +
    "spiffe://mesh.local/ns/default/svc/order-service, * (any identity) or anonymous (none)";
  const path = "a path pattern such as /users, /users/{id} or /api/*";
  assertEquals(policyProblems(text), [
    at("3:11", ".mode: not a value of this setting, expected enforce or dry-run"),
    at("5:11", '.rules[0].path: unknown key "path", did you mean "paths"?'),
    at("6:21", '.rules[1].methods[0]: unknown method, did you mean "GET"?'),
    at("6:26", '.rules[1].methods[1]: unknown method, did you mean "GET"?'),
    at("6:31", ".rules[1].methods[2]: unknown method, expected an HTTP method such as GET"),
    at("7:19", `.rules[2].paths[0]: does not start with /, expected ${path}`),
    at("7:26", ".rules[2].paths[1]: * in the middle, expected it only as the last segment"),
    at("8:18", `.rules[3].grpc[0]: starts with /, expected ${grpc}`),
    at("8:45", `.rules[3].grpc[1]: expected ${grpc}`),
    at("9:18", `.rules[4].from[0]: ${caller}`),
    at("9:33", `.rules[4].from[1]: ${caller}`),
    at("10:17", ".rules[5].from: empty, expected at least one entry"),
    at("10:29", ".rules[5].action: not a value of this setting, expected allow or deny"),
    at(
      "11:24",
      ".rules[6].claims.a: expected a text, a number, true or false, or a list of such",
    ),
  ]);
  assertEquals(ruleProblems("{ paths: [/a] }", "{ methods: [GTE] }"), [
    '[1].methods[0]: unknown method, did you mean "GET"?',
  ]);
});

Deno.test("two rules with one name are refused, also where one has it by its place", () => {
  const twice = ": the name of rule 1 already, expected each name once";
  assertEquals(ruleProblems("{ name: a, paths: [/a] }", "{ name: a, paths: [/b] }"), [
    `[1].name${twice}`,
  ]);
  assertEquals(ruleProblems("{ name: rule-2, paths: [/a] }", "{ paths: [/b] }"), [
    `[1].name${twice}`,
  ]);
});

Deno.test("no rule has a name that stands for what no rule decided", () => {
  for (const name of ["default", "ambiguous-path"]) {
    assertEquals(ruleProblems(`{ name: ${name}, paths: [/a] }`), [
      "[0].name: this name stands for what no rule decided, expected another",
    ]);
  }
});

Deno.test("what two parts of one rule can never have together is refused", () => {
  assertEquals(ruleProblems('{ grpc: ["a.B/*"], paths: [/a] }'), [
    "[0].grpc: a gRPC method is a path already, expected a rule for each",
  ]);
  assertEquals(ruleProblems('{ grpc: ["a.B/*"], methods: [POST] }'), [
    "[0].methods: every gRPC call is a POST, expected no methods beside grpc",
  ]);
  const id = "spiffe://mesh.local/ns/a/svc/b";
  const problem = "is in no namespace of namespaces, expected a service name or * beside it";
  assertEquals(ruleProblems(`{ from: [a, anonymous, "${id}"], namespaces: [a] }`), [
    `[0].from[1]: ${problem}`,
    `[0].from[2]: ${problem}`,
  ]);
});

Deno.test("rules with claims need tokens that are checked, or a rule that denies would deny nobody", () => {
  const rule = "{ action: deny, claims: { plan: free } }";
  const problem = "no token is checked, so that nobody has claims, expected inbound.jwt too";
  assertEquals(ruleProblems(rule), [`[0].claims: ${problem}`]);
  const jwt = "jwt: { publicKey: key.pem, auth: optional }";
  assertEquals(policyProblems(`inbound: { ${jwt}, authorization: [${rule}] }`), []);
});

Deno.test("a caller's id has no segment that is a way up", () => {
  for (const id of ["ns/../svc/a", "ns/a/svc/..", "ns/./svc/a", "ns/a/svc/."]) {
    assertEquals(ruleProblems(`{ from: ["spiffe://mesh.local/${id}"] }`).length, 1, id);
  }
  assertEquals(ruleProblems('{ from: ["spiffe://mesh.local/ns/.a/svc/b..c"] }'), []);
});

Deno.test("a path that never comes in this spelling is refused", () => {
  const cases = [
    ["/%41dmin", "an escaped letter never comes, expected the letter itself"],
    ["/a%2fb", "paths with this escape are refused, expected one without"],
    ["/a%00", "paths with this escape are refused, expected one without"],
    ["/a%c3%a9", "an escape in lower case never comes, expected upper case"],
  ] as const;
  for (const [path, problem] of cases) {
    assertEquals(ruleProblems(`{ paths: ["${path}"] }`), [`[0].paths[0]: ${problem}`]);
  }
  assertEquals(ruleProblems('{ paths: ["/a%C3%A9"] }'), []);
});

Deno.test("with identity off a rule may name nobody but anonymous", () => {
  const off = "identity.mode is off, so that nobody proves who it is";
  const text = `policy:
  inbound:
    authorization:
      - { from: [anonymous], paths: [/a] }
      - { from: [anonymous, order-service, "*"] }
      - { namespaces: [shop] }
`;
  const wanted = [
    `7:29: policy.inbound.authorization[1].from[1]: ${off}, expected anonymous, or identity on`,
    `7:44: policy.inbound.authorization[1].from[2]: ${off}, expected anonymous, or identity on`,
    `8:23: policy.inbound.authorization[2].namespaces: ${off}, expected none, or identity on`,
  ];
  const without = "identity: { mode: off }\n";
  assertEquals(problemsWith(text), []);
  assertEquals(problemsWith(text + without), wanted);
  const mapping = text.replace("authorization:\n", "authorization:\n     rules:\n");
  assertEquals(problemsWith(mapping + without).map((problem) => problem.split(": ")[1]), [
    "policy.inbound.authorization.rules[1].from[1]",
    "policy.inbound.authorization.rules[1].from[2]",
    "policy.inbound.authorization.rules[2].namespaces",
  ]);
});
