// References to the environment inside a scalar: ${NAME}, ${NAME:-default}, and $${ for a literal ${.
// They are resolved after parsing, so that a value can never add keys or break out of its quotes.

/** Looks a variable up; undefined when it is not set. */
export type Environment = (name: string) => string | undefined;

export type Resolved =
  | { readonly kind: "text"; readonly text: string; readonly isReference: boolean }
  | { readonly kind: "problem"; readonly message: string };

const REFERENCE = /\$\$\{|\$\{([^{}]*)\}?/g;
const BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/;
const EXPECTED = "expected ${NAME} or ${NAME:-default} ($${ for a literal ${)";

/**
 * The text with its references replaced. `isReference`: some of it came from outside, so a number may be meant.
 * As in a shell, `:-` also stands in for an empty value. Problems name the variable, never a value.
 */
export function resolveReferences(text: string, environment: Environment): Resolved {
  const problems: string[] = [];
  let isReference = false;
  const replaced = text.replaceAll(REFERENCE, (found: string, body: string | undefined) => {
    if (found === "$${") return "${";
    isReference = true;
    const value = lookUp(found, body ?? "", environment);
    if (value.problem !== undefined) problems.push(value.problem);
    return value.text;
  });
  return problems.length === 0
    ? { kind: "text", text: replaced, isReference }
    : { kind: "problem", message: problems.join("; ") };
}

function lookUp(
  found: string,
  body: string,
  environment: Environment,
): { text: string; problem?: string } {
  const match = found.endsWith("}") ? BODY.exec(body) : null;
  const [, name, fallback] = match ?? [];
  if (name === undefined) return { text: "", problem: `broken reference, ${EXPECTED}` };
  const value = environment(name);
  if (fallback !== undefined) {
    return { text: value === undefined || value === "" ? fallback : value };
  }
  if (value !== undefined) return { text: value };
  const problem = `environment variable ${name} is not set, expected it or \${${name}:-default}`;
  return { text: "", problem };
}
