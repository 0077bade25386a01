import { assertEquals } from "@std/assert";
import { bootstrap, MINIMAL, problems, problemsWith, REGISTRY, SECRET } from "./test_documents.ts";

Deno.test("validate takes numbers and booleans from the environment where the schema wants them", () => {
  const text = `${MINIMAL}workers: \${WORKERS}
limits: { headers: \${HEADERS}, connections: "\${HEADERS}" }
gateway:
  cors: { origins: ["https://a.example.com"], credentials: \${YES} }
  routes: [{ match: { path: / }, to: a, rateLimit: { rate: "\${HEADERS}/s", burst: \${HEADERS} } }]
`;
  const { limits, gateway } = bootstrap(text, { WORKERS: "1", HEADERS: "77", YES: "true" });
  assertEquals([limits.headers, limits.connections], [77, 77]);
  assertEquals(gateway?.cors?.credentials, true);
  assertEquals(gateway?.routes[0]?.rateLimit?.burst, 77);
  assertEquals(gateway?.routes[0]?.rateLimit?.rate.count, 77);
});

Deno.test("validate leaves text from the environment text where the schema wants text", () => {
  const digits = "1".repeat(32);
  const text = `${MINIMAL}gateway:
  jwt: { secret: \${S} }
  routes: [{ match: { path: / }, to: a }]`;
  const keys = bootstrap(text, { S: digits }).gateway?.jwt?.issuers[0]?.keys;
  assertEquals(keys, { kind: "secret", secret: digits });
  assertEquals(problems(text, { S: SECRET }), []);
});

Deno.test("validate does not turn quoted text of the document into numbers", () => {
  assertEquals(problemsWith('limits: { headers: "77" }'), [
    "3:20: limits.headers: is text, expected a whole number of at least 1",
  ]);
});

Deno.test("validate still checks what came from the environment, and never prints it", () => {
  const text = "limits: { headers: ${A}, connections: ${B} }\nworkers: ${C}\nlog: { level: ${A} }";
  const found = problemsWith(text, { A: "s3cret", B: "-5", C: "9" });
  assertEquals(found, [
    "3:20: limits.headers: is text, expected a whole number of at least 1",
    "3:39: limits.connections: expected a whole number of at least 1",
    "4:10: workers: more than one worker is not in this version, expected 1",
    "5:15: log.level: not a value of this setting, expected debug, info, warn or error",
  ]);
});

Deno.test("validate says of an unset variable only that it is unset", () => {
  const service = "service: { name: ${NAME}, address: 10.0.0.5, app: { http: 127.0.0.1:${PORT} } }";
  assertEquals(problems(`${service}\n${REGISTRY}`, { PORT: "8001" }), [
    "1:18: service.name: environment variable NAME is not set, expected it or ${NAME:-default}",
  ]);
});

Deno.test("validate points at a broken entry of a list", () => {
  assertEquals(
    problems(
      `service: { name: a, address: 10.0.0.5, tags: [v1, "a b", 5], app: { http: 127.0.0.1:1 } }
registry:
  static:
    b:
      - 127.0.0.1:15106
      - 127.0.0.1
`,
    ),
    [
      "1:51: service.tags[1]: expected printable characters without spaces, such as v1",
      "1:58: service.tags[2]: is a number, expected printable characters without spaces, such as v1 " +
      "(put it in quotes)",
      "6:9: registry.static.b[1]: expected an address such as 127.0.0.1:8001, [::1]:80 or localhost:80",
    ],
  );
});
