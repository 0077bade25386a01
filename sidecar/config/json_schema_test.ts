import { assert, assertEquals } from "@std/assert";
import { bootstrapJsonSchema, type JsonSchema, policyJsonSchema } from "./json_schema.ts";

const bootstrap = bootstrapJsonSchema();

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Each schema below `schema` with where it stands; `[]` an item, `*` a value of a map. Of several kinds each one. */
function* schemas(schema: unknown, path: string): Generator<[string, JsonSchema]> {
  if (!isSchema(schema)) return;
  yield [path, schema];
  for (const [key, field] of Object.entries(schema["properties"] ?? {})) {
    yield* schemas(field, `${path}.${key}`);
  }
  yield* schemas(schema["items"], `${path}[]`);
  yield* schemas(schema["additionalProperties"], `${path}.*`);
  for (const each of Array.isArray(schema["anyOf"]) ? schema["anyOf"] : []) {
    // One text or a list of such is described as a whole.
    if (each.type !== "string" && "description" in each) yield* schemas(each, path);
  }
}

function at(path: string): JsonSchema {
  const found = [...schemas(bootstrap, "")].find(([each]) => each === path);
  if (found === undefined) throw new Error(`no schema at ${path}`);
  return found[1];
}

function patternAt(path: string): RegExp {
  return new RegExp(String(at(path)["pattern"]), "u");
}

Deno.test("both schemas are draft 2020-12 with a title", () => {
  for (const schema of [bootstrap, policyJsonSchema()]) {
    assertEquals(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assertEquals(typeof schema["title"], "string");
  }
});

Deno.test("every key has a description", () => {
  const all = [...schemas(bootstrap, "bootstrap"), ...schemas(policyJsonSchema(), "policy")];
  assert(all.length > 100);
  const bare = all.filter(([, schema]) => typeof schema["description"] !== "string");
  assertEquals(bare.map(([path]) => path), []);
});

Deno.test("every mapping is closed or typed", () => {
  const mappings = [...schemas(bootstrap, "")].filter(([, schema]) => schema["type"] === "object");
  const open = mappings.filter(([, schema]) => !("additionalProperties" in schema));
  assertEquals(open.map(([path]) => path), []);
  assertEquals(at(".service")["required"], ["name"]);
});

Deno.test("patterns take what the parser takes, and references", () => {
  const cases: [string, string[], string[]][] = [
    [".drain.timeout", ["10s", "1.5s", "0", "${T}", "${T:-10s}"], ["10", "5min", ""]],
    [".limits.head", ["64KiB", "${H}"], ["64", "64kb"]],
    [".gateway.routes[].rateLimit.rate", ["10/s", "${R}/s"], ["10", "10/d"]],
    [".listeners.inbound", ["0.0.0.0:15006", "[::1]:0", "${HOST}:1"], ["15006", "::1:80"]],
    [".service.name", ["user-service", "${NAME}"], ["User_Service"]],
    [".gateway.routes[].match.path", ["/", "/a/{id}/*"], ["a", "/a?b"]],
    [".gateway.trustedProxies[]", ["10.0.0.0/8"], ["10.0.0.0"]],
  ];
  for (const [path, good, bad] of cases) {
    const pattern = patternAt(path);
    assertEquals(good.filter((text) => !pattern.test(text)), [], path);
    assertEquals(bad.filter((text) => pattern.test(text)), [], path);
  }
});

Deno.test("numbers, booleans and fixed words may be references as well", () => {
  const reference = { type: "string", pattern: "\\$\\{" };
  const level = { type: "string", enum: ["debug", "info", "warn", "error"] };
  assertEquals(at(".log.level")["anyOf"], [level, reference]);
  assertEquals(at(".log.level")["default"], "info");
  assertEquals(at(".workers")["anyOf"], [{ type: "number", const: 1 }, reference]);
  assertEquals(JSON.stringify(at(".limits.headers")["anyOf"]).includes('"integer"'), true);
  assertEquals(
    JSON.stringify(at(".gateway.cors.credentials")["anyOf"]).includes('"boolean"'),
    true,
  );
});

Deno.test("a bare 0 is a duration", () => {
  assertEquals(at(".drain.delay")["anyOf"], [{ type: "string" }, { type: "number", const: 0 }]);
});

Deno.test("authorization is a list of rules or a mapping, and either completes in an editor", () => {
  const path = ".policy.inbound.authorization";
  assertEquals(at(`${path}[].action`)["anyOf"], at(`${path}.rules[].action`)["anyOf"]);
  const mode = JSON.stringify(at(`${path}.mode`)["anyOf"]);
  assert(mode.includes('"dry-run"') && mode.includes("\\$"), mode);
  assert(patternAt(`${path}[].grpc[]`).test("user.UserService/*"));
  assert(!patternAt(`${path}[].from[]`).test("spiffe://mesh.local/order"));
});

Deno.test("exactly one registry and one way to log in are asked for", () => {
  assertEquals(at(".registry")["oneOf"], [
    { required: ["files"] },
    { required: ["static"] },
    { required: ["consul"] },
  ]);
  assertEquals(at(".gateway.login")["oneOf"], [
    { required: ["passwordless"] },
    { required: ["verify"] },
  ]);
});
