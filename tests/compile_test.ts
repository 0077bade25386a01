// What `deno task compile` promises, shown on a tiny program: however the one file is made, it behaves the same.
// The packed way is always tried; `deno compile` itself too where DENORT_BIN names a runtime.
import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { BuildError } from "../deploy/build/command.ts";
import { ROOT } from "../deploy/build/bundle.ts";
import { type BuildOptions, buildSidecar } from "../deploy/compile.ts";

const DIRECTORY = join(ROOT, "dist", ".cache", "compile_test");

const PROGRAM = `
const [command, ...rest] = Deno.args;
if (command === "--version") console.log("program 1.2.3");
if (command === "exit") Deno.exit(Number(rest[0]));
if (command === "arguments") console.log(JSON.stringify(rest));
if (command === "variable") console.log(Deno.env.get(rest[0] ?? ""));
if (command === "copy") await Deno.stdin.readable.pipeTo(Deno.stdout.writable);
if (command === "write") await Deno.writeTextFile(rest[0] ?? "", "written");
if (command === "wait") {
  Deno.addSignalListener("SIGTERM", () => Deno.exit(7));
  console.log(Deno.pid);
  setInterval(() => {}, 1000);
}
`;

interface Start {
  readonly args: readonly string[];
  readonly cache?: string;
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
}

let sharedCache = "";
const temporary: string[] = [];

function temporaryDirectory(): string {
  const path = Deno.makeTempDirSync({ prefix: "compile_test_" });
  temporary.push(path);
  return path;
}

Deno.test.beforeAll(() => {
  sharedCache = temporaryDirectory();
});

Deno.test.afterAll(() => {
  for (const path of temporary) Deno.removeSync(path, { recursive: true });
});

async function build(method: "packed" | "compiled"): Promise<string> {
  await Deno.mkdir(DIRECTORY, { recursive: true });
  const entry = join(DIRECTORY, "main.ts");
  await Deno.writeTextFile(entry, PROGRAM);
  return await buildSidecar({ entry, output: join(DIRECTORY, method), method, log: () => {} });
}

function spawn(executable: string, start: Start): Deno.ChildProcess {
  const { args, cache = sharedCache, cwd = ROOT, env = {} } = start;
  return new Deno.Command(executable, {
    args: [...args],
    cwd,
    env: { XDG_CACHE_HOME: cache, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(executable: string, start: Start) {
  const child = spawn(executable, start);
  const input = new Blob([start.stdin ?? ""]).stream();
  await input.pipeTo(child.stdin).catch(() => {}); // a program that does not read may be gone by now
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function behavesLikeOneProgram(method: "packed" | "compiled"): void {
  Deno.test(`a ${method} sidecar forwards arguments, standard input and the exit code`, async () => {
    const executable = await build(method);
    const words = ["-A", "two words", "", "it's", "*", "--help"];
    assertEquals((await run(executable, { args: ["--version"] })).stdout, "program 1.2.3\n");
    assertEquals((await run(executable, { args: ["exit", "65"] })).code, 65);
    const echoed = await run(executable, { args: ["arguments", ...words] });
    assertEquals(JSON.parse(echoed.stdout), words);
    const copied = await run(executable, { args: ["copy"], stdin: "a\0b\n" });
    assertEquals(copied.stdout, "a\0b\n");
  });

  Deno.test(`a ${method} sidecar is the process that was started, so signals reach it`, async () => {
    const child = spawn(await build(method), { args: ["wait"] });
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assertEquals((await reader.read()).value, `${child.pid}\n`);
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 7);
    await Promise.all([reader.cancel(), child.stdin.close(), child.stderr.cancel()]);
  });

  Deno.test(`a ${method} sidecar writes below .mesh of its working directory and nowhere else`, async () => {
    const executable = await build(method);
    const cwd = temporaryDirectory();
    const elsewhere = temporaryDirectory();
    for (const directory of [cwd, elsewhere]) await Deno.mkdir(join(directory, ".mesh"));
    assertEquals((await run(executable, { args: ["write", ".mesh/a"], cwd })).code, 0);
    for (const path of ["a", "../a", join(elsewhere, ".mesh", "a")]) {
      const refused = await run(executable, { args: ["write", path], cwd });
      assertEquals(refused.code, 1, path);
      assertStringIncludes(refused.stderr, "NotCapable");
    }
  });

  Deno.test(`a ${method} sidecar is not steered by DENO_* variables but still has them`, async () => {
    const env = { DENO_DIR: "/some where/else", DENO_V8_FLAGS: "--no-such-flag" };
    for (const [name, value] of Object.entries(env)) {
      const start = { args: ["variable", name], env };
      assertEquals((await run(await build(method), start)).stdout, `${value}\n`);
    }
  });
}

behavesLikeOneProgram("packed");
if (Deno.env.has("DENORT_BIN")) behavesLikeOneProgram("compiled");

Deno.test("a packed sidecar that many start at once for the first time starts for each of them", async () => {
  const executable = await build("packed");
  const cache = temporaryDirectory();
  const starts = Array.from({ length: 5 }, () => run(executable, { args: ["--version"], cache }));
  for (const { stdout, stderr, code } of await Promise.all(starts)) {
    assertEquals({ stdout, stderr, code }, { stdout: "program 1.2.3\n", stderr: "", code: 0 });
  }
  const left = [...Deno.readDirSync(join(cache, "sidecar"))].map((entry) => entry.name);
  assertEquals(left.map((name) => name.split("-")[0]).sort(), ["program", "runtime"]);
});

async function assertRefused(cache: string, code: number, reason: string): Promise<void> {
  const refused = await run(await build("packed"), { args: ["--version"], cache });
  assertEquals({ code: refused.code, stdout: refused.stdout }, { code, stdout: "" });
  assertStringIncludes(refused.stderr, reason);
}

Deno.test("a packed sidecar refuses a cache that somebody else may write", async () => {
  const cache = temporaryDirectory();
  await Deno.mkdir(join(cache, "sidecar"));
  for (const mode of [0o770, 0o707, 0o777]) {
    await Deno.chmod(join(cache, "sidecar"), mode);
    await assertRefused(cache, 77, "refusing the cache");
  }
});

Deno.test({
  name: "a packed sidecar refuses a cache that belongs to somebody else (only root can show it)",
  ignore: Deno.uid() !== 0,
  async fn() {
    const cache = temporaryDirectory();
    await Deno.mkdir(join(cache, "sidecar"), { mode: 0o700 });
    await Deno.chown(join(cache, "sidecar"), 65534, 65534);
    await assertRefused(cache, 77, "refusing the cache");
  },
});

Deno.test("a packed sidecar refuses a cache that is a link to another place", async () => {
  const cache = temporaryDirectory();
  // Not Deno.symlink: that asks for permission to write everywhere.
  await new Deno.Command("ln", { args: ["-s", temporaryDirectory(), join(cache, "sidecar")] })
    .output();
  await assertRefused(cache, 77, "refusing the cache");
});

Deno.test("a packed sidecar says that its cache cannot be written", async () => {
  await assertRefused("/proc/self/no-such-directory", 73, "cannot write the cache");
});

Deno.test("a packed sidecar that was cut short is not unpacked", async () => {
  const whole = await Deno.readFile(await build("packed"));
  const executable = join(temporaryDirectory(), "sidecar");
  await Deno.writeFile(executable, whole.subarray(0, whole.length - 1), { mode: 0o755 });
  const cache = temporaryDirectory();
  const refused = await run(executable, { args: ["--version"], cache });
  assertEquals(refused.code, 65);
  assertStringIncludes(refused.stderr, "damaged");
  assertEquals([...Deno.readDirSync(join(cache, "sidecar"))], []);
});

Deno.test("a packed sidecar whose unpacked program was cleaned away unpacks it again", async () => {
  const executable = await build("packed");
  const cache = temporaryDirectory();
  await run(executable, { args: ["--version"], cache });
  for (const entry of Deno.readDirSync(join(cache, "sidecar"))) {
    if (entry.name.startsWith("program")) {
      await Deno.remove(join(cache, "sidecar", entry.name, "lib", "main.mjs"));
    }
  }
  assertEquals((await run(executable, { args: ["--version"], cache })).stdout, "program 1.2.3\n");
});

Deno.test("buildSidecar leaves an unchanged executable alone and remakes a changed one", async () => {
  const entry = join(temporaryDirectory(), "main.ts");
  await Deno.writeTextFile(entry, `console.log("first");`);
  const output = join(temporaryDirectory(), "sidecar");
  const options: BuildOptions = { entry, output, method: "packed", log: () => {} };
  const made = async () => (await Deno.stat(await buildSidecar(options))).ino;
  const first = await made();
  assertEquals(await made(), first);
  await Deno.writeTextFile(entry, `console.log("second");`);
  assertNotEquals(await made(), first);
});

Deno.test("buildSidecar names an entry that does not exist and a directory it cannot permit", async () => {
  const log = () => {};
  await assertRejects(() => buildSidecar({ entry: "no/such.ts", log }), BuildError, "no/such.ts");
  await assertRejects(() => buildSidecar({ write: ["a,b"], log }), BuildError, "a,b");
});
