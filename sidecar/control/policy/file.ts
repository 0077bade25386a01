// A policy in a file that may be edited while we run.
import type { Policy } from "../../config/bootstrap.ts";
import type { ConfigError } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { ChangeFeed } from "../change_feed.ts";
import { baseOf, type FilesIo, parentOf } from "../files_io.ts";
import { LatestRun } from "../latest_run.ts";
import {
  fileError,
  isSameReading,
  readDocument,
  type Reading,
  refusalOf,
  revisionOf,
} from "./document.ts";
import type { PolicyListener, PolicySource } from "./source.ts";

export interface FilePolicySourceOptions {
  readonly path: string;
  /** Rejects with ConfigError for a document that does not validate, with any other error for one that cannot be put into force here. */
  readonly parse: (text: string, file: string) => Promise<Policy>;
  readonly io: FilesIo;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A reading that differs from what was reported, on probation until it has stayed the same for SETTLE_MS. */
interface Candidate {
  readonly reading: Reading;
  readonly seenAt: number;
}

/**
 * The file is read whole at each poll and compared as text: about a tenth of a millisecond, and no edit is missed however
 * coarse or wrong its time stamp is.
 */
const POLL_MS = 1000;
/** An editor that truncates and then writes shows an empty or half file meanwhile. */
const SETTLE_MS = 100;
/** Polls between two fresh watchers. */
const REARM_POLLS = 20;

/** Watches and polls one file; a change counts once two looks SETTLE_MS apart agree on it. */
export class FilePolicySource implements PolicySource {
  readonly #options: FilePolicySourceOptions;
  readonly #feed: ChangeFeed;
  readonly #checks = new LatestRun(() => this.#check());
  #listener: PolicyListener | null = null;
  #reported: Reading | null = null;
  #candidate: Candidate | null = null;
  #inForce: string | null = null;
  #poll: Disposable | null = null;
  #probation: Disposable | null = null;
  #polls = 0;

  constructor(options: FilePolicySourceOptions) {
    const { path, io, log } = options;
    const name = baseOf(path);
    this.#options = options;
    this.#feed = new ChangeFeed({
      directory: parentOf(path),
      io,
      log,
      onChange: (change) => {
        if (change.name === name || change.kind === "overflow") void this.#checks.run();
      },
    });
  }

  async start(listener: PolicyListener): Promise<void> {
    this.#listener = listener;
    this.#feed.arm();
    this.#poll = this.#options.clock.every(POLL_MS, () => this.#onPoll());
    await this.#checks.run();
  }

  async close(): Promise<void> {
    this.#listener = null;
    this.#poll?.[Symbol.dispose]();
    this.#probation?.[Symbol.dispose]();
    await Promise.all([this.#feed.close(), this.#checks.idle()]);
  }

  #onPoll(): void {
    this.#feed.tick();
    if (++this.#polls % REARM_POLLS === 0) this.#feed.rearm();
    void this.#checks.run();
  }

  async #check(): Promise<void> {
    if (this.#listener === null) return;
    const reading = await readDocument(this.#options.io, this.#options.path);
    if (isSameReading(reading, this.#reported)) this.#candidate = null;
    else if (this.#reported === null || this.#isSettled(reading)) await this.#take(reading);
  }

  /** False puts the reading on probation: it is looked at again when SETTLE_MS are over. */
  #isSettled(reading: Reading): boolean {
    const { clock } = this.#options;
    const now = clock.now();
    const candidate = this.#candidate;
    if (candidate !== null && isSameReading(reading, candidate.reading)) {
      if (now - candidate.seenAt >= SETTLE_MS) return true;
    } else this.#candidate = { reading, seenAt: now };
    this.#probation?.[Symbol.dispose]();
    if (this.#listener !== null) {
      this.#probation = clock.after(SETTLE_MS, () => void this.#checks.run());
    }
    return false;
  }

  async #take(reading: Reading): Promise<void> {
    this.#reported = reading;
    this.#candidate = null;
    if (reading.kind === "text") await this.#judge(reading.text, await revisionOf(reading.text));
    else this.#refuse(reading.kind, fileError(this.#options.path, this.#withConsequence(reading)));
  }

  async #judge(text: string, revision: string): Promise<void> {
    const { parse, path } = this.#options;
    let policy: Policy;
    try {
      policy = await parse(text, path);
    } catch (error) {
      return this.#refuse(revision, refusalOf(error, path));
    }
    this.#inForce = revision;
    this.#tell((listener) => listener.update({ revision, policy }));
  }

  #refuse(revision: string, error: ConfigError): void {
    this.#tell((listener) => listener.problem({ revision, error }));
  }

  #withConsequence(reading: Reading): string {
    return this.#inForce === null
      ? `${reading.text}; the policy defaults apply`
      : `${reading.text}; revision ${this.#inForce} stays in force`;
  }

  /** What a listener throws is its own bug and must not stop the source. */
  #tell(call: (listener: PolicyListener) => void): void {
    if (this.#listener === null) return;
    try {
      call(this.#listener);
    } catch (error) {
      this.#options.log.error("a listener of policy threw", { error });
    }
  }
}
