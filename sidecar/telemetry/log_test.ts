import { assertEquals, assertNotMatch } from "@std/assert";
import { Logger, type LoggerOptions, SILENT } from "./log.ts";

const NOON = Date.UTC(2026, 0, 1, 12);

function logger(options: Partial<LoggerOptions> = {}): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  return {
    log: new Logger({ level: "info", format: "json", write, now: () => NOON, ...options }),
    lines,
  };
}

Deno.test("Logger writes one JSON object a line, time, level and message first", () => {
  const { log, lines } = logger();
  log.with({ service: "a" }).warn("it is late", { ms: 12.5, path: "/x" });
  assertEquals(lines, [
    '{"time":"2026-01-01T12:00:00.000Z","level":"warn","message":"it is late","service":"a","ms":12.5,"path":"/x"}\n',
  ]);
});

Deno.test("Logger writes its level and above, and knows which that is", () => {
  const all = ["debug", "info", "warn", "error"] as const;
  for (const [index, level] of all.entries()) {
    const { log, lines } = logger({ level });
    for (const one of all) log[one](one);
    const wanted = all.slice(index);
    assertEquals(lines.map((line) => JSON.parse(line).message), wanted);
    assertEquals(all.filter((one) => log.isEnabled(one)), wanted);
  }
});

Deno.test("Logger.with adds to what is there and leaves the parent alone", () => {
  const { log, lines } = logger();
  log.with({ a: 1 }).with({ b: 2 }).info("deep", { c: 3 });
  log.info("flat");
  const fields = lines.map((line) => {
    const { time: _time, level: _level, message: _message, ...rest } = JSON.parse(line);
    return rest;
  });
  assertEquals(fields, [{ a: 1, b: 2, c: 3 }, {}]);
});

Deno.test("Logger writes an error with its name, message and cause, never as {}", () => {
  for (const format of ["json", "text"] as const) {
    const { log, lines } = logger({ format });
    const cause = new TypeError("refused");
    log.error("it broke", { error: new RangeError("too far", { cause }), plain: new Error("x") });
    assertEquals(lines[0]!.includes("RangeError: too far (cause: TypeError: refused)"), true);
    assertEquals(lines[0]!.includes("Error: x"), true);
  }
});

Deno.test("Logger writes what JSON cannot hold", () => {
  const { log, lines } = logger();
  log.info("odd", { big: 12n, none: undefined, nothing: null, deep: { error: new Error("x") } });
  const { big, nothing, deep } = JSON.parse(lines[0]!);
  assertEquals({ big, nothing, deep }, { big: "12", nothing: null, deep: { error: "Error: x" } });
});

Deno.test("Logger in text quotes a value that could be read as more than one", () => {
  const { log, lines } = logger({ format: "text" });
  log.info("request", {
    path: "/a b",
    quote: 'x"y',
    pair: "a=b",
    plain: "/x",
    none: undefined,
    n: 3,
  });
  assertEquals(lines, [
    '2026-01-01T12:00:00.000Z info  request path="/a b" quote="x\\"y" pair="a=b" plain=/x none=undefined n=3\n',
  ]);
});

Deno.test("Logger writes one line whatever is in it: a forged line stays inside", () => {
  const forged = "x\n2026-01-01T12:00:00.000Z error forged\r\x1b[31m";
  for (const format of ["json", "text"] as const) {
    const { log, lines } = logger({ format });
    log.with({ context: forged }).info(forged, { value: forged });
    assertEquals(lines.length, 1);
    assertNotMatch(lines[0]!.slice(0, -1), /\p{Cc}/u);
  }
});

Deno.test("SILENT says nothing and asks for no time", () => {
  SILENT.with({ a: 1 }).error("nobody hears this");
  assertEquals(SILENT.isEnabled("info"), false);
});
