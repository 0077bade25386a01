// The part of the policy that says who may call the local app: a list of rules, or a mapping with more to say.
import * as z from "zod";
import { PATH_PATTERN } from "../patterns.ts";
import * as pattern from "../rule_patterns.ts";
import { byDefault, choice, list, section, table, text, word } from "./fields.ts";

const SECTION = "policy.inbound.authorization";

const CLAIM_PATTERN = /^[^\s]{1,255}$/;
const CLAIM_VALUE = "a text, a number, true or false, or a list of such";

function caller(description: string) {
  const help = { description, pattern: pattern.CALLER_PATTERN, examples: ["order-service", "*"] };
  return word(help, pattern.CALLER);
}

function registeredMethod(description: string) {
  const help = { description, examples: ["GET", "POST"] };
  return text(help, pattern.REGISTERED_METHOD, pattern.parseRegisteredMethod);
}

function rulePath(description: string) {
  const help = { description, pattern: PATH_PATTERN, examples: ["/users/*", "/users/{id}"] };
  return text(help, "a path pattern such as /users/*", pattern.parseRulePath);
}

function grpcMethod(description: string) {
  const help = {
    description,
    pattern: pattern.GRPC_METHOD_PATTERN,
    examples: ["user.UserService/GetUser", "user.UserService/*"],
  };
  return text(help, pattern.GRPC_METHOD, pattern.parseGrpcMethod);
}

function claimTable(description: string) {
  const error = `expected ${CLAIM_VALUE}`;
  const value = z.union([z.string(), z.number(), z.boolean()], { error });
  const values = z.union([value, z.array(value, { error })], { error })
    .meta({ description: "Its value, or a list of which one will do; an empty list: any value." });
  const help = { description, pattern: CLAIM_PATTERN };
  return table(help, "a claim name such as user_id", values);
}

const rule = section({
  description: "Which calls are let in or refused; what is left out takes every call.",
}, {
  name: text(
    { description: "What answers, log and metrics call it.", pattern: pattern.RULE_NAME_PATTERN },
    pattern.RULE_NAME,
    pattern.parseRuleName,
  ).optional(),
  action: byDefault(
    `${SECTION}.rules[].action`,
    choice("What becomes of these calls; what is denied stays denied.", ["allow", "deny"]),
  ),
  from: list("Who calls.", caller("One caller."), 1).optional(),
  namespaces: list(
    "In which namespaces the names of from are; alone: whoever is in one of them.",
    word(
      { description: "One namespace.", pattern: pattern.NAMESPACE_PATTERN },
      pattern.NAMESPACE,
    ),
    1,
  ).optional(),
  methods: list("HTTP methods.", registeredMethod("One method."), 1).optional(),
  paths: list("Paths.", rulePath("/exact, /prefix/* or /users/{id}."), 1).optional(),
  grpc: list("gRPC methods.", grpcMethod("One method, or * for all of a service."), 1).optional(),
  claims: claimTable("What the caller's token says.").optional(),
});

export const authorizationSection = section({
  description: "Rules with a mode, a default and an audit log.",
}, {
  mode: byDefault(
    `${SECTION}.mode`,
    choice("dry-run decides, counts and logs, and refuses nobody.", ["enforce", "dry-run"]),
  ),
  default: choice(
    "What holds where no rule takes the call. Left out: deny where a rule allows, else allow.",
    ["allow", "deny"],
  ).optional(),
  audit: byDefault(
    `${SECTION}.audit`,
    choice("Which decisions leave a line in the log.", ["off", "refused", "all"]),
  ),
  rules: byDefault(`${SECTION}.rules`, list("Deny rules are asked first.", rule)),
});

/** The short form is the list of rules alone. */
export const authorization = z.union(
  [list("Rules; deny rules are asked first.", rule, 1), authorizationSection],
  {
    error: "expected a list of rules, or a mapping of mode, default, audit, rules",
  },
).meta({ description: "Who may call the local app; left out: everybody." });

export type AuthorizationDocument = z.output<typeof authorization>;
export type RuleDocument = z.output<typeof rule>;
