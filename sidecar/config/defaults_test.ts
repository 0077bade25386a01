import { assert, assertEquals } from "@std/assert";
import { type Default, DEFAULTS } from "./defaults.ts";
import { bootstrapJsonSchema, type JsonSchema } from "./json_schema.ts";

const entries = Object.entries<Default>(DEFAULTS);

/** Of a value that may be of several kinds the mappings: a list in their place is short for one of them. */
function mappingsOf(alternatives: unknown): unknown[] {
  return Array.isArray(alternatives) ? alternatives.filter(({ type }) => type === "object") : [];
}

/** Every default of the JSON Schema, in the path notation of the table. */
function schemaDefaults(schema: unknown, path = ""): [string, unknown][] {
  if (typeof schema !== "object" || schema === null) return [];
  const node = schema as JsonSchema;
  const fields = Object.entries(node["properties"] ?? {})
    .flatMap(([key, field]) => schemaDefaults(field, path === "" ? key : `${path}.${key}`));
  return [
    ...("default" in node ? [[path, node["default"]] as [string, unknown]] : []),
    ...fields,
    ...schemaDefaults(node["items"], `${path}[]`),
    ...schemaDefaults(node["additionalProperties"], `${path}.*`),
    ...mappingsOf(node["anyOf"]).flatMap((each) => schemaDefaults(each, path)),
  ];
}

/** What an edge does has the same defaults in a policy as in the gateway section. */
function isOfEdgePolicy([path]: [string, unknown]): boolean {
  return path.startsWith("policy.gateway.");
}

/** Sections default to {} (or to sections that do), which only means that their parts have the defaults. */
function isBareSection([path, value]: [string, unknown]): boolean {
  return /^[{]("files":[{][}])?[}]$/.test(JSON.stringify(value)) &&
    !entries.some(([known, { isDerived }]) => known === path && isDerived !== true);
}

Deno.test("DEFAULTS is exactly what the schema fills in", () => {
  const table = entries.filter(([, { isDerived }]) => isDerived !== true)
    .map(([path, { value }]) => [path, value] as [string, unknown]);
  const all = schemaDefaults(bootstrapJsonSchema()).filter((each) => !isBareSection(each));
  const ofEdge = all.filter(isOfEdgePolicy).map(([path, value]) => [path.slice(7), value]);
  const values = new Map<string, unknown>(table);
  for (const [path, value] of ofEdge) assertEquals(value, values.get(path as string));
  const inSchema = all.filter((each) => !isOfEdgePolicy(each));
  const sorted = (list: [string, unknown][]) =>
    list.toSorted(([a], [b]) => a < b ? -1 : 1).map(([path, value]) => [path, value]);
  assertEquals(sorted(inSchema), sorted(table));
});

Deno.test("every default has a reason in a full sentence", () => {
  for (const [path, { reason }] of entries) assert(/^[A-Z].{15,}\.$/.test(reason), path);
});
