// Finds what in a JSON document its message cannot take, and names the place as the author of the document would.
// Runs only once reading has failed, and looks at a bounded number of values.
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonReadOptions,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { errorText } from "../error_text.ts";
import { findField } from "./field_path.ts";

/** Beyond this many values nobody is served by the search. */
const MAX_VALUES = 10_000;
/** The library's own limit. */
const MAX_DEPTH = 100;

/** `orders[2].customer.age: expected ...`; null where nothing was found. */
export function findJsonProblem(
  message: DescMessage,
  json: JsonValue,
  options: Partial<JsonReadOptions>,
): string | null {
  return new Search(options).message(message, json, "", 0);
}

/** The library's message without its preamble, which names the schema's type and not the place. */
export function reasonOf(error: unknown): string {
  const text = errorText(error);
  const at = text.indexOf(" from JSON: ");
  return at < 0 ? text : text.slice(at + " from JSON: ".length);
}

type DescMapField = DescField & { readonly fieldKind: "map" };

class Search {
  readonly #options: Partial<JsonReadOptions>;
  #left = MAX_VALUES;

  constructor(options: Partial<JsonReadOptions>) {
    this.#options = options;
  }

  message(message: DescMessage, json: JsonValue, path: string, depth: number): string | null {
    if (depth > MAX_DEPTH) return null;
    if (message.typeName.startsWith("google.protobuf.")) return this.#try(message, json, path);
    if (!isObject(json)) return at(path, "expected an object");
    for (const key in json) {
      if (this.#left-- <= 0) return null;
      const problem = this.#entry(message, json, key, path, depth);
      if (problem !== null) return problem;
    }
    return null;
  }

  #entry(
    message: DescMessage,
    json: JsonObject,
    key: string,
    path: string,
    depth: number,
  ): string | null {
    const inner = path === "" ? key : `${path}.${key}`;
    const field = findField(message, key);
    if (field === undefined) {
      const isExtension = key.startsWith("[");
      return isExtension || this.#options.ignoreUnknownFields === true
        ? null
        : at(inner, "unknown field");
    }
    const value = json[key]!;
    if (value === null) return null;
    if (field.message === undefined) return this.#try(message, { [key]: value }, inner);
    if (field.fieldKind === "list") return this.#list(field, value, inner, depth);
    if (field.fieldKind === "map") return this.#map(field, value, inner, depth);
    return this.message(field.message, value, inner, depth + 1);
  }

  #list(field: DescField, value: JsonValue, path: string, depth: number): string | null {
    if (!Array.isArray(value)) return at(path, "expected an array");
    for (const [index, item] of value.entries()) {
      if (this.#left-- <= 0) return null;
      const problem = this.message(field.message!, item, `${path}[${index}]`, depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  }

  #map(field: DescMapField, value: JsonValue, path: string, depth: number): string | null {
    if (!isObject(value)) return at(path, "expected an object");
    for (const key in value) {
      if (this.#left-- <= 0) return null;
      const inner = `${path}[${JSON.stringify(key)}]`;
      if (!isMapKey(field.mapKey, key)) return at(inner, "not a key of this map");
      const problem = this.message(field.message!, value[key]!, inner, depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  }

  #try(message: DescMessage, json: JsonValue, path: string): string | null {
    try {
      fromJson(message, json, this.#options);
      return null;
    } catch (error) {
      return at(path, reasonOf(error));
    }
  }
}

/** The keys of JSON are strings, whatever they stand for. Ranges are the library's to judge. */
function isMapKey(type: ScalarType, key: string): boolean {
  if (type === ScalarType.STRING) return true;
  return type === ScalarType.BOOL ? key === "true" || key === "false" : /^-?[0-9]+$/.test(key);
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function at(path: string, what: string): string {
  return path === "" ? what : `${path}: ${what}`;
}
