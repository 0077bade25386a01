// `sidecar schema`: JSON Schema of the documents, for editors.
import { bootstrapJsonSchema, type JsonSchema, policyJsonSchema } from "../config/json_schema.ts";
import { parseArguments, refuseMore } from "./arguments.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./errors.ts";
import { EXIT } from "./exit_codes.ts";

const HELP = `Usage: sidecar schema [bootstrap|policy]

Prints the JSON Schema (draft 2020-12) of a document, for editors to complete and check. Default: bootstrap.

Options:
  -h, --help      print this

Example:
  sidecar schema > bootstrap.schema.json     # then begin the file with:  $schema: ./bootstrap.schema.json
`;

const SCHEMAS: ReadonlyMap<string, () => JsonSchema> = new Map([
  ["bootstrap", bootstrapJsonSchema],
  ["policy", policyJsonSchema],
]);

export const schemaCommand: Command = {
  help: HELP,
  run(args, { host }) {
    const [document = "bootstrap", ...more] = parseArguments(args, {}).positionals;
    refuseMore(more);
    const schema = SCHEMAS.get(document);
    if (schema === undefined) {
      const names = [...SCHEMAS.keys()].join(" or ");
      throw new UsageError(`unknown document ${JSON.stringify(document)}, expected ${names}`);
    }
    host.out(`${JSON.stringify(schema(), null, 2)}\n`);
    return Promise.resolve(EXIT.ok);
  },
};
