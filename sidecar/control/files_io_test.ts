import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Seen } from "../../tests/support/seen.ts";
import { baseOf, denoFilesIo as io, type FileChange, parentOf } from "./files_io.ts";

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function text(path: string): Promise<string | null> {
  const bytes = await io.read(path);
  return bytes && new TextDecoder().decode(bytes);
}

Deno.test("denoFilesIo writes a private file into a private directory that it makes", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/a/b/file.json`;
    await io.writeAtomically(path, "one");
    await io.writeAtomically(path, "two");
    assertEquals(await text(path), "two");
    assertEquals(await io.list(`${directory}/a/b`), [{ name: "file.json", isFile: true }]);
    if (Deno.build.os === "windows") return;
    const modes = [path, `${directory}/a/b`].map((each) => (Deno.statSync(each).mode ?? 0) & 0o777);
    assertEquals(modes, [0o600, 0o700]);
  });
});

Deno.test("denoFilesIo gives a rewritten file another stamp, even of equal size", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/file.json`;
    await io.writeAtomically(path, "one");
    const before = await io.stat(path);
    await io.writeAtomically(path, "two");
    const after = await io.stat(path);
    assertEquals([before?.size, after?.size], [3, 3]);
    assert(before?.inode !== after?.inode || before?.mtimeMs !== after?.mtimeMs);
  });
});

Deno.test("denoFilesIo leaves neither a half file nor a temporary one when a write fails", async () => {
  await inDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/taken`);
    await assertRejects(() => io.writeAtomically(`${directory}/taken`, "text"));
    assertEquals(await io.list(directory), [{ name: "taken", isFile: false }]);
  });
});

Deno.test("denoFilesIo answers null for what is absent and removes it without complaint", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/none`;
    assertEquals([await io.list(path), await io.stat(path), await io.read(path)], [
      null,
      null,
      null,
    ]);
    await io.remove(path);
    assertThrows(() => io.watch(path, () => {}));
  });
});

Deno.test("denoFilesIo tells what is written and removed in a watched directory, and its own end", async () => {
  await inDirectory(async (parent) => {
    const directory = `${parent}/watched`;
    await io.ensureDirectory(directory);
    const seen = new Seen<FileChange>();
    const watch = io.watch(directory, seen.add);
    const told = (kind: FileChange["kind"], name: string) =>
      seen.until((change) => change.kind === kind && change.name === name);
    const written = told("changed", "a.json");
    await io.writeAtomically(`${directory}/a.json`, "{}");
    await written;
    const removed = told("removed", "a.json");
    await io.remove(`${directory}/a.json`);
    await removed;
    const gone = told("removed", "");
    await Deno.remove(directory);
    await gone;
    watch.close();
    watch.close();
    assertEquals(await watch.ended, null);
  });
});

Deno.test("parentOf and baseOf split a path at its last separator", () => {
  const paths = ["/a/b.yaml", "b.yaml", "/b.yaml", "./x/b.yaml", "C:\\x\\b.yaml"];
  assertEquals(paths.map(parentOf), ["/a", ".", "/", "./x", "C:\\x"]);
  assertEquals(new Set(paths.map(baseOf)), new Set(["b.yaml"]));
});
