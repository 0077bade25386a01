// A directory of one test: the working directory of its sidecars, with their registry in it.
import { join } from "node:path";

export class Workspace implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "mesh_test_" });

  async write(name: string, text: string): Promise<void> {
    // Written whole or not at all, as an editor or a deployment does it.
    await Deno.writeTextFile(join(this.path, `${name}.new`), text);
    await Deno.rename(join(this.path, `${name}.new`), join(this.path, name));
  }

  /** Names of the files in the registry. */
  async registered(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(join(this.path, ".mesh", "registry"))) {
        names.push(name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
