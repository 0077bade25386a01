// Clears away what dead processes left in a registry directory, also of services that nobody here watches.
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { FilesIo, FileStamp } from "../files_io.ts";
import { isTemporary, keyIn, MAX_FILE_BYTES, parseFile } from "./instance_file.ts";
import { inLanes } from "./lanes.ts";

export interface SweeperOptions {
  readonly directory: string;
  readonly io: FilesIo;
  readonly clock: Clock;
  readonly log: Logger;
  /** How often `sweep` is called; a longer gap does not count as silence. */
  readonly everyMs: number;
}

interface SweptFile {
  readonly stamp: FileStamp;
  readonly silentMs: number;
}

/** Watched silence after which a file goes. Long past "dead", so that nothing alive is ever swept by a hiccup. */
const REMOVE_AFTER_MS = 60_000;

/** Removes instance files and temporary files that did not change for a minute of watching; nothing else. Never throws. */
export class Sweeper {
  readonly #options: SweeperOptions;
  #files = new Map<string, SweptFile>();
  #lastSweep: number | null = null;

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  async sweep(): Promise<void> {
    const elapsedMs = this.#sinceLastSweep();
    try {
      const listed = await this.#options.io.list(this.#options.directory) ?? [];
      const ours = listed.filter(({ name, isFile }) =>
        isFile && (keyIn(name) !== null || isTemporary(name))
      );
      const files = new Map<string, SweptFile>();
      await inLanes(ours, ({ name }) => this.#inspect(name, elapsedMs, files));
      this.#files = files;
    } catch (error) {
      this.#options.log.debug("sweeping the registry directory failed", { error });
    }
  }

  #sinceLastSweep(): number {
    const { clock, everyMs } = this.#options;
    const now = clock.now();
    const elapsed = this.#lastSweep === null ? 0 : now - this.#lastSweep;
    this.#lastSweep = now;
    return Math.min(elapsed, 2 * everyMs);
  }

  async #inspect(name: string, elapsedMs: number, files: Map<string, SweptFile>): Promise<void> {
    const { io, directory, log } = this.#options;
    try {
      const stamp = await io.stat(`${directory}/${name}`);
      if (stamp === null) return;
      const before = this.#files.get(name);
      const isSilent = before !== undefined && before.stamp.mtimeMs === stamp.mtimeMs &&
        before.stamp.inode === stamp.inode;
      const silentMs = isSilent ? before.silentMs + elapsedMs : 0;
      if (silentMs >= REMOVE_AFTER_MS && await this.#isLeftOver(name, stamp)) {
        await io.remove(`${directory}/${name}`);
        log.info("the file of a dead instance is removed", { directory, file: name });
      } else files.set(name, { stamp, silentMs });
    } catch (error) {
      log.debug("a dead file could not be removed", { directory, file: name, error });
    }
  }

  /** What is not in our form may be somebody's document with an unlucky name: it stays. */
  async #isLeftOver(name: string, stamp: FileStamp): Promise<boolean> {
    if (isTemporary(name)) return true;
    if (stamp.size > MAX_FILE_BYTES) return false;
    const bytes = await this.#options.io.read(`${this.#options.directory}/${name}`);
    return bytes !== null && parseFile(bytes, name).ok;
  }
}
