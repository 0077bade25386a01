import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  extractContext,
  formatTraceparent,
  isInShare,
  newSpanId,
  newTraceId,
  parseTraceparent,
} from "./trace_context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const SAMPLED = { traceId: TRACE, spanId: SPAN, isSampled: true };

function extract(fields: Record<string, string>) {
  return extractContext({ get: (name) => fields[name] });
}

Deno.test("traceparent is read and written as W3C has it", () => {
  const text = `00-${TRACE}-${SPAN}-01`;
  assertEquals(parseTraceparent(text), SAMPLED);
  assertEquals(formatTraceparent(SAMPLED), text);
  assertEquals(parseTraceparent(`00-${TRACE}-${SPAN}-00`), { ...SAMPLED, isSampled: false });
  assertEquals(parseTraceparent(`00-${TRACE}-${SPAN}-03`)?.isSampled, true);
  assertEquals(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes`), SAMPLED);
});

Deno.test("what is no traceparent is none", () => {
  for (
    const text of [
      "",
      `00-${TRACE}-${SPAN}`,
      `00-${TRACE}-${SPAN}-01-more`,
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-0x`,
      `00-${TRACE}-${SPAN}-01\n`,
    ]
  ) {
    assertEquals(parseTraceparent(text), undefined, text);
  }
});

Deno.test("B3 is read where there is no traceparent, in one field or in several", () => {
  assertEquals(extract({ b3: `${TRACE}-${SPAN}-1` }), SAMPLED);
  assertEquals(extract({ b3: `${TRACE}-${SPAN}-d-0020000000000001` }), SAMPLED);
  assertEquals(extract({ b3: `${TRACE}-${SPAN}-0` })?.isSampled, false);
  assertEquals(extract({ b3: "0" }), undefined);
  const short = TRACE.slice(16);
  assertEquals(
    extract({ "x-b3-traceid": short, "x-b3-spanid": SPAN })?.traceId,
    "0".repeat(16) + short,
  );
  const several = { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "0" };
  assertEquals(extract(several)?.isSampled, false);
  assertEquals(extract({ ...several, "x-b3-flags": "1" })?.isSampled, true);
  assertEquals(extract({ ...several, "x-b3-spanid": "zz" }), undefined);
  assertEquals(extract({ traceparent: "rubbish", b3: `${TRACE}-${SPAN}-1` }), undefined);
});

Deno.test("ids are random, of their length and never nothing", () => {
  const ids = new Set(Array.from({ length: 3000 }, () => newTraceId()));
  assertEquals(ids.size, 3000);
  for (const id of ids) assertMatch(id, /^[0-9a-f]{32}$/);
  assertMatch(newSpanId(), /^[0-9a-f]{16}$/);
  assertNotEquals(newSpanId(), newSpanId());
});

Deno.test("a share of traces is a share, and everybody agrees on which", () => {
  const ids = Array.from({ length: 20_000 }, () => newTraceId());
  const count = ids.filter((id) => isInShare(id, 0.1)).length;
  assert(Math.abs(count - 2000) < 200, `${count}`);
  assertEquals(ids.filter((id) => isInShare(id, 0.1) && !isInShare(id, 0.2)), []);
  assertEquals(ids.every((id) => isInShare(id, 1)), true);
  assertEquals(ids.some((id) => isInShare(id, 0)), false);
});
