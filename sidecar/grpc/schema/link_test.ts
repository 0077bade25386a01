import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../errors.ts";
import { linkFiles } from "./link.ts";
import { parseProto } from "./parse_file.ts";

function link(sources: Readonly<Record<string, string>>) {
  const files = new Map(
    Object.entries(sources).map(([name, source]) =>
      [name, parseProto(name, `syntax = "proto3"; ${source}`)] as const
    ),
  );
  linkFiles(files);
  return (name: string) =>
    files.get(name)!.references.map((reference) =>
      reference.kind === "field"
        ? `${reference.name} > ${reference.field.typeName} ${reference.field.type}`
        : reference.name
    );
}

const ENUM = 14, MESSAGE = 11;

Deno.test("a name is looked for from the innermost scope outward", () => {
  const typesOf = link({
    "a.proto": `package p.q;
      message T {}
      message M {
        message T {}
        enum E { Z = 0; }
        message In { T a = 1; .p.q.T b = 2; E c = 3; q.T d = 4; M.T e = 5; p.q.M.In f = 6; }
      }`,
  });
  assertEquals(typesOf("a.proto"), [
    `T > .p.q.M.T ${MESSAGE}`,
    `.p.q.T > .p.q.T ${MESSAGE}`,
    `E > .p.q.M.E ${ENUM}`,
    `q.T > .p.q.T ${MESSAGE}`,
    `M.T > .p.q.M.T ${MESSAGE}`,
    `p.q.M.In > .p.q.M.In ${MESSAGE}`,
  ]);
});

Deno.test("an import gives what it defines and what it imports publicly", () => {
  const sources = {
    "a.proto": `import "b.proto"; message A { B b = 1; C c = 2; }`,
    "b.proto": `import public "c.proto"; import "d.proto"; message B {}`,
    "c.proto": `message C {}`,
    "d.proto": `message D {}`,
  };
  assertEquals(link(sources)("a.proto"), [`B > .B ${MESSAGE}`, `C > .C ${MESSAGE}`]);
  const wrong = { ...sources, "a.proto": `import "b.proto"; message A { D d = 1; }` };
  assertThrows(
    () => link(wrong),
    ConfigError,
    `a.proto:1:50: "D" is defined in "d.proto", which is not imported`,
  );
});

Deno.test("what is not there, or is no message, is told with its place", () => {
  const cases: [string, string][] = [
    ["message M { Nope a = 1; }", `a.proto:1:32: type "Nope" is not defined`],
    ["message M { map<string, Nope> a = 1; }", `type "Nope" is not defined`],
    ["message M { .M.T a = 1; }", `type ".M.T" is not defined`],
    ["enum E { Z = 0; } service S { rpc A(E) returns (E); }", `"E" is an enum, expected a message`],
  ];
  for (const [source, message] of cases) {
    assertThrows(() => link({ "a.proto": source }), ConfigError, message);
  }
});

Deno.test("a type defined by two files is refused", () => {
  const sources = {
    "a.proto": "package p; message M {}",
    "b.proto": "package p; enum M { Z = 0; }",
  };
  assertThrows(() => link(sources), ConfigError, `b.proto:1:36: "p.M" is defined in "a.proto"`);
});
