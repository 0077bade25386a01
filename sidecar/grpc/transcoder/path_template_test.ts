import { assertEquals, assertThrows } from "@std/assert";
import { overlaps, parsePathTemplate } from "./path_template.ts";

/** In short: segments, verb, and each variable with what it takes. */
function shape(text: string): string {
  const { segments, verb, variables } = parsePathTemplate(text);
  const path = segments.map((segment) =>
    segment.kind === "literal" ? segment.text : segment.kind === "one" ? "*" : "**"
  );
  const bound = variables.map(({ fieldPath, start, end, isMulti }) =>
    `${fieldPath}=${start}-${end ?? ""}${isMulti ? "m" : ""}`
  );
  return [path.join("/"), verb, ...bound].join(" ");
}

Deno.test("parsePathTemplate reads what http.proto allows", () => {
  const cases: [string, string][] = [
    ["/v1/messages", "v1/messages "],
    ["/", " "],
    ["/v1/{id}", "v1/*  id=1-2"],
    ["/v1/{name=messages/*}", "v1/messages/*  name=1-3m"],
    ["/v1/{name=shelves/*/books/*}:archive", "v1/shelves/*/books/* archive name=1-5m"],
    ["/v1/{a.b_c.d}/x/{e}", "v1/*/x/*  a.b_c.d=1-2 e=3-4"],
    ["/v1/{rest=**}", "v1/**  rest=1-m"],
    ["/v1/{rest=a/**}:do", "v1/a/** do rest=1-m"],
    ["/v1/**", "v1/** "],
    ["/v1/*/b", "v1/*/b "],
    ["/v1/{x=fixed}", "v1/fixed  x=1-2"],
    ["/a.b.C/Method", "a.b.C/Method "],
    ["/v1/%C3%BC", "v1/ü "],
    ["/v1/x:y", "v1/x y"],
  ];
  for (const [text, wanted] of cases) assertEquals(shape(text), wanted, text);
});

Deno.test("parsePathTemplate refuses the rest and says why", () => {
  const cases: [string, string][] = [
    ["", 'must start with "/"'],
    ["v1", 'must start with "/"'],
    ["/v1/", "expected a segment"],
    ["/v1//x", "expected a segment"],
    ["/v1/{}", "expected the path of a field"],
    ["/v1/{1a}", "expected the path of a field"],
    ["/v1/{a", 'expected "}"'],
    ["/v1/{a={b}}", "a variable cannot hold another"],
    ["/v1/{a}/{a}", '"a" is bound twice'],
    ["/v1/**/x", '"**" must stand last'],
    ["/v1/{a=**}/x", '"**" must stand last'],
    ["/v1/x:", "expected a verb"],
    ["/v1/x:y/z", 'unexpected "/" (at character 8)'],
    ["/v1/x:y:z", 'unexpected ":"'],
    ["/v1/a}b", 'unexpected "}"'],
    ["/v1/***", 'unexpected "*"'],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => parsePathTemplate(text), Error, message);
  }
});

Deno.test("overlaps finds whether a route's pattern and a template share a path", () => {
  const cases: readonly [template: string, pattern: string, isShared: boolean][] = [
    ["/v1/a", "/v1/a", true],
    ["/v1/a", "/v1/b", false],
    ["/v1/a", "/v1/*", true],
    ["/v1/a", "/*", true],
    ["/v1/a", "/v2/*", false],
    ["/v1/a", "/v1", false],
    ["/v1", "/v1/a", false],
    ["/v1", "/v1/*", true],
    ["/v1/{id}", "/v1/a", true],
    ["/v1/{id}", "/v1/{x}", true],
    ["/v1/{id}/b", "/v1/{x}", false],
    ["/v1/{name=**}", "/v1/a/b", true],
    ["/v1/{name=shelves/*}", "/v1/shelves/3", true],
    ["/v1/{name=shelves/*}", "/v1/books/3", false],
    ["/v1/{id}:cancel", "/v1/{x}", true],
    ["/v1/{id}:cancel", "/v1/7:cancel", true],
    ["/v1/{id}:cancel", "/v1/7", false],
    ["/v1/a:cancel", "/v1/a", false],
  ];
  for (const [template, pattern, isShared] of cases) {
    assertEquals(
      overlaps(parsePathTemplate(template), pattern),
      isShared,
      `${template} ${pattern}`,
    );
  }
});
