// What the actions of `sidecar policy` have in common on their command lines.
import { DEFAULT_POLICY } from "../../etcd/layout.ts";
import { refuseMore } from "../arguments.ts";
import { UsageError } from "../errors.ts";

/** Throws UsageError. */
export function serviceOf(name: string | undefined): string {
  if (name === undefined) throw new UsageError("missing SERVICE");
  if (name === DEFAULT_POLICY || /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(
    `${JSON.stringify(name)} is no service name, expected one such as user-service`,
  );
}

/** The document's service and file, and nothing more. Throws UsageError. */
export function serviceAndFile(
  [service, file, ...more]: readonly string[],
): { readonly service: string; readonly file: string } {
  const name = serviceOf(service);
  if (file === undefined) throw new UsageError("missing FILE, expected one, or - for stdin");
  refuseMore(more);
  return { service: name, file };
}

/** Throws UsageError. */
export function revisionOption(text: string): number {
  if (/^[1-9][0-9]{0,15}$/.test(text)) return Number(text);
  throw new UsageError(
    `${JSON.stringify(text)} is no revision, expected a number such as history prints`,
  );
}

/** Throws UsageError. */
export function percentOption(option: string, text: string): number {
  const percent = Number(/^([0-9]{1,2}(?:\.[0-9]+)?)%$/.exec(text)?.[1]);
  if (percent > 0) return percent;
  throw new UsageError(`--${option} ${JSON.stringify(text)}: expected a share such as 10%`);
}
