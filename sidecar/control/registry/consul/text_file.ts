// A small secret in a file that somebody else renews, such as a token. The text never reaches a log.
import type { FilesIo } from "../../files_io.ts";
import { Trouble } from "../../trouble.ts";
import type { Logger } from "../../../telemetry/log.ts";

/** Reads the file each time it is asked; while that fails the last text stands. */
export class TextFile {
  readonly #path: string;
  readonly #io: Pick<FilesIo, "read">;
  readonly #trouble: Trouble;
  #last: string | undefined;

  constructor(path: string, io: Pick<FilesIo, "read">, log: Logger) {
    this.#path = path;
    this.#io = io;
    this.#trouble = new Trouble(log, "reading a file", { file: path });
  }

  /** Without the white space around it. Throws while it could never be read. */
  async read(): Promise<string> {
    try {
      const bytes = await this.#io.read(this.#path);
      if (bytes === null) throw new Error(`${this.#path} does not exist`);
      this.#last = new TextDecoder().decode(bytes).trim();
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
      if (this.#last === undefined) throw error;
    }
    return this.#last;
  }
}
