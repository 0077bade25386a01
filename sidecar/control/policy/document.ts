// One reading of a policy file: its text, or why there is none.
import { ConfigError } from "../../errors.ts";
import type { FilesIo } from "../files_io.ts";

/** `missing` and `unreadable` carry what an operator is told. */
export type Reading =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" | "unreadable"; readonly text: string };

/** Far above any policy written by hand or by a program; below what would stall a parser. */
const MAX_BYTES = 1024 * 1024;
const REVISION_CHARS = 12;

/** Never throws. Whether two readings are the same is decided by comparing them, see `isSameReading`. */
export async function readDocument(io: FilesIo, path: string): Promise<Reading> {
  try {
    const stamp = await io.stat(path);
    if (stamp === null) return missing();
    if (stamp.size > MAX_BYTES) return unreadable(`it is larger than ${MAX_BYTES} bytes`);
    const bytes = await io.read(path);
    return bytes === null ? missing() : decode(bytes);
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  }
}

export function isSameReading(a: Reading, b: Reading | null): boolean {
  return a.kind === b?.kind && a.text === b.text;
}

/** Short hash of a document's text. */
export async function revisionOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex().slice(0, REVISION_CHARS);
}

/** A problem of the file as a whole. */
export function fileError(file: string, message: string): ConfigError {
  return new ConfigError([{ file, line: 1, column: 1, path: "", message }]);
}

function decode(bytes: Uint8Array<ArrayBuffer>): Reading {
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return unreadable("it is not UTF-8 text");
  }
}

function missing(): Reading {
  return { kind: "missing", text: "there is no such file" };
}

function unreadable(why: string): Reading {
  return { kind: "unreadable", text: `cannot be read: ${why}` };
}

/** Why a document is not in force: every problem in it, or the one thing that this instance lacks. */
export function refusalOf(error: unknown, file: string): ConfigError {
  if (error instanceof ConfigError) return error;
  return fileError(file, error instanceof Error ? error.message : String(error));
}
