// Building blocks of the schemas: each knows its message, its pattern for editors and its one-line description.
import * as z from "zod";
import { defaultOf, type DefaultPath } from "../defaults.ts";
import { unknownKey } from "../suggest.ts";
import { expected, type Parsed } from "../units.ts";

/** What an editor shows and checks; copied into the JSON Schema as it is. */
export interface FieldHelp {
  readonly description: string;
  readonly pattern?: RegExp;
  readonly examples?: readonly string[];
}

interface RawIssue {
  readonly code?: string | undefined;
  readonly input?: unknown;
  readonly keys?: readonly string[];
}

/** A scalar of text that `parse` turns into its value. `what` completes "expected ...". */
export function text<T>(help: FieldHelp, what: string, parse: (text: string) => Parsed<T>) {
  const error = (issue: RawIssue) => {
    const isUnquoted = typeof issue.input === "number" || typeof issue.input === "boolean";
    const hint = isUnquoted && parse(String(issue.input)).ok ? " (put it in quotes)" : "";
    return wrongKind(issue, what) + hint;
  };
  return z.string({ error })
    .transform((value, context) => settle(parse(value), context))
    .meta(meta(help));
}

/** Text that must match the pattern of `help` and stays as it is. */
export function word(help: FieldHelp & { readonly pattern: RegExp }, what: string) {
  const parse = (value: string): Parsed<string> =>
    help.pattern.test(value) ? { ok: true, value } : expected(what);
  return text(help, what, parse);
}

/** Like `text`, but a bare 0 needs no unit. */
export function textOrZero<T>(help: FieldHelp, what: string, parse: (text: string) => Parsed<T>) {
  return z.union([z.string(), z.literal(0)], { error: (issue) => wrongKind(issue, what) })
    .transform((value, context) => settle(parse(String(value)), context))
    .meta(meta(help));
}

/** One of a few words. */
export function choice<const V extends string>(description: string, values: readonly V[]) {
  const error = (issue: RawIssue) => {
    const kind = kindOf(issue.input);
    const what = oneOf(values);
    return kind === "text"
      ? `not a value of this setting, expected ${what}`
      : wrongKind(issue, what);
  };
  return z.enum(values, { error }).meta({ description });
}

/** A whole number of at least `min`. */
export function wholeNumber(description: string, min: number) {
  const what = `a whole number of at least ${min}`;
  const error = (issue: RawIssue) =>
    kindOf(issue.input) === "a number" ? `expected ${what}` : wrongKind(issue, what);
  return z.int({ error }).min(min, { error }).meta({ description });
}

export function flag(description: string) {
  return z.boolean({ error: (issue) => wrongKind(issue, "true or false") }).meta({ description });
}

/** A list; with `min` 1 it may not be empty. */
export function list<S extends z.ZodType>(description: string, item: S, min: 0 | 1 = 0) {
  const error = (issue: RawIssue) =>
    issue.code === "too_small" ? "empty, expected at least one entry" : wrongKind(issue, "a list");
  return z.array(item, { error }).min(min, { error }).meta({ description });
}

/** One text, or a list of some. */
export function oneOrMore(description: string, what: string) {
  const error = (issue: RawIssue) => wrongKind(issue, `${what}, or a list of them`);
  const item = z.string({ error }).min(1, { error });
  return z.union([item, z.array(item, { error }).min(1, { error })], { error })
    .meta({ description });
}

/** A mapping with free keys; `what` completes "expected each key to be ...". */
export function table<S extends z.ZodType>(
  help: FieldHelp & { readonly pattern: RegExp },
  what: string,
  value: S,
) {
  const error = (issue: RawIssue) =>
    issue.code === "invalid_key" ? `unusable key, expected ${what}` : wrongKind(issue, "a mapping");
  return z.record(z.string().regex(help.pattern), value, { error })
    .meta({ description: help.description });
}

export interface SectionHelp {
  readonly description: string;
  /** Replaces the list of known keys where an unknown one stands. */
  readonly unknown?: string;
}

/** A mapping with exactly these keys. Unknown ones become one line each, in the order of the issue's keys. */
export function section<S extends z.ZodRawShape>(help: SectionHelp, shape: S) {
  const allowed = Object.keys(shape).filter((key) => key !== "$schema");
  const error = (issue: RawIssue) =>
    issue.code === "unrecognized_keys"
      ? (issue.keys ?? []).map((key) => unknownIn(help, key, allowed)).join("\n")
      : wrongKind(issue, `a mapping of ${allowed.join(", ")}`);
  return z.strictObject(shape, { error }).meta({ description: help.description });
}

/** Fills in the default that the table holds for `path`. */
export function byDefault<S extends z.ZodType>(path: DefaultPath, schema: S) {
  // The table is typed by the document, not by each schema; a test parses every default.
  return schema.prefault(defaultOf(path) as z.util.NoUndefined<z.input<S>>);
}

/** `debug, info or warn`. */
function oneOf(words: readonly string[]): string {
  const [last, ...others] = words.toReversed();
  return others.length === 0 ? `${last}` : `${others.reverse().join(", ")} or ${last}`;
}

function unknownIn(help: SectionHelp, key: string, allowed: readonly string[]): string {
  return help.unknown === undefined
    ? unknownKey(key, allowed)
    : `unknown key ${JSON.stringify(key)}: ${help.unknown}`;
}

function settle<T>(parsed: Parsed<T>, context: z.RefinementCtx): T {
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: "custom", message: parsed.problem });
  return z.NEVER;
}

function wrongKind(issue: RawIssue, what: string): string {
  return issue.input === undefined
    ? `missing, expected ${what}`
    : `is ${kindOf(issue.input)}, expected ${what}`;
}

/** What kind of value stands there; never the value, it may be a secret. */
function kindOf(input: unknown): string {
  if (input === null) return "empty";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "string") return "text";
  if (typeof input === "number") return "a number";
  return typeof input === "boolean" ? "true or false" : "a mapping";
}

function meta(help: FieldHelp): Record<string, unknown> {
  const { description, pattern, examples } = help;
  return {
    description,
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
    ...(examples === undefined ? {} : { examples }),
  };
}
