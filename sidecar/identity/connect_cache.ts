// The last identity that Consul gave, on disk and for this user alone: what a sidecar starts with while Consul is away.
import type { ConnectLeaf, ConnectRoots } from "./connect_authority.ts";
import type { IdentityFiles } from "./files_io.ts";

const VERSION = 1;

export class ConnectCache {
  readonly #path: string;
  readonly #files: IdentityFiles;
  #written = "";

  constructor(path: string, files: IdentityFiles) {
    this.#path = path;
    this.#files = files;
  }

  /** Rejects where it cannot be written. */
  async keep(leaf: ConnectLeaf, roots: ConnectRoots): Promise<void> {
    const text = JSON.stringify({
      version: VERSION,
      id: leaf.id,
      certificatePem: leaf.certificatePem,
      privateKeyPem: leaf.privateKeyPem,
      trustPem: roots.trustPem,
    });
    if (text === this.#written) return;
    await this.#files.replace(this.#path, text);
    this.#written = text;
  }

  /** With index 0; undefined where there is nothing that can be read. */
  async recall(): Promise<readonly [ConnectLeaf, ConnectRoots] | undefined> {
    try {
      const text = await this.#files.read(this.#path);
      return text === null ? undefined : parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
}

function parse(value: Readonly<Record<string, unknown>>) {
  const { version, id, certificatePem, privateKeyPem, trustPem } = value;
  if (version !== VERSION || typeof id !== "string" || typeof certificatePem !== "string") {
    return undefined;
  }
  if (typeof privateKeyPem !== "string" || !Array.isArray(trustPem)) return undefined;
  if (!trustPem.every((pem) => typeof pem === "string")) return undefined;
  return [{ index: 0, id, certificatePem, privateKeyPem }, { index: 0, trustPem }] as const;
}
