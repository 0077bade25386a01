// Keys in a file that somebody may replace while we run: a JWK Set, or one public key in PEM. The file is read again and
// again, and the last good keys stay where it cannot be read or makes no sense.
import { exportJWK, importSPKI } from "jose";
import type { Clock } from "../../lib/clock.ts";
import type { Algorithm } from "../../lib/jwk.ts";
import type { Logger } from "../../telemetry/log.ts";
import { KeySet } from "./key_set.ts";
import type { KeySource, OnKeysChanged, Sought } from "./key_source.ts";
import { describe, isSame } from "./remote_keys.ts";

/** Rejects where there is no such file. */
export type ReadText = (path: string) => Promise<string>;

export interface FileKeysOptions {
  readonly path: string;
  readonly form: "jwks" | "pem";
  readonly algorithms?: readonly Algorithm[] | undefined;
  readonly readText: ReadText;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChanged: OnKeysChanged;
}

const POLL_MS = 2_000;
/** Far above any real set. */
const MAX_LENGTH = 1024 * 1024;

export class FileKeys implements KeySource {
  readonly name: string;
  readonly #options: FileKeysOptions;
  readonly #timer: Disposable;
  #current: KeySet | undefined;
  #text: string | undefined;
  #reading: Promise<boolean> | undefined;
  #problem: string | undefined;
  #failures = 0;
  #readAt: number | undefined;

  /** Begins to read at once. */
  constructor(options: FileKeysOptions) {
    this.name = options.path;
    this.#options = options;
    this.#timer = options.clock.every(POLL_MS, () => void this.#read());
    void this.#read();
  }

  get current(): KeySet | undefined {
    return this.#current;
  }

  get failures(): number {
    return this.#failures;
  }

  get ageMs(): number | undefined {
    return this.#readAt === undefined ? undefined : this.#options.clock.now() - this.#readAt;
  }

  /** A token may be quicker than the next look at the file. */
  async seek(kid: string | undefined): Promise<Sought> {
    if (this.#current !== undefined && this.#reading === undefined) return "absent";
    await this.#read();
    if (this.#current === undefined) return "unavailable";
    return this.#current.knows(kid) ? "found" : "absent";
  }

  /** One reading at a time; never rejects. */
  #read(): Promise<boolean> {
    this.#reading ??= this.#readOnce().finally(() => this.#reading = undefined);
    return this.#reading;
  }

  async #readOnce(): Promise<boolean> {
    const { path, readText, clock } = this.#options;
    try {
      const text = await readText(path);
      if (text !== this.#text) await this.#accept(text);
      this.#text = text;
      this.#problem = undefined;
      this.#failures = 0;
      this.#readAt = clock.now();
      return true;
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  async #accept(text: string): Promise<void> {
    const { path, form, algorithms, log, onChanged } = this.#options;
    if (text.length > MAX_LENGTH) throw new Error(`longer than ${MAX_LENGTH} characters`);
    const document = form === "pem" ? await documentOfPem(text) : parseJson(text);
    const previous = this.#current;
    const next = KeySet.of(document, { previous, algorithms, allowsSecrets: true });
    if (previous !== undefined && isSame(previous, next)) return;
    this.#current = next;
    previous?.retireAllBut(next);
    log.info("keys in force", describe(path, next));
    onChanged();
  }

  /** Once a problem and not once a look. */
  #fail(problem: string): void {
    this.#failures++;
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.log.warn("a key file cannot be used", {
      jwks: this.name,
      error: problem,
      meanwhile: this.#current === undefined
        ? "no token can be checked"
        : "the last good ones stay",
    });
  }

  close(): void {
    this.#timer[Symbol.dispose]();
  }
}

/** The words of JSON.parse would repeat what stands there. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
}

/** One algorithm of each kind of key: an import finds out whether the key is of that kind. */
const KINDS: readonly Algorithm[] = ["RS256", "ES256", "ES384", "ES512", "EdDSA"];

/** A JWK Set of the one public key. */
export async function documentOfPem(pem: string): Promise<unknown> {
  for (const kind of KINDS) {
    try {
      return { keys: [await exportJWK(await importSPKI(pem, kind, { extractable: true }))] };
    } catch {
      // Of another kind.
    }
  }
  throw new Error(
    "it is not a public key in PEM (-----BEGIN PUBLIC KEY-----) of RSA, EC or Ed25519",
  );
}
