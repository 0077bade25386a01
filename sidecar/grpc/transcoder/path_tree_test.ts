import { assertEquals } from "@std/assert";
import { parsePathTemplate } from "./path_template.ts";
import { PathTree } from "./path_tree.ts";

function treeOf(...rules: readonly string[]): PathTree<string> {
  const tree = new PathTree<string>();
  for (const rule of rules) {
    const [method = "", path = ""] = rule.split(" ");
    assertEquals(tree.add(method, parsePathTemplate(path), rule), true, rule);
  }
  return tree;
}

function find(tree: PathTree<string>, request: string): string {
  const [method = "", path = ""] = request.split(" ");
  const found = tree.find(method, path);
  if (found === null) return "404";
  return "allow" in found ? `405 ${found.allow.join(",")}` : found.value;
}

const RULES = [
  "GET /v1/**",
  "GET /v1/users/{id}",
  "GET /v1/users/me",
  "POST /v1/users/me",
  "GET /v1/users/{id}:export",
  "GET /v1/{parent=users/*}/items/{item}",
  "GET /v1/users/{id}/items/**",
  "DELETE /v1/users/{id}",
  "* /any",
  "PUT /any",
  "GET /",
  "GET /x/{y}/z",
  "GET /x/lit/{w}/q",
];

Deno.test("the most specific template wins, in whatever order they were added", () => {
  const cases: [string, string][] = [
    ["GET /v1/users/me", "GET /v1/users/me"],
    ["GET /v1/users/you", "GET /v1/users/{id}"],
    ["GET /v1/users/%6De", "GET /v1/users/me"],
    ["GET /v1/users/7:export", "GET /v1/users/{id}:export"],
    ["GET /v1/users/7:import", "GET /v1/users/{id}"],
    ["GET /v1/users/me:export", "GET /v1/users/{id}:export"],
    ["GET /v1/users/7/items/8", "GET /v1/{parent=users/*}/items/{item}"],
    ["GET /v1/users/7/items/8/9", "GET /v1/users/{id}/items/**"],
    ["GET /v1/users/7/items", "GET /v1/users/{id}/items/**"],
    ["GET /v1/users/7/other", "GET /v1/**"],
    ["GET /v1", "GET /v1/**"],
    ["GET /v1/", "GET /v1/**"],
    ["GET /v1/users/", "GET /v1/**"],
    ["POST /v1/users/me", "POST /v1/users/me"],
    ["DELETE /v1/users/me", "DELETE /v1/users/{id}"],
    ["PATCH /v1/users/me", "405 DELETE,GET,POST"],
    ["POST /v1/users/7", "405 DELETE,GET"],
    ["PUT /any", "PUT /any"],
    ["TRACE /any", "* /any"],
    ["GET /", "GET /"],
    ["GET /nope", "404"],
    ["GET /v2/users", "404"],
    ["GET /x/lit/z", "GET /x/{y}/z"],
    ["GET /x/lit/5/q", "GET /x/lit/{w}/q"],
    ["GET /x//z", "404"],
    ["OPTIONS *", "404"],
    ["GET /x/%zz/z", "GET /x/{y}/z"],
  ];
  for (const rules of [RULES, RULES.toReversed()]) {
    const tree = treeOf(...rules);
    for (const [request, wanted] of cases) assertEquals(find(tree, request), wanted, request);
  }
});

Deno.test("find gives the segments as they came, without the verb", () => {
  const tree = treeOf("GET /v1/{id}:do");
  const found = tree.find("GET", "/v1/a%2Fb:c:do");
  assertEquals(found, { value: "GET /v1/{id}:do", segments: ["v1", "a%2Fb:c"] });
});

Deno.test("add refuses a path that is taken, whatever its variables are called", () => {
  const tree = treeOf("GET /v1/{a}", "GET /v1/{a}:x", "GET /v1/{b=**}");
  assertEquals(tree.add("GET", parsePathTemplate("/v1/*"), ""), false);
  assertEquals(tree.add("GET", parsePathTemplate("/v1/{c}"), ""), false);
  assertEquals(tree.add("GET", parsePathTemplate("/v1/**"), ""), false);
  assertEquals(tree.add("PUT", parsePathTemplate("/v1/{c}"), ""), true);
});
