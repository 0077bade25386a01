// What a second attempt may be given of a body that the first one read.
import { assertEquals } from "@std/assert";
import { ScriptedBody } from "../../tests/support/scripted_body.ts";
import { RecordedBody } from "./recorded_body.ts";

function text(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes);
}

Deno.test("RecordedBody has all that passed, once the end was seen", () => {
  const source = new ScriptedBody();
  const body = new RecordedBody(source);
  for (const part of ["one ", "two"]) {
    source.push(part);
    assertEquals(text(body.take() ?? undefined), part);
    assertEquals(body.recorded(), undefined);
  }
  source.end();
  assertEquals([body.take(), text(body.recorded())], [null, "one two"]);
});

Deno.test("RecordedBody has nothing of a body that was cancelled before its end, whoever did it", () => {
  for (const cancelled of ["source", "body"] as const) {
    const source = new ScriptedBody();
    const body = new RecordedBody(source);
    source.push("a");
    body.take();
    ({ source, body })[cancelled].cancel();
    assertEquals([body.isEnded, body.recorded()], [true, undefined]);
  }
});

Deno.test("RecordedBody lets a long body go by and forgets it", () => {
  const source = new ScriptedBody();
  const body = new RecordedBody(source);
  source.push("x".repeat(65_536));
  source.push("y");
  source.end();
  assertEquals([body.take()?.length, body.take()?.length, body.take()], [65_536, 1, null]);
  assertEquals(body.recorded(), undefined);
});
