// A document against its schema: every issue becomes a problem with a position.
import type * as z from "zod";
import type { SourceDocument } from "./document.ts";
import type { Path } from "./positions.ts";

type Issue = z.core.$ZodIssue;

/** The typed document, or null when problems were noted instead. */
export function validate<S extends z.ZodType>(
  schema: S,
  document: SourceDocument,
): z.output<S> | null {
  const first = schema.safeParse(document.value);
  const hasCoerced = !first.success && coerceReferences(document, issuesOf(first.error));
  const result = hasCoerced ? schema.safeParse(document.value) : first;
  if (result.success) return result.data;
  for (const issue of issuesOf(result.error)) reportIssue(document, issue);
  return null;
}

function issuesOf(error: z.ZodError): readonly Issue[] {
  return error.issues.flatMap((issue) => innerIssues(issue));
}

/** Of a value that may be of several kinds: what is wrong inside the kind that it is; else that it is none of them. */
function innerIssues(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const inside = issue.errors.find((issues) => issues.length > 0 && issues.every(isInside));
  if (inside === undefined) return [issue];
  return inside.flatMap((inner) =>
    innerIssues({ ...inner, path: [...issue.path, ...inner.path] } as Issue)
  );
}

function isInside({ code, path }: Issue): boolean {
  return path.length > 0 || code === "unrecognized_keys";
}

/** Text from the environment becomes the number or boolean that the schema wanted. True when some did. */
function coerceReferences(document: SourceDocument, issues: readonly Issue[]): boolean {
  let hasCoerced = false;
  for (const issue of issues) {
    const path = pathOf(issue);
    const isKindIssue = issue.code === "invalid_type" || issue.code === "invalid_value";
    if (isKindIssue && document.positions.isReference(path)) {
      hasCoerced = coerceAt(document.value, path) || hasCoerced;
    }
  }
  return hasCoerced;
}

function coerceAt(root: unknown, path: Path): boolean {
  const key = path.at(-1);
  const parent = path.slice(0, -1).reduce<unknown>((value, part) => child(value, part), root);
  if (key === undefined || typeof parent !== "object" || parent === null) return false;
  const value = scalarOf(child(parent, key));
  return value !== undefined && Reflect.set(parent, key, value);
}

function child(value: unknown, key: string | number): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function scalarOf(text: unknown): number | boolean | undefined {
  if (typeof text !== "string") return undefined;
  if (text === "true" || text === "false") return text === "true";
  return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function reportIssue({ positions }: SourceDocument, issue: Issue): void {
  const path = pathOf(issue);
  if (issue.code === "unrecognized_keys") {
    const messages = issue.message.split("\n");
    for (const [index, key] of issue.keys.entries()) {
      positions.report([...path, key], messages[index] ?? issue.message, "key");
    }
  } else {
    positions.report(path, issue.message, issue.code === "invalid_key" ? "key" : "value");
  }
}

function pathOf(issue: Issue): (string | number)[] {
  return issue.path.map((part) => typeof part === "symbol" ? String(part) : part);
}
