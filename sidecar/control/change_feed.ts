// The watcher of one directory, as a mere accelerator: it may fail, end or drown, and polling goes on without it.
import type { Logger } from "../telemetry/log.ts";
import type { DirectoryWatch, FileChange, FilesIo } from "./files_io.ts";
import { Trouble } from "./trouble.ts";

export interface ChangeFeedOptions {
  readonly directory: string;
  readonly io: FilesIo;
  readonly log: Logger;
  readonly onChange: (change: FileChange) => void;
}

/**
 * Between two ticks; beyond it the watcher costs more than the polling it saves. An atomic rewrite is five events, so a
 * directory of some 200 instances that beat every two seconds stays below it.
 */
const MAX_EVENTS_PER_TICK = 500;

/** Forwards the changes in one directory while it can. Every method may be called at any time and none throws. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #trouble: Trouble;
  readonly #pumps = new Set<Promise<void>>();
  #watch: DirectoryWatch | null = null;
  #events = 0;
  #isClosed = false;

  constructor(options: ChangeFeedOptions) {
    const { log, directory } = options;
    this.#options = options;
    this.#trouble = new Trouble(log, "watching a directory", { directory });
  }

  /** Starts the watcher unless it runs. */
  arm(): void {
    if (this.#watch !== null || this.#isClosed) return;
    const { io, directory, onChange } = this.#options;
    try {
      this.#watch = io.watch(directory, (change) => {
        this.#events++;
        onChange(change);
      });
    } catch (error) {
      return this.#trouble.failed(error);
    }
    this.#events = 0;
    this.#trouble.worked();
    this.#follow(this.#watch);
  }

  /** Called once per poll: gives up a watcher that drowns in events. */
  tick(): void {
    if (this.#events > MAX_EVENTS_PER_TICK) this.#drop();
    this.#events = 0;
  }

  /** Starts over, for a directory that was replaced. */
  rearm(): void {
    this.#drop();
    this.arm();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
    await Promise.all(this.#pumps);
  }

  #follow(watch: DirectoryWatch): void {
    const pump = watch.ended.then((error) => {
      this.#pumps.delete(pump);
      if (this.#watch !== watch) return;
      this.#watch = null;
      if (error !== null) this.#trouble.failed(error);
    });
    this.#pumps.add(pump);
  }

  #drop(): void {
    const watch = this.#watch;
    this.#watch = null;
    watch?.close();
  }
}
