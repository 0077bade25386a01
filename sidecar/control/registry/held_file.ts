// The file of one instance that this process announces: written, kept beating, given up to a newer holder, withdrawn.
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { FilesIo } from "../files_io.ts";
import { LatestRun } from "../latest_run.ts";
import { Trouble } from "../trouble.ts";
import {
  type Announcement,
  fileNameOf,
  MAX_FILE_BYTES,
  parseFile,
  serialize,
} from "./instance_file.ts";
import { Pulse } from "./pulse.ts";
import type { Instance } from "./registry.ts";

export interface HeldFileOptions {
  readonly directory: string;
  readonly io: FilesIo;
  readonly clock: Clock;
  readonly log: Logger;
  readonly heartbeatMs: number;
  readonly staleMs: number;
  /** Tells this process from any other that ever ran. */
  readonly nonce: string;
}

/** A character is three bytes at most in UTF-8, and numbers may grow. */
const MAX_TEXT_CHARS = MAX_FILE_BYTES / 4;

/** Another process that writes the same file. */
interface Rival {
  readonly announcement: Announcement;
  readonly pulse: Pulse;
}

/**
 * holding --newer live rival--> yielding --rival gone or dead--> holding; both --stop--> stopped.
 * A holder rewrites the file at each beat; a yielding one only looks.
 */
type State = "holding" | "yielding" | "stopped";

/** The heartbeat of one file. No method throws: what fails is logged once and tried again at the next beat. */
export class HeldFile {
  readonly name: string;
  readonly #instance: Instance;
  readonly #options: HeldFileOptions;
  readonly #path: string;
  readonly #trouble: Trouble;
  readonly #beats = new LatestRun(() => this.#beat());
  #state: State = "holding";
  #since: number | null = null;
  #sequence = 0;
  #rival: Rival | null = null;
  #timer: Disposable | null = null;
  #withdrawal: Promise<void> | null = null;

  /** Throws RangeError when the instance does not fit in a file others would read. */
  constructor(instance: Instance, options: HeldFileOptions) {
    this.name = fileNameOf(instance.service, instance.id);
    this.#instance = instance;
    this.#options = options;
    this.#path = `${options.directory}/${this.name}`;
    this.#trouble = new Trouble(options.log, "writing to the registry directory", {
      file: this.#path,
    });
    if (this.#text().length > MAX_TEXT_CHARS) {
      throw new RangeError(`instance ${instance.id}: its tags and meta are too large to announce`);
    }
  }

  /** Resolves after the first write, whether or not it worked. */
  async start(): Promise<void> {
    if (this.#state === "stopped") return;
    const { clock, heartbeatMs } = this.#options;
    this.#timer = clock.every(heartbeatMs, () => void this.#beats.run());
    await this.#beats.run();
  }

  /** Ends the heartbeat and leaves the file to age, or to the next registration of the same id. */
  async stop(): Promise<void> {
    await this.#halt();
    await this.#withdrawal;
  }

  /** Ends the heartbeat and removes the file, unless it has become somebody else's. */
  withdraw(): Promise<void> {
    this.#withdrawal ??= this.#remove();
    return this.#withdrawal;
  }

  async #halt(): Promise<void> {
    this.#state = "stopped";
    this.#timer?.[Symbol.dispose]();
    await this.#beats.idle();
  }

  async #remove(): Promise<void> {
    await this.#halt();
    const { io, log, nonce } = this.#options;
    try {
      const found = await this.#read();
      if (found?.nonce === nonce) await io.remove(this.#path);
    } catch (error) {
      const file = this.#path;
      log.error("an instance could not be taken out of the registry", { file, error });
    }
  }

  async #beat(): Promise<void> {
    if (this.#state === "stopped") return;
    try {
      const found = await this.#read();
      if (found !== null && found.nonce !== this.#options.nonce) this.#meet(found);
      else this.#rival = null;
      if (!this.#mayWrite()) return;
      this.#since ??= this.#newest();
      await this.#options.io.writeAtomically(this.#path, this.#text());
      this.#sequence++;
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }

  /** A moment later than that of whoever held the id before, even if clocks went back. */
  #newest(): number {
    return Math.max(this.#options.clock.epoch(), (this.#rival?.announcement.since ?? 0) + 1);
  }

  /** Takes note of the other process whose announcement stands in our file. */
  #meet(found: Announcement): void {
    const { clock, heartbeatMs } = this.#options;
    const known = this.#rival;
    if (known?.announcement.nonce !== found.nonce) {
      this.#rival = { announcement: found, pulse: new Pulse(clock.epoch() - found.heartbeat) };
      if (this.#since === null && this.#isRivalAlive()) {
        this.#complain("this instance id is held by another live process and is taken over", found);
      }
      return;
    }
    if (known.announcement.sequence === found.sequence) known.pulse.pass(heartbeatMs);
    else known.pulse.beat();
    this.#rival = { announcement: found, pulse: known.pulse };
  }

  /** Who came later holds the id; the earlier one yields as long as the other lives. */
  #mayWrite(): boolean {
    const mustYield = this.#since !== null && this.#rival !== null && this.#isRivalAlive() &&
      this.#isNewer(this.#rival.announcement, this.#since);
    if (mustYield && this.#state === "holding") {
      this.#state = "yielding";
      const rival = this.#rival?.announcement;
      this.#complain("this instance id was taken over by a newer process", rival);
    } else if (!mustYield && this.#state === "yielding") {
      this.#state = "holding";
      this.#since = null;
      this.#options.log.info("this instance id is ours again", { file: this.#path });
    }
    return this.#state === "holding";
  }

  #isNewer(other: Announcement, since: number): boolean {
    return other.since === since ? other.nonce > this.#options.nonce : other.since > since;
  }

  #isRivalAlive(): boolean {
    return this.#rival?.pulse.isAlive(this.#options.staleMs) === true;
  }

  #complain(message: string, theirs: Announcement | undefined): void {
    this.#options.log.error(message, {
      instance: this.#instance.id,
      service: this.#instance.service,
      ours: `pid ${this.#options.io.pid} at ${addressOf(this.#instance)}`,
      theirs: theirs && `pid ${theirs.pid} at ${addressOf(theirs.instance)}`,
    });
  }

  /** Null: absent, or nothing that deserves respect. */
  async #read(): Promise<Announcement | null> {
    const { io } = this.#options;
    const stamp = await io.stat(this.#path);
    if (stamp === null || stamp.size > MAX_FILE_BYTES) return null;
    const bytes = await io.read(this.#path);
    const parsed = bytes === null ? null : parseFile(bytes, this.name);
    return parsed?.ok ? parsed.announcement : null;
  }

  #text(): string {
    const { io, clock, nonce } = this.#options;
    return serialize({
      instance: this.#instance,
      pid: io.pid,
      nonce,
      since: this.#since ?? 0,
      heartbeat: clock.epoch(),
      sequence: this.#sequence,
    });
  }
}

function addressOf({ host, port }: Instance): string {
  return `${host}:${port}`;
}
