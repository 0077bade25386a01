import { assertEquals } from "@std/assert";
import { firstMaskCharacter, mask, unmask } from "./masking.ts";

Deno.test("mask hides the indicators of references and of nothing else, at the same length", () => {
  for (const text of ["${A}", "a ${A:-1,[2]} b", "$${A}", "${A}${B}", "{a: ${A}, b: {c: 1}}"]) {
    const masked = mask(text);
    assertEquals(masked.length, text.length);
    assertEquals(unmask(masked), text);
    assertEquals(/\$\{/.test(masked), false);
  }
  for (const text of ["{a: [1, 2]}", "${A", "$ {A}", "${\n}", "$A"]) assertEquals(mask(text), text);
});

Deno.test("firstMaskCharacter finds what would be taken for a mask", () => {
  assertEquals(firstMaskCharacter("ab\uFDD4"), 2);
  assertEquals(firstMaskCharacter("ab\uFDCF\uFDD5"), -1);
});
