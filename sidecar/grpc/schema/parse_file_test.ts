// What protoc makes of the same text (descriptor.proto) is what is expected here; the places of errors are our own.
import { toJson } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../errors.ts";
import { parseProto } from "./parse_file.ts";

const HEAD = 'syntax = "proto3";\n';

function parse(source: string) {
  return toJson(FileDescriptorProtoSchema, parseProto("a.proto", source).proto);
}

Deno.test("parseProto reads the head of a file", () => {
  const source = `// a comment
    syntax = "proto3";
    package a.b.c;
    import "one.proto";
    import public "two" ".proto";
    import weak 'three.proto';
    option java_package = "x.y";
    option (custom) = { any: [1, 2] nested { more: "z" }; [ext.name]: -5, };
    option deprecated = true;`;
  assertEquals(parse(source), {
    name: "a.proto",
    package: "a.b.c",
    dependency: ["one.proto", "two.proto", "three.proto"],
    publicDependency: [1],
    options: { javaPackage: "x.y", deprecated: true },
    syntax: "proto3",
  });
});

Deno.test("parseProto reads a message with everything a message has", () => {
  const source = `${HEAD}
    message M {
      option deprecated = true;
      reserved 100 to 200, 300 to max;
      reserved "old", "older";
      string name = 1 [json_name = "theName", deprecated = true];
      repeated int32 ids = 0x2 [packed = false];
      optional bool is_on = 3;
      oneof choice {
        option (custom) = 1;
        bytes raw = 4;
        double weight = 05;
      }
      map<string, int64> counts_by_name = 6;
      message Inner { enum E { ZERO = 0; } }
      ;
    }`;
  assertEquals(parse(source), {
    name: "a.proto",
    syntax: "proto3",
    messageType: [{
      name: "M",
      field: [
        {
          name: "name",
          number: 1,
          label: "LABEL_OPTIONAL",
          type: "TYPE_STRING",
          jsonName: "theName",
          options: { deprecated: true },
        },
        {
          name: "ids",
          number: 2,
          label: "LABEL_REPEATED",
          type: "TYPE_INT32",
          options: { packed: false },
        },
        {
          name: "is_on",
          number: 3,
          label: "LABEL_OPTIONAL",
          type: "TYPE_BOOL",
          oneofIndex: 1,
          proto3Optional: true,
        },
        { name: "raw", number: 4, label: "LABEL_OPTIONAL", type: "TYPE_BYTES", oneofIndex: 0 },
        { name: "weight", number: 5, label: "LABEL_OPTIONAL", type: "TYPE_DOUBLE", oneofIndex: 0 },
        {
          name: "counts_by_name",
          number: 6,
          label: "LABEL_REPEATED",
          type: "TYPE_MESSAGE",
          typeName: ".M.CountsByNameEntry",
        },
      ],
      nestedType: [
        {
          name: "CountsByNameEntry",
          field: [
            { name: "key", number: 1, label: "LABEL_OPTIONAL", type: "TYPE_STRING" },
            { name: "value", number: 2, label: "LABEL_OPTIONAL", type: "TYPE_INT64" },
          ],
          options: { mapEntry: true },
        },
        { name: "Inner", enumType: [{ name: "E", value: [{ name: "ZERO", number: 0 }] }] },
      ],
      options: { deprecated: true },
      oneofDecl: [{ name: "choice" }, { name: "_is_on" }],
    }],
  });
});

Deno.test("parseProto reads services with streams and options", () => {
  const source = `${HEAD}
    service S {
      option deprecated = true;
      rpc Get (.a.In) returns (stream Out);
      rpc Put (stream In) returns (Out) { option (x.y).z = "v"; option idempotency_level = IDEMPOTENT; }
      rpc Odd (stream) returns (stream);
    }`;
  const { proto, references, methods } = parseProto("a.proto", source);
  const streams = proto.service[0]!.method.map((
    method,
  ) => [method.name, method.clientStreaming, method.serverStreaming]);
  assertEquals(streams, [["Get", false, true], ["Put", true, false], ["Odd", false, false]]);
  assertEquals(references.map(({ name }) => name), [
    ".a.In",
    "Out",
    "In",
    "Out",
    "stream",
    "stream",
  ]);
  assertEquals(
    methods.map(({ fullName, options }) => [fullName, options.map(({ name }) => name)]),
    [
      ["S.Get", []],
      ["S.Put", [["(x.y)", "z"], ["idempotency_level"]]],
      ["S.Odd", []],
    ],
  );
});

Deno.test("parseProto reads enums with aliases, negative numbers and odd names", () => {
  const source = `${HEAD}
    enum E { option allow_alias = true; A = 0; B = 0; C = -5 [deprecated = true]; reserved 7; option = 1; }`;
  assertEquals(parse(source), {
    name: "a.proto",
    syntax: "proto3",
    enumType: [{
      name: "E",
      value: [
        { name: "A", number: 0 },
        { name: "B", number: 0 },
        { name: "C", number: -5 },
        { name: "option", number: 1 },
      ],
      options: { allowAlias: true },
    }],
  });
});

Deno.test("parseProto reads proto2 with defaults and extensions", () => {
  const source = `
    message M {
      required int64 big = 1 [default = -9223372036854775808];
      optional float f = 2 [default = inf];
      optional string s = 3 [default = "a\\"b"];
      extensions 100 to max [verification = UNVERIFIED];
    }
    extend M { optional int32 more = 100; }`;
  const { proto } = parseProto("a.proto", source);
  assertEquals(proto.syntax, "proto2");
  const defaults = proto.messageType[0]!.field.map(({ defaultValue }) => defaultValue);
  assertEquals(defaults, ["-9223372036854775808", "inf", 'a"b']);
  assertEquals(proto.extension.map(({ name, number }) => [name, number]), [["more", 100]]);
});

Deno.test("parseProto reads editions with features", () => {
  const source = `edition = "2023";
    option features.field_presence = IMPLICIT;
    option features.enum_type = CLOSED;
    message M { string s = 1 [features = { field_presence: EXPLICIT }]; reserved foo; }`;
  assertEquals(parse(source), {
    name: "a.proto",
    syntax: "editions",
    edition: "EDITION_2023",
    options: { features: { fieldPresence: "IMPLICIT", enumType: "CLOSED" } },
    messageType: [{
      name: "M",
      field: [{
        name: "s",
        number: 1,
        label: "LABEL_OPTIONAL",
        type: "TYPE_STRING",
        options: { features: { fieldPresence: "EXPLICIT" } },
      }],
    }],
  });
});

Deno.test("parseProto names the place of what is wrong and what was expected", () => {
  const cases: [string, string][] = [
    [`syntax = "proto4";`, `1:10: unknown syntax "proto4", expected proto2 or proto3`],
    [`edition = "1999";`, `1:11: unknown edition "1999", expected 2023 or 2024`],
    [
      `${HEAD}massage M {}`,
      `2:1: expected import, package, option, message, enum, service or extend`,
    ],
    [`${HEAD}message M {\n  int64 id = x;\n}`, "3:14: expected the number of the field"],
    [`${HEAD}message M {\n  int64 id = 0;\n}`, "3:14: 0 is no number for a field"],
    [`${HEAD}message M { int64 id = 19000; }`, "2:24: 19000 is no number for a field"],
    [`${HEAD}message M { int64 id = 536870912; }`, "2:24: 536870912 is no number for a field"],
    [`${HEAD}message M { int64 id = 1; int32 id = 2; }`, `2:27: "id" is defined twice`],
    [
      `${HEAD}message M { int64 a = 1; int32 b = 1; }`,
      `"b" has the number 1, which "a" has already`,
    ],
    [`${HEAD}message M { required int64 a = 1; }`, `2:13: "required" cannot stand here`],
    [`edition = "2023"; message M { optional int64 a = 1; }`, `"optional" cannot stand here`],
    [`message M { int64 a = 1; }`, `1:13: expected optional, required or repeated, found "int64"`],
    [`message M { optional group G = 1 {} }`, "groups are not supported"],
    [`${HEAD}message M { map<float, string> a = 1; }`, "2:17: no type for the key of a map"],
    [`${HEAD}message M { oneof o { map<string, string> a = 1; } }`, "a map cannot be in a oneof"],
    [`${HEAD}message M { oneof o { repeated string a = 1; } }`, `"repeated" cannot stand here`],
    [`${HEAD}message M {} message M {}`, `2:22: "M" is defined twice`],
    [`${HEAD}enum E { A = 1; }`, `2:6: the first value of enum "E" must be 0 in proto3`],
    [`${HEAD}enum E { A = 0; B = 0; }`, "two values of number 0, without allow_alias"],
    [`${HEAD}enum E { A = 0; A = 1; }`, `2:17: "A" is defined twice`],
    [`${HEAD}enum E { A = 3000000000; }`, "2:14: 3000000000 is no 32-bit number"],
    [`${HEAD}enum E { }`, `enum "E" has no values`],
    [`${HEAD}message M {`, "2:12: expected a type, found the end of the file"],
    [`${HEAD}service S { rpc A(B) returns C; }`, `2:30: expected "(", found "C"`],
    [`${HEAD}service S { rpc A(B) returns (B); rpc A(B) returns (B); }`, `"S.A" is defined twice`],
    [`${HEAD}service S {} service S {}`, `2:22: "S" is defined twice`],
    [`${HEAD}package a; package b;`, "2:12: a second package"],
    [`${HEAD}message M {} package b;`, "the package must stand before what it holds"],
    [`${HEAD}import "a"; import "a";`, `2:20: "a" is imported twice`],
    [`${HEAD}message M { string s = 1 [deprecated = "x"]; }`, "2:27: cannot decode field"],
    [`${HEAD}option (a) = ;`, `2:14: expected a value, found ";"`],
    [`${HEAD}option (a) = { b 1 };`, `2:18: expected ":", found "1"`],
    [`${HEAD}${"message M {".repeat(40)}`, "messages nested too deep"],
    [`${HEAD}option (a) = ${"{a:".repeat(40)}`, "options nested too deep"],
  ];
  for (const [source, message] of cases) {
    assertThrows(() => parseProto("a.proto", source), ConfigError, message);
  }
});
