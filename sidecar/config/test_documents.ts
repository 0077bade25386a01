// Documents and shorthands that the tests of this folder share.
import { ConfigError, formatProblem } from "../errors.ts";
import type { Bootstrap, Policy } from "./bootstrap.ts";
import { parseBootstrap, parsePolicy } from "./load.ts";

/** Variables that the documents of tests may name. */
export type Variables = Readonly<Record<string, string>>;

/** The least that a sidecar needs. */
export const SERVICE =
  "service: { name: user-service, address: 10.0.0.5, app: { http: 127.0.0.1:8001 } }";
export const REGISTRY = "registry: { files: {} }";
export const MINIMAL = `${SERVICE}\n${REGISTRY}\n`;
/** 32 bytes, the least that HS256 takes. */
export const SECRET = "0123456789abcdef0123456789abcdef";

/** The bootstrap of `text`, read as the file f.yaml. */
export function bootstrap(text: string, variables: Variables = {}): Bootstrap {
  return parseBootstrap(text, "f.yaml", (name) => variables[name]);
}

/** The policy of `text`, read as the file f.yaml. */
export function policy(text: string, variables: Variables = {}): Policy {
  return parsePolicy(text, "f.yaml", (name) => variables[name]);
}

/** Every problem as LINE:COLUMN: path: message; empty when the document is sound. */
export function problems(text: string, variables: Variables = {}): string[] {
  return problemsOf(() => bootstrap(text, variables));
}

export function policyProblems(text: string): string[] {
  return problemsOf(() => policy(text));
}

/** The problems of MINIMAL with `lines` after it, which stand from line 3 on. */
export function problemsWith(lines: string, variables: Variables = {}): string[] {
  return problems(MINIMAL + lines, variables);
}

function problemsOf(run: () => unknown): string[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => formatProblem(problem).replace(/^f\.yaml:/, ""));
  }
}
