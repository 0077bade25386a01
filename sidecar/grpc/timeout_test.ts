import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseGrpcTimeout, serializeGrpcTimeout } from "./timeout.ts";

Deno.test("parseGrpcTimeout knows every unit", () => {
  assertEquals(parseGrpcTimeout("2H"), 7_200_000);
  assertEquals(parseGrpcTimeout("3M"), 180_000);
  assertEquals(parseGrpcTimeout("4S"), 4000);
  assertEquals(parseGrpcTimeout("5m"), 5);
  assertEquals(parseGrpcTimeout("1500u"), 1.5);
  assertEquals(parseGrpcTimeout("500000n"), 0.5);
  assertEquals(parseGrpcTimeout("99999999H"), 99_999_999 * 3_600_000);
  assertEquals(parseGrpcTimeout("0S"), 0);
});

Deno.test("parseGrpcTimeout refuses what is no timeout", () => {
  const malformed = [
    "",
    "S",
    "1",
    "1s",
    "1h",
    "-1S",
    "+1S",
    "1.5S",
    " 1S",
    "1S ",
    "123456789S",
    "1SS",
  ];
  for (const text of malformed) assertEquals(parseGrpcTimeout(text), null, text);
});

Deno.test("serializeGrpcTimeout takes the finest unit of eight digits", () => {
  assertEquals(serializeGrpcTimeout(50), "50000000n");
  assertEquals(serializeGrpcTimeout(3000), "3000000u");
  assertEquals(serializeGrpcTimeout(100_000), "100000m");
  assertEquals(serializeGrpcTimeout(1e12), "16666666M");
  assertEquals(serializeGrpcTimeout(1e8), "100000S");
  assertEquals(serializeGrpcTimeout(Infinity), "99999999H");
});

Deno.test("a timeout that has run out is the smallest there is", () => {
  for (const timeoutMs of [0, -5, NaN, 1e-9]) assertEquals(serializeGrpcTimeout(timeoutMs), "1n");
});

Deno.test("a timeout never grows on its way, and loses less than a part in a hundred thousand", () => {
  fc.assert(fc.property(fc.double({ min: 1, max: 1e14, noNaN: true }), (timeoutMs) => {
    const text = serializeGrpcTimeout(timeoutMs);
    const back = parseGrpcTimeout(text);
    assert(text.length <= 9 && back !== null && back <= timeoutMs * (1 + 1e-12), text);
    assert(back >= timeoutMs * (1 - 1e-5), text);
  }));
});
