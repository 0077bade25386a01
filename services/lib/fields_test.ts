import { assertEquals, assertThrows } from "@std/assert";
import { Fields, InvalidRequest, readPage } from "./fields.ts";

function problems(run: () => unknown): unknown {
  return assertThrows(run, InvalidRequest, "invalid request").fields;
}

function problemsOf(source: unknown, read: (fields: Fields) => void): unknown {
  const fields = new Fields(source);
  read(fields);
  return problems(() => fields.check());
}

Deno.test("Fields hands out what fits its rules", () => {
  const fields = new Fields({ name: "Ann", age: 25, nick: null, items: [{ n: 1 }] });
  assertEquals(fields.text("name", { max: 3 }), "Ann");
  assertEquals(fields.integer("age", { min: 25, max: 25 }), 25);
  assertEquals(fields.optionalText("nick", { max: 3 }), undefined);
  assertEquals(fields.optionalText("other", { max: 3 }), undefined);
  const items = fields.list("items", { min: 1, max: 1 });
  assertEquals(items.map((item) => item.integer("n", { min: 1, max: 1 })), [1]);
  fields.check();
});

Deno.test("Fields reports every problem at once, nested ones by their path", () => {
  const found = problemsOf({ name: "", items: [{ n: 1 }, { n: "2" }, 3] }, (fields) => {
    fields.text("name", { max: 5 });
    fields.integer("age", { min: 0, max: 9 });
    for (const item of fields.list("items", { min: 1, max: 3 })) {
      item.integer("n", { min: 1, max: 2 });
    }
  });
  assertEquals(found, {
    "name": "must be a string of 1 to 5 characters",
    "age": "must be an integer from 0 to 9",
    "items[1].n": "must be an integer from 1 to 2",
    "items[2]": "must be an object",
    "items[2].n": "must be an integer from 1 to 2",
  });
});

Deno.test("Fields refuses texts that are blank, too long, not well formed or hold control characters", () => {
  for (const name of ["   ", "123456", "a\u0000b", "a\nb", "\ud800", 5, ["x"], null]) {
    assertEquals(problemsOf({ name }, (fields) => fields.text("name", { max: 5 })), {
      name: "must be a string of 1 to 5 characters",
    });
  }
});

Deno.test("Fields refuses numbers that are not safe integers within the range", () => {
  for (const n of [0.5, -1, 10, "5", 2 ** 53, null, true]) {
    assertEquals(problemsOf({ n }, (fields) => fields.integer("n", { min: 0, max: 9 })), {
      n: "must be an integer from 0 to 9",
    });
  }
});

Deno.test("Fields refuses a body that is no object, and takes nothing from a prototype", () => {
  for (const body of [null, [], "text", 5]) {
    assertEquals(problemsOf(body, () => {}), { body: "must be an object" });
  }
  assertEquals(new Fields({}).optionalText("constructor", { max: 5 }), undefined);
});

Deno.test("readPage starts at page 1 with 10 a page, and takes the limits of both", () => {
  assertEquals(readPage(new URLSearchParams("")), { page: 1, pageSize: 10 });
  assertEquals(readPage(new URLSearchParams("page=1000000&page_size=100")), {
    page: 1_000_000,
    pageSize: 100,
  });
});

Deno.test("readPage names each number that is out of range or no number", () => {
  const page = "must be an integer from 1 to 1000000";
  const page_size = "must be an integer from 1 to 100";
  for (const [one, other] of [["0", "101"], ["-1", "0"], ["1.5", "ten"], ["1e3", ""]] as const) {
    assertEquals(
      problems(() => readPage(new URLSearchParams({ page: one, page_size: other }))),
      { page, page_size },
    );
  }
});
