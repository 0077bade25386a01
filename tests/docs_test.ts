// The documents do not lie: links lead somewhere, the request's life names files that exist, the changelog says something.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { dirname, join, relative } from "node:path";
import { anchorsOf, linksOf, sectionOf } from "./support/markdown.ts";

const ROOT = join(import.meta.dirname ?? "", "..");
const NOT_OURS = new Set(["dist", "node_modules", ".git", ".mesh"]);

function documents(directory = ROOT): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return NOT_OURS.has(name) ? [] : documents(join(directory, name));
    return name.endsWith(".md") ? [join(directory, name)] : [];
  });
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Why the link leads nowhere, or undefined. URLs are not asked. */
function brokenLink(document: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = "", anchor] = decodeURI(target).split("#");
  const file = path === "" ? document : join(path.startsWith("/") ? ROOT : dirname(document), path);
  if (!exists(file)) return "no such file";
  if (anchor === undefined || !file.endsWith(".md")) return undefined;
  return anchorsOf(textOf(file) ?? "").has(anchor) ? undefined : "no such heading";
}

Deno.test("every link in every document leads to a file and a heading that exist", () => {
  const broken = documents().flatMap((document) =>
    linksOf(textOf(document) ?? "").flatMap(({ target, line }) => {
      const reason = brokenLink(document, target);
      return reason === undefined
        ? []
        : [`${relative(ROOT, document)}:${line}: ${target}: ${reason}`];
    })
  );
  assertEquals(broken, []);
});

Deno.test("README's life of a request links to the files of the data path", () => {
  const section = sectionOf(textOf(join(ROOT, "README.md")) ?? "", /life of a request/i);
  assert(section !== undefined, "README.md has no heading 'Life of a request'");
  const files = linksOf(section).filter(({ target }) => /^(\.\/)?sidecar\/.+\.ts/.test(target));
  assertGreater(files.length, 4, "it names too few files of sidecar/");
});

Deno.test("the changelog has an entry", () => {
  const section = sectionOf(textOf(join(ROOT, "CHANGELOG.md")) ?? "", /^##\s/);
  assert(section !== undefined, "CHANGELOG.md has no '## ' heading");
  assert(/^\s*[-*] \S/m.test(section), "its first heading has no list of changes");
});

Deno.test("linksOf sees inline, image and reference links, and none in code", () => {
  const markdown = [
    "See [a](x.md#y 'title'), ![b](<img/z.png>) and `[c](not.md)`.",
    "```sh",
    "[d](neither.md)",
    "```",
    "[e]: ../other.md",
  ].join("\n");
  assertEquals(linksOf(markdown), [
    { target: "x.md#y", line: 1 },
    { target: "img/z.png", line: 1 },
    { target: "../other.md", line: 5 },
  ]);
});

Deno.test("anchorsOf makes GitHub's anchors, numbers repeated headings and skips code", () => {
  const markdown = "# Life of a request\n## `deno task` & more!\n## Same\n## Same\n```\n# no\n```";
  assertEquals([...anchorsOf(markdown)], [
    "life-of-a-request",
    "deno-task--more",
    "same",
    "same-1",
  ]);
});

Deno.test("a link to a missing file or heading is found", () => {
  const here = join(ROOT, "tests", "docs_test.ts");
  assertEquals(brokenLink(here, "architecture_test.ts"), undefined);
  assertEquals(brokenLink(here, "/deno.json"), undefined);
  assertEquals(brokenLink(here, "https://example.com/x"), undefined);
  assertEquals(brokenLink(here, "missing.md"), "no such file");
  assertEquals(brokenLink(here, "/tests/docs_test.ts#L1"), undefined);
  assertEquals(brokenLink(here, "/README.md#no-such-heading"), "no such heading");
});

Deno.test("sectionOf ends at the next heading of its level and keeps lower ones", () => {
  const markdown = "# T\n## One\na\n### Inner\nb\n## Two\nc\n";
  assertEquals(sectionOf(markdown, /One/), "a\n### Inner\nb");
  assertEquals(sectionOf(markdown, /Two/), "c\n");
  assertEquals(sectionOf(markdown, /Three/), undefined);
});
