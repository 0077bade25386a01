// From the text of a document to the Bootstrap or Policy it means, or every problem in it. File access is the caller's.
import type { Bootstrap, Policy } from "./bootstrap.ts";
import { buildBootstrap, buildPolicy } from "./build.ts";
import { readDocument } from "./document.ts";
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
  const source = readDocument(text, file, environment);
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
