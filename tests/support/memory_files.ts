// A file system in memory that several pretended processes share, with failures on demand and a count of its use.
import type {
  DirectoryWatch,
  FileChange,
  FileEntry,
  FilesIo,
  FileStamp,
} from "../../sidecar/control/files_io.ts";
import { baseOf, parentOf } from "../../sidecar/control/files_io.ts";
import type { Clock } from "../../sidecar/lib/clock.ts";

interface MemoryFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly stamp: FileStamp;
  readonly isFile: boolean;
}

interface MemoryWatch {
  readonly directory: string;
  readonly listener: (change: FileChange) => void;
  readonly end: (error: Error | null) => void;
}

export type FileOperation = "ensure" | "list" | "stat" | "read" | "write" | "remove" | "watch";

/** Changes reach watchers at once unless `isMute`; an operation in `failures` throws what stands there. */
export class MemoryFiles {
  readonly failures = new Map<FileOperation, Error>();
  readonly counts = new Map<FileOperation, number>();
  isMute = false;
  readonly #clock: Clock;
  readonly #files = new Map<string, MemoryFile>();
  readonly #directories = new Set<string>();
  readonly #watches = new Set<MemoryWatch>();
  #inode = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get watches(): number {
    return this.#watches.size;
  }

  /** The disk as the process `pid` sees it. */
  io(pid: number): FilesIo {
    return {
      pid,
      ensureDirectory: (directory) =>
        this.#do("ensure", () => void this.#directories.add(directory)),
      list: (directory) => this.#do("list", () => this.#list(directory)),
      stat: (path) => this.#do("stat", () => this.#files.get(path)?.stamp ?? null),
      read: (path) => this.#do("read", () => this.#files.get(path)?.bytes ?? null),
      writeAtomically: (path, text) =>
        this.#do("write", () => {
          this.#directories.add(parentOf(path));
          this.put(path, text);
        }),
      remove: (path) => this.#do("remove", () => this.delete(path)),
      watch: (directory, listener) => this.#watch(directory, listener),
    };
  }

  names(directory: string): string[] {
    return (this.#list(directory) ?? []).map((entry) => entry.name).sort();
  }

  text(path: string): string | undefined {
    const file = this.#files.get(path);
    return file && new TextDecoder().decode(file.bytes);
  }

  /** Somebody writes a file; `isFile: false` makes it a link. */
  put(path: string, content: string | Uint8Array<ArrayBuffer>, isFile = true): void {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const stamp = { mtimeMs: this.#clock.epoch(), size: bytes.length, inode: ++this.#inode };
    this.#files.set(path, { bytes, stamp, isFile });
    this.#directories.add(parentOf(path));
    this.#tell(parentOf(path), { kind: "changed", name: baseOf(path) });
  }

  delete(path: string): void {
    if (!this.#files.delete(path)) return;
    this.#tell(parentOf(path), { kind: "removed", name: baseOf(path) });
  }

  /** Removes a directory and what it holds, silently but for the directory's own end. */
  deleteDirectory(directory: string): void {
    this.#directories.delete(directory);
    for (const path of this.#files.keys()) {
      if (parentOf(path) === directory) this.#files.delete(path);
    }
    this.#tell(directory, { kind: "removed", name: "" });
  }

  endWatches(error: Error | null): void {
    for (const watch of this.#watches) watch.end(error);
    this.#watches.clear();
  }

  async #do<T>(operation: FileOperation, run: () => T): Promise<T> {
    this.#count(operation);
    await Promise.resolve();
    const failure = this.failures.get(operation);
    if (failure !== undefined) throw failure;
    return run();
  }

  #count(operation: FileOperation): void {
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1);
  }

  #list(directory: string): FileEntry[] | null {
    if (!this.#directories.has(directory)) return null;
    return [...this.#files]
      .filter(([path]) => parentOf(path) === directory)
      .map(([path, { isFile }]) => ({ name: baseOf(path), isFile }));
  }

  #watch(directory: string, listener: (change: FileChange) => void): DirectoryWatch {
    this.#count("watch");
    const failure = this.failures.get("watch");
    if (failure !== undefined) throw failure;
    if (!this.#directories.has(directory)) throw new Error(`no directory ${directory}`);
    const { promise, resolve } = Promise.withResolvers<Error | null>();
    const watch = { directory, listener, end: resolve };
    this.#watches.add(watch);
    const close = () => {
      this.#watches.delete(watch);
      resolve(null);
    };
    return { ended: promise, close };
  }

  #tell(directory: string, change: FileChange): void {
    if (this.isMute) return;
    for (const watch of [...this.#watches]) {
      if (watch.directory === directory) watch.listener(change);
    }
  }
}
