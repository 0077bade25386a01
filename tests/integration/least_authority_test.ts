// The real sidecar, packed with a short list of permissions: what is outside of the list is refused, by a message that says so.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../../deploy/build/bundle.ts";
import { buildSidecar } from "../../deploy/compile.ts";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { RawApp } from "./support/raw_app.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const EXECUTABLE = join(ROOT, "dist", ".cache", "least_authority_test", "sidecar");
/** The only directory, beside those it may write, that the sidecar may read: relative to where it is started. */
const READABLE = "etc";

/** A sound configuration; each case bends one part of it. */
function documentOf(app: number) {
  const at = (port = freePort()) => `127.0.0.1:${port}`;
  return {
    service: { name: "a", app: { http: at(app), health: { interval: "200ms" } } },
    listeners: { inbound: at(), outbound: at(), admin: at(), health: at() },
    registry: { static: {} } as Record<string, unknown>,
    identity: { mode: "off" } as Record<string, unknown>,
    log: { format: "text" },
  };
}

/** Starts the packed sidecar in the workspace. */
async function start(
  workspace: Workspace,
  document: object,
  ...more: readonly string[]
): Promise<TestProcess> {
  await Deno.mkdir(join(workspace.path, READABLE), { recursive: true });
  await workspace.write(join(READABLE, "sidecar.json"), JSON.stringify(document));
  const args = ["run", "--config", `${READABLE}/sidecar.json`, ...more];
  return new TestProcess({ command: EXECUTABLE, args, cwd: workspace.path });
}

/** Waits for a line of its log with all of `parts`. */
function says(process: TestProcess, ...parts: readonly string[]): Promise<boolean> {
  const found = () => process.lines.some((line) => parts.every((part) => line.includes(part)));
  return until(parts.join(", "), () => {
    if (found()) return true;
    if (process.hasExited) assert(false, `ended: ${process.lines.join("\n")}`);
    return false;
  });
}

Deno.test("a sidecar packed with a list of permissions does its work within it, and is refused the rest by name", async (t) => {
  await buildSidecar({
    output: EXECUTABLE,
    method: "packed",
    read: [READABLE],
    net: ["127.0.0.1"],
    supervise: false,
    log: () => {},
  });
  await using workspace = new Workspace();
  await using app = new RawApp(({ wire }) => wire.write(answer("hello")));
  const outside = join(workspace.path, "outside");
  await Deno.mkdir(outside);
  await Deno.writeTextFile(join(outside, "file"), "{}");

  /** Runs to its end; the exit code and what it said. */
  const ending = async (document: object, ...more: readonly string[]) => {
    await using process = await start(workspace, document, ...more);
    return { code: await process.exited, text: process.lines.join("\n") };
  };

  await t.step("it runs, with mTLS and what it keeps in .mesh", async () => {
    const identity = { mode: "strict", selfSigned: { directory: ".mesh/ca" } };
    const document = { ...documentOf(app.port), identity, registry: { files: {} } };
    await using process = await start(workspace, document);
    await says(process, "ready");
    await until("registered", async () => (await workspace.registered()).length === 1);
    assertEquals((await Deno.stat(join(workspace.path, ".mesh/ca/root.pem"))).isFile, true);
    using wire = await Wire.dial(Number(document.listeners.inbound.split(":")[1]));
    assertEquals(statusOf(await wire.exchange(get("a"))), 403);
  });

  await t.step("a configuration outside", async () => {
    await using process = new TestProcess({
      command: EXECUTABLE,
      args: ["check", "--config", `${outside}/file`],
      cwd: workspace.path,
    });
    assertEquals(await process.exited, 66);
    const expected = `cannot read ${outside}/file: this binary was built without permission`;
    assertStringIncludes(process.lines.join("\n"), expected);
  });

  await t.step("a key outside: to be read, to be made", async () => {
    const file = `${outside}/file`;
    const files = { certificate: file, key: file, trustBundle: file };
    for (const source of [{ files }, { selfSigned: { directory: `${outside}/ca` } }]) {
      const identity = { mode: "strict", ...source };
      const { code, text } = await ending({ ...documentOf(app.port), identity });
      assertEquals(code, 69, text);
      assertStringIncludes(text, `Requires read access to "${outside}/`);
    }
  });

  await t.step("to write where it may only read", async () => {
    const identity = { mode: "strict", selfSigned: { directory: `${READABLE}/ca` } };
    const { code, text } = await ending({ ...documentOf(app.port), identity });
    assertEquals(code, 69, text);
    assertStringIncludes(text, "Requires write access to");
  });

  await t.step("to listen elsewhere, on any kind of port", async () => {
    for (const port of ["inbound", "outbound", "admin"] as const) {
      const document = documentOf(app.port);
      const address = `127.0.0.2:${freePort()}`;
      document.listeners[port] = address;
      if (port === "inbound") document.identity = { mode: "strict" };
      const { code, text } = await ending(document);
      assertEquals(code, 69, text);
      assertStringIncludes(
        text,
        `this binary was built without the permission to listen on ${address}`,
      );
    }
  });

  await t.step("to dial elsewhere: plain and by mTLS", async () => {
    for (const mode of ["off", "strict"]) {
      const document = { ...documentOf(app.port), identity: { mode } };
      document.registry = { static: { b: ["127.0.0.2:9"] } };
      await using process = await start(workspace, document);
      await says(process, "ready");
      using wire = await Wire.dial(Number(document.listeners.outbound.split(":")[1]));
      const message = await wire.exchange(get("b"));
      assertEquals(statusOf(message), 502);
      assertEquals(message.fields.get("x-mesh-reason"), "connect-failed");
      await says(process, "no connection to 127.0.0.2:9", "Requires net access");
    }
  });

  await t.step("to start a program", async () => {
    const { code, text } = await ending(documentOf(app.port), "--", "true");
    assertEquals(code, 77, text);
    assertStringIncludes(text, "this binary was built without the permission to start programs");
  });
});
