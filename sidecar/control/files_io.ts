// The one place where control touches the file system. What the files mean is the caller's business.

export interface FileEntry {
  readonly name: string;
  /** False for directories, links, pipes and devices. */
  readonly isFile: boolean;
}

/** What changes when a file is rewritten. `inode` is 0 where the system has none. */
export interface FileStamp {
  readonly mtimeMs: number;
  readonly size: number;
  readonly inode: number;
}

/** `name` is in the watched directory; "" is the directory itself. "overflow": events were lost. */
export interface FileChange {
  readonly kind: "changed" | "removed" | "overflow";
  readonly name: string;
}

/** A running watch. `ended` never rejects: it says why the watch ended, null after close(). */
export interface DirectoryWatch {
  readonly ended: Promise<Error | null>;
  close(): void;
}

/** What control does with files. Absence is a value; everything else that fails is thrown. */
export interface FilesIo {
  /** The process, as files name it. */
  readonly pid: number;
  ensureDirectory(directory: string): Promise<void>;
  /** Null: there is no such directory. */
  list(directory: string): Promise<readonly FileEntry[] | null>;
  /** Null: there is no such file. Follows links. */
  stat(path: string): Promise<FileStamp | null>;
  /** The whole file; null: there is none. Ask `stat` for the size first. */
  read(path: string): Promise<Uint8Array<ArrayBuffer> | null>;
  /** A reader sees the old file or the new one, never a part. Creates the directory when it is missing. */
  writeAtomically(path: string, text: string): Promise<void>;
  /** Absent already is fine. */
  remove(path: string): Promise<void>;
  /** Throws when the directory cannot be watched. Events may be late, doubled or lost: poll as well. */
  watch(directory: string, listener: (change: FileChange) => void): DirectoryWatch;
}

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/** The machine's own file system. */
export const denoFilesIo: FilesIo = {
  pid: Deno.pid,
  ensureDirectory,
  list: (directory) => orNull(async () => await listEntries(directory)),
  stat: (path) => orNull(async () => stampOf(await Deno.stat(path))),
  read: (path) => orNull(async () => await Deno.readFile(path)),
  async writeAtomically(path, text) {
    if (await orNull(() => replaceFile(path, text)) !== null) return;
    await ensureDirectory(parentOf(path));
    await replaceFile(path, text);
  },
  async remove(path) {
    await orNull(() => Deno.remove(path));
  },
  watch: watchDirectory,
};

/** The directory that holds `path`. */
export function parentOf(path: string): string {
  const cut = lastSeparator(path);
  return cut < 0 ? "." : cut === 0 ? path[0] ?? "/" : path.slice(0, cut);
}

/** The last part of `path`. */
export function baseOf(path: string): string {
  return path.slice(lastSeparator(path) + 1);
}

function lastSeparator(path: string): number {
  return Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
}

async function ensureDirectory(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
}

async function orNull<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function listEntries(directory: string): Promise<FileEntry[]> {
  const entries: FileEntry[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) entries.push({ name, isFile });
  return entries;
}

function stampOf(info: Deno.FileInfo): FileStamp {
  return { mtimeMs: info.mtime?.getTime() ?? 0, size: info.size, inode: info.ino ?? 0 };
}

async function replaceFile(path: string, text: string): Promise<true> {
  const token = crypto.randomUUID().slice(0, 8);
  const temporary = `${parentOf(path)}/.${baseOf(path)}.${token}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true, mode: PRIVATE_FILE });
    await Deno.rename(temporary, path);
    return true;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

function watchDirectory(
  directory: string,
  listener: (change: FileChange) => void,
): DirectoryWatch {
  const root = Deno.realPathSync(directory);
  const watcher = Deno.watchFs(root, { recursive: false });
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    watcher.close();
  };
  const pump = async () => {
    try {
      for await (const event of watcher) forward(event, root, listener);
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
  return { ended: pump(), close };
}

function forward(
  event: Deno.FsEvent,
  root: string,
  listener: (change: FileChange) => void,
): void {
  if (event.flag === "rescan") listener({ kind: "overflow", name: "" });
  if (event.kind === "access") return;
  const kind = event.kind === "remove" ? "removed" : "changed";
  for (const path of event.paths) listener({ kind, name: path === root ? "" : baseOf(path) });
}
