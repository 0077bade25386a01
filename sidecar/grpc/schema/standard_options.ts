// The options of descriptor.proto, such as `packed`, `deprecated` and `features`, as messages.
import { type DescMessage, fromJson, type MessageShape } from "@bufbuild/protobuf";
import { errorText } from "../error_text.ts";
import { schemaError } from "./lexer.ts";
import { fieldsJson, type Option, standardFields } from "./options.ts";

/**
 * The options message that those options make; undefined for none. Extensions and options that are newer than the
 * library are left out: nothing on the way of a message depends on them.
 */
export function standardOptions<D extends DescMessage>(
  schema: D,
  options: readonly Option[],
): MessageShape<D> | undefined {
  const [first] = options;
  if (first === undefined) return undefined;
  try {
    return fromJson(schema, fieldsJson(schema, standardFields(options)), {
      ignoreUnknownFields: true,
    });
  } catch (error) {
    throw schemaError(first.place, errorText(error));
  }
}
