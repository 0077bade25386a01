import { assertEquals, assertMatch } from "@std/assert";
import { inputError, internalErrorLine, isBug, spawnError } from "./errors.ts";

function named(name: string, message = "os error"): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

Deno.test("inputError says in words why a file cannot be read", () => {
  const message = (name: string) => inputError("a.yaml", named(name)).message;
  assertEquals(message("NotFound"), "cannot read a.yaml: no such file");
  assertEquals(message("PermissionDenied"), "cannot read a.yaml: permission denied");
  assertEquals(message("IsADirectory"), "cannot read a.yaml: it is a directory");
  assertEquals(message("Strange"), "cannot read a.yaml: Strange: os error");
});

Deno.test("spawnError has the exit code and the words of a shell", () => {
  const cases: [string, number, string][] = [
    ["NotFound", 127, "app: command not found"],
    ["PermissionDenied", 126, "app: not executable"],
    ["Strange", 126, "app: cannot be executed (Strange: os error)"],
  ];
  for (const [name, code, message] of cases) {
    const error = spawnError("app", named(name));
    assertEquals([error.exitCode, error.message], [code, message]);
  }
  assertEquals(spawnError("app", named("NotCapable")).exitCode, 77);
});

Deno.test("isBug tells errors of our code from errors of the world", () => {
  for (const bug of [new TypeError(), new RangeError(), new ReferenceError(), "text", undefined]) {
    assertEquals(isBug(bug), true);
  }
  assertEquals(isBug(new Error("port taken")), false);
});

Deno.test("internalErrorLine is one line with the place of the error", () => {
  assertMatch(
    internalErrorLine(new Error("a\nb")),
    /^sidecar: internal error: Error: a \(at .+\)\n$/,
  );
  assertEquals(internalErrorLine("just text"), "sidecar: internal error: just text\n");
});
