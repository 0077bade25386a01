// The option google.api.http of a method (google/api/http.proto): written to descriptors, and read from them.
import {
  create,
  type DescMethod,
  fromJson,
  getExtension,
  hasExtension,
  type Message,
  setExtension,
  toJson,
} from "@bufbuild/protobuf";
import { MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { errorText } from "../error_text.ts";
import { knownFiles } from "./known_files.ts";
import { type Place, schemaError } from "./lexer.ts";
import { fieldsJson, nestOption, type Option, type OptionFields } from "./options.ts";
import type { MethodOptions } from "./parsed_file.ts";

/** HttpRule as its JSON; one of the patterns is set where the author set one. */
export interface HttpRule {
  readonly get?: string;
  readonly put?: string;
  readonly post?: string;
  readonly delete?: string;
  readonly patch?: string;
  readonly custom?: { readonly kind?: string; readonly path?: string };
  readonly body?: string;
  readonly responseBody?: string;
  readonly additionalBindings?: readonly HttpRule[];
}

const OPTION = "google.api.http";

function extension() {
  return knownFiles().registry.getExtension(OPTION)!;
}

/** Puts the option into the method's descriptor, where the source has it; its place then. */
export function applyHttpOption({ method, options }: MethodOptions): Place | undefined {
  const own = options.filter(({ name }) => name[0] === `(${OPTION})`);
  const [first] = own;
  if (first === undefined) return undefined;
  const schema = extension().message!;
  try {
    const rule = fromJson(schema, fieldsJson(schema, ruleFields(own)));
    method.options ??= create(MethodOptionsSchema);
    setExtension(method.options, extension(), rule);
  } catch (error) {
    throw schemaError(first.place, errorText(error));
  }
  return first.place;
}

/** `(google.api.http) = {...}`, or field by field: `(google.api.http).get = "..."`. */
function ruleFields(options: readonly Option[]): OptionFields {
  return options.flatMap(({ name: [, ...path], value }) => {
    if (path.length > 0) return [nestOption(path, value)];
    if (value.kind === "message") return value.fields;
    throw new Error(`${OPTION} must be a message`);
  });
}

/** The option as a method's descriptor has it. */
export function httpRuleOf(method: DescMethod): HttpRule | undefined {
  const { options } = method.proto;
  if (options === undefined || !hasExtension(options, extension())) return undefined;
  const rule = getExtension(options, extension()) as Message;
  return toJson(extension().message!, rule) as HttpRule;
}
