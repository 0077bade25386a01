// JSON Schema (draft 2020-12) of the documents, for editors to complete and check. Built on demand only.
import * as z from "zod";
import { bootstrapDocument } from "./schema/bootstrap.ts";
import { policyDocument } from "./schema/policy.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A reference to the environment may stand wherever a scalar may. */
const REFERENCE = String.raw`\$\{`;

export function bootstrapJsonSchema(): JsonSchema {
  return jsonSchema(bootstrapDocument, "Sidecar bootstrap");
}

export function policyJsonSchema(): JsonSchema {
  return jsonSchema(policyDocument, "Sidecar policy");
}

function jsonSchema(schema: z.ZodType, title: string): JsonSchema {
  const options = { io: "input", target: "draft-2020-12" } as const;
  const { $schema, ...body } = z.toJSONSchema(schema, options);
  return { $schema, title, ...withReferences(body) };
}

/** The same schema, in which each scalar may be a reference: by its pattern, or else as an alternative. */
function withReferences(schema: JsonSchema): JsonSchema {
  if (typeof schema["pattern"] === "string") {
    return { ...schema, pattern: `${schema["pattern"]}|${REFERENCE}` };
  }
  if (isWithoutPattern(schema)) return withAlternative(schema);
  return mapValues(schema, (value, keyword) => {
    if (keyword === "anyOf" && Array.isArray(value)) return value.map(inAlternative);
    if (!isSchema(value)) return value;
    if (keyword === "items" || keyword === "additionalProperties") return withReferences(value);
    if (keyword !== "properties") return value;
    return mapValues(value, (field) => isSchema(field) ? withReferences(field) : field);
  });
}

/** Of a value that may be of several kinds, lists and mappings have parts of their own; one scalar is a text already. */
function inAlternative(schema: unknown): unknown {
  const hasParts = isSchema(schema) && (schema["type"] === "object" || schema["type"] === "array");
  return hasParts ? withReferences(schema) : schema;
}

/** Numbers, booleans and fixed words: nothing that a pattern could say. */
function isWithoutPattern(schema: JsonSchema): boolean {
  return "const" in schema || "enum" in schema || schema["type"] === "integer" ||
    schema["type"] === "boolean";
}

function withAlternative(schema: JsonSchema): JsonSchema {
  const { description, default: fallback, ...plain } = schema;
  return {
    description,
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [plain, { type: "string", pattern: REFERENCE }],
  };
}

function mapValues(
  record: JsonSchema,
  change: (value: unknown, key: string) => unknown,
): JsonSchema {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, change(value, key)]),
  );
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
