// The request message of one exchange: what the path, the query and the body say, put into one protobuf message.
// Order of precedence: path over query over body. Names every place that does not fit; knows nothing of HTTP messages.
import {
  create,
  type DescMessage,
  type JsonReadOptions,
  type JsonValue,
  mergeFromJson,
  mergeFromJsonString,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { ProxyError } from "../../errors.ts";
import type { DescriptorPool } from "../descriptors.ts";
import { errorText } from "../error_text.ts";
import { type FieldPath, isTextField, isTextList, resolveFieldPath } from "./field_path.ts";
import { jsonOfText } from "./field_text.ts";
import type { HttpBinding, PathVariable } from "./http_binding.ts";
import { isHttpBody } from "./http_body.ts";
import { findJsonProblem, reasonOf } from "./json_problem.ts";
import type { TranscoderOptions } from "./options.ts";
import { parseQuery } from "./query_string.ts";

interface Assignment {
  /** As the client named it, for errors. */
  readonly label: string;
  readonly fields: FieldPath;
  readonly json: JsonValue;
}

export class MessageBuilder {
  readonly #binding: HttpBinding;
  readonly #options: TranscoderOptions;
  readonly #read: Partial<JsonReadOptions>;
  readonly #assignments: readonly Assignment[];

  /** Throws ProxyError `bad-request` where the path or the query cannot be read. */
  constructor(
    binding: HttpBinding,
    segments: readonly string[],
    query: string,
    pool: DescriptorPool,
    options: TranscoderOptions,
  ) {
    this.#binding = binding;
    this.#options = options;
    this.#read = { registry: pool.registry, ignoreUnknownFields: options.ignoreUnknownFields };
    const path = binding.variables.map((variable) => assignVariable(variable, segments));
    this.#assignments = [...this.#assignParameters(query), ...path];
  }

  /** The body is to be given to `buildRaw`. */
  get isRaw(): boolean {
    const { body, method } = this.#binding;
    if (body.kind === "none") return false;
    return isHttpBody(body.kind === "whole" ? method.input : body.field.message);
  }

  /** The encoded message with `body` for its body, which is JSON; blank stands for none. Throws ProxyError `bad-request`. */
  build(body: string): Uint8Array {
    const { input } = this.#binding.method;
    const message = create(input);
    if (body.trim() !== "") this.#mergeBody(input, message, body);
    return this.#finish(input, message);
  }

  /** The encoded message with `data` as google.api.HttpBody for its body. */
  buildRaw(contentType: string, data: Uint8Array): Uint8Array {
    const { body, method: { input } } = this.#binding;
    const message = create(input);
    const json = { contentType, data: base64Encode(data) };
    this.#merge(input, message, body.kind === "field" ? nest([body.field], json) : json, "body");
    return this.#finish(input, message);
  }

  #finish(input: DescMessage, message: Message): Uint8Array {
    for (const { label, fields, json } of this.#assignments) {
      this.#merge(input, message, nest(fields, json), label);
    }
    try {
      return toBinary(input, message);
    } catch (error) {
      throw badRequest(reasonOf(error), error); // proto2: a required field is missing
    }
  }

  #mergeBody(input: DescMessage, message: Message, text: string): void {
    const { body } = this.#binding;
    if (body.kind === "none") return;
    checkNested(text, this.#options.maxNested);
    const json = parseJson(text);
    const whole = body.kind === "field" ? nest([body.field], json) : json;
    // Once more as text: only there are doubled keys seen. It was read as one value, so that nothing can hide in it.
    const wrapped = body.kind === "field" ? `{${JSON.stringify(body.field.name)}:${text}}` : text;
    try {
      mergeFromJsonString(input, message, wrapped, this.#read);
    } catch (error) {
      throw badRequest(findJsonProblem(input, whole, this.#read) ?? errorText(error), error);
    }
  }

  #merge(input: DescMessage, message: Message, json: JsonValue, label: string): void {
    try {
      mergeFromJson(input, message, json, this.#read);
    } catch (error) {
      throw badRequest(`${label}: ${reasonOf(error)}`, error);
    }
  }

  #assignParameters(query: string): Assignment[] {
    const parameters = parseQuery(query);
    if (parameters === null) throw badRequest("the query is not encoded right");
    const assignments: Assignment[] = [];
    const seen = new Set<string>();
    for (const [name, value] of parameters) {
      const fields = this.#fieldsOf(name);
      if (fields === null) continue;
      const path = fields.map((field) => field.name).join(".");
      const isList = fields.at(-1)!.fieldKind === "list";
      if (!isList && seen.has(path)) throw badRequest(`${name}: given twice`);
      seen.add(path);
      assignments.push(assign(name, fields, value));
    }
    return assignments;
  }

  /** The fields that a parameter names; null for one to be ignored. */
  #fieldsOf(name: string): FieldPath | null {
    const { method, body } = this.#binding;
    const fields = body.kind === "whole"
      ? "the body is the whole message, so that no parameters are left"
      : resolveFieldPath(method.input, name);
    if (typeof fields === "string") {
      if (this.#options.ignoreUnknownParameters) return null;
      throw badRequest(`unknown query parameter "${name}": ${fields}`);
    }
    const field = fields.at(-1)!;
    if (!isTextField(field) && !isTextList(field)) {
      throw badRequest(`${name}: a query parameter cannot be a message or a map`);
    }
    if (this.#isBoundElsewhere(fields)) {
      throw badRequest(`${name}: not a query parameter, it is in the path or the body`);
    }
    return fields;
  }

  #isBoundElsewhere(fields: FieldPath): boolean {
    const { body, variables } = this.#binding;
    if (body.kind === "field" && body.field === fields[0]) return true;
    return variables.some((variable) =>
      variable.fields.length === fields.length &&
      variable.fields.every((field, index) => field === fields[index])
    );
  }
}

function assignVariable(variable: PathVariable, segments: readonly string[]): Assignment {
  const raw = segments.slice(variable.start, variable.end).join("/");
  try {
    const text = decodeURIComponent(variable.isMulti ? keepEscapedSlashes(raw) : raw);
    return assign(variable.fieldPath, variable.fields, text);
  } catch (error) {
    if (error instanceof ProxyError) throw error;
    throw badRequest(`${variable.fieldPath}: the path is not encoded right`, error);
  }
}

/** http.proto: in a variable of several segments `%2F` and `%2f` are left unchanged. */
function keepEscapedSlashes(raw: string): string {
  return raw.replaceAll("%2F", "%252F").replaceAll("%2f", "%252f");
}

function assign(label: string, fields: FieldPath, text: string): Assignment {
  const field = fields.at(-1)!;
  try {
    const json = jsonOfText(field, text);
    return { label, fields, json: field.fieldKind === "list" ? [json] : json };
  } catch (error) {
    throw badRequest(`${label}: ${reasonOf(error)}`, error);
  }
}

/** `{a: {b: json}}`. Without a prototype, so that a field may have any name. */
function nest(fields: FieldPath, json: JsonValue): JsonValue {
  let value = json;
  for (const field of fields.toReversed()) {
    const object = Object.create(null);
    object[field.name] = value;
    value = object;
  }
  return value;
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${reasonOf(error)}`, error);
  }
}

/** Counts those in strings too: it is a guard, not a parser. */
function checkNested(text: string, max: number): void {
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) count++;
  }
  if (count <= max) return;
  const message = `more than ${max} objects and arrays in a message`;
  throw new ProxyError("payload-too-large", message, { side: "downstream" });
}

function badRequest(message: string, cause?: unknown): ProxyError {
  return new ProxyError("bad-request", message, { side: "downstream", cause });
}
