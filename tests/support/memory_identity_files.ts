// The files of an identity in memory; every write is a new stamp.
import type { IdentityFiles } from "../../sidecar/identity/files_io.ts";

export class MemoryIdentityFiles implements IdentityFiles {
  readonly texts = new Map<string, string>();
  readonly #stamps = new Map<string, string>();
  #writes = 0;
  /** Called between what a reader does, as another process would come in between. */
  onRead: (path: string) => void = () => {};

  write(path: string, text: string): void {
    this.texts.set(path, text);
    this.#stamps.set(path, `${++this.#writes}`);
  }

  read(path: string): Promise<string | null> {
    const text = this.texts.get(path) ?? null;
    this.onRead(path);
    return Promise.resolve(text);
  }

  stamp(path: string): Promise<string | null> {
    return Promise.resolve(this.#stamps.get(path) ?? null);
  }

  create(path: string, text: string): Promise<boolean> {
    if (this.texts.has(path)) return Promise.resolve(false);
    this.write(path, text);
    return Promise.resolve(true);
  }

  replace(path: string, text: string): Promise<void> {
    this.write(path, text);
    return Promise.resolve();
  }

  remove(path: string): Promise<void> {
    this.texts.delete(path);
    this.#stamps.delete(path);
    return Promise.resolve();
  }
}
