// From the text of a document to the Bootstrap or Policy it means, or every problem in it. File access is the caller's.
import type { Bootstrap, Policy } from "./bootstrap.ts";
import { buildBootstrap, buildPolicy } from "./build.ts";
import { readDocument, type SourceDocument } from "./document.ts";
import type { Environment } from "./environment.ts";
import { bootstrapRules, policyRules, type Report } from "./rules.ts";
import { bootstrapDocument, soundSections } from "./schema/bootstrap.ts";
import { policy as policySection, policyDocument } from "./schema/policy.ts";
import { validate } from "./validate.ts";

export interface LoadOptions {
  readText(path: string): Promise<string>;
  environment(name: string): string | undefined;
}

/** Reads and checks a bootstrap file. Throws ConfigError, or what `readText` throws. */
export async function loadBootstrap(file: string, options: LoadOptions): Promise<Bootstrap> {
  return parseBootstrap(await options.readText(file), file, options.environment);
}

/** Throws ConfigError with every problem, sorted by line. Relative paths stay so: they mean the current directory. */
export function parseBootstrap(text: string, file: string, environment: Environment): Bootstrap {
  const source = readDocument(text, file, environment);
  const { positions } = source;
  const document = validate(bootstrapDocument, source);
  const report: Report = (path, message) => positions.report(path, message);
  const isSound = document !== null;
  bootstrapRules(
    isSound ? { ...document, broken: new Set() } : soundSections(source.value),
    report,
  );
  positions.throwIfAny();
  // Unreachable: a schema that failed has reported why.
  if (document === null) throw positions.fatal(0, "not a bootstrap document");
  return buildBootstrap(document, document.policy ?? policySection.parse({}));
}

/** Throws ConfigError with every problem, sorted by line. */
export function parsePolicy(text: string, file: string, environment: Environment): Policy {
  return policyOf(readDocument(text, file, environment));
}

/** One document and its name for messages. */
export interface NamedText {
  readonly text: string;
  readonly file: string;
}

/**
 * A policy over another: mappings are merged key by key, everything else (lists too) is replaced. Problems are placed in
 * the document that says the broken thing. Throws ConfigError.
 */
export function parseMergedPolicy(
  base: NamedText,
  over: NamedText,
  environment: Environment,
): Policy {
  const below = readDocument(base.text, base.file, environment);
  const above = readDocument(over.text, over.file, environment);
  above.positions.fallBackOn(below.positions);
  return policyOf({ value: merge(below.value, above.value), positions: above.positions });
}

function merge(below: unknown, above: unknown): unknown {
  if (!isMapping(below) || !isMapping(above)) return above;
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    merged[key] = Object.hasOwn(below, key) ? merge(below[key], value) : value;
  }
  return merged;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function policyOf(source: SourceDocument): Policy {
  const { positions } = source;
  const document = validate(policyDocument, source);
  if (document !== null) {
    policyRules(document, (path, message) => positions.report(path, message));
  }
  positions.throwIfAny();
  // Unreachable: a schema that failed has reported why.
  if (document === null) throw positions.fatal(0, "not a policy document");
  return buildPolicy(document);
}
