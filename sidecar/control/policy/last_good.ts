// The documents in force, on disk: what a sidecar starts from while etcd is away.
import type { Logger } from "../../telemetry/log.ts";
import type { FilesIo } from "../files_io.ts";
import { Trouble } from "../trouble.ts";

/** The documents of one revision. */
export interface Documents {
  readonly revision: string;
  /** `_default`, and that of the service; undefined: not there. */
  readonly base: string | undefined;
  readonly own: string | undefined;
}

const VERSION = 1;
/** Two documents of the largest size. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** No method throws: a file that cannot be read is as good as none, and one that cannot be written is logged once. */
export class LastGood {
  readonly #path: string;
  readonly #io: Pick<FilesIo, "stat" | "read" | "writeAtomically">;
  readonly #log: Logger;
  readonly #trouble: Trouble;

  constructor(path: string, io: FilesIo, log: Logger) {
    this.#path = path;
    this.#io = io;
    this.#log = log;
    this.#trouble = new Trouble(log, "writing the policy in force to disk", { file: path });
  }

  async recall(): Promise<Documents | undefined> {
    try {
      const stamp = await this.#io.stat(this.#path);
      if (stamp === null) return undefined;
      if (stamp.size > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`);
      const bytes = await this.#io.read(this.#path);
      return bytes === null ? undefined : parse(new TextDecoder().decode(bytes));
    } catch (error) {
      this.#log.warn("the remembered policy cannot be used", { file: this.#path, error });
      return undefined;
    }
  }

  async remember(documents: Documents): Promise<void> {
    try {
      const text = JSON.stringify({ version: VERSION, ...documents });
      await this.#io.writeAtomically(this.#path, text);
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }
}

function parse(text: string): Documents {
  const { version, revision, base, own } = JSON.parse(text) ?? {};
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  if (version !== VERSION || typeof revision !== "string" || !isText(base) || !isText(own)) {
    throw new Error("not a file of a remembered policy");
  }
  return { revision, base, own };
}
