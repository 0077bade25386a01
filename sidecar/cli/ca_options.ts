// What the actions of `sidecar ca` share: whose authority, and what their failures mean to the shell.
import { DEFAULTS } from "../config/defaults.ts";
import { IdentityError } from "../identity/material.ts";
import { RootStore } from "../identity/root_store.ts";
import { isIdSegment, isTrustDomain } from "../identity/spiffe.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";
import type { Host } from "./host.ts";

export const AUTHORITY_OPTIONS = {
  directory: { type: "string", default: DEFAULTS["identity.selfSigned.directory"].value },
  "trust-domain": { type: "string", default: DEFAULTS["identity.trustDomain"].value },
} as const;

export interface AuthorityOptions {
  readonly directory: string;
  readonly "trust-domain": string;
}

/** Throws UsageError. */
export function storeOf(
  { directory, "trust-domain": trustDomain }: AuthorityOptions,
  host: Host,
): RootStore {
  if (directory === "") throw new UsageError("--directory: expected the path of a directory");
  if (!isTrustDomain(trustDomain)) {
    throw new UsageError("--trust-domain: expected a name such as mesh.local");
  }
  const { clock, identityFiles: files } = host;
  return new RootStore({ directory, trustDomain, files, epoch: () => clock.epoch() });
}

/** Throws UsageError. */
export function segmentOf(option: string, value: string | undefined): string {
  if (value !== undefined && isIdSegment(value)) return value;
  throw new UsageError(`--${option}: expected a name such as user-service`);
}

/** The exit code of `work`, whose failures are told on stderr. */
export async function tellFailure(host: Host, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof IdentityError) {
      host.err(`sidecar: ${error.message}\n`);
      return EXIT.badData;
    }
    const reason = error instanceof Error ? WRITE_FAILURES[error.name] : undefined;
    if (reason === undefined) throw error;
    host.err(`sidecar: cannot write: ${reason}\n`);
    return EXIT.cannotCreate;
  }
}

/** By the name of Deno's error. */
const WRITE_FAILURES: Readonly<Record<string, string>> = {
  NotCapable: "this binary may write below .mesh, /var/lib/sidecar and /run/sidecar, and where " +
    "`deno task compile --write=DIR` allowed it",
  PermissionDenied: "permission denied",
  NotADirectory: "a part of the path is no directory",
  ReadOnlyFilesystem: "the file system is read-only",
  FilesystemQuotaExceeded: "the quota is used up",
  StorageFull: "the disk is full",
};
