// What the files of a registry directory say right now: which are alive, and which endpoints that makes.
import type { Endpoint } from "../../snapshot/snapshot.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Clock } from "../../lib/clock.ts";
import type { FileEntry, FilesIo, FileStamp } from "../files_io.ts";
import { endpointOf, isSameEndpoint, NO_ENDPOINTS, settleEndpoints } from "./endpoints.ts";
import { keyIn, MAX_FILE_BYTES, type ParsedFile, parseFile } from "./instance_file.ts";
import { inLanes } from "./lanes.ts";
import { Pulse } from "./pulse.ts";

export interface DirectoryViewOptions {
  readonly directory: string;
  readonly io: FilesIo;
  readonly clock: Clock;
  readonly log: Logger;
  /** Silence after which an instance is dead. */
  readonly staleMs: number;
  /** How often `look` is normally called; a longer gap does not count as silence. */
  readonly pollMs: number;
  /** A file seen to beat is spared while its next beat is more than a poll away. */
  readonly heartbeatMs: number;
}

interface TrackedFile {
  stamp: FileStamp;
  readonly pulse: Pulse;
  /** Null until the file once said something we understood. */
  endpoint: Endpoint | null;
  isTouched: boolean;
  /** The directory itself vanished: until it is heard of again, absence counts as silence, not as a farewell. */
  isOrphan: boolean;
}

interface ServiceFiles {
  readonly files: Map<string, TrackedFile>;
  endpoints: readonly Endpoint[];
}

/** Remembers between looks what each file said. Owns no timer; its owner never calls `look` twice at once. */
export class DirectoryView {
  readonly #options: DirectoryViewOptions;
  readonly #services = new Map<string, ServiceFiles>();
  #warned = new Set<string>();
  #lastLook: number | null = null;

  constructor(options: DirectoryViewOptions) {
    this.#options = options;
  }

  /** The same array until something changes; null while the answer is not known. */
  endpointsOf(key: string): readonly Endpoint[] | null {
    return this.#services.get(key)?.endpoints ?? null;
  }

  /** Something happened to this file: the next look does not spare it. */
  touch(name: string): void {
    const key = keyIn(name) ?? "";
    const file = this.#services.get(key)?.files.get(name);
    if (file !== undefined) file.isTouched = true;
  }

  /** Whether the last look saw this file. */
  knows(name: string): boolean {
    const key = keyIn(name);
    return key !== null && this.#services.get(key)?.files.get(name)?.isOrphan === false;
  }

  /**
   * Looks at the files of these services; only changed ones are read. "gone": the directory had vanished and was made
   * again. Throws what the file system throws; then every answer stays as it was.
   */
  async look(wanted: ReadonlySet<string>): Promise<"seen" | "gone"> {
    const { io, directory } = this.#options;
    const silentMs = this.#sinceLastLook();
    const listed = await io.list(directory);
    if (listed === null) await this.#bury();
    const present = this.#present(listed ?? [], wanted);
    const names = [...present.values()].flatMap((set) => [...set]);
    await inLanes(names, async (name) => {
      if (!await this.#lookAt(name, silentMs)) present.get(keyIn(name) ?? "")?.delete(name);
    });
    for (const [key, seen] of present) this.#conclude(key, seen, silentMs);
    return listed === null ? "gone" : "seen";
  }

  #sinceLastLook(): number {
    const { clock, pollMs } = this.#options;
    const now = clock.now();
    const elapsed = this.#lastLook === null ? 0 : now - this.#lastLook;
    this.#lastLook = now;
    return Math.min(elapsed, 2 * pollMs);
  }

  async #bury(): Promise<void> {
    for (const { files } of this.#services.values()) {
      for (const file of files.values()) file.isOrphan = true;
    }
    await this.#options.io.ensureDirectory(this.#options.directory);
  }

  /** The names there are of each wanted service; services no longer wanted are forgotten. */
  #present(listed: readonly FileEntry[], wanted: ReadonlySet<string>): Map<string, Set<string>> {
    for (const key of this.#services.keys()) if (!wanted.has(key)) this.#services.delete(key);
    const present = new Map([...wanted].map((key) => [key, new Set<string>()]));
    for (const key of wanted) this.#service(key);
    const strange = new Set<string>();
    for (const { name, isFile } of listed) {
      const key = keyIn(name);
      const isForeign = key === null && !name.startsWith(".");
      if (isForeign || (!isFile && key !== null)) strange.add(name);
      else if (key !== null) present.get(key)?.add(name);
    }
    this.#forgetWarnings(listed);
    for (const name of strange) this.#warn(name, "not a file of a registry");
    return present;
  }

  #service(key: string): ServiceFiles {
    const known = this.#services.get(key);
    if (known !== undefined) return known;
    const service = { files: new Map<string, TrackedFile>(), endpoints: NO_ENDPOINTS };
    this.#services.set(key, service);
    return service;
  }

  /** False: the file went away meanwhile. */
  async #lookAt(name: string, silentMs: number): Promise<boolean> {
    const { files } = this.#service(keyIn(name) ?? "");
    const known = files.get(name);
    if (known !== undefined && this.#isResting(known, silentMs)) return true;
    try {
      const stamp = await this.#options.io.stat(this.#path(name));
      if (stamp === null) return false;
      if (known === undefined) return await this.#meet(name, files, stamp);
      known.isOrphan = false;
      known.isTouched = false;
      if (isSameStamp(known.stamp, stamp)) known.pulse.pass(silentMs);
      else await this.#reread(name, known, stamp, silentMs);
    } catch (error) {
      this.#warn(name, error instanceof Error ? error.message : String(error));
    }
    return true;
  }

  /** Spares a stat to most files at most looks; it counts as silence, which the next beat ends. */
  #isResting(file: TrackedFile, silentMs: number): boolean {
    const { heartbeatMs, pollMs } = this.#options;
    if (file.isOrphan || file.isTouched) return false;
    if (!file.pulse.isAlive(heartbeatMs - pollMs - silentMs)) return false;
    file.pulse.pass(silentMs);
    return true;
  }

  async #meet(name: string, files: Map<string, TrackedFile>, stamp: FileStamp): Promise<boolean> {
    const parsed = await this.#read(name, stamp);
    if (parsed === null) return false;
    const age = parsed.ok ? this.#options.clock.epoch() - parsed.announcement.heartbeat : 0;
    const endpoint = parsed.ok ? endpointOf(parsed.announcement.instance) : null;
    files.set(name, { stamp, pulse: new Pulse(age), endpoint, isTouched: false, isOrphan: false });
    return true;
  }

  /** What cannot be understood counts as silence: the last good answer ages out. */
  async #reread(name: string, known: TrackedFile, stamp: FileStamp, silentMs: number) {
    const parsed = await this.#read(name, stamp);
    if (parsed === null) return known.pulse.pass(silentMs);
    known.stamp = stamp;
    if (!parsed.ok) return known.pulse.pass(silentMs);
    known.pulse.beat();
    const endpoint = endpointOf(parsed.announcement.instance);
    if (!isSameEndpoint(endpoint, known.endpoint)) known.endpoint = endpoint;
  }

  async #read(name: string, stamp: FileStamp): Promise<ParsedFile | null> {
    if (stamp.size > MAX_FILE_BYTES) return this.#refuse(name, `more than ${MAX_FILE_BYTES} bytes`);
    const bytes = await this.#options.io.read(this.#path(name));
    if (bytes === null) return null;
    const parsed = parseFile(bytes, name);
    if (parsed.ok) this.#warned.delete(name);
    return parsed.ok ? parsed : this.#refuse(name, parsed.reason);
  }

  #conclude(key: string, seen: ReadonlySet<string>, silentMs: number): void {
    const service = this.#services.get(key);
    if (service === undefined) return;
    const alive: Endpoint[] = [];
    for (const [name, file] of service.files) {
      if (!seen.has(name) && !this.#mourn(file, silentMs)) service.files.delete(name);
      else if (file.endpoint !== null && this.#isAlive(file)) alive.push(file.endpoint);
    }
    service.endpoints = settleEndpoints(alive, service.endpoints);
  }

  /** Whether an absent file is to be kept. */
  #mourn(file: TrackedFile, silentMs: number): boolean {
    if (file.isOrphan) file.pulse.pass(silentMs);
    return file.isOrphan && this.#isAlive(file);
  }

  #isAlive(file: TrackedFile): boolean {
    return file.pulse.isAlive(this.#options.staleMs);
  }

  #refuse(name: string, reason: string): ParsedFile {
    this.#warn(name, reason);
    return { ok: false, reason };
  }

  #warn(name: string, reason: string): void {
    if (this.#warned.has(name)) return;
    this.#warned.add(name);
    const { log, directory } = this.#options;
    log.warn("a file in the registry directory is ignored", { directory, file: name, reason });
  }

  #forgetWarnings(listed: readonly FileEntry[]): void {
    if (this.#warned.size === 0) return;
    const names = new Set(listed.map((entry) => entry.name));
    this.#warned = new Set([...this.#warned].filter((name) => names.has(name)));
  }

  #path(name: string): string {
    return `${this.#options.directory}/${name}`;
  }
}

function isSameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.mtimeMs === b.mtimeMs && a.size === b.size && a.inode === b.inode;
}
