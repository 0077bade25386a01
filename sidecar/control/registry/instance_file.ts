// The form of one instance's file: its name and its JSON. Pure: bytes in, values out.
import type { Instance } from "./registry.ts";

/** What one file says. */
export interface Announcement {
  readonly instance: Instance;
  readonly pid: number;
  /** Differs with every start of a process, unlike the pid. */
  readonly nonce: string;
  /** When this holder took the id, in epoch ms; the later one wins. */
  readonly since: number;
  /** Epoch ms of this writing. */
  readonly heartbeat: number;
  readonly sequence: number;
}

export type ParsedFile =
  | { readonly ok: true; readonly announcement: Announcement }
  | { readonly ok: false; readonly reason: string };

/** A larger file is not read. */
export const MAX_FILE_BYTES = 64 * 1024;

const VERSION = 1;
const SUFFIX = ".json";
const SEPARATOR = "@";
/** File systems take 255 bytes; the temporary name of an atomic write needs 14 more than ours. */
const MAX_NAME_BYTES = 240;
const MAX_HOST_CHARS = 253;
const NOT_PLAIN = /[^a-z0-9._-]|^\./gu;
const TEMPORARY = /^\..+@.+\.json\.[0-9a-f]{8}\.tmp$/;
const HOST = /^[^\s/@\p{C}]+$/u;

/**
 * `SERVICE@ID.json`, both percent-encoded so that no name can leave the directory, hide, or meet another one on a
 * file system that folds case. Throws RangeError when the result is longer than file systems take.
 */
export function fileNameOf(service: string, id: string): string {
  const name = `${encodePart(service)}${SEPARATOR}${encodePart(id)}${SUFFIX}`;
  if (name.length > MAX_NAME_BYTES) {
    throw new RangeError(`instance ${id} of ${service}: names are too long for a file name`);
  }
  return name;
}

/** The part of a file name that all instances of `service` share. */
export function keyOf(service: string): string {
  return encodePart(service);
}

/** The key in a file name; null when the name is not of our form. */
export function keyIn(name: string): string | null {
  if (name.startsWith(".") || !name.endsWith(SUFFIX)) return null;
  const cut = name.indexOf(SEPARATOR);
  return cut < 0 ? null : name.slice(0, cut);
}

/** True for what an atomic write of ours leaves behind when its process dies in the middle. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

export function serialize(announcement: Announcement): string {
  return JSON.stringify({ version: VERSION, ...announcement }) + "\n";
}

/** Reads what stands in the file `name`. Nothing in it is trusted; a reason names the first thing wrong. */
export function parseFile(bytes: Uint8Array<ArrayBuffer>, name: string): ParsedFile {
  if (bytes.length > MAX_FILE_BYTES) return bad(`more than ${MAX_FILE_BYTES} bytes`);
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return bad("not JSON");
  }
  if (!isRecord(document) || document["version"] !== VERSION) return bad("not version 1");
  const instance = instanceOf(document["instance"]);
  if (typeof instance === "string") return bad(instance);
  if (!isNamed(instance, name)) return bad("its name is that of another instance");
  const { pid, nonce, since, heartbeat, sequence } = document;
  if (typeof nonce !== "string" || nonce === "") return bad("nonce: expected a text");
  if (!isCount(pid) || !isCount(since) || !isCount(heartbeat) || !isCount(sequence)) {
    return bad("pid, since, heartbeat, sequence: expected whole numbers");
  }
  return { ok: true, announcement: { instance, pid, nonce, since, heartbeat, sequence } };
}

function encodePart(text: string): string {
  return text.replace(NOT_PLAIN, percentEncode);
}

function percentEncode(char: string): string {
  const bytes = [...new TextEncoder().encode(char)];
  return bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}

function isNamed(instance: Instance, name: string): boolean {
  return `${encodePart(instance.service)}${SEPARATOR}${encodePart(instance.id)}${SUFFIX}` === name;
}

/** The instance, or what is wrong with it. */
function instanceOf(value: unknown): Instance | string {
  if (!isRecord(value)) return "instance: expected an object";
  const { id, service, host, port, tags, meta } = value;
  if (typeof id !== "string" || typeof service !== "string") return "instance: no id or service";
  if (typeof host !== "string" || host.length > MAX_HOST_CHARS || !HOST.test(host)) {
    return "instance.host: expected a name or an address";
  }
  if (!isCount(port) || port < 1 || port > 65535) return "instance.port: expected 1 to 65535";
  if (!Array.isArray(tags) || !tags.every(isText)) return "instance.tags: expected texts";
  if (!isRecord(meta)) return "instance.meta: expected an object of texts";
  const pairs = Object.entries(meta);
  if (!pairs.every(isTextPair)) return "instance.meta: expected an object of texts";
  return { id, service, host, port, tags, meta: Object.fromEntries(pairs) };
}

function bad(reason: string): ParsedFile {
  return { ok: false, reason };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTextPair(pair: [string, unknown]): pair is [string, string] {
  return isText(pair[1]);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
