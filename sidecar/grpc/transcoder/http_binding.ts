// One pattern of a method's google.api.http rule, checked against the messages it speaks of.
import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { ConfigError } from "../../errors.ts";
import { type DescriptorPool, pathOfMethod } from "../descriptors.ts";
import { errorText } from "../error_text.ts";
import { type HttpRule, httpRuleOf } from "../schema/http_option.ts";
import { type FieldPath, findField, isTextField, resolveFieldPath } from "./field_path.ts";
import { parsePathTemplate, type PathTemplate, type TemplateVariable } from "./path_template.ts";

export interface PathVariable extends TemplateVariable {
  readonly fields: FieldPath;
}

/** What the HTTP body is. */
export type BodyRule =
  | { readonly kind: "none" }
  | { readonly kind: "whole" }
  | { readonly kind: "field"; readonly field: DescField };

export interface HttpBinding {
  readonly method: DescMethod;
  /** As in requests; `*` for all. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  readonly variables: readonly PathVariable[];
  readonly body: BodyRule;
  /** The field of the response that is the HTTP body; undefined for the response itself. */
  readonly responseField: DescField | undefined;
}

const PATTERNS = ["get", "put", "post", "delete", "patch"] as const;

/** The ways to call a method: its rule and the rule's additional bindings, or where it has none, its gRPC path by POST. */
export function bindingsOf(pool: DescriptorPool, method: DescMethod): HttpBinding[] {
  const rule = httpRuleOf(method) ?? { post: pathOfMethod(method), body: "*" };
  try {
    const own = bind(method, rule);
    const additional = (rule.additionalBindings ?? []).map((inner) => {
      if (inner.additionalBindings !== undefined) {
        throw new Error("additional_bindings cannot be nested");
      }
      return bind(method, inner);
    });
    return [own, ...additional];
  } catch (error) {
    throw bindingError(pool, method, errorText(error));
  }
}

/** Something wrong with the rule of a method, at its place. */
export function bindingError(pool: DescriptorPool, method: DescMethod, message: string) {
  const { file, line, column } = pool.placeOf(method);
  const path = `${method.parent.typeName}.${method.name}`;
  return new ConfigError([{ file, line, column, path, message }]);
}

function bind(method: DescMethod, rule: HttpRule): HttpBinding {
  const [httpMethod, path] = patternOf(rule);
  const template = parsePathTemplate(path);
  return {
    method,
    httpMethod,
    template,
    variables: template.variables.map((variable) => bindVariable(method, variable)),
    body: bodyOf(method, rule.body ?? ""),
    responseField: responseFieldOf(method, rule.responseBody ?? ""),
  };
}

function patternOf(rule: HttpRule): [string, string] {
  for (const name of PATTERNS) {
    const path = rule[name];
    if (path !== undefined) return [name.toUpperCase(), path];
  }
  if (rule.custom === undefined) throw new Error("google.api.http has no pattern");
  const { kind = "", path = "" } = rule.custom;
  if (kind === "") throw new Error("the custom pattern has no kind");
  return [kind, path];
}

function bindVariable(method: DescMethod, variable: TemplateVariable): PathVariable {
  const fields = resolveFieldPath(method.input, variable.fieldPath);
  if (typeof fields === "string") throw new Error(`variable "${variable.fieldPath}": ${fields}`);
  if (!isTextField(fields.at(-1)!)) {
    throw new Error(`variable "${variable.fieldPath}": a path cannot hold a list or a message`);
  }
  return { ...variable, fields };
}

function bodyOf(method: DescMethod, body: string): BodyRule {
  if (body === "") return { kind: "none" };
  if (body === "*") return { kind: "whole" };
  const field = findField(method.input, body);
  if (field === undefined) throw new Error(`body: ${method.input.typeName} has no field "${body}"`);
  return { kind: "field", field };
}

function responseFieldOf({ output }: DescMethod, name: string): DescField | undefined {
  if (name === "") return undefined;
  const field = findField(output, name);
  if (field === undefined) {
    throw new Error(`response_body: ${output.typeName} has no field "${name}"`);
  }
  return field;
}
