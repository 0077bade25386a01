import { assertEquals } from "@std/assert";
import type { Gateway } from "./bootstrap.ts";
import { bootstrap, MINIMAL, problemsWith, SECRET } from "./test_documents.ts";

const ROUTE = "{ match: { path: /api/* }, to: a }";
const JWT = `jwt: { secret: ${SECRET} }`;

/** Problems of a gateway with one route; its section stands on line 3. */
function gatewayProblems(section: string, routes = ROUTE): string[] {
  return problemsWith(`gateway: { ${section}routes: [${routes}] }\n`)
    .map((problem) => problem.replace(/^3:\d+: gateway\./, ""));
}

function gatewayOf(section: string): Gateway | undefined {
  return bootstrap(`${MINIMAL}gateway:\n${section}`).gateway;
}

Deno.test("a gateway fills in its defaults", () => {
  const gateway = gatewayOf(`
  ${JWT}
  cors: { origins: ["*"] }
  login: { passwordless: true }
  routes:
    - { match: { path: /a/* }, to: a, auth: jwt, rateLimit: { rate: 10/s } }
    - { match: { path: /b }, to: b, rateLimit: { rate: 5/m } }
`);
  const match = { methods: [], headers: new Map<string, string>() };
  assertEquals(gateway, {
    bind: { host: "0.0.0.0", port: 8000 },
    cors: {
      origins: ["*"],
      methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      headers: ["authorization", "content-type", "x-request-id"],
      exposeHeaders: [],
      credentials: false,
      maxAgeMs: 600_000,
    },
    jwt: {
      issuers: [{
        audiences: [],
        algorithms: ["HS256"],
        keys: { kind: "secret", secret: SECRET },
      }],
      clockSkewMs: 0,
      claimHeaders: new Map([["user_id", "x-user-id"]]),
      tokenFrom: [{ kind: "header", name: "authorization", scheme: "Bearer" }],
      requiredClaims: new Map(),
    },
    login: {
      path: "/login",
      claims: new Map([["user_id", "username"]]),
      expiresInMs: 86_400_000,
      verify: { kind: "passwordless" },
      rateLimit: {
        user: { rate: { count: 10, perMs: 60_000 }, burst: 10 },
        client: { rate: { count: 60, perMs: 60_000 }, burst: 60 },
      },
      signing: { kind: "secret", secret: SECRET, algorithm: "HS256" },
    },
    routes: [
      {
        match: { path: "/a/*", ...match },
        to: "a",
        auth: "jwt",
        rateLimit: {
          rate: { count: 10, perMs: 1000 },
          burst: 10,
          key: [{ kind: "user" }],
          algorithm: "token-bucket",
          cost: 1,
          scope: "local",
        },
      },
      {
        match: { path: "/b", ...match },
        to: "b",
        auth: "none",
        rateLimit: {
          rate: { count: 5, perMs: 60_000 },
          burst: 5,
          key: [{ kind: "client" }],
          algorithm: "token-bucket",
          cost: 1,
          scope: "local",
        },
      },
    ],
    trustedProxies: [],
  });
});

Deno.test("a gateway takes every setting, with header names in lower case", () => {
  const gateway = gatewayOf(`
  bind: 127.0.0.1:0
  cors: { origins: ["https://a.example.com"], methods: [GET], headers: [X-A], exposeHeaders: [X-B], credentials: true, maxAge: 1h }
  jwt: { secret: ${SECRET}, issuer: me, audience: you, clockSkew: 2s, claimHeaders: { sub: X-Sub } }
  login: { path: /in, claims: { sub: name }, expiresIn: 720h, verify: { service: users, path: /check }, rateLimit: { user: { rate: 5/m, burst: 3 } }, signing: { privateKey: login.pem, algorithm: ES256, kid: k1 } }
  trustedProxies: [10.0.0.0/8, "fd00::/8"]
  routes:
    - match: { path: "/u/{id}/*", methods: [GET, POST], headers: { X-V: "2", X-W: "*" }, host: "*.example.com" }
      to: users
      rewrite: "/v2/{id}/*"
      rateLimit: { rate: 10/s, burst: 20, key: route }
      timeout: 0
`);
  assertEquals(gateway, {
    bind: { host: "127.0.0.1", port: 0 },
    cors: {
      origins: ["https://a.example.com"],
      methods: ["GET"],
      headers: ["x-a"],
      exposeHeaders: ["x-b"],
      credentials: true,
      maxAgeMs: 3_600_000,
    },
    jwt: {
      issuers: [{
        issuer: "me",
        audiences: ["you"],
        algorithms: ["HS256"],
        keys: { kind: "secret", secret: SECRET },
      }],
      clockSkewMs: 2000,
      claimHeaders: new Map([["sub", "x-sub"]]),
      tokenFrom: [{ kind: "header", name: "authorization", scheme: "Bearer" }],
      requiredClaims: new Map(),
    },
    login: {
      path: "/in",
      claims: new Map([["sub", "name"]]),
      expiresInMs: 2_592_000_000,
      verify: { kind: "service", service: "users", path: "/check" },
      rateLimit: {
        user: { rate: { count: 5, perMs: 60_000 }, burst: 3 },
        client: { rate: { count: 60, perMs: 60_000 }, burst: 60 },
      },
      signing: { kind: "private-key", path: "login.pem", algorithm: "ES256", kid: "k1" },
      issuer: "me",
      audience: "you",
    },
    routes: [{
      match: {
        path: "/u/{id}/*",
        methods: ["GET", "POST"],
        headers: new Map([["x-v", "2"], ["x-w", "*"]]),
        host: "*.example.com",
      },
      to: "users",
      rewrite: "/v2/{id}/*",
      auth: "none",
      rateLimit: {
        rate: { count: 10, perMs: 1000 },
        burst: 20,
        key: [{ kind: "route" }],
        algorithm: "token-bucket",
        cost: 1,
        scope: "local",
      },
      timeoutMs: 0,
    }],
    trustedProxies: ["10.0.0.0/8", "fd00::/8"],
  });
});

Deno.test("auth: jwt and login need a jwt section", () => {
  assertEquals(gatewayProblems("", "{ match: { path: / }, to: a, auth: jwt }"), [
    "routes[0].auth: nothing to check tokens with, expected a gateway.jwt section",
  ]);
  assertEquals(gatewayProblems("login: { passwordless: true }, "), [
    "login: nothing to sign tokens with, expected a gateway.jwt section",
  ]);
});

Deno.test("login takes exactly one of passwordless and verify", () => {
  assertEquals(gatewayProblems(`${JWT}, login: {}, `), [
    "login: no way to check who logs in, expected verify (or passwordless: true for a demo)",
  ]);
  const both = "login: { passwordless: true, verify: { service: a, path: /v } }";
  assertEquals(gatewayProblems(`${JWT}, ${both}, `), [
    "login: passwordless and verify together, expected exactly one of them",
  ]);
  assertEquals(gatewayProblems(`${JWT}, login: { passwordless: false }, `), [
    "login.passwordless: expected true, or leave it out and set verify",
  ]);
  assertEquals(gatewayProblems(`${JWT}, login: { verify: { service: a } }, `), []);
});

Deno.test("a secret has at least the 32 bytes of its hash", () => {
  const problem = "jwt.secret: expected a text of at least 32 bytes (RFC 7518, section 3.2)";
  assertEquals(gatewayProblems(`jwt: { secret: ${"x".repeat(31)} }, `), [problem]);
  assertEquals(gatewayProblems(`jwt: { secret: ${"é".repeat(16)} }, `), []);
});

Deno.test("a claim goes to one header, and not to one of the protocol", () => {
  assertEquals(
    gatewayProblems(`jwt: { secret: ${SECRET}, claimHeaders: { a: X-A, b: x-a, c: host } }, `),
    [
      "jwt.claimHeaders.c: this header belongs to the protocol, expected one such as x-user-id",
    ],
  );
  assertEquals(
    gatewayProblems(`jwt: { secret: ${SECRET}, claimHeaders: { a: X-A, b: x-a } }, `),
    ["jwt.claimHeaders.b: the header of claim a already, expected one header a claim"],
  );
});

Deno.test("cors refuses credentials for every origin, and * beside names", () => {
  assertEquals(gatewayProblems(`cors: { origins: ["*"], credentials: true }, `), [
    "cors.credentials: every origin could act for the user, expected named origins instead of *",
  ]);
  assertEquals(gatewayProblems(`cors: { origins: ["*", "https://a.example.com"] }, `), [
    "cors.origins: * beside other origins, expected * alone or names",
  ]);
  assertEquals(
    gatewayProblems(`cors: { origins: ["https://a.example.com"], credentials: true }, `),
    [],
  );
});

Deno.test("a route is refused that others leave nothing to", () => {
  const problems = (...matches: string[]) =>
    gatewayProblems("", matches.map((match) => `{ match: { path: /a${match} }, to: a }`).join());
  const never = (index: number, takers: string) => [
    `routes[${index}].match: never taken: all of its requests go to ${takers}, expected another match`,
  ];
  const first = "gateway.routes[0]";
  assertEquals(problems(", methods: [GET, PUT]", ", methods: [GET]"), never(1, first));
  assertEquals(problems(", methods: [GET]", ", methods: [HEAD]"), never(1, first));
  assertEquals(
    problems(", methods: [GET]", ", methods: [PUT]", ", methods: [PUT, GET]"),
    never(2, `${first} and gateway.routes[1]`),
  );
  assertEquals(problems(', headers: { x: "*" }', ", headers: { X: y }"), never(1, first));
  for (
    const reached of [
      ["", ", methods: [GET]"],
      [", methods: [GET]", ""],
      [", methods: [GET]", ", methods: [GET, PUT]"],
      [", methods: [HEAD]", ", methods: [GET]"],
      [", headers: { x: y }", ', headers: { x: "*" }'],
      ["", ", headers: { x: y }"],
      ["", ", host: shop.example"],
      [", methods: [GET], headers: { x: y }", ", methods: [GET], headers: { z: y }"],
    ]
  ) {
    assertEquals(problems(...reached), [], reached.join());
  }
});

Deno.test("a route is refused whose requests are all logins", () => {
  const login =
    "jwt: { secret: 0123456789abcdef0123456789abcdef }, login: { passwordless: true }, ";
  const route = (match: string) => gatewayProblems(login, `{ match: ${match}, to: a }`);
  assertEquals(route("{ path: /login, methods: [POST] }"), [
    "routes[0].match: never taken: POST of this path goes to gateway.login, expected another match",
  ]);
  assertEquals(route("{ path: /login }"), []);
});

Deno.test("two routes with the same match are refused, whatever their order and names", () => {
  const twice = (a: string, b: string) =>
    gatewayProblems("", `{ match: ${a}, to: a }, { match: ${b}, to: b }`);
  const same = ["routes[1].match: the same match as gateway.routes[0], expected it once"];
  assertEquals(twice("{ path: /a }", "{ path: /a }"), same);
  assertEquals(twice('{ path: "/a/{x}" }', '{ path: "/a/{y}" }'), same);
  assertEquals(
    twice("{ path: /a, methods: [GET, PUT] }", "{ path: /a, methods: [PUT, GET] }"),
    same,
  );
  assertEquals(
    twice("{ path: /a, headers: { A: x, b: y } }", "{ path: /a, headers: { B: y, a: x } }"),
    same,
  );
  for (const other of ["methods: [GET]", "headers: { a: x }", "host: a.example.com"]) {
    assertEquals(twice("{ path: /a }", `{ path: /a, ${other} }`), []);
  }
});

Deno.test("a rewrite uses only what the match gives it", () => {
  const rewrite = (path: string, to: string) =>
    gatewayProblems("", `{ match: { path: "${path}" }, to: a, rewrite: "${to}" }`);
  assertEquals(rewrite("/a/*", "/b/*"), []);
  assertEquals(rewrite("/a/*", "/b"), []);
  assertEquals(rewrite("/a/{id}/*", "/b/{id}/c"), []);
  assertEquals(rewrite("/a", "/b/*"), [
    "routes[0].rewrite: * has nothing to stand for, expected match.path to end with /*",
  ]);
  assertEquals(rewrite("/a/{id}", "/b/{ID}"), [
    "routes[0].rewrite: {ID} is not in match.path, expected one of its parameters",
  ]);
});

Deno.test("a bucket per user needs a route that knows its user", () => {
  const route = "{ match: { path: / }, to: a, rateLimit: { rate: 1/s, key: user } }";
  assertEquals(gatewayProblems("", route), [
    "routes[0].rateLimit.key: the route knows no user, expected auth: jwt with it",
  ]);
});

Deno.test("a route says what is wrong with its path, methods, headers and host", () => {
  const match = 'path: /a?b, methods: [get], headers: { "a b": x, c: " " }, host: "A:80"';
  const found = gatewayProblems("", `{ match: { ${match} }, to: a }`).map((problem) =>
    problem.split(":")[0]
  );
  assertEquals(found, [
    "routes[0].match.path",
    "routes[0].match.methods[0]",
    'routes[0].match.headers["a b"]',
    "routes[0].match.headers.c",
    "routes[0].match.host",
  ]);
});

Deno.test("transcoding has exactly one source of rules, and its defaults are proto3's", () => {
  const route = (text: string) => `{ match: { path: / }, to: a, transcode: { ${text} } }`;
  assertEquals(gatewayProblems("", route("")), [
    "routes[0].transcode: no source of rules, expected exactly one of proto, descriptorSet, reflection",
  ]);
  assertEquals(gatewayProblems("", route("proto: a.proto, reflection: true")), [
    "routes[0].transcode: more than one source of rules, " +
    "expected exactly one of proto, descriptorSet, reflection",
  ]);
  const from = (text: string) => gatewayOf(`  routes: [${route(text)}]\n`)?.routes[0]?.transcode;
  const options = {
    maxMessageBytes: 4_194_304,
    emitDefaults: false,
    keepProtoNames: false,
    enumsAsNumbers: false,
    ignoreUnknownFields: false,
    ignoreUnknownParameters: false,
  };
  assertEquals(from("proto: a.proto"), {
    from: { kind: "protos", paths: ["a.proto"], include: [] },
    options,
  });
  assertEquals(from("proto: [a.proto, b.proto], include: [proto]")?.from, {
    kind: "protos",
    paths: ["a.proto", "b.proto"],
    include: ["proto"],
  });
  assertEquals(from("descriptorSet: a.pb, maxMessage: 1KiB, emitDefaults: true"), {
    from: { kind: "set", path: "a.pb" },
    options: { ...options, maxMessageBytes: 1024, emitDefaults: true },
  });
  assertEquals(from("reflection: true")?.from, { kind: "reflection" });
  assertEquals(gatewayProblems("", route("proto: 5")), [
    "routes[0].transcode.proto: is a number, expected the path of a file, or a list of them",
  ]);
});
