// The one place where identity touches the file system.

/** What an authority's directory needs. Absence is a value; everything else that fails is thrown. */
export interface IdentityFiles {
  /** Null: there is no such file. */
  read(path: string): Promise<string | null>;
  /** Changes when the file is rewritten; null: there is none. */
  stamp(path: string): Promise<string | null>;
  /** Whole or not at all, for this user alone; false when there is one already. Makes the directory. */
  create(path: string, text: string): Promise<boolean>;
  /** The same in place of what stands there. */
  replace(path: string, text: string): Promise<void>;
  /** Nothing happens where there is no such file. */
  remove(path: string): Promise<void>;
}

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/** The machine's own file system. */
export const identityFiles: IdentityFiles = {
  read: (path) => orNull(() => Deno.readTextFile(path)),
  stamp: (path) =>
    orNull(async () => {
      const { mtime, size, ino } = await Deno.stat(path);
      return `${mtime?.getTime()} ${size} ${ino}`;
    }),
  create: (path, text) => withTemporary(path, text, linkTo),
  replace: (path, text) => withTemporary(path, text, Deno.rename),
  remove: async (path) => void await orNull(() => Deno.remove(path)),
};

/** A file with all of `text`, which `place` puts where it belongs in one step. */
async function withTemporary<T>(
  path: string,
  text: string,
  place: (temporary: string, path: string) => Promise<T>,
): Promise<T> {
  const directory = path.slice(0, path.lastIndexOf("/") + 1) || ".";
  await Deno.mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY });
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text, { createNew: true, mode: PRIVATE_FILE });
    return await place(temporary, path);
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

/** A link fails where one stands already: the first of many at once wins. */
async function linkTo(temporary: string, path: string): Promise<boolean> {
  try {
    await Deno.link(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

async function orNull<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
