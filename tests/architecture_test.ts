// Fails the build when a file breaks the dependency table of DESIGN (tests/support/dependency_table.ts) or a house rule,
// and shows on small made-up sources that every rule can fail.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { findViolations, type Sources } from "./support/architecture.ts";

const ROOT = join(import.meta.dirname ?? "", "..");
const TEXT = /\.(ts|js|json|ya?ml|sh|sql|proto|html|css)$|(^|\/)(Dockerfile|run)$/;

function readSources(path: string, sources: Map<string, string>): void {
  const entries = Deno.readDirSync(join(ROOT, path));
  for (const entry of entries) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory) readSources(inner, sources);
    else if (TEXT.test(inner)) sources.set(inner, Deno.readTextFileSync(join(ROOT, inner)));
  }
}

function repository(): Sources {
  const sources = new Map<string, string>();
  sources.set("deno.json", Deno.readTextFileSync(join(ROOT, "deno.json")));
  for (const top of ["sidecar", "services", "deploy", "tests", ".ci"]) readSources(top, sources);
  return sources;
}

function violations(files: Record<string, string>): string[] {
  return findViolations(new Map(Object.entries(files)));
}

Deno.test("every file keeps to the dependency table and the house rules", () => {
  const sources = repository();
  assert(sources.size > 50, "the sources were not found");
  assertEquals(findViolations(sources), []);
});

Deno.test("an import against the direction is found however it is written", () => {
  const forms = [
    `import { a } from "../http2/a.ts";`,
    `import {\n  a,\n  type B,\n} from "../http2/a.ts";`,
    `import type { B } from "../http2/a.ts";`,
    `import "../http2/a.ts";`,
    `import * as all from "../http2/a.ts";`,
    `export { a } from "../http2/a.ts";`,
    `export * from "../http2/a.ts";`,
    `export type { B } from "../http2/a.ts";`,
    `const { a } = await import("../http2/a.ts");`,
    `type B = import("../http2/a.ts").B;`,
  ];
  for (const source of forms) {
    const found = violations({ "sidecar/http1/x.ts": `\n${source}` });
    assertEquals(found, ["sidecar/http1/x.ts:2: http1 may not import http2"], source);
  }
});

Deno.test("what only looks like an import is none", () => {
  const source = `// import "../http2/a.ts";
    const text = "import '../http2/a.ts'"; /* export * from "../http2/a.ts" */
    const more = \`import "../http2/a.ts"; \${text}\`; const pattern = /from "..\\/http2"/;`;
  assertEquals(violations({ "sidecar/http1/x.ts": source }), []);
});

Deno.test("every arrow of the design holds and its reverse does not", () => {
  const arrow = (from: string, to: string) =>
    violations({ [`sidecar/${from}.ts`]: `import "../${to}.ts";` }).length === 0;
  assert(arrow("proxy/x", "upstream/y") && !arrow("upstream/x", "proxy/y"));
  assert(arrow("control/x", "snapshot/y") && !arrow("snapshot/x", "control/y"));
  assert(arrow("telemetry/x", "lib/y") && !arrow("lib/x", "telemetry/y"));
  assert(arrow("net/x", "identity/y") && !arrow("identity/x", "net/y"));
  assert(arrow("filters/x", "http/y") && !arrow("filters/x", "upstream/y"));
  assert(arrow("http/x", "lib/y") && !arrow("http/x", "http1/y"));
  for (const from of ["proxy", "control", "cli", "admin", "lib"]) {
    assert(!arrow(`${from}/x`, "app"), `${from} imports app`);
    assert(!arrow(`${from}/x`, "main"), `${from} imports main`);
    assert(from === "admin" || !arrow(`${from}/x`, "admin/y"), `${from} imports admin`);
  }
  assert(!arrow("proxy/x", "control/y") && !arrow("somewhere_new/x", "lib/y"));
});

Deno.test("the composition root may import every folder, main only cli and app", () => {
  const app = `import "./proxy/a.ts"; import "./control/a.ts"; import "./admin/a.ts";`;
  assertEquals(violations({ "sidecar/app.ts": app }), []);
  assertEquals(violations({ "sidecar/app_listeners.ts": app }), []); // the same root in several files
  assertEquals(violations({ "sidecar/cli/x.ts": `import "../app_listeners.ts";` }).length, 1);
  assertEquals(violations({ "sidecar/main.ts": `import "./cli/a.ts"; import "./app.ts";` }), []);
  const main = violations({ "sidecar/main.ts": `import "./proxy/a.ts";` });
  assertEquals(main, ["sidecar/main.ts:1: main may not import proxy"]);
});

Deno.test("admin takes types of the data path and nothing that runs", () => {
  const types =
    `import type { A } from "../proxy/a.ts";\nimport { type B } from "../upstream/b.ts";`;
  assertEquals(violations({ "sidecar/admin/x.ts": types }), []);
  for (
    const source of [
      `import { A } from "../proxy/a.ts";`,
      `import { type B, C } from "../proxy/a.ts";`,
    ]
  ) {
    const found = violations({ "sidecar/admin/x.ts": source });
    assertEquals(found, ["sidecar/admin/x.ts:1: admin may not import proxy but types"]);
  }
});

Deno.test("a service imports itself and services/lib, never the sidecar or another service", () => {
  const file = (specifier: string) => ({ "services/user/x.ts": `import "${specifier}";` });
  assertEquals(violations(file("./store.ts")), []);
  assertEquals(violations(file("../lib/router.ts")), []);
  assertEquals(violations(file("../order/store.ts")).length, 1);
  assert(violations(file("../../sidecar/lib/clock.ts")).length > 0);
  const reverse = { "sidecar/lib/x_test.ts": `import "../../services/lib/router.ts";` };
  assertEquals(violations(reverse).length, 1);
});

Deno.test("shipped code imports no test, and tests reach tests/support", () => {
  const file = { "sidecar/lib/x.ts": `import "./clock_test.ts";` };
  assertEquals(violations(file), ["sidecar/lib/x.ts:1: imports a test: sidecar/lib/clock_test.ts"]);
  assert(violations({ "sidecar/lib/x.ts": `import "../../tests/support/a.ts";` }).length > 0);
  const test = {
    "sidecar/lib/x_test.ts": `import "../../tests/support/a.ts"; Deno.test("x", () => {});`,
  };
  assertEquals(violations(test), []);
});

Deno.test("a cycle of files is found, also through a dynamic import, but not through types", () => {
  const cycle = (back: string) =>
    violations({
      "sidecar/lib/a.ts": `import { b } from "./b.ts";`,
      "sidecar/lib/b.ts": `import { c } from "./c.ts";`,
      "sidecar/lib/c.ts": back,
    });
  const found = [
    "sidecar/lib/a.ts:1: cycle: sidecar/lib/a.ts > sidecar/lib/b.ts > sidecar/lib/c.ts > sidecar/lib/a.ts",
  ];
  assertEquals(cycle(`export { a } from "./a.ts";`), found);
  assertEquals(cycle(`await import("./a.ts");`), found);
  assertEquals(cycle(`import type { A } from "./a.ts"; import { type B } from "./a.ts";`), []);
});

Deno.test("I/O is named in its few places only", () => {
  const sources = [
    `Deno.exit();`,
    `let c: Deno.Conn;`,
    `await fetch("/");`,
    `new Worker("/");`,
    `globalThis.Deno.exit();`,
    `import net from "node:net";`,
    `import { readFile } from "node:fs/promises";`,
  ];
  for (const source of sources) {
    assertEquals(violations({ "sidecar/proxy/x.ts": source }).length, 1, source);
    assertEquals(violations({ "sidecar/net/x.ts": source }), [], source);
    assertEquals(violations({ "sidecar/control/files_io.ts": source }), [], source);
  }
  const pure = `import { Buffer } from "node:buffer"; import "node:util"; cache.fetch("x");`;
  assertEquals(violations({ "sidecar/proxy/x.ts": pure }), []);
});

Deno.test("packages are imported by name where the table has them", () => {
  const file = (folder: string, specifier: string) =>
    violations({ [`sidecar/${folder}/x.ts`]: `import "${specifier}";` });
  assertEquals(file("config", "zod"), []);
  assertEquals(file("config", "zod/mini"), []);
  assertEquals(file("http1", "zod"), ["sidecar/http1/x.ts:1: http1 may not use zod"]);
  assertEquals(file("lib", "@std/assert").length, 1);
  assertEquals(file("config", "npm:zod@4").length, 1);
  assertEquals(file("net", "https://example.com/a.ts").length, 1);
  assertEquals(violations({ "sidecar/lib/x.ts": "await import(name);" }).length, 1);
});

Deno.test("barrels, long files, unfinished work, enums and default exports are found", () => {
  assertEquals(violations({ "sidecar/lib/mod.ts": "" }), ["sidecar/lib/mod.ts:1: barrel"]);
  assertEquals(violations({ "services/user/index.ts": "" }).length, 1);
  assertEquals(violations({ "sidecar/lib/x.ts": "\n".repeat(400) }), []);
  assertEquals(violations({ "sidecar/lib/x.ts": "\n".repeat(401) }).length, 1);
  assertEquals(violations({ "deploy/x.sh": `# ${"TO" + "DO"}: later` }).length, 1);
  assertEquals(violations({ "sidecar/lib/x.ts": "enum A { B }\nexport default 1;" }).length, 2);
});

Deno.test("what people run never grants every permission", () => {
  for (const flag of ["-A", "--allow" + "-all"]) {
    for (const path of ["deno.json", "deploy/compose.yaml", ".ci/run"]) {
      for (const line of [`deno run ${flag} x.ts`, `["run", "${flag}", "x.ts"]`]) {
        assertEquals(violations({ [path]: line }), [`${path}:1: grants every permission`]);
      }
    }
  }
  assertEquals(violations({ "deno.json": `deno run --allow-read X-A -Ax` }), []);
});
